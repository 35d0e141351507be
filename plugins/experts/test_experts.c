/* The plugin as a whole, as a thread and as a process, against a scripted daemon: what it appends,
 * what it does not, and what it then answers. Arguments: the lyceum-plugin executable, experts.so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#include <lyceum/experts/v1/experts.pb-c.h>
#include <lyceum/experts/v1/search.pb-c.h>

static const char *runner;
static const char *path;
static struct harness *harness;
static uint64_t subscription;
static uint64_t last_seq;
static uint64_t last_call;

static int set_up(void **as_thread)
{
	harness_configure(*as_thread != NULL, runner);
	harness = harness_open();
	harness_start(harness, path, "experts", NULL);
	last_seq = 0;
	const struct packet_subscribe *subscribe =
		&harness_expect(harness, PACKET_SUBSCRIBE)->subscribe;
	assert_true(span_is(subscribe->pattern, "lyceum.experts.v1.Expert.>"));
	subscription = subscribe->id;
	/* It registers when it has caught up. */
	struct packet gap = {.kind = PACKET_GAP, .gap = {.id = subscription, .seq = 0}};
	harness_send(harness, &gap);
	const struct packet *packet = harness_expect(harness, PACKET_REGISTER);
	assert_int_equal(packet->reg.service_count, 2);
	struct packet answer = {.kind = PACKET_REGISTERED,
				.registered = {.id = packet->reg.id, .status = LYC_OK}};
	harness_send(harness, &answer);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	harness_close(harness);
	return 0;
}

static uint64_t call(const char *method, const ProtobufCMessage *request, const char *principal)
{
	size_t len = protobuf_c_message_get_packed_size(request);
	uint8_t *body = malloc(len + 1);
	assert_non_null(body);
	protobuf_c_message_pack(request, body);
	struct packet packet = {.kind = PACKET_CALL,
				.call = {.id = ++last_call,
					 .method = span_of(method, strlen(method)),
					 .principal = span_of(principal, strlen(principal)),
					 .timeout_ms = 5000,
					 .body = span_of(body, len)}};
	harness_send(harness, &packet);
	free(body);
	return last_call;
}

static void *answer_of(uint64_t id, const ProtobufCMessageDescriptor *type)
{
	const struct packet_reply *reply = harness_expect_reply(harness, id);
	if (reply->status != LYC_OK)
		print_error("%.*s\n", (int)reply->text.len, (const char *)reply->text.data);
	assert_int_equal(reply->status, LYC_OK);
	void *message = protobuf_c_message_unpack(type, NULL, reply->body.len, reply->body.data);
	assert_non_null(message);
	return message;
}

/* What the plugin appends next is acknowledged and delivered, as a daemon would. The subject gets
 * its tokens from the body. */
static void commit(uint64_t expect_seq)
{
	const struct packet_publish publish = harness_expect(harness, PACKET_PUBLISH)->publish;
	Lyceum__Experts__V1__Expert *expert = NULL;
	char subject[300];

	assert_true(publish.durable);
	/* Whoever asked is named as the one who wrote. */
	assert_true(span_is(publish.principal, "ann@wales"));
	if (publish.remove) {
		snprintf(subject, sizeof(subject), "%.*s", (int)publish.subject.len,
			 (const char *)publish.subject.data);
	} else {
		assert_true(publish.has_expect);
		assert_int_equal(publish.expect_seq, expect_seq);
		expert = lyceum__experts__v1__expert__unpack(NULL, publish.body.len,
							     publish.body.data);
		assert_non_null(expert);
		snprintf(subject, sizeof(subject), "lyceum.experts.v1.Expert.%s.%s", expert->home,
			 expert->id);
	}
	struct packet ack = {.kind = PACKET_ACK, .ack = {.id = publish.id, .seq = ++last_seq}};
	struct packet deliver = {.kind = PACKET_DELIVER,
				 .deliver = {.id = subscription,
					     .seq = last_seq,
					     .subject = span_of(subject, strlen(subject)),
					     .body = publish.body,
					     .removed = publish.remove}};
	harness_send(harness, &ack);
	harness_send(harness, &deliver);
	lyceum__experts__v1__expert__free_unpacked(expert, NULL);
}

struct row {
	char *id, *name, *region, *orcid, *ref, *title;
};

