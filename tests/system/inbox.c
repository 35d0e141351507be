/* Deliveries and replies, copied out of the callbacks. */
#include "inbox.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "lyceum/echo/v1/echo.pb-c.h"
#include "lyceum/experts/v1/experts.pb-c.h"

static void read_body(const struct lyc_delivery *delivery, struct arrival *arrival)
{
	Lyceum__Echo__V1__Note *note = NULL;
	arrival->body_len = delivery->body_len;
	if (strncmp(delivery->subject, NOTE, strlen(NOTE)) == 0)
		note = lyceum__echo__v1__note__unpack(NULL, delivery->body_len, delivery->body);
	if (note)
		snprintf(arrival->text, sizeof(arrival->text), "%s", note->text);
	lyceum__echo__v1__note__free_unpacked(note, NULL);
	Lyceum__Experts__V1__Expert *expert = NULL;
	if (strncmp(delivery->subject, EXPERT ".", strlen(EXPERT ".")) == 0)
		expert = lyceum__experts__v1__expert__unpack(NULL, delivery->body_len,
							     delivery->body);
	if (expert && expert->name)
		snprintf(arrival->text, sizeof(arrival->text), "%s", expert->name->display);
	lyceum__experts__v1__expert__free_unpacked(expert, NULL);
}

static void take(const struct lyc_delivery *delivery, void *arg)
{
	struct inbox *inbox = arg;
	inbox->missed += delivery->missed;
	inbox->has_caught_up = inbox->has_caught_up || delivery->caught_up;
	if (!delivery->subject)
		return;
	ensure(inbox->count < INBOX_MAX);
	struct arrival *arrival = &inbox->items[inbox->count++];
	*arrival = (struct arrival){.seq = delivery->seq,
				    .origin_seq = delivery->origin_seq,
				    .missed = delivery->missed,
				    .removed = delivery->removed};
	snprintf(arrival->subject, sizeof(arrival->subject), "%s", delivery->subject);
	snprintf(arrival->origin, sizeof(arrival->origin), "%s",
		 delivery->origin ? delivery->origin : "");
	read_body(delivery, arrival);
}

struct inbox *inbox_open(struct network *network, struct lyc_client *client, const char *pattern,
			 const struct lyc_subscribe_options *options)
{
	struct lyc_error error = {0};
	struct inbox *inbox = mem_new(struct inbox);
	inbox->network = network;
	inbox->client = client;
	inbox->items = calloc(INBOX_MAX, sizeof(*inbox->items));
	ensure(inbox->items);
	if (lyc_client_subscribe(client, pattern, options, take, inbox, &inbox->id, &error) !=
	    LYC_OK)
		fail_msg("no subscription to %s: %s", pattern, error.text);
	/* When the daemon answers this, it has the subscription. */
	uint8_t *body = NULL;
	size_t len = 0;
	if (lyc_client_call(client, "lyceum.v1.Node/Status", NULL, 0, NULL, &body, &len, &error) ==
	    LYC_UNAVAILABLE)
		fail_msg("the daemon went away: %s", error.text);
	free(body);
	return inbox;
}

void inbox_drop(struct inbox *inbox)
{
	if (inbox)
		free(inbox->items);
	free(inbox);
}

void inbox_close(struct inbox *inbox)
{
	if (inbox)
		lyc_client_unsubscribe(inbox->client, inbox->id, false);
	inbox_drop(inbox);
}

static void run(struct network *network, struct lyc_client *client)
{
	lyc_client_run(client, 5);
	network_run(network, 0);
}

void inbox_wait(struct inbox *inbox, size_t count)
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while (inbox->count < count) {
		if (network_now_ms() > deadline)
			fail_msg("%zu messages came, not %zu", inbox->count, count);
		run(inbox->network, inbox->client);
	}
}

void inbox_wait_caught_up(struct inbox *inbox)
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while (!inbox->has_caught_up) {
		if (network_now_ms() > deadline)
			fail_msg("the end of the log was not told after %zu", inbox->count);
		run(inbox->network, inbox->client);
	}
}

