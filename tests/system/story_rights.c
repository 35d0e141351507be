/* Keys: who may connect, what a key's lists allow, and for whom somebody may speak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
static struct keypair node_key; /* of the node "raw" */
static char plain[64];

static int start(void **state)
{
	(void)state;
	struct lyc_error error;
	ensure(keyfile_make(&ann, &error) == LYC_OK && keyfile_make(&bob, &error) == LYC_OK &&
	       keyfile_make(&node_key, &error) == LYC_OK);
	network = network_new();
	hub = network_add(network, "hub", NULL);
	nhsa = network_add(network, "nhsa", hub);
	wales = network_add(network, "wales", hub);
	node_add_plugin(nhsa, "echo", NULL, "process");
	node_add_key(hub, "raw", &node_key, "role: NODE");
	node_add_key(wales, "ann", &ann,
		     "role: PERSON, groups: [policy], call: ['lyceum.echo.v1.Echo/*'], "
		     "publish: ['lyceum.echo.v1.Note.ann.>'], "
		     "subscribe: ['lyceum.echo.v1.Note.news.>']");
	node_add_key(wales, "bob", &bob, "role: PERSON");
	node_add_key(wales, "anonymous", NULL, "call: ['lyceum.v1.Node/Status']");
	wales->has_plain = true;
	node_start(hub);
	node_start(nhsa);
	node_start(wales);
	node_plain_endpoint(wales, plain, sizeof(plain));
	node_wait_for_plugin(nhsa, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	network_settle(network);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	network_free(network);
	return 0;
}

static void test_key_that_is_not_known_gets_no_connection(void **state)
{
	(void)state;
	struct keypair stranger;
	struct lyc_error error = {0};
	struct lyc_client *client = NULL;
	assert_int_equal(keyfile_make(&stranger, &error), LYC_OK);
	assert_int_equal(node_try_open(wales, NULL, &stranger, &client, &error),
			 LYC_UNAUTHENTICATED);
	assert_null(client);
	/* Nor at another daemon does a known one. */
	assert_int_equal(node_try_open(nhsa, NULL, &ann, &client, &error), LYC_UNAUTHENTICATED);
	/* Nor without any key where keys are asked for. */
	assert_int_not_equal(node_try_open(wales, NULL, NULL, &client, &error), LYC_OK);
	/* Nor by tcp. */
	assert_int_equal(node_try_open(wales, wales->listen_tcp, &stranger, &client, &error),
			 LYC_UNAUTHENTICATED);
}

/* How often the daemon's log has the text. */
static size_t count_in_log(const struct node *node, const char *text)
{
	char path[96];
	char line[2000];
	size_t count = 0;
	snprintf(path, sizeof(path), "%s.log", node->folder);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, text) != NULL;
	fclose(file);
	return count;
}

static bool link_says(const Lyceum__V1__StatusReply *status, const void *arg)
{
	return status->uplink && strstr(status->uplink->text, arg) != NULL;
}

static void test_key_that_the_hub_does_not_know_is_named_on_both_sides(void **state)
{
	(void)state;
	static const char reason[] = "the hub does not know this node's key";
	hub->peer_keys[0] = '\0';
	node_add_key(hub, "nhsa", &nhsa->keys, "role: NODE");
	node_add_key(hub, "raw", &node_key, "role: NODE");
	node_stop(hub);
	node_wait_for_status(wales, link_says, "no daemon answers at tcp://", "a closed port");
	node_start(hub);
	node_wait_for_status(wales, link_says, reason, "a refused key");
	node_wait_for_status(wales, link_says, reason, "a refused key");
	assert_int_equal(count_in_log(wales, reason), 1);
	assert_int_equal(count_in_log(hub, "an unknown key was refused"), 1);
	assert_int_equal(count_in_log(hub, wales->keys.public_key), 1);
	node_stop(hub);
	node_add_key(hub, "wales", &wales->keys, "role: NODE");
	node_start(hub);
	network_settle(network);
}

