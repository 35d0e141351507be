/*
 * How a change gets into the log: each person's record with the expectation that it was not changed
 * meanwhile. An expectation that fails where the view holds nobody means an older withdrawal: tried
 * once more with the sequence that the log named.
 */
#include "change.h"

#include <stdio.h>

#include "entry.h"

static void on_done(const struct lyc_ack *ack, void *arg);

/* Everything that this person's items were promised is refused. */
static void refuse_person(struct person *person, enum lyc_status status, const char *text)
{
	struct change *change = person->change;
	size_t at = (size_t)(person - change->persons);
	struct lyc_error error = {.status = status};

	snprintf(error.text, sizeof(error.text), "%s", text ? text : "");
	for (size_t i = 0; i < change->result_count; i++) {
		if (change->result_person[i] == at &&
		    change->results[i].change != LYCEUM__EXPERTS__V1__CHANGE__UNCHANGED)
			change_say_refusal(&change->results[i], &error);
	}
}

/* Who asked is named as the one who wrote. */
static enum lyc_status append(struct person *person)
{
	const struct change *change = person->change;
	struct lyc_plugin_context *context = change->changes->context;
	struct lyc_publish_options options = {.durable = true,
					      .principal = lyc_call_principal(change->call)};

	if (change->kind != CHANGE_REMOVE) {
		options.expect = true;
		options.expect_seq = person->expect_seq;
		return lyc_append(context, &person->wanted->base, &options, on_done, person);
	}
	return lyc_withdraw(context, &person->held->base, &options, on_done, person);
}

static bool is_needed(const struct person *person)
{
	if (person->change->is_dry)
		return false;
	if (person->change->kind == CHANGE_REMOVE)
		return person->held && person->change->result_person[0] != SIZE_MAX;
	return person->wanted && !(person->held && entry_is_equal(person->held, person->wanted));
}

/* Append until the credit is used up; goes on when something has come back. */
void change_append_some(struct change *change)
{
	for (; change->append_next < change->person_count; change->append_next++) {
		struct person *person = &change->persons[change->append_next];
		if (!is_needed(person))
			continue;
		change->append_due++;
		enum lyc_status status = append(person);
		if (status == LYC_OK)
			continue;
		change->append_due--;
		if (status == LYC_RESOURCE_EXHAUSTED && change->append_due > 0)
			return;
		refuse_person(person, status,
			      status == LYC_OUT_OF_RANGE
				      ? "the record would be larger than a message may be"
				      : "the log does not take the record now");
	}
}

static void judge(struct person *person, const struct lyc_ack *ack)
{
	struct change *change = person->change;

	if (ack->status == LYC_OK) {
		if (ack->seq > change->wait_seq)
			change->wait_seq = ack->seq;
		return;
	}
	if (ack->status != LYC_FAILED_PRECONDITION || change->kind == CHANGE_REMOVE) {
		refuse_person(person, ack->status, ack->text);
		return;
	}
	if (!person->held && !person->was_tried_again) {
		person->was_tried_again = true;
		person->expect_seq = ack->seq;
		change->append_due++;
		if (append(person) == LYC_OK)
			return;
		change->append_due--;
	}
	refuse_person(person, LYC_ABORTED, "the record was changed meanwhile: try again");
}

static void on_done(const struct lyc_ack *ack, void *arg)
{
	struct person *person = arg;
	struct change *change = person->change;

	change->append_due--;
	judge(person, ack);
	change_append_some(change);
	changes_appended(change->changes);
}
