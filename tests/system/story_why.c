/* Why: three daemons; each kind of refusal is explained from what the command prints as the next
 * step, a call's way is told over all of them, and a record's, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/ensure.h"
#include "inbox.h"
#include "raw_peer.h"
#include "shell.h"

static struct network *network;
static struct node *hub;
static struct node *nhsa;
static struct node *wales;
static struct keypair ann;
static struct keypair bob;

static int start(void **state)
{
	(void)state;
	struct lyc_error error;
	ensure(keyfile_make(&ann, &error) == LYC_OK && keyfile_make(&bob, &error) == LYC_OK);
	network = network_new();
	hub = network_add(network, "hub", NULL);
	nhsa = network_add(network, "nhsa", hub);
	wales = network_add(network, "wales", hub);
	node_add_plugin(nhsa, "echo", NULL, "process");
	node_add_plugin(nhsa, "experts", NULL, "process");
	node_add_key(wales, "ann", &ann, "role: PERSON, call: ['lyceum.v1.Node/*']");
	node_add_key(wales, "bob", &bob, "role: PERSON");
	snprintf(wales->extra, sizeof(wales->extra), "limits:\n  call_credit: 100000\n");
	node_start(hub);
	node_start(nhsa);
	node_start(wales);
	node_wait_for_plugin(nhsa, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	node_wait_for_plugin(nhsa, "experts", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	network_settle(network);
	say_until(wales, LYC_OK);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	network_free(network);
	return 0;
}

/* ---- What the stories say again and again ---- */

static void check_text(const char *text, const char *const *parts)
{
	for (; *parts; parts++) {
		if (!strstr(text, *parts))
			fail_msg("'%s' is not in:\n%s", *parts, text);
	}
}

#define PARTS(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static void check_why(struct node *node, const char *id, const char *const *parts)
{
	struct shell_result result = shell_run(node, "why", id, NULL);
	if (result.code != 0)
		fail_msg("why %s: %s", id, result.err);
	check_text(result.out, parts);
	shell_result_fini(&result);
}

/* What stands behind "why " in the last line that the command has printed. */
static void next_step(const struct shell_result *result, char id[64])
{
	const char *at = strstr(result->err, " why ");
	assert_true(result->code != 0);
	if (!at)
		fail_msg("no next step in: %s", result->err);
	assert_int_equal(sscanf(at, " why %63s", id), 1);
}

/* The command fails, and its next step explains it. */
static void check_failure(struct node *node, struct shell_result result, const char *const *parts)
{
	char id[64];
	next_step(&result, id);
	check_why(node, id, parts);
	shell_result_fini(&result);
}

static enum lyc_status why_as(struct node *node, const struct keypair *keys, const char *id,
			      char *text, size_t size)
{
	Lyceum__V1__WhyRequest request = LYCEUM__V1__WHY_REQUEST__INIT;
	uint8_t body[300];
	request.id = (char *)(uintptr_t)id;
	size_t len = lyceum__v1__why_request__pack(&request, body);
	struct lyc_client *client = node_open_as(node, keys);
	struct outcome outcome = ask(node, client, "lyceum.v1.Node/Why", body, len, NULL);
	lyc_client_close(client);
	Lyceum__V1__WhyReply *reply =
		outcome.status == LYC_OK
			? lyceum__v1__why_reply__unpack(NULL, outcome.body_len, outcome.body)
			: NULL;
	snprintf(text, size, "%s", reply ? reply->text : outcome.text);
	if (reply)
		lyceum__v1__why_reply__free_unpacked(reply, NULL);
	return outcome.status;
}

/* ---- Refusals ---- */

static void test_why_explains_a_schema_rule_by_its_field(void **state)
{
	(void)state;
	check_failure(wales,
		      shell_run(wales, "call", "lyceum.echo.v1.Echo/Say", "{\"text\": \"\"}", NULL),
		      PARTS("wales, ", "called lyceum.echo.v1.Echo/Say", "wales refused it as r",
			    "INVALID_ARGUMENT, because of a rule of its schema (field text)",
			    "text: is required"));
}

/* Whoever notices first, a daemon or the plugin, says so; the others pass it on. */
static void test_why_explains_a_deadline_at_each_daemon(void **state)
{
	(void)state;
	check_failure(wales,
		      shell_run(wales, "echo", "say", "slow", "--delay-ms", "50000", "--timeout",
				"300ms", NULL),
		      PARTS("wales, ", "it went to the hub 'hub'", "DEADLINE_EXCEEDED", "\n  hub, ",
			    "it went to 'nhsa', which serves it", "\n    nhsa, ",
			    "it went to 'echo', which serves it here"));
}

