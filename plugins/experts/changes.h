/*
 * Changes of the directory, one call at a time: what a call wants is compared with what the view
 * holds, what differs is appended with an expectation, and the call is answered when the log has
 * acknowledged and the view has come as far. Calls that come meanwhile wait in a bounded queue.
 */
#ifndef EXPERTS_CHANGES_H
#define EXPERTS_CHANGES_H

#include <lyceum/experts/v1/experts.pb-c.h>
#include <lyceum/plugin.h>

#include "view.h"

/* Calls that may wait. */
#define CHANGES_MAX_WAITING 256

struct change;

struct changes {
	struct lyc_plugin_context *context;
	struct view *view;
	struct change *active;
	struct change *waiting_first;
	struct change *waiting_last;
	size_t waiting_count;
};

void changes_init(struct changes *changes, struct lyc_plugin_context *context, struct view *view);
/* Frees what waits; answers nobody. */
void changes_fini(struct changes *changes);
/* Take a call. Its request stays valid until it is answered, here or later. */
void changes_add(struct changes *changes, struct lyc_call *call,
		 const Lyceum__Experts__V1__AddRequest *request,
		 Lyceum__Experts__V1__AddReply_Closure closure);
void changes_import(struct changes *changes, struct lyc_call *call,
		    const Lyceum__Experts__V1__ImportRequest *request,
		    Lyceum__Experts__V1__ImportReply_Closure closure);
void changes_remove(struct changes *changes, struct lyc_call *call,
		    const Lyceum__Experts__V1__RemoveRequest *request,
		    Lyceum__Experts__V1__RemoveReply_Closure closure);
/* The active call has heard of an append: see whether it can be answered. */
void changes_appended(struct changes *changes);

#endif
