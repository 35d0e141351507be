/* Methods of lyceum.convening.v1.Events: who may do it, and what becomes a record. */
#include "blackouts.h"
#include "draft.h"
#include "errand.h"
#include "hold.h"
#include "meeting.h"
#include "methods.h"
#include "standing.h"
#include "wording.h"

typedef Lyceum__Convening__V1__Events_Service service_msg;

/* ---- Create, Update, Cancel ---- */

struct change {
	event_msg *event;
	Lyceum__Convening__V1__Change change;
};

static void release_change(void *data)
{
	struct change *change = data;

	lyceum__convening__v1__event__free_unpacked(change->event, NULL);
	free(change);
}

static void reply_change(struct errand *errand)
{
	const struct change *change = errand->data;
	Lyceum__Convening__V1__EventReply reply = LYCEUM__CONVENING__V1__EVENT_REPLY__INIT;

	reply.change = change->change;
	reply.event = change->event;
	((Lyceum__Convening__V1__EventReply_Closure)errand->closure)(&reply, errand->call);
}

/* Takes the event; appends it unless nothing has changed. */
static void keep(struct convening *state, struct lyc_call *call, event_msg *event,
		 Lyceum__Convening__V1__Change kind, uint64_t expect_seq, const void *request,
		 Lyceum__Convening__V1__EventReply_Closure closure)
{
	struct errand *errand =
		errand_new(state, call, request, (void (*)(void))closure, reply_change);
	struct change *change = hold_new(1, sizeof(*change));

	*change = (struct change){event, kind};
	errand->data = change;
	errand->release = release_change;
	if (kind != LYCEUM__CONVENING__V1__CHANGE__UNCHANGED)
		errand_append(errand, &event->base, expect_seq, false);
	errand_seal(errand);
}

static bool is_allowed(struct convening *state, struct lyc_call *call)
{
	if (convening_is_own(state, lyc_call_principal(call)))
		return true;
	lyc_call_fail(call, LYC_PERMISSION_DENIED,
		      "the events of %.64s are made and changed by its own people only",
		      state->view.node);
	return false;
}

/* Gives it an id nobody has, or finds the same event: then that one is returned. */
static const struct entry *name_draft(struct convening *state, event_msg *event)
{
	for (unsigned number = 1;; number++) {
		char id[DRAFT_ID_SIZE];
		draft_id(event->title, number, id);
		const struct entry *entry = view_find(&state->view, state->view.node, id);
		if (entry && entry->event) {
			if (strcmp(entry->event->title, event->title) == 0 &&
			    entry->event->start_ms == event->start_ms &&
			    entry->event->status != LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED)
				return entry;
			continue;
		}
		event->id = hold_text(id);
		return NULL;
	}
}

static void events_create(service_msg *service, const Lyceum__Convening__V1__CreateRequest *request,
			  Lyceum__Convening__V1__EventReply_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct convening *state = lyc_call_state(call);
	struct lyc_error error = {0};
	char text[240];

	(void)service;
	if (!is_allowed(state, call))
		return;
	event_msg *event =
		draft_of(request, state->view.node, convening_zone(state), state->zones, &error);
	if (!event) {
		lyc_call_fail_field(call, error.status, error.field, "%s", error.text);
		return;
	}
	const struct entry *same = request->id[0]
					   ? view_find(&state->view, state->view.node, request->id)
					   : name_draft(state, event);
	if (same && same->event && request->id[0] &&
	    (strcmp(same->event->title, event->title) != 0 ||
	     same->event->start_ms != event->start_ms)) {
		lyc_call_fail_field(call, LYC_ALREADY_EXISTS, "id",
				    "there is another event with this id: %.80s",
				    same->event->title);
		lyceum__convening__v1__event__free_unpacked(event, NULL);
		return;
	}
	if (same && same->event) {
		lyceum__convening__v1__event__free_unpacked(event, NULL);
		keep(state, call, draft_copy(same->event), LYCEUM__CONVENING__V1__CHANGE__UNCHANGED,
		     0, request, closure);
		return;
	}
	if (!request->override[0] && blackouts_meets(state, event, text, sizeof(text))) {
		lyc_call_fail_field(call, LYC_FAILED_PRECONDITION, "start", "%s", text);
		lyceum__convening__v1__event__free_unpacked(event, NULL);
		return;
	}
	keep(state, call, event, LYCEUM__CONVENING__V1__CHANGE__ADDED, same ? same->seq : 0,
	     request, closure);
}