/* One item a row, as an import sends them. */
static uint64_t import(struct row *rows, size_t count)
{
	Lyceum__Experts__V1__ImportRequest request = LYCEUM__EXPERTS__V1__IMPORT_REQUEST__INIT;
	Lyceum__Experts__V1__Expert experts[4], *items[4];
	Lyceum__Experts__V1__PersonName names[4];
	Lyceum__Experts__V1__Evidence evidence[4], *lists[4];

	for (size_t i = 0; i < count; i++) {
		lyceum__experts__v1__expert__init(&experts[i]);
		lyceum__experts__v1__person_name__init(&names[i]);
		lyceum__experts__v1__evidence__init(&evidence[i]);
		names[i].display = rows[i].name;
		evidence[i].ref = rows[i].ref;
		evidence[i].title = rows[i].title;
		lists[i] = &evidence[i];
		items[i] = &experts[i];
		experts[i].id = rows[i].id;
		experts[i].name = &names[i];
		experts[i].region = rows[i].region;
		experts[i].orcid = rows[i].orcid;
		experts[i].evidence = &lists[i];
		experts[i].n_evidence = 1;
	}
	request.items = items;
	request.n_items = count;
	return call("lyceum.experts.v1.ExpertDirectory/Import", &request.base, "ann@wales");
}

static struct row rows[] = {
	{"P1", "Okafor, Ada", "GB-WLS", "", "G1", "Cell therapy manufacturing"},
	{"P2", "Unknown Unknown Unknown", "Unknown", "", "G2", "A project of nobody"},
	{"P1", "Okafor, Ada", "Unknown", "", "G3", "Viral vectors"},
	{"P3", "Bethan Price", "Wales", "0000-0002-1825-0098", "G4", "Trials of cell therapy"},
};

static uint64_t found(const char *text, const char *principal)
{
	Lyceum__Experts__V1__FindRequest request = LYCEUM__EXPERTS__V1__FIND_REQUEST__INIT;
	request.text = (char *)(uintptr_t)text;
	Lyceum__Experts__V1__FindReply *reply =
		answer_of(call("lyceum.experts.v1.ExpertSearch/Find", &request.base, principal),
			  &lyceum__experts__v1__find_reply__descriptor);
	uint64_t total = reply->total;
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
	return total;
}

static Lyceum__Experts__V1__ImportReply *import_reply(uint64_t id)
{
	return answer_of(id, &lyceum__experts__v1__import_reply__descriptor);
}

static void test_experts_imports_once_and_appends_nothing_the_second_time(void **state)
{
	(void)state;
	uint64_t id = import(rows, 4);
	commit(0);
	Lyceum__Experts__V1__ImportReply *reply = import_reply(id);
	assert_int_equal(reply->n_results, 4);
	assert_int_equal(reply->results[0]->change, LYCEUM__EXPERTS__V1__CHANGE__ADDED);
	assert_int_equal(reply->results[1]->status, LYCEUM__V1__STATUS__INVALID_ARGUMENT);
	assert_string_equal(reply->results[1]->field, "name.display");
	assert_int_equal(reply->results[2]->change, LYCEUM__EXPERTS__V1__CHANGE__UPDATED);
	assert_string_equal(reply->results[3]->field, "orcid");
	assert_int_equal(reply->refused, 2);
	lyceum__experts__v1__import_reply__free_unpacked(reply, NULL);

	reply = import_reply(import(rows, 4));
	assert_int_equal(reply->unchanged, 2);
	assert_int_equal(reply->added + reply->updated, 0);
	lyceum__experts__v1__import_reply__free_unpacked(reply, NULL);
	assert_int_equal(found("vectors for cell therapies", "ann@wales"), 1);
	assert_int_equal(found("okaf", "bob@nhsa"), 1);
}

static void test_experts_changes_with_the_expectation_of_the_last_record(void **state)
{
	(void)state;
	uint64_t id = import(rows, 1);
	commit(0);
	lyceum__experts__v1__import_reply__free_unpacked(import_reply(id), NULL);
	id = import(rows + 2, 1);
	commit(1);
	Lyceum__Experts__V1__ImportReply *reply = import_reply(id);
	assert_int_equal(reply->updated, 1);
	assert_string_equal(reply->results[0]->text,
			    "the region \"Unknown\" is left out; seen by all members");
	lyceum__experts__v1__import_reply__free_unpacked(reply, NULL);
}

