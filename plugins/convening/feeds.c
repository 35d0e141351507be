/* Methods of lyceum.convening.v1.Calendar: an address for calendar programs, and what is behind it.
 */
#include "errand.h"
#include "feed.h"
#include "hold.h"
#include "meeting.h"
#include "methods.h"

typedef Lyceum__Convening__V1__Calendar_Service service_msg;

#define MAX_EVENTS 2000
#define DAY_MS ((int64_t)86400000)
/* So long a link lives without being asked for again. */
#define FEED_DAYS 90

/* ---- Subscribe, EndFeed ---- */

static void reply_url(struct errand *errand)
{
	Lyceum__Convening__V1__SubscribeReply reply = LYCEUM__CONVENING__V1__SUBSCRIBE_REPLY__INIT;

	reply.url = errand->data;
	((Lyceum__Convening__V1__SubscribeReply_Closure)errand->closure)(&reply, errand->call);
}

/* The link's number: the held one's, unless that has ended or is to end, or this node's secret has
 * become another. */
static uint64_t choose(const struct convening *state, const struct feed_entry *held, bool renew,
		       const char *person, char token[SECRET_TOKEN_SIZE],
		       uint8_t hash[SECRET_HASH_LEN])
{
	uint64_t number = held ? held->msg->number : 1;

	secret_feed_token(&state->secret, person, number, token);
	secret_hash(token, hash);
	if (!held || (!renew && view_feed(&state->view, token, convening_now_ms()) == held))
		return number;
	secret_feed_token(&state->secret, person, ++number, token);
	secret_hash(token, hash);
	return number;
}

static void calendar_subscribe(service_msg *service,
			       const Lyceum__Convening__V1__SubscribeRequest *request,
			       Lyceum__Convening__V1__SubscribeReply_Closure closure,
			       void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct convening *state = lyc_call_state(call);
	const char *principal = lyc_call_principal(call);
	const struct feed_entry *held = view_feed_of(&state->view, principal);
	label_msg label = LYCEUM__V1__LABEL__INIT;
	feed_token_msg feed = LYCEUM__CONVENING__V1__FEED_TOKEN__INIT;
	char token[SECRET_TOKEN_SIZE], *url = NULL;
	uint8_t hash[SECRET_HASH_LEN];

	(void)service;
	if (!convening_is_own(state, principal)) {
		lyc_call_fail(call, LYC_PERMISSION_DENIED,
			      "the people of %.64s have their calendars here, others at their node",
			      state->view.node);
		return;
	}
	convening_private_label(state, &label);
	feed.home = state->view.node;
	feed.person = (char *)(uintptr_t)principal;
	feed.number = choose(state, held, request->renew, principal, token, hash);
	feed.token_hash = (ProtobufCBinaryData){.len = sizeof(hash), .data = hash};
	feed.until_ms = convening_now_ms() + FEED_DAYS * DAY_MS;
	feed.label = &label;
	const char *base = state->config ? state->config->web_address : "";
	if (asprintf(&url, "%s/calendar/%s.ics", base, token) < 0)
		url = hold_text("");
	struct errand *errand =
		errand_new(state, call, request, (void (*)(void))closure, reply_url);
	errand->data = url;
	errand->release = free;
	errand_append(errand, &feed.base, held ? held->seq : 0, false);
	errand_seal(errand);
}

static void reply_end(struct errand *errand)
{
	Lyceum__Convening__V1__EndFeedReply reply = LYCEUM__CONVENING__V1__END_FEED_REPLY__INIT;

	reply.person = errand->data;
	reply.text = (char *)(uintptr_t) "the calendar link has ended";
	((Lyceum__Convening__V1__EndFeedReply_Closure)errand->closure)(&reply, errand->call);
}

static void calendar_end_feed(service_msg *service,
			      const Lyceum__Convening__V1__EndFeedRequest *request,
			      Lyceum__Convening__V1__EndFeedReply_Closure closure,
			      void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct convening *state = lyc_call_state(call);
	label_msg label = LYCEUM__V1__LABEL__INIT;
	feed_token_msg feed = LYCEUM__CONVENING__V1__FEED_TOKEN__INIT;
	char person[240];

	(void)service;
	if (!lyc_call_is_operator(call)) {
		lyc_call_fail(call, LYC_PERMISSION_DENIED,
			      "a calendar link is ended by this node's operator; one's own by "
			      "`lyceum event feed --renew`");
		return;
	}
	snprintf(person, sizeof(person), "%s%s%s", request->person,
		 strchr(request->person, '@') ? "" : "@",
		 strchr(request->person, '@') ? "" : state->view.node);
	const struct feed_entry *held = view_feed_of(&state->view, person);
	if (!held)
		held = view_feed_of(&state->view, request->person);
	if (!held || held->msg->token_hash.len == 0) {
		lyc_call_fail_field(call, LYC_NOT_FOUND, "person",
				    "%.140s has no calendar link here", person);
		return;
	}
	convening_private_label(state, &label);
	feed.home = state->view.node;
	feed.person = held->msg->person;
	/* The number stays: whoever asks again gets the next link. */
	feed.number = held->msg->number;
	feed.label = &label;
	struct errand *errand =
		errand_new(state, call, request, (void (*)(void))closure, reply_end);
	errand->data = hold_text(held->msg->person);
	errand->release = free;
	errand_append(errand, &feed.base, held->seq, false);
	errand_seal(errand);
}