size_t inbox_count(const struct inbox *inbox, const char *text)
{
	size_t count = 0;
	for (size_t i = 0; i < inbox->count; i++)
		count += strcmp(inbox->items[i].text, text) == 0;
	return count;
}

/* ---- notes ---- */

enum lyc_status note_try(struct lyc_client *client, const char *subject, const char *text,
			 const struct lyc_publish_options *options, struct lyc_error *error)
{
	uint8_t body[1200];
	Lyceum__Echo__V1__Note note = LYCEUM__ECHO__V1__NOTE__INIT;
	note.text = (char *)(uintptr_t)text;
	ensure(lyceum__echo__v1__note__get_packed_size(&note) <= sizeof(body));
	size_t len = lyceum__echo__v1__note__pack(&note, body);
	return lyc_client_publish(client, subject ? subject : NOTE ".all", body, len, options, NULL,
				  error);
}

uint64_t note_publish(struct lyc_client *client, const char *subject, const char *text,
		      const struct lyc_publish_options *options)
{
	uint8_t body[1200];
	uint64_t seq = 0;
	struct lyc_error error = {0};
	Lyceum__Echo__V1__Note note = LYCEUM__ECHO__V1__NOTE__INIT;
	note.text = (char *)(uintptr_t)text;
	ensure(lyceum__echo__v1__note__get_packed_size(&note) <= sizeof(body));
	size_t len = lyceum__echo__v1__note__pack(&note, body);
	if (lyc_client_publish(client, subject ? subject : NOTE ".all", body, len, options, &seq,
			       &error) != LYC_OK)
		fail_msg("the note '%s' was refused: %s", text, error.text);
	return seq;
}

enum lyc_status expert_publish(struct node *node, const char *home, const char *id,
			       const char *name, int visibility, const char *audience,
			       const struct lyc_publish_options *options, uint64_t *ret_seq,
			       struct lyc_error *error)
{
	const struct lyc_publish_options durable = {.durable = true};
	uint8_t body[800];
	Lyceum__Experts__V1__Expert expert = LYCEUM__EXPERTS__V1__EXPERT__INIT;
	Lyceum__Experts__V1__PersonName person = LYCEUM__EXPERTS__V1__PERSON_NAME__INIT;
	Lyceum__V1__Label label = LYCEUM__V1__LABEL__INIT;
	char *readers[] = {(char *)(uintptr_t)audience};
	person.display = (char *)(uintptr_t)name;
	label.home = (char *)(uintptr_t)home;
	label.visibility = (Lyceum__V1__Visibility)visibility;
	label.audience = readers;
	label.n_audience = audience ? 1 : 0;
	expert.home = (char *)(uintptr_t)home;
	expert.id = (char *)(uintptr_t)id;
	expert.name = &person;
	expert.label = &label;
	ensure(lyceum__experts__v1__expert__get_packed_size(&expert) <= sizeof(body));
	size_t len = lyceum__experts__v1__expert__pack(&expert, body);
	return lyc_client_publish(node_client(node), EXPERT, body, len,
				  options ? options : &durable, ret_seq, error);
}

void expert_post(struct node *node, const char *id, const char *name, int visibility,
		 const char *audience)
{
	struct lyc_error error = {0};
	if (expert_publish(node, node->name, id, name, visibility, audience, NULL, NULL, &error) !=
	    LYC_OK)
		fail_msg("the expert '%s' was refused: %s", name, error.text);
}

/* ---- calls ---- */