static void test_key_list_of_calls_is_kept_to(void **state)
{
	(void)state;
	struct lyc_client *client = node_open_as(wales, &ann);
	struct outcome outcome;
	say_start(client, "hello", 0, NULL, &outcome);
	outcome_wait(network, client, &outcome);
	assert_int_equal(outcome.status, LYC_OK);
	assert_string_equal(outcome.said, "hello|nhsa|ann@wales");
	outcome = ask(wales, client, "lyceum.v1.Node/Status", "", 0, NULL);
	assert_int_equal(outcome.status, LYC_PERMISSION_DENIED);
	assert_non_null(strstr(outcome.text, "`call` list"));
	/* Nor by the way around another node. */
	outcome = ask(wales, client, "lyceum.v1.Node/Status", "", 0,
		      &(struct lyc_call_options){.at = "nhsa"});
	assert_int_equal(outcome.status, LYC_PERMISSION_DENIED);
	lyc_client_close(client);
}

static void test_key_list_of_publishes_is_kept_to(void **state)
{
	(void)state;
	struct lyc_error error = {0};
	const struct lyc_publish_options durable = {.durable = true};
	struct lyc_client *client = node_open_as(wales, &ann);
	assert_int_equal(note_try(client, NOTE ".ann.blog", "mine", NULL, &error), LYC_OK);
	assert_int_equal(note_try(client, NOTE ".ann.blog", "mine", &durable, &error), LYC_OK);
	assert_int_equal(note_try(client, NOTE ".bob.blog", "his", NULL, &error),
			 LYC_PERMISSION_DENIED);
	assert_int_equal(note_try(client, NOTE ".bob.blog", "his", &durable, &error),
			 LYC_PERMISSION_DENIED);
	assert_non_null(strstr(error.text, "`publish` list"));
	lyc_client_close(client);
	/* Without a list a person publishes nothing. */
	client = node_open_as(wales, &bob);
	assert_int_equal(note_try(client, NOTE ".bob.blog", "his", NULL, &error),
			 LYC_PERMISSION_DENIED);
	lyc_client_close(client);
}

/* Subscribes, and returns the status of the refusal; OK when a note that is published then comes.
 */
static enum lyc_status subscribe_raw(const struct keypair *keys, const char *pattern,
				     const char *published)
{
	char endpoint[100];
	struct packet packet;
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/sock", wales->folder);
	struct raw_peer *peer = raw_peer_new(endpoint, wales->keys.public_key, keys);
	assert_true(raw_peer_greet(peer, &packet));
	packet = (struct packet){.kind = PACKET_SUBSCRIBE};
	packet.subscribe = (struct packet_subscribe){
		.id = 7, .pattern = span_of(pattern, strlen(pattern)), .credit = 1024 * 1024};
	raw_peer_send(peer, &packet);
	packet = (struct packet){.kind = PACKET_PING, .ping = {.id = 1}};
	raw_peer_send(peer, &packet);
	enum lyc_status status = LYC_OK;
	do {
		assert_true(raw_peer_receive(peer, &packet, 5000));
		if (packet.kind == PACKET_UNSUBSCRIBE)
			status = (enum lyc_status)packet.unsubscribe.status;
	} while (packet.kind != PACKET_PONG);
	if (status == LYC_OK) {
		note_publish(node_client(wales), published, "news", NULL);
		assert_true(raw_peer_await(peer, PACKET_DELIVER, &packet, 5000));
		assert_int_equal(packet.deliver.id, 7);
	}
	raw_peer_free(peer);
	return status;
}

static void test_key_list_of_subscriptions_is_kept_to(void **state)
{
	(void)state;
	assert_int_equal(subscribe_raw(&ann, NOTE ".news.>", NOTE ".news.today"), LYC_OK);
	assert_int_equal(subscribe_raw(&ann, NOTE ".news.today", NOTE ".news.today"), LYC_OK);
	assert_int_equal(subscribe_raw(&ann, NOTE ".>", NOTE ".x"), LYC_PERMISSION_DENIED);
	assert_int_equal(subscribe_raw(&ann, ">", NOTE ".x"), LYC_PERMISSION_DENIED);
	assert_int_equal(subscribe_raw(&ann, NOTE ".*.today", NOTE ".x"), LYC_PERMISSION_DENIED);
	assert_int_equal(subscribe_raw(&ann, "lyceum.v1.>", NOTE ".x"), LYC_PERMISSION_DENIED);
}

