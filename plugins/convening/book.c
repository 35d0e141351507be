/* One page at a time an event; verdicts as they come. */
#include "book.h"

#include "fold.h"
#include "hold.h"

/* Entries live as long as the view, debts do not: they are found again. */
struct writing {
	struct convening *state;
	struct entry *entry;
	uint64_t page;
	char node[72]; /* of a verdict */
};

static const struct lyc_publish_options where_there_is_none = {.durable = true, .expect = true};

static struct writing *writing_new(struct convening *state, struct entry *entry, uint64_t page,
				   const char *node)
{
	struct writing *writing = hold_new(1, sizeof(*writing));

	*writing = (struct writing){.state = state, .entry = entry, .page = page};
	snprintf(writing->node, sizeof(writing->node), "%s", node);
	return writing;
}

/* ---- Pages ---- */

static void on_page(const struct lyc_ack *ack, void *arg)
{
	struct writing *writing = arg;
	struct entry *entry = writing->entry;

	/* A page that is in the log frees the way when the view has it. */
	if (ack->status != LYC_OK && entry->page_under_way == writing->page) {
		entry->page_under_way = 0;
		seats_reconsider(entry->seats);
		view_mark(&writing->state->view, entry);
		if (ack->status != LYC_FAILED_PRECONDITION)
			lyc_log(writing->state->context, 2, "a page of seats was not taken: %s",
				ack->text ? ack->text : "");
	}
	free(writing);
}

static void append_page(struct convening *state, struct entry *entry, seat_page_msg *page)
{
	struct writing *writing = writing_new(state, entry, page->page, "");

	entry->page_under_way = page->page;
	if (lyc_append(state->context, &page->base, &where_there_is_none, on_page, writing) ==
	    LYC_OK)
		return;
	entry->page_under_way = 0;
	seats_reconsider(entry->seats);
	free(writing);
}

static void write_page(struct convening *state, struct entry *entry)
{
	struct seats_decision *decisions = hold_new(BOOK_PAGE, sizeof(*decisions));
	place_msg *places = hold_new(BOOK_PAGE, sizeof(*places));
	place_msg **pointers = hold_new(BOOK_PAGE, sizeof(*pointers));
	label_msg label = LYCEUM__V1__LABEL__INIT;
	seat_page_msg page = LYCEUM__CONVENING__V1__SEAT_PAGE__INIT;

	page.n_place = seats_decide(entry->seats, decisions, BOOK_PAGE);
	for (size_t i = 0; i < page.n_place; i++) {
		lyceum__convening__v1__place__init(&places[i]);
		places[i].node = (char *)(uintptr_t)decisions[i].node;
		places[i].person = (char *)(uintptr_t)decisions[i].person;
		places[i].group = (char *)(uintptr_t)decisions[i].group;
		places[i].number = decisions[i].number;
		places[i].state = (Lyceum__Convening__V1__Place__State)decisions[i].state;
		places[i].reason = (Lyceum__Convening__V1__Place__Reason)decisions[i].reason;
		pointers[i] = &places[i];
	}
	page.home = entry->home;
	page.event = entry->id;
	page.page = seats_next_page(entry->seats);
	page.event_sequence = entry->event->sequence;
	page.place = pointers;
	page.label = &label;
	convening_private_label(state, &label);
	if (page.n_place > 0)
		append_page(state, entry, &page);
	free(pointers);
	free(places);
	free(decisions);
}

/* ---- Verdicts ---- */

static void on_verdict(const struct lyc_ack *ack, void *arg)
{
	struct writing *writing = arg;
	struct debt *debt = fold_debt(writing->entry, writing->node, writing->page);

	/* There is one already: the view will hear of it. */
	if (ack->status != LYC_OK && ack->status != LYC_FAILED_PRECONDITION && debt) {
		debt->is_under_way = false;
		lyc_log(writing->state->context, 2, "a verdict was not taken: %s",
			ack->text ? ack->text : "");
	}
	free(writing);
}

static void pay(struct convening *state, struct entry *entry, struct debt *debt)
{
	label_msg label = LYCEUM__V1__LABEL__INIT;
	verdict_msg verdict = LYCEUM__CONVENING__V1__VERDICT__INIT;
	struct writing *writing = writing_new(state, entry, debt->page, debt->node);

	convening_private_label(state, &label);
	label.visibility = LYCEUM__V1__VISIBILITY__AUDIENCE;
	label.audience = &debt->node;
	label.n_audience = 1;
	verdict.home = entry->home;
	verdict.event = entry->id;
	verdict.node = debt->node;
	verdict.page = debt->page;
	verdict.place = debt->places;
	verdict.n_place = debt->place_count;
	verdict.label = &label;
	debt->is_under_way = true;
	if (lyc_append(state->context, &verdict.base, &where_there_is_none, on_verdict, writing) !=
	    LYC_OK) {
		debt->is_under_way = false;
		free(writing);
	}
}

void book_advance(struct convening *state, struct entry *entry)
{
	if (!entry->seats || !entry->event)
		return;
	for (struct debt *debt = entry->debts; debt; debt = debt->next) {
		if (!debt->is_under_way)
			pay(state, entry, debt);
	}
	if (entry->page_under_way == 0)
		write_page(state, entry);
}
