/* How many mails other nodes have had this one send today: an invitation carries its sender's own
 * words to people whom the sender could not write to. A part of the view; days are those of UTC. */
#ifndef CONVENING_FOREIGN_H
#define CONVENING_FOREIGN_H

#include "view.h"

/* Invitations of one other node that are mailed in one day. Those beyond wait for the next. */
#define FOREIGN_MAX_A_DAY 200

/* An invitation of this home is mailed, once each; or, with is_taken_back, is not after all. */
void foreign_note(struct view *view, const char *home, struct invited *invited, int64_t queued_ms,
		  bool is_taken_back);
bool foreign_is_full(struct view *view, const char *home, int64_t now_ms);
/* True once a day and home: it is worth a line in the log. */
bool foreign_is_news(struct view *view, const char *home, int64_t now_ms);
void foreign_free(struct view *view);

#endif
