/* One enquiry under way: finds who can answer, calls all of them at once, and replies when the last
 * one has answered or the time is over. */
#ifndef ASK_GATHER_H
#define ASK_GATHER_H

#include <lyceum/ask/v1/ask.pb-c.h>
#include <lyceum/msg.h>
#include <lyceum/plugin.h>

struct gather;

/* All that are under way, and what is known of who can answer. */
struct gathering {
	struct lyc_plugin_context *context;
	struct lyc_types *types;
	bool is_loading;
	bool is_loaded;
	struct gather *first;
};

/* Takes the call over: it is deferred, and ends with a reply or a failure. */
void gather_start(struct gathering *gathering, struct lyc_call *call,
		  const Lyceum__Ask__V1__AskRequest *request,
		  Lyceum__Ask__V1__AskReply_Closure closure);
/* Frees what is under way; their calls end with the plugin. */
void gathering_fini(struct gathering *gathering);

#endif