static void test_why_explains_that_nobody_serves_it(void **state)
{
	(void)state;
	check_failure(wales, shell_run(wales, "echo", "say", "--at", "hub", "hello", NULL),
		      PARTS("because `at` names a node", "hub refused it as r",
			    "because of nobody who serves it", "does not serve"));
}

static void test_why_explains_a_right_to_its_person_and_the_operator_only(void **state)
{
	(void)state;
	char text[1000];
	char id[40];
	struct lyc_client *client = node_open_as(wales, &ann);
	struct outcome outcome =
		ask(wales, client, "lyceum.echo.v1.Echo/Say", "\x0a\x01x", 3, NULL);
	lyc_client_close(client);
	assert_int_equal(outcome.status, LYC_PERMISSION_DENIED);
	assert_true(outcome.refusal > 0);
	snprintf(id, sizeof(id), "r%llu", (unsigned long long)outcome.refusal);
	check_why(wales, id,
		  PARTS("'ann' called lyceum.echo.v1.Echo/Say for ann@wales",
			"because of its right to do so", "its key's `call` list"));
	assert_int_equal(why_as(wales, &ann, id, text, sizeof(text)), LYC_OK);
	check_text(text, PARTS(id, "its right to do so"));
	assert_int_equal(why_as(wales, &bob, id, text, sizeof(text)), LYC_NOT_FOUND);
	/* From the hub's side it is nobody's business. */
	snprintf(id, sizeof(id), "wales/r%llu", (unsigned long long)outcome.refusal);
	struct shell_result result = shell_run(hub, "why", id, NULL);
	assert_int_equal(result.code, 4);
	shell_result_fini(&result);
}

static void test_why_explains_a_label_that_the_type_says_itself(void **state)
{
	(void)state;
	check_failure(nhsa,
		      shell_run(nhsa, "publish", "lyceum.experts.v1.Expert",
				"{\"home\": \"nhsa\", \"id\": \"l1\"}", "--durable", "--visibility",
				"public", NULL),
		      PARTS("published lyceum.experts.v1.Expert", "because of its label",
			    "says its own label"));
}

static void test_why_explains_the_home_of_a_key(void **state)
{
	(void)state;
	check_failure(wales,
		      shell_run(wales, "publish", "lyceum.experts.v1.Expert",
				"{\"home\": \"nhsa\", \"id\": \"h1\"}", "--durable", NULL),
		      PARTS("because of the home of its key", "only that daemon appends"));
}

/* More than the credit allows: the daemon says Goodbye, and remembers. */
static void test_why_explains_a_flood(void **state)
{
	(void)state;
	static const char method[] = "lyceum.echo.v1.Echo/Say";
	static const char body[] = "\x0a\x01x\x10\xb0\xea\x01";
	struct packet packet = {.kind = PACKET_CALL};
	struct packet answer;
	char public_half[41];
	snprintf(public_half, sizeof(public_half), "%s", wales->keys.public_key);
	struct raw_peer *flooder = raw_peer_new(wales->listen_tcp, public_half, &bob);
	assert_true(raw_peer_greet(flooder, &answer));
	for (uint32_t i = 1; i <= 3000; i++) {
		packet.call = (struct packet_call){.id = i,
						   .method = span_of(method, strlen(method)),
						   .body = span_of(body, sizeof(body) - 1),
						   .timeout_ms = 30000};
		raw_peer_send(flooder, &packet);
	}
	assert_true(raw_peer_await(flooder, PACKET_GOODBYE, &answer, 10000));
	assert_int_equal(answer.goodbye.reason, GOODBYE_FLOOD);
	raw_peer_free(flooder);
	struct shell_result result = shell_run(wales, "why", NULL);
	assert_int_equal(result.code, 0);
	check_text(result.out, PARTS("'bob' was connected or wanted to be for bob@wales",
				     "because of credit", "more was sent than the credit"));
	shell_result_fini(&result);
}

/* ---- Chains and records ---- */

