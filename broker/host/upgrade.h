/*
 * One instance takes the place of another of the same title, and no call is lost: it is started
 * beside it, follows the log until its view has caught up, and registers. Then the former one is
 * asked to stop: it says that it takes no more calls, the new one takes over in the same turn, and
 * the former one ends when it has answered what it was given. Until it has done so no call of a
 * method that appends is given to the new one (router.c). Who waits for whom is decided in
 * node/handover.c; here are the entries.
 */
#ifndef LYC_HOST_UPGRADE_H
#define LYC_HOST_UPGRADE_H

#include "host/host.h"

/* Calls of an instance that is asked to stop may take so long at most. */
#define UPGRADE_GRACE_MS 60000u
/* An instance that is asked to stop and does not say so is not waited for any longer. */
#define UPGRADE_PATIENCE_MS 5000u

/* Start another in its place: `next`, which it takes, or NULL for one of the same configuration. An
 * instance that does not serve is just replaced. How it went is said by host->on_upgraded. */
void upgrade_begin(struct host *host, struct plugin *plugin, struct plugin *next);
/* Ask an instance to finish its calls and end. */
void upgrade_ask(struct host *host, struct plugin *plugin);
/* The successor serves: the incumbent is retiring from now on. */
void upgrade_complete(struct host *host, struct plugin *next);
/* The successor did not get so far: the incumbent goes on. */
void upgrade_fail(struct host *host, struct plugin *next, const char *text);
/* It has no place in the configuration any more: it finishes, and its entry goes with it. Frees it
 * at once where it does not run. */
void upgrade_retire(struct host *host, struct plugin *plugin);
/* Has a retiring instance of this plugin (NULL: of any) still a call under way that may append? */
bool upgrade_may_append(const struct host *host, const char *name);

#endif
