/* A short list: every period counts that this node may know of. */
#include "blackouts.h"

#include "errand.h"
#include "hold.h"
#include "meeting.h"

static void tell(struct convening *state, const blackout_msg *blackout, const char *lead, char *to,
		 size_t size)
{
	char from[MEETING_TIME_SIZE], until[MEETING_TIME_SIZE];
	const struct zone *zone = NULL;
	struct lyc_error error;
	bool is_known = zones_find(state->zones, convening_zone(state), &zone, &error) == LYC_OK;
	int64_t last = blackout->until_ms / 1000 - 1;

	meeting_write(is_known ? zone_to_wall(zone, blackout->from_ms / 1000)
			       : blackout->from_ms / 1000,
		      from);
	meeting_write(is_known ? zone_to_wall(zone, last) : last, until);
	snprintf(to, size,
		 "%s the blackout period %.10s to %.10s of %.40s (%.80s): --override "
		 "with a reason does it all the same",
		 lead, from, until, blackout->home, blackout->reason);
}

bool blackouts_meets(struct convening *state, const event_msg *event, char *to, size_t size)
{
	struct meeting meeting;

	for (struct blackout_entry *at = state->view.blackouts; at; at = at->next) {
		if (meeting_list(event, state->zones, at->msg->from_ms, at->msg->until_ms, &meeting,
				 1) == 0)
			continue;
		tell(state, at->msg, "a meeting falls into", to, size);
		return true;
	}
	return false;
}

bool blackouts_is_on(struct convening *state, int64_t now_ms, char *to, size_t size)
{
	for (struct blackout_entry *at = state->view.blackouts; at; at = at->next) {
		if (now_ms < at->msg->from_ms || now_ms >= at->msg->until_ms)
			continue;
		tell(state, at->msg, "now is within", to, size);
		return true;
	}
	return false;
}

/* ---- Methods ---- */

struct span_of_days {
	char id[64];
};

static void reply_blackout(struct errand *errand)
{
	const Lyceum__Convening__V1__AddBlackoutRequest *request = errand->request;
	Lyceum__Convening__V1__AddBlackoutReply reply =
		LYCEUM__CONVENING__V1__ADD_BLACKOUT_REPLY__INIT;

	reply.id = ((struct span_of_days *)errand->data)->id;
	reply.from = request->from;
	reply.until = request->until;
	((Lyceum__Convening__V1__AddBlackoutReply_Closure)errand->closure)(&reply, errand->call);
}

void blackouts_add(struct convening *state, struct lyc_call *call,
		   const Lyceum__Convening__V1__AddBlackoutRequest *request,
		   Lyceum__Convening__V1__AddBlackoutReply_Closure closure)
{
	label_msg label = LYCEUM__V1__LABEL__INIT;
	blackout_msg blackout = LYCEUM__CONVENING__V1__BLACKOUT__INIT;
	const struct zone *zone;
	struct lyc_error error;

	if (zones_find(state->zones, convening_zone(state), &zone, &error) != LYC_OK) {
		lyc_call_fail(call, LYC_FAILED_PRECONDITION, "%s", error.text);
		return;
	}
	if (!meeting_day(request->from, &blackout.from_ms) ||
	    !meeting_day(request->until, &blackout.until_ms) ||
	    blackout.until_ms < blackout.from_ms) {
		lyc_call_fail_field(call, LYC_INVALID_ARGUMENT, "until",
				    "these are not two days in order");
		return;
	}
	blackout.from_ms = zone_to_utc(zone, blackout.from_ms / 1000, NULL) * 1000;
	blackout.until_ms = zone_to_utc(zone, blackout.until_ms / 1000 + 86400, NULL) * 1000;
	struct span_of_days *days = hold_new(1, sizeof(*days));
	snprintf(days->id, sizeof(days->id), "%.10s-%.10s", request->from, request->until);
	blackout.home = state->view.node;
	blackout.id = days->id;
	blackout.reason = request->reason;
	blackout.label = &label;
	convening_private_label(state, &label);
	if (request->for_all)
		label.visibility = LYCEUM__V1__VISIBILITY__MEMBERS;
	struct errand *errand =
		errand_new(state, call, request, (void (*)(void))closure, reply_blackout);
	errand->data = days;
	errand->release = free;
	/* One that was taken back may be declared anew. */
	errand->may_replace = true;
	errand_append(errand, &blackout.base, 0, false);
	errand_seal(errand);
}

static void reply_removed(struct errand *errand)
{
	const Lyceum__Convening__V1__RemoveBlackoutRequest *request = errand->request;
	Lyceum__Convening__V1__RemoveBlackoutReply reply =
		LYCEUM__CONVENING__V1__REMOVE_BLACKOUT_REPLY__INIT;

	reply.id = request->id;
	((Lyceum__Convening__V1__RemoveBlackoutReply_Closure)errand->closure)(&reply, errand->call);
}

void blackouts_remove(struct convening *state, struct lyc_call *call,
		      const Lyceum__Convening__V1__RemoveBlackoutRequest *request,
		      Lyceum__Convening__V1__RemoveBlackoutReply_Closure closure)
{
	const struct blackout_entry *held = state->view.blackouts;
	const char *elsewhere = NULL;

	for (; held; held = held->next) {
		if (strcmp(held->msg->id, request->id) != 0)
			continue;
		if (strcmp(held->msg->home, state->view.node) == 0)
			break;
		elsewhere = held->msg->home;
	}
	if (!held && elsewhere)
		lyc_call_fail_field(call, LYC_PERMISSION_DENIED, "id",
				    "this period is %.64s's, whose own people take it back",
				    elsewhere);
	else if (!held)
		lyc_call_fail_field(call, LYC_NOT_FOUND, "id",
				    "there is no such period: `lyceum event blackouts` lists them");
	if (!held)
		return;
	struct errand *errand =
		errand_new(state, call, request, (void (*)(void))closure, reply_removed);
	errand_withdraw(errand, &held->msg->base, held->seq);
	errand_seal(errand);
}

void blackouts_list(struct convening *state, struct lyc_call *call,
		    Lyceum__Convening__V1__ListBlackoutsReply_Closure closure)
{
	Lyceum__Convening__V1__ListBlackoutsReply reply =
		LYCEUM__CONVENING__V1__LIST_BLACKOUTS_REPLY__INIT;
	Lyceum__Convening__V1__ListBlackoutsReply__Item items[200], *pointers[200];

	reply.blackout = pointers;
	for (struct blackout_entry *at = state->view.blackouts; at && reply.n_blackout < 200;
	     at = at->next) {
		Lyceum__Convening__V1__ListBlackoutsReply__Item *item = &items[reply.n_blackout];
		if (!lyc_call_may_see(call, at->msg->label) || strlen(at->msg->id) != 21)
			continue;
		lyceum__convening__v1__list_blackouts_reply__item__init(item);
		item->id = at->msg->id;
		item->home = at->msg->home;
		item->from = hold_text(at->msg->id);
		item->from[10] = '\0';
		item->until = at->msg->id + 11;
		item->reason = at->msg->reason;
		item->label = at->msg->label;
		pointers[reply.n_blackout++] = item;
	}
	closure(&reply, call);
	for (size_t i = 0; i < reply.n_blackout; i++)
		free(items[i].from);
}