static void test_experts_tells_when_the_record_was_changed_meanwhile(void **state)
{
	(void)state;
	uint64_t id = import(rows, 1);
	commit(0);
	lyceum__experts__v1__import_reply__free_unpacked(import_reply(id), NULL);
	id = import(rows + 2, 1);
	struct packet ack = {.kind = PACKET_ACK,
			     .ack = {.id = harness_expect(harness, PACKET_PUBLISH)->publish.id,
				     .status = LYC_FAILED_PRECONDITION,
				     .seq = 9}};
	harness_send(harness, &ack);
	Lyceum__Experts__V1__ImportReply *reply = import_reply(id);
	assert_int_equal(reply->results[0]->status, LYCEUM__V1__STATUS__ABORTED);
	lyceum__experts__v1__import_reply__free_unpacked(reply, NULL);
}

static void test_experts_removes_and_finds_no_more(void **state)
{
	Lyceum__Experts__V1__RemoveRequest request = LYCEUM__EXPERTS__V1__REMOVE_REQUEST__INIT;

	(void)state;
	uint64_t id = import(rows, 1);
	commit(0);
	lyceum__experts__v1__import_reply__free_unpacked(import_reply(id), NULL);
	assert_int_equal(found("cell", "ann@wales"), 1);
	request.id = "P1";
	id = call("lyceum.experts.v1.ExpertDirectory/Remove", &request.base, "ann@wales");
	commit(0);
	Lyceum__Experts__V1__RemoveReply *reply =
		answer_of(id, &lyceum__experts__v1__remove_reply__descriptor);
	assert_string_equal(reply->name, "Ada Okafor");
	lyceum__experts__v1__remove_reply__free_unpacked(reply, NULL);
	assert_int_equal(found("cell", "ann@wales"), 0);
	/* Entered anew, the withdrawal is what is expected. */
	id = import(rows, 1);
	commit(2);
	lyceum__experts__v1__import_reply__free_unpacked(import_reply(id), NULL);
	assert_int_equal(found("cell", "ann@wales"), 1);
}

static void test_experts_refuses_to_change_what_another_node_is_home_to(void **state)
{
	Lyceum__Experts__V1__RemoveRequest request = LYCEUM__EXPERTS__V1__REMOVE_REQUEST__INIT;

	(void)state;
	request.id = "P1";
	request.home = "nhsa";
	uint64_t id = call("lyceum.experts.v1.ExpertDirectory/Remove", &request.base, "ann@wales");
	const struct packet_reply *reply = harness_expect_reply(harness, id);
	assert_int_equal(reply->status, LYC_FAILED_PRECONDITION);
	assert_true(span_is(reply->field, "home"));
	assert_non_null(memmem(reply->text.data, reply->text.len, "nhsa", 4));
}

/* The call ends with PERMISSION_DENIED and a sentence that names the home. */
static void expect_denied(uint64_t id)
{
	const struct packet_reply *reply = harness_expect_reply(harness, id);
	assert_int_equal(reply->status, LYC_PERMISSION_DENIED);
	assert_non_null(memmem(reply->text.data, reply->text.len, "wales", 5));
	/* Nothing of whether there is such a record. */
	assert_null(memmem(reply->text.data, reply->text.len, "Okafor", 6));
}

static void test_experts_lets_only_its_own_people_change_a_record(void **state)
{
	static const char *const strangers[] = {"bob@nhsa", "nhsa", "ann@wales2", "wales@nhsa", ""};
	Lyceum__Experts__V1__AddRequest add = LYCEUM__EXPERTS__V1__ADD_REQUEST__INIT;
	Lyceum__Experts__V1__RemoveRequest remove = LYCEUM__EXPERTS__V1__REMOVE_REQUEST__INIT;
	Lyceum__Experts__V1__ImportRequest items = LYCEUM__EXPERTS__V1__IMPORT_REQUEST__INIT;
	Lyceum__Experts__V1__Expert expert = LYCEUM__EXPERTS__V1__EXPERT__INIT, *list = &expert;

	(void)state;
	uint64_t id = import(rows, 1);
	commit(0);
	lyceum__experts__v1__import_reply__free_unpacked(import_reply(id), NULL);
	add.name = "Ada Okafor";
	add.id = expert.id = remove.id = "P1";
	items.items = &list;
	items.n_items = 1;
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		const char *who = strangers[i];
		expect_denied(call("lyceum.experts.v1.ExpertDirectory/Add", &add.base, who));
		expect_denied(call("lyceum.experts.v1.ExpertDirectory/Remove", &remove.base, who));
		items.dry_run = i % 2;
		expect_denied(call("lyceum.experts.v1.ExpertDirectory/Import", &items.base, who));
	}
	assert_int_equal(found("cell", "ann@wales"), 1);
}

