/*
 * One instance of the convening plugin: its view, its waiting calls, its mail. The files that have
 * a daemon to talk to share it; the methods of each service stand in the file named after it.
 */
#ifndef CONVENING_CONVENING_H
#define CONVENING_CONVENING_H

#include <lyceum/msg.h>
#include <lyceum/plugin.h>

#include "messages.h"
#include "view.h"
#include "zone.h"

struct errand;
struct post;
struct waiter;

struct convening {
	struct lyc_plugin_context *context;
	const config_msg *config; /* NULL: none */
	struct view view;
	struct secret secret; /* of the links */
	struct zones *zones;
	struct waiter *waiters;

	struct lyc_types *types; /* NULL before the first address is asked for */
	struct post *post;       /* NULL: no relay */
	bool has_reviewed;       /* everything was looked at once after the start */
};

/* Milliseconds since 1970. */
int64_t convening_now_ms(void);
/* "ann@wales" is one of the people of this node, and so is "wales". */
bool convening_is_own(const struct convening *state, const char *principal);
/* The event that a request names and the caller may know of. NULL: the call has been ended with a
 * sentence. */
struct entry *convening_event(struct convening *state, struct lyc_call *call, const char *name);
/* The same, of this node, for one of its people: whoever changes something. */
struct entry *convening_own_event(struct convening *state, struct lyc_call *call, const char *name);
/* The zone of events that name none. */
const char *convening_zone(const struct convening *state);
/* This node's own records are private to it unless they say otherwise. */
void convening_private_label(const struct convening *state, label_msg *label);

#endif