static void test_why_tells_the_way_of_a_record_and_what_led_to_it(void **state)
{
	(void)state;
	struct shell_result result =
		shell_run(nhsa, "experts", "add", "Rhiannon Parry", "--json", NULL);
	assert_int_equal(result.code, 0);
	shell_result_fini(&result);
	node_wait_until_holds(wales, nhsa);
	result = shell_run(nhsa, "log", "lyceum.experts.v1.Expert.>", "--json", NULL);
	assert_int_equal(result.code, 0);
	const char *subject = strstr(result.out, "lyceum.experts.v1.Expert.nhsa.");
	assert_non_null(subject);
	char id[200];
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(subject, "\""), subject);
	shell_result_fini(&result);
	result = shell_run(nhsa, "why", id, NULL);
	assert_int_equal(result.code, 0);
	check_text(result.out,
		   PARTS("Its home is nhsa, here.", "It is the last record of its subject.",
			 "hub has it", "wales has it (as 'hub' says)",
			 "The view of the plugin 'experts' has passed it.",
			 "What led to it: lyceum why "));
	char trace[64];
	assert_int_equal(sscanf(strstr(result.out, "lyceum why "), "lyceum why %63s", trace), 1);
	shell_result_fini(&result);
	/* The plugin's append stands below the call that it was made in. */
	check_why(nhsa, trace,
		  PARTS("nhsa, ", "called lyceum.experts.v1.", "it went to 'experts'", "\n  nhsa, ",
			"'experts' published lyceum.experts.v1.", "it became record "));
}

static void test_why_says_nothing_of_what_is_private(void **state)
{
	(void)state;
	struct lyc_error error = {0};
	assert_int_equal(expert_publish(nhsa, "nhsa", "p1", "Nobody Knows", LYC_PRIVATE, NULL, NULL,
					NULL, &error),
			 LYC_OK);
	check_why(nhsa, "lyceum.experts.v1.Expert.nhsa.p1",
		  PARTS("(PRIVATE)", "hub does not get it: its label is private to its home"));
	/* As if it did not exist, word by word. */
	struct shell_result there =
		shell_run(wales, "why", "--at", "nhsa", "lyceum.experts.v1.Expert.nhsa.p1", NULL);
	struct shell_result none =
		shell_run(wales, "why", "--at", "nhsa", "lyceum.experts.v1.Expert.nhsa.p9", NULL);
	assert_int_equal(there.code, 4);
	assert_int_equal(none.code, 4);
	char *digit = strstr(none.err, "p9");
	assert_non_null(digit);
	digit[1] = '1';
	assert_string_equal(there.err, none.err);
	shell_result_fini(&there);
	shell_result_fini(&none);
}

/* Last: the hub goes. */
static void test_why_explains_a_link_and_says_who_is_silent(void **state)
{
	(void)state;
	char id[64];
	struct shell_result result = shell_run(wales, "echo", "say", "slow", "--delay-ms", "50000",
					       "--timeout", "300ms", NULL);
	next_step(&result, id);
	shell_result_fini(&result);
	node_stop(hub);
	node_wait_for_link(wales, false);
	check_why(wales, id,
		  PARTS("wales, ", "hub was asked and did not answer", "the link to the hub"));
	check_failure(wales, shell_run(wales, "echo", "say", "hello", NULL),
		      PARTS("because of a link that is down", "the link to the hub 'hub' is down"));
	struct lyc_error error = {0};
	assert_int_equal(expert_publish(nhsa, "nhsa", "w1", "Waits Here", LYC_MEMBERS, NULL, NULL,
					NULL, &error),
			 LYC_OK);
	node_wait_for_link(nhsa, false);
	check_why(nhsa, "lyceum.experts.v1.Expert.nhsa.w1",
		  PARTS("hub has not confirmed it yet: the link has been down for"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_why_explains_a_schema_rule_by_its_field),
		cmocka_unit_test(test_why_explains_a_deadline_at_each_daemon),
		cmocka_unit_test(test_why_explains_that_nobody_serves_it),
		cmocka_unit_test(test_why_explains_a_right_to_its_person_and_the_operator_only),
		cmocka_unit_test(test_why_explains_a_label_that_the_type_says_itself),
		cmocka_unit_test(test_why_explains_the_home_of_a_key),
		cmocka_unit_test(test_why_explains_a_flood),
		cmocka_unit_test(test_why_tells_the_way_of_a_record_and_what_led_to_it),
		cmocka_unit_test(test_why_says_nothing_of_what_is_private),
		cmocka_unit_test(test_why_explains_a_link_and_says_who_is_silent),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