/* ---- Texts ---- */

/* May this person of the node know of the event? What is for a group is not told: a feed's reader
 * carries no groups. */
static bool may_know(const struct convening *state, const event_msg *event, const char *person)
{
	const label_msg *label = event->label;

	if (strcmp(event->home, state->view.node) == 0)
		return true;
	if (!label || label->visibility == LYCEUM__V1__VISIBILITY__PRIVATE)
		return false;
	if (label->visibility != LYCEUM__V1__VISIBILITY__AUDIENCE)
		return true;
	for (size_t i = 0; i < label->n_audience; i++) {
		if (strcmp(label->audience[i], state->view.node) == 0 ||
		    strcmp(label->audience[i], person) == 0)
			return true;
	}
	return false;
}

static void reply_feed(struct convening *state, struct lyc_call *call, struct meeting_ics *items,
		       size_t count, Lyceum__Convening__V1__CalendarReply_Closure closure)
{
	Lyceum__Convening__V1__CalendarReply reply = LYCEUM__CONVENING__V1__CALENDAR_REPLY__INIT;
	struct ics_event *events = hold_new(count, sizeof(*events));
	struct feed feed = {.name = "Lyceum",
			    .description = "Meetings of the network",
			    .refresh_s = 3600,
			    .events = events,
			    .event_count = count};
	struct lyc_error error = {0};
	char *text = NULL;
	size_t len;

	for (size_t i = 0; i < count; i++)
		events[i] = items[i].event;
	if (feed_write(&feed, state->zones, &text, &len, &error) == LYC_OK) {
		reply.calendar = text;
		closure(&reply, call);
	} else {
		lyc_call_fail(call, LYC_INTERNAL, "the calendar cannot be written: %s", error.text);
	}
	free(text);
	free(events);
}

static void calendar_feed(service_msg *service, const Lyceum__Convening__V1__FeedRequest *request,
			  Lyceum__Convening__V1__CalendarReply_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct convening *state = lyc_call_state(call);
	int64_t now_ms = convening_now_ms();
	const struct feed_entry *feed = view_feed(&state->view, request->token, now_ms);
	size_t count = 0;

	(void)service;
	if (!feed) {
		lyc_call_fail_field(call, LYC_NOT_FOUND, "token",
				    "this calendar is not known here, or its address has ended: "
				    "`lyceum event feed` gives one");
		return;
	}
	struct meeting_ics *items = hold_new(MAX_EVENTS, sizeof(*items));
	for (struct entry *entry = state->view.entries; entry && count < MAX_EVENTS;
	     entry = entry->hh.next) {
		struct meeting meeting;
		if (entry->event && may_know(state, entry->event, feed->msg->person) &&
		    meeting_list(entry->event, state->zones, now_ms - 90 * DAY_MS,
				 now_ms + 3660 * DAY_MS, &meeting, 1) == 1 &&
		    meeting_to_ics(entry->event, (int64_t)(entry->time_ms / 1000), &items[count]))
			count++;
	}
	/* The strings of an item lie within it: it must not move any more. */
	reply_feed(state, call, items, count, closure);
	for (size_t i = 0; i < count; i++)
		meeting_ics_fini(&items[i]);
	free(items);
}

static void calendar_export(service_msg *service,
			    const Lyceum__Convening__V1__ExportRequest *request,
			    Lyceum__Convening__V1__CalendarReply_Closure closure,
			    void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct convening *state = lyc_call_state(call);
	const struct entry *entry = convening_event(state, call, request->event);
	struct meeting_ics ics;

	(void)service;
	if (!entry)
		return;
	if (!meeting_to_ics(entry->event, (int64_t)(entry->time_ms / 1000), &ics)) {
		lyc_call_fail(call, LYC_INTERNAL, "the event's times cannot be read");
		return;
	}
	reply_feed(state, call, &ics, 1, closure);
	meeting_ics_fini(&ics);
}

service_msg convening_calendar = LYCEUM__CONVENING__V1__CALENDAR__INIT(calendar_);
