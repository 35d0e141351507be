/* What an earlier life of a daemon knew of others. */
#ifndef LYC_NODE_KNOWN_H
#define LYC_NODE_KNOWN_H

struct daemon;
struct link;

/* How far the hub had confirmed this daemon's records: what comes after is in the outbox. */
void known_load_hub(struct daemon *daemon, struct link *link);
/* How old the knowledge of each origin is; the log has to be replayed. */
void known_load(struct daemon *daemon);
/* Both, for the next life. */
void known_save(struct daemon *daemon);

#endif