static void test_person_speaks_only_for_itself(void **state)
{
	(void)state;
	struct lyc_client *client = node_open_as(wales, &ann);
	struct outcome outcome;
	static const char *const others[] = {
		"bob@wales", "wales",        "ann@nhsa", "nhsa",
		"hub",       "wales/policy", "@wales",   "ann@wales@wales"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		say_start(client, "x", 0, &(struct lyc_call_options){.principal = others[i]},
			  &outcome);
		outcome_wait(network, client, &outcome);
		assert_int_equal(outcome.status, LYC_PERMISSION_DENIED);
	}
	say_start(client, "x", 0, &(struct lyc_call_options){.principal = "ann@wales"}, &outcome);
	outcome_wait(network, client, &outcome);
	assert_string_equal(outcome.said, "x|nhsa|ann@wales");
	lyc_client_close(client);
	/* The operator of wales: for its own people, not for others'. */
	struct outcome theirs =
		say(wales, "x", 0, &(struct lyc_call_options){.principal = "zoe@nhsa"});
	assert_int_equal(theirs.status, LYC_PERMISSION_DENIED);
}

static void test_node_may_not_speak_for_people_of_another(void **state)
{
	(void)state;
	static const struct {
		const char *principal;
		enum lyc_status status;
	} claims[] = {{"raw", LYC_OK},
		      {"eve@raw", LYC_OK},
		      {"ann@wales", LYC_PERMISSION_DENIED},
		      {"wales", LYC_PERMISSION_DENIED},
		      {"hub", LYC_PERMISSION_DENIED},
		      {"eve@raw@wales", LYC_PERMISSION_DENIED}};
	struct packet packet;
	struct raw_peer *peer = raw_peer_new(hub->listen_tcp, hub->keys.public_key, &node_key);
	assert_true(raw_peer_greet(peer, &packet));
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		static const char method[] = "lyceum.v1.Node/Status";
		packet = (struct packet){.kind = PACKET_CALL};
		packet.call = (struct packet_call){
			.id = i + 1,
			.method = span_of(method, strlen(method)),
			.principal = span_of(claims[i].principal, strlen(claims[i].principal))};
		raw_peer_send(peer, &packet);
		assert_true(raw_peer_await(peer, PACKET_REPLY, &packet, 5000));
		assert_int_equal(packet.reply.id, i + 1);
		if (packet.reply.status != (uint32_t)claims[i].status)
			fail_msg("as %s: %u %.*s", claims[i].principal, packet.reply.status,
				 (int)packet.reply.text.len, (const char *)packet.reply.text.data);
	}
	/* Nor be in a group of another. */
	static const char method[] = "lyceum.v1.Node/Status";
	struct span group = span_of("wales/policy", 12);
	packet = (struct packet){.kind = PACKET_CALL};
	packet.call = (struct packet_call){.id = 99,
					   .method = span_of(method, strlen(method)),
					   .groups = &group,
					   .group_count = 1};
	raw_peer_send(peer, &packet);
	assert_true(raw_peer_await(peer, PACKET_REPLY, &packet, 5000));
	assert_int_equal(packet.reply.status, LYC_PERMISSION_DENIED);
	raw_peer_free(peer);
}

/* A record's identity is its home's: a node cannot send one in another's name. */
static void test_node_may_not_send_records_of_another(void **state)
{
	(void)state;
	struct packet packet;
	struct raw_peer *peer = raw_peer_new(hub->listen_tcp, hub->keys.public_key, &node_key);
	assert_true(raw_peer_greet(peer, &packet));
	/* Record{origin: "wales", epoch: 1, origin_seq: 1000000, subject: NOTE ".forged", body:
	 * "\n\x06forged"} */
	static const char record[] = "\x0a\x05wales\x10\x01\x18\xc0\x84\x3d\x22\x1alyceum.echo.v1."
				     "Note.forged\x28\x01\x3a\x08\x0a\x06"
				     "forged";
	struct buf frame = {0};
	packet_write_copy(&frame, span_of(record, sizeof(record) - 1));
	raw_peer_send_bytes(peer, frame.data, frame.len, false);
	buf_fini(&frame);
	packet = (struct packet){.kind = PACKET_PING, .ping = {.id = 5}};
	raw_peer_send(peer, &packet);
	assert_true(raw_peer_await(peer, PACKET_PONG, &packet, 5000));
	raw_peer_free(peer);
	assert_false(network_files_hold(hub->folder, "Note.forged"));
	const struct lyc_subscribe_options whole = {
		.start = LYC_START_SEQ, .from = 1, .records_only = true};
	struct inbox *log = inbox_open(network, node_client(hub), NOTE ".>", &whole);
	inbox_wait_caught_up(log);
	assert_int_equal(inbox_count(log, "forged"), 0);
	inbox_close(log);
}

