/* The method that answers `lyceum ask`: past and coming events that are about what is asked. */
#include "convening.h"
#include "hold.h"
#include "meeting.h"
#include "methods.h"
#include "wording.h"

typedef Lyceum__Convening__V1__Enquiries_Service service_msg;

struct hit {
	const event_msg *event;
	int score;
	char found[200];
};

static int by_score(const void *one, const void *two)
{
	const struct hit *a = one, *b = two;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	if (a->event->start_ms != b->event->start_ms)
		return a->event->start_ms > b->event->start_ms ? -1 : 1;
	return strcmp(a->event->id, b->event->id);
}

static size_t find(struct convening *state, struct lyc_call *call, const char *text,
		   struct hit **ret_hits)
{
	struct hit *hits = NULL;
	size_t count = 0, capacity = 0;

	for (struct entry *entry = state->view.entries; entry; entry = entry->hh.next) {
		struct hit hit = {.event = entry->event};
		if (!entry->event || !lyc_call_may_see(call, entry->event->label))
			continue;
		hit.score = wording_score(entry->event, text, hit.found, sizeof(hit.found));
		if (hit.score < 2)
			continue;
		hits = hold_grow(hits, &capacity, count + 1, sizeof(*hits));
		hits[count++] = hit;
	}
	if (count > 0)
		qsort(hits, count, sizeof(*hits), by_score);
	*ret_hits = hits;
	return count;
}

static void fill(const struct hit *hit, int64_t now_ms, Lyceum__V1__EnquiryItem *to, char *line,
		 size_t line_size, char *why, size_t why_size)
{
	const event_msg *event = hit->event;
	char when[MEETING_WORDS_SIZE];

	lyceum__v1__enquiry_item__init(to);
	meeting_words(event, false, when);
	const char *state = event->status == LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED
				    ? ", cancelled"
			    : event->end_ms < now_ms && !event->rrule[0] ? ", past"
									 : "";
	snprintf(line, line_size, "%s%s%.200s%s", when, event->place[0] ? ", " : "", event->place,
		 state);
	snprintf(why, why_size, "about: %s", hit->found);
	to->title = event->title;
	to->subtitle = line;
	to->home = event->home;
	to->ref = event->id;
	to->why = why;
	to->score = hit->score;
}

static void enquiries_answer_enquiry(service_msg *service, const Lyceum__V1__Enquiry *request,
				     Lyceum__V1__EnquiryAnswer_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	Lyceum__V1__EnquiryAnswer reply = LYCEUM__V1__ENQUIRY_ANSWER__INIT;
	Lyceum__V1__EnquiryItem items[50], *pointers[50];
	char lines[50][480], whys[50][240];
	struct hit *hits;
	size_t limit = request->limit ? request->limit : 5;

	(void)service;
	size_t count = find(lyc_call_state(call), call, request->text, &hits);
	reply.kind = (char *)(uintptr_t) "events";
	reply.total = (uint32_t)count;
	reply.item = pointers;
	for (size_t i = 0; i < count && i < limit && i < 50; i++) {
		fill(&hits[i], convening_now_ms(), &items[i], lines[i], sizeof(lines[i]), whys[i],
		     sizeof(whys[i]));
		pointers[reply.n_item++] = &items[i];
	}
	closure(&reply, call);
	free(hits);
}

service_msg convening_enquiries = LYCEUM__CONVENING__V1__ENQUIRIES__INIT(enquiries_);