static void test_experts_shows_somebody_by_a_name_that_only_one_has(void **state)
{
	static struct row two[] = {{"P1", "Okafor, Ada", "", "", "G1", "Cells"},
				   {"P2", "Ada Okafor", "", "", "G2", "Vectors"}};
	Lyceum__Experts__V1__GetRequest get = LYCEUM__EXPERTS__V1__GET_REQUEST__INIT;

	(void)state;
	uint64_t id = import(two, 1);
	commit(0);
	lyceum__experts__v1__import_reply__free_unpacked(import_reply(id), NULL);
	get.id = "okafor, ada";
	id = call("lyceum.experts.v1.ExpertDirectory/Get", &get.base, "ann@wales");
	Lyceum__Experts__V1__GetReply *got =
		answer_of(id, &lyceum__experts__v1__get_reply__descriptor);
	assert_string_equal(got->expert->id, "P1");
	assert_int_equal(got->n_evidence, 1);
	assert_string_equal(got->evidence[0], "work G1: Cells");
	lyceum__experts__v1__get_reply__free_unpacked(got, NULL);

	id = import(two + 1, 1);
	commit(0);
	lyceum__experts__v1__import_reply__free_unpacked(import_reply(id), NULL);
	id = call("lyceum.experts.v1.ExpertDirectory/Get", &get.base, "ann@wales");
	const struct packet_reply *reply = harness_expect_reply(harness, id);
	assert_int_equal(reply->status, LYC_FAILED_PRECONDITION);
	assert_non_null(memmem(reply->text.data, reply->text.len, "P1, P2", 6));
}

static void test_experts_shows_a_private_expert_at_home_only(void **state)
{
	Lyceum__Experts__V1__AddRequest request = LYCEUM__EXPERTS__V1__ADD_REQUEST__INIT;
	Lyceum__Experts__V1__GetRequest get = LYCEUM__EXPERTS__V1__GET_REQUEST__INIT;
	char *topic = "quiet money";

	(void)state;
	request.name = "Price, Bethan";
	request.visibility = LYCEUM__V1__VISIBILITY__PRIVATE;
	request.topic = &topic;
	request.n_topic = 1;
	uint64_t id = call("lyceum.experts.v1.ExpertDirectory/Add", &request.base, "ann@wales");
	commit(0);
	Lyceum__Experts__V1__AddReply *added =
		answer_of(id, &lyceum__experts__v1__add_reply__descriptor);
	assert_string_equal(added->result->seen_by, "seen by wales only");
	assert_int_equal(found("quiet money", "ann@wales"), 1);
	assert_int_equal(found("quiet money", "bob@nhsa"), 0);
	get.id = added->result->id;
	id = call("lyceum.experts.v1.ExpertDirectory/Get", &get.base, "bob@nhsa");
	assert_int_equal(harness_expect_reply(harness, id)->status, LYC_NOT_FOUND);
	id = call("lyceum.experts.v1.ExpertDirectory/Get", &get.base, "ann@wales");
	Lyceum__Experts__V1__GetReply *got =
		answer_of(id, &lyceum__experts__v1__get_reply__descriptor);
	assert_string_equal(got->expert->name->display, "Bethan Price");
	lyceum__experts__v1__get_reply__free_unpacked(got, NULL);
	lyceum__experts__v1__add_reply__free_unpacked(added, NULL);
}

#define EXPERTS_TEST(name, kind)                                                                   \
	{                                                                                          \
#name " as a " kind, name, set_up, tear_down, kind[0] == 't' ? (void *)kind : NULL \
	}
#define EXPERTS_TESTS(kind)                                                                        \
	EXPERTS_TEST(test_experts_imports_once_and_appends_nothing_the_second_time, kind),         \
		EXPERTS_TEST(test_experts_changes_with_the_expectation_of_the_last_record, kind),  \
		EXPERTS_TEST(test_experts_tells_when_the_record_was_changed_meanwhile, kind),      \
		EXPERTS_TEST(test_experts_removes_and_finds_no_more, kind),                        \
		EXPERTS_TEST(test_experts_refuses_to_change_what_another_node_is_home_to, kind),   \
		EXPERTS_TEST(test_experts_lets_only_its_own_people_change_a_record, kind),         \
		EXPERTS_TEST(test_experts_shows_somebody_by_a_name_that_only_one_has, kind),       \
		EXPERTS_TEST(test_experts_shows_a_private_expert_at_home_only, kind)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {EXPERTS_TESTS("thread"), EXPERTS_TESTS("process")};
	if (argc != 3) {
		fprintf(stderr, "usage: test_experts RUNNER EXPERTS.so\n");
		return 2;
	}
	runner = argv[1];
	path = argv[2];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