static void test_anonymous_has_the_rights_listed_for_it(void **state)
{
	(void)state;
	struct lyc_error error = {0};
	struct lyc_client *client = NULL;
	assert_int_equal(node_try_open(wales, plain, NULL, &client, &error), LYC_OK);
	assert_string_equal(lyc_client_welcome(client)->identity, "anonymous");
	struct outcome outcome = ask(wales, client, "lyceum.v1.Node/Status", "", 0, NULL);
	assert_int_equal(outcome.status, LYC_OK);
	outcome = ask(wales, client, "lyceum.v1.Node/Schema", "", 0, NULL);
	assert_int_equal(outcome.status, LYC_PERMISSION_DENIED);
	lyc_client_close(client);
}

static void check_refused(struct node *node, const char *sentence)
{
	int code = 0;
	char *text = node_start_in_vain(node, &code);
	if (code != 1 || !strstr(text, sentence))
		fail_msg("ended with %d, saying: %s", code, text);
	free(text);
}

static void test_plain_listener_is_refused_beyond_loopback(void **state)
{
	(void)state;
	struct network *own = network_new();
	struct node *node = network_add(own, "open", NULL);
	snprintf(node->listen_tcp, sizeof(node->listen_tcp), "tcp://0.0.0.0:0\n    plain: true");
	check_refused(node, "may not be plain");
	snprintf(node->listen_tcp, sizeof(node->listen_tcp), "tcp://[::1]:0\n    plain: true");
	check_refused(node, "may not be plain");
	/* A name that only begins like it. */
	snprintf(node->listen_tcp, sizeof(node->listen_tcp),
		 "tcp://127.0.0.1.example:0\n    plain: true");
	check_refused(node, "may not be plain");
	network_free(own);
}

static void test_daemon_names_the_folder_that_its_data_lacks(void **state)
{
	(void)state;
	struct network *own = network_new();
	struct node *node = network_add(own, "lost", NULL);
	snprintf(node->folder, sizeof(node->folder), "%s/none/lost", own->folder);
	char reason[80];
	snprintf(reason, sizeof(reason), "there is no folder %s/none", own->folder);
	check_refused(node, reason);
	network_free(own);
}

static void test_keygen_takes_name_and_role_of_a_daemon_from_its_folder(void **state)
{
	(void)state;
	char path[80];
	snprintf(path, sizeof(path), "%s/a\"b", network->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/a\"b/daemon.key", network->folder);
	struct shell_result result = shell_run(hub, "keygen", path, "--json", NULL);
	assert_int_equal(result.code, 0);
	assert_string_equal(json_string_value(json_object_get(result.json, "file")), path);
	assert_string_equal(json_string_value(json_object_get(result.json, "name")), "a\"b");
	assert_string_equal(json_string_value(json_object_get(result.json, "role")), "NODE");
	shell_result_fini(&result);
	snprintf(path, sizeof(path), "%s/eve.key", network->folder);
	result = shell_run(hub, "keygen", path, NULL);
	assert_non_null(strstr(result.out, "name: eve\n"));
	assert_non_null(strstr(result.out, "role: PERSON\n"));
	assert_null(strstr(result.out, "uplink:"));
	shell_result_fini(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_that_is_not_known_gets_no_connection),
		cmocka_unit_test(test_key_that_the_hub_does_not_know_is_named_on_both_sides),
		cmocka_unit_test(test_key_list_of_calls_is_kept_to),
		cmocka_unit_test(test_key_list_of_publishes_is_kept_to),
		cmocka_unit_test(test_key_list_of_subscriptions_is_kept_to),
		cmocka_unit_test(test_person_speaks_only_for_itself),
		cmocka_unit_test(test_node_may_not_speak_for_people_of_another),
		cmocka_unit_test(test_node_may_not_send_records_of_another),
		cmocka_unit_test(test_anonymous_has_the_rights_listed_for_it),
		cmocka_unit_test(test_plain_listener_is_refused_beyond_loopback),
		cmocka_unit_test(test_daemon_names_the_folder_that_its_data_lacks),
		cmocka_unit_test(test_keygen_takes_name_and_role_of_a_daemon_from_its_folder),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