static void events_update(service_msg *service, const Lyceum__Convening__V1__UpdateRequest *request,
			  Lyceum__Convening__V1__EventReply_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct convening *state = lyc_call_state(call);
	struct entry *entry = convening_own_event(state, call, request->event);
	struct lyc_error error = {0};
	char text[240];

	(void)service;
	if (!entry)
		return;
	if (entry->event->status == LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED) {
		lyc_call_fail(call, LYC_FAILED_PRECONDITION, "the event is cancelled");
		return;
	}
	event_msg *event = draft_change(entry->event, request, state->zones, &error);
	if (!event) {
		lyc_call_fail_field(call, error.status, error.field, "%s", error.text);
		return;
	}
	if (draft_is_equal(event, entry->event)) {
		keep(state, call, event, LYCEUM__CONVENING__V1__CHANGE__UNCHANGED, 0, request,
		     closure);
		return;
	}
	if (!request->override[0] && blackouts_meets(state, event, text, sizeof(text))) {
		lyc_call_fail_field(call, LYC_FAILED_PRECONDITION, "start", "%s", text);
		lyceum__convening__v1__event__free_unpacked(event, NULL);
		return;
	}
	event->sequence++;
	keep(state, call, event, LYCEUM__CONVENING__V1__CHANGE__UPDATED, entry->seq, request,
	     closure);
}

static void events_cancel(service_msg *service, const Lyceum__Convening__V1__CancelRequest *request,
			  Lyceum__Convening__V1__EventReply_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct convening *state = lyc_call_state(call);
	struct entry *entry = convening_own_event(state, call, request->event);

	(void)service;
	if (!entry)
		return;
	event_msg *event = draft_copy(entry->event);
	if (event->status == LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED) {
		keep(state, call, event, LYCEUM__CONVENING__V1__CHANGE__UNCHANGED, 0, request,
		     closure);
		return;
	}
	event->status = LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED;
	event->sequence++;
	if (request->reason[0])
		event->cancel_reason = hold_text(request->reason);
	keep(state, call, event, LYCEUM__CONVENING__V1__CHANGE__UPDATED, entry->seq, request,
	     closure);
}

/* ---- List, Show ---- */

#define MAX_OF_ONE 400

struct found {
	const event_msg *event;
	struct meeting meeting;
};

struct list {
	struct found *items;
	size_t count, capacity;
	char note[240]; /* "": every series is whole */
};

static int by_time(const void *one, const void *two)
{
	const struct found *a = one, *b = two;

	if (a->meeting.start_ms != b->meeting.start_ms)
		return a->meeting.start_ms < b->meeting.start_ms ? -1 : 1;
	return strcmp(a->event->id, b->event->id);
}

static void add_meetings(struct convening *state, const event_msg *event, int64_t from,
			 int64_t until, struct list *list)
{
	struct meeting meetings[MAX_OF_ONE + 1];
	size_t count = meeting_list(event, state->zones, from, until, meetings, MAX_OF_ONE + 1);

	if (count > MAX_OF_ONE) {
		count = MAX_OF_ONE;
		snprintf(list->note, sizeof(list->note),
			 "Of %.100s only the first %d meetings are listed: ask for fewer days to "
			 "see those after them.",
			 event->title, MAX_OF_ONE);
	}
	list->items =
		hold_grow(list->items, &list->capacity, list->count + count, sizeof(*list->items));
	for (size_t i = 0; i < count; i++)
		list->items[list->count++] = (struct found){event, meetings[i]};
}

static void fill_meeting(const struct found *found, Lyceum__Convening__V1__Meeting *to,
			 char times[2][MEETING_TIME_SIZE])
{
	const event_msg *event = found->event;

	lyceum__convening__v1__meeting__init(to);
	meeting_write(found->meeting.start, times[0]);
	meeting_write(found->meeting.end, times[1]);
	to->home = event->home;
	to->id = event->id;
	to->title = event->title;
	to->start = times[0];
	to->end = times[1];
	to->zone = event->zone;
	to->start_ms = found->meeting.start_ms;
	to->end_ms = found->meeting.end_ms;
	to->place = event->place;
	to->url = event->url;
	to->status = event->status;
	to->is_series = event->rrule[0] != '\0';
	to->label = event->label;
}

static void reply_list(const struct list *list, size_t limit, struct lyc_call *call,
		       Lyceum__Convening__V1__ListReply_Closure closure)
{
	Lyceum__Convening__V1__ListReply reply = LYCEUM__CONVENING__V1__LIST_REPLY__INIT;
	size_t count = list->count < limit ? list->count : limit;
	Lyceum__Convening__V1__Meeting *meetings = hold_new(count, sizeof(*meetings));
	char(*times)[2][MEETING_TIME_SIZE] = hold_new(count, sizeof(*times));

	reply.meeting = hold_new(count, sizeof(*reply.meeting));
	reply.total = (uint32_t)list->count;
	reply.note = (char *)(uintptr_t)list->note;
	for (size_t i = 0; i < count; i++) {
		fill_meeting(&list->items[i], &meetings[i], times[i]);
		reply.meeting[reply.n_meeting++] = &meetings[i];
	}
	closure(&reply, call);
	free(reply.meeting);
	free(times);
	free(meetings);
}