static void on_reply(const struct lyc_reply *reply, void *arg)
{
	struct outcome *outcome = arg;
	outcome->reply_count++;
	outcome->is_done = !reply->more;
	outcome->status = reply->status;
	snprintf(outcome->text, sizeof(outcome->text), "%s", reply->text ? reply->text : "");
	snprintf(outcome->field, sizeof(outcome->field), "%s", reply->field ? reply->field : "");
	snprintf(outcome->served_by, sizeof(outcome->served_by), "%s",
		 reply->served_by ? reply->served_by : "");
	outcome->refusal = reply->refusal;
	outcome->position = reply->position;
	snprintf(outcome->position_origin, sizeof(outcome->position_origin), "%s",
		 reply->position.origin ? reply->position.origin : "");
	outcome->position.origin = outcome->position_origin;
	for (size_t i = 0; i < reply->as_of_count && i < 8; i++) {
		outcome->as_of_age_ms[i] = reply->as_of[i].age_ms;
		snprintf(outcome->as_of_origin[i], sizeof(outcome->as_of_origin[i]), "%s",
			 reply->as_of[i].origin);
	}
	outcome->as_of_count = reply->as_of_count;
	outcome->said[0] = '\0';
	outcome->body_len =
		reply->body_len < sizeof(outcome->body) ? reply->body_len : sizeof(outcome->body);
	if (outcome->body_len > 0)
		memcpy(outcome->body, reply->body, outcome->body_len);
	Lyceum__Echo__V1__SayReply *said =
		reply->status == LYC_OK
			? lyceum__echo__v1__say_reply__unpack(NULL, reply->body_len, reply->body)
			: NULL;
	if (said)
		snprintf(outcome->said, sizeof(outcome->said), "%s|%s|%s", said->text,
			 said->served_by, said->principal);
	lyceum__echo__v1__say_reply__free_unpacked(said, NULL);
}

uint64_t say_start(struct lyc_client *client, const char *text, uint32_t delay_ms,
		   const struct lyc_call_options *options, struct outcome *outcome)
{
	uint8_t body[400];
	uint64_t id = 0;
	Lyceum__Echo__V1__SayRequest request = LYCEUM__ECHO__V1__SAY_REQUEST__INIT;
	*outcome = (struct outcome){0};
	request.text = (char *)(uintptr_t)text;
	request.delay_ms = delay_ms;
	size_t len = lyceum__echo__v1__say_request__pack(&request, body);
	assert_int_equal(lyc_client_call_start(client, "lyceum.echo.v1.Echo/Say", body, len,
					       options, on_reply, outcome, &id),
			 LYC_OK);
	return id;
}

void outcome_wait(struct network *network, struct lyc_client *client, struct outcome *outcome)
{
	/* Longer than any of these calls may take. */
	uint64_t deadline = network_now_ms() + 3ull * NETWORK_DEADLINE_MS;
	while (!outcome->is_done) {
		if (network_now_ms() > deadline)
			fail_msg("a call got no reply at all");
		run(network, client);
	}
}

struct outcome say(struct node *node, const char *text, uint32_t delay_ms,
		   const struct lyc_call_options *options)
{
	struct outcome outcome;
	say_start(node_client(node), text, delay_ms, options, &outcome);
	outcome_wait(node->network, node_client(node), &outcome);
	return outcome;
}

void ask_start(struct lyc_client *client, const char *method, const void *body, size_t body_len,
	       const struct lyc_call_options *options, struct outcome *outcome)
{
	*outcome = (struct outcome){0};
	assert_int_equal(lyc_client_call_start(client, method, body, body_len, options, on_reply,
					       outcome, NULL),
			 LYC_OK);
}

struct outcome ask(struct node *node, struct lyc_client *client, const char *method,
		   const void *body, size_t body_len, const struct lyc_call_options *options)
{
	struct outcome outcome;
	ask_start(client, method, body, body_len, options, &outcome);
	outcome_wait(node->network, client, &outcome);
	return outcome;
}

void say_until(struct node *node, enum lyc_status status)
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	for (;;) {
		struct outcome outcome = say(node, "again", 0, NULL);
		if (outcome.status == status)
			return;
		if (network_now_ms() > deadline)
			fail_msg("a call still ends with %d: %s", outcome.status, outcome.text);
		network_run(node->network, 5);
	}
}