static void events_list(service_msg *service, const Lyceum__Convening__V1__ListRequest *request,
			Lyceum__Convening__V1__ListReply_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct convening *state = lyc_call_state(call);
	int64_t from = convening_now_ms(), until = 0;
	struct list list = {0};

	(void)service;
	from -= from % 86400000;
	if (request->from[0] && !meeting_day(request->from, &from)) {
		lyc_call_fail_field(call, LYC_INVALID_ARGUMENT, "from", "this is no day");
		return;
	}
	until = from + 366 * (int64_t)86400000;
	if (request->until[0] && !meeting_day(request->until, &until)) {
		lyc_call_fail_field(call, LYC_INVALID_ARGUMENT, "until", "this is no day");
		return;
	}
	until += request->until[0] ? 86400000 : 0;
	for (struct entry *entry = state->view.entries; entry; entry = entry->hh.next) {
		const event_msg *event = entry->event;
		if (!event || !lyc_call_may_see(call, event->label))
			continue;
		if (event->status == LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED &&
		    !request->with_cancelled)
			continue;
		if ((request->of_home[0] && strcmp(request->of_home, entry->home) != 0) ||
		    !wording_has_all(event, request->text))
			continue;
		add_meetings(state, event, from, until, &list);
	}
	if (list.count > 0)
		qsort(list.items, list.count, sizeof(*list.items), by_time);
	reply_list(&list, request->limit ? request->limit : 100, call, closure);
	free(list.items);
}

static void events_show(service_msg *service, const Lyceum__Convening__V1__ShowRequest *request,
			Lyceum__Convening__V1__ShowReply_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct convening *state = lyc_call_state(call);
	struct entry *entry = convening_event(state, call, request->event);
	Lyceum__Convening__V1__ShowReply reply = LYCEUM__CONVENING__V1__SHOW_REPLY__INIT;
	Lyceum__Convening__V1__Attendance attendance = LYCEUM__CONVENING__V1__ATTENDANCE__INIT;
	int64_t now_ms = convening_now_ms();
	struct meeting meetings[10];
	char times[10][MEETING_TIME_SIZE], *next[10], because[STANDING_TEXT_SIZE];
	struct seats_standing standing;
	standing_msg own;

	(void)service;
	if (!entry)
		return;
	reply.event = entry->event;
	reply.next = next;
	size_t count = meeting_list(entry->event, state->zones, now_ms,
				    now_ms + 3660 * (int64_t)86400000, meetings, 10);
	for (size_t i = 0; i < count; i++) {
		meeting_write(meetings[i].start, times[i]);
		next[reply.n_next++] = times[i];
	}
	if (entry->seats && convening_is_own(state, lyc_call_principal(call))) {
		attendance.taken = seats_taken(entry->seats);
		attendance.waiting = (uint32_t)seats_waiting(entry->seats);
		attendance.invited = (uint32_t)seats_invited(entry->seats);
		reply.attendance = &attendance;
	}
	if (view_standing(&state->view, entry, lyc_call_principal(call), &standing)) {
		standing_fill(&standing, entry->event, because, &own);
		reply.own = &own;
	}
	closure(&reply, call);
}

/* ---- Blackouts ---- */

static void events_add_blackout(service_msg *service,
				const Lyceum__Convening__V1__AddBlackoutRequest *request,
				Lyceum__Convening__V1__AddBlackoutReply_Closure closure,
				void *closure_data)
{
	struct convening *state = lyc_call_state(closure_data);

	(void)service;
	if (is_allowed(state, closure_data))
		blackouts_add(state, closure_data, request, closure);
}

static void events_remove_blackout(service_msg *service,
				   const Lyceum__Convening__V1__RemoveBlackoutRequest *request,
				   Lyceum__Convening__V1__RemoveBlackoutReply_Closure closure,
				   void *closure_data)
{
	struct convening *state = lyc_call_state(closure_data);

	(void)service;
	if (is_allowed(state, closure_data))
		blackouts_remove(state, closure_data, request, closure);
}

static void events_list_blackouts(service_msg *service,
				  const Lyceum__Convening__V1__ListBlackoutsRequest *request,
				  Lyceum__Convening__V1__ListBlackoutsReply_Closure closure,
				  void *closure_data)
{
	(void)service;
	(void)request;
	blackouts_list(lyc_call_state(closure_data), closure_data, closure);
}

service_msg convening_events = LYCEUM__CONVENING__V1__EVENTS__INIT(events_);
