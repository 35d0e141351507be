/* Labels: who gets what, what becomes of a record that is narrowed, and what never leaves its home.
 */
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
#include "link_proxy.h"
#include "lyceum/experts/v1/experts.pb-c.h"
#include "raw_peer.h"
#include "shell.h"

static struct network *network;
static struct link_proxy *proxy;
static struct node *hub;
static struct node *nhsa;
static struct node *wales;
static struct node *medcity;

static struct keypair ann;
static struct keypair bob;
static struct keypair eve;

static int start(void **state)
{
	(void)state;
	struct lyc_error error;
	ensure(keyfile_make(&ann, &error) == LYC_OK && keyfile_make(&bob, &error) == LYC_OK &&
	       keyfile_make(&eve, &error) == LYC_OK);
	network = network_new();
	hub = network_add(network, "hub", NULL);
	nhsa = network_add(network, "nhsa", hub);
	wales = network_add(network, "wales", hub);
	medcity = network_add(network, "medcity", hub);
	node_add_plugin(nhsa, "experts", NULL, "process");
	node_add_key(wales, "ann", &ann, "role: PERSON, groups: [policy]");
	node_add_key(wales, "bob", &bob, "role: PERSON");
	node_add_key(nhsa, "eve", &eve,
		     "role: PERSON, call: [lyceum.experts.v1.ExpertDirectory/Get]");
	node_start(hub);
	proxy = link_proxy_new(hub->listen_tcp);
	snprintf(nhsa->hub_tcp, sizeof(nhsa->hub_tcp), "%s", link_proxy_endpoint(proxy));
	node_start(nhsa);
	node_start(wales);
	node_start(medcity);
	node_wait_for_plugin(nhsa, "experts", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	network_settle(network);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	network_free(network);
	link_proxy_free(proxy);
	return 0;
}

static struct inbox *follow(struct node *node)
{
	const struct lyc_subscribe_options options = {
		.start = LYC_START_SEQ, .from = 1, .records_only = true};
	return inbox_open(network, node_client(node), EXPERT ".>", &options);
}

/* As in the files of a log and on a plain wire. */
static void check_holds(struct node *node, const char *text, bool holds)
{
	if (network_files_hold(node->folder, text) != holds)
		fail_msg("the files of %s %s '%s'", node->name, holds ? "lack" : "hold", text);
}

static void test_label_decides_who_gets_a_record(void **state)
{
	(void)state;
	struct inbox *at_hub = follow(hub);
	struct inbox *at_nhsa = follow(nhsa);
	struct inbox *at_wales = follow(wales);
	struct inbox *at_medcity = follow(medcity);

	expert_post(nhsa, "p1", "Mark Private", LYC_PRIVATE, NULL);
	expert_post(nhsa, "a1", "Mark Audience", LYC_AUDIENCE, "wales");
	expert_post(nhsa, "m1", "Mark Members", LYC_MEMBERS, NULL);
	expert_post(nhsa, "o1", "Mark Public", LYC_PUBLIC, NULL);

	inbox_wait(at_nhsa, 4);
	inbox_wait(at_wales, 3);
	inbox_wait(at_medcity, 2);
	inbox_wait(at_hub, 2);
	node_wait_until_holds(wales, nhsa);
	node_wait_until_holds(medcity, nhsa);
	assert_int_equal(at_nhsa->count, 4);
	assert_int_equal(at_wales->count, 3);
	assert_int_equal(inbox_count(at_wales, "Mark Audience"), 1);
	assert_int_equal(inbox_count(at_wales, "Mark Private"), 0);
	assert_int_equal(at_medcity->count, 2);
	assert_int_equal(inbox_count(at_medcity, "Mark Members"), 1);
	assert_int_equal(inbox_count(at_medcity, "Mark Public"), 1);
	assert_int_equal(at_hub->count, 2);
	assert_int_equal(inbox_count(at_hub, "Mark Audience"), 0);

	/* The hub carries what is for wales, medcity never had it, and what is private lies at home
	 * only. */
	check_holds(nhsa, "Mark Private", true);
	check_holds(hub, "Mark Private", false);
	check_holds(wales, "Mark Private", false);
	check_holds(medcity, "Mark Private", false);
	check_holds(hub, "Mark Audience", true);
	check_holds(wales, "Mark Audience", true);
	check_holds(medcity, "Mark Audience", false);

	/* On the link nothing can be read at all: it is encrypted. */
	assert_true(link_proxy_passed(proxy) > 1000);
	assert_false(link_proxy_saw(proxy, "Mark", 4));
	assert_false(link_proxy_saw(proxy, "lyceum.experts", 14));
	struct inbox *inboxes[] = {at_hub, at_nhsa, at_wales, at_medcity};
	for (size_t i = 0; i < 4; i++)
		inbox_close(inboxes[i]);
}

static void test_label_narrowed_withdraws_from_former_readers(void **state)
{
	(void)state;
	expert_post(nhsa, "n1", "Seen By All", LYC_MEMBERS, NULL);
	node_wait_until_holds(wales, nhsa);
	node_wait_until_holds(medcity, nhsa);
	const struct lyc_subscribe_options now = {.records_only = true};
	struct inbox *at_wales = inbox_open(network, node_client(wales), EXPERT ".>", &now);
	struct inbox *at_medcity = inbox_open(network, node_client(medcity), EXPERT ".>", &now);
	struct inbox *at_hub = inbox_open(network, node_client(hub), EXPERT ".>", &now);

	/* To one of two, then to nobody. */
	expert_post(nhsa, "n1", "Seen By Wales", LYC_AUDIENCE, "wales");
	inbox_wait(at_medcity, 1);
	inbox_wait(at_wales, 1);
	inbox_wait(at_hub, 1);
	assert_true(at_medcity->items[0].removed);
	assert_int_equal(at_medcity->items[0].body_len, 0);
	assert_string_equal(at_medcity->items[0].subject, EXPERT ".nhsa.n1");
	assert_true(at_hub->items[0].removed);
	assert_false(at_wales->items[0].removed);
	assert_string_equal(at_wales->items[0].text, "Seen By Wales");

	expert_post(nhsa, "n1", "Seen By None", LYC_PRIVATE, NULL);
	inbox_wait(at_wales, 2);
	assert_true(at_wales->items[1].removed);
	assert_int_equal(at_wales->items[1].body_len, 0);
	node_wait_until_holds(medcity, nhsa);
	check_holds(wales, "Seen By None", false);
	check_holds(hub, "Seen By None", false);
	check_holds(medcity, "Seen By Wales", false);
	inbox_close(at_wales);
	inbox_close(at_medcity);
	inbox_close(at_hub);
}

/* What is for persons or a group of wales is carried there, and shown to them alone. */
static void test_label_for_persons_reaches_them_alone(void **state)
{
	(void)state;
	const struct lyc_subscribe_options now = {.records_only = true};
	struct lyc_client *anns = node_open_as(wales, &ann);
	struct lyc_client *bobs = node_open_as(wales, &bob);
	struct inbox *to_ann = inbox_open(network, anns, EXPERT ".>", &now);
	struct inbox *to_bob = inbox_open(network, bobs, EXPERT ".>", &now);
	struct inbox *to_medcity = inbox_open(network, node_client(medcity), EXPERT ".>", &now);

	expert_post(nhsa, "g1", "For Ann", LYC_AUDIENCE, "ann@wales");
	expert_post(nhsa, "g2", "For Policy", LYC_AUDIENCE, "wales/policy");
	expert_post(nhsa, "g3", "For Wales", LYC_AUDIENCE, "wales");
	expert_post(nhsa, "g4", "For All", LYC_MEMBERS, NULL);

	inbox_wait(to_ann, 4);
	while (inbox_count(to_bob, "For All") == 0)
		inbox_wait(to_bob, to_bob->count + 1);
	inbox_wait(to_medcity, 1);
	assert_int_equal(inbox_count(to_ann, "For Ann"), 1);
	assert_int_equal(inbox_count(to_ann, "For Policy"), 1);
	assert_int_equal(inbox_count(to_bob, "For Ann"), 0);
	assert_int_equal(inbox_count(to_bob, "For Policy"), 0);
	assert_int_equal(inbox_count(to_bob, "For Wales"), 1);
	assert_int_equal(to_medcity->count, 1);
	check_holds(medcity, "For Ann", false);
	check_holds(medcity, "For Policy", false);
	inbox_close(to_ann);
	inbox_close(to_bob);
	inbox_close(to_medcity);
	lyc_client_close(anns);
	lyc_client_close(bobs);
}

/* What `lyceum experts show` prints at `node`, asked of nhsa. */
static struct shell_result show(struct node *node, const char *name)
{
	struct shell_result result =
		shell_run(node, "experts", "show", "--at", "nhsa", name, "--json", NULL);
	assert_int_equal(result.code, 0);
	assert_non_null(strstr(result.out, name));
	return result;
}

static void import(const char *rows, const char *wanted)
{
	char path[100];
	snprintf(path, sizeof(path), "%s/people.csv", network->folder);
	FILE *file = fopen(path, "w");
	ensure(file && fputs(rows, file) >= 0 && fclose(file) == 0);
	struct shell_result result = shell_run(nhsa, "experts", "import", path, NULL);
	assert_int_equal(result.code, 0);
	if (!strstr(result.out, wanted) && !strstr(result.err, wanted))
		fail_msg("%s is not in: %s%s", wanted, result.out, result.err);
	shell_result_fini(&result);
}

/* How somebody is reached: at home for everybody of the home, elsewhere for nobody, though the
 * record itself is everywhere; until the home says otherwise. */
static void test_label_keeps_an_address_at_its_home(void **state)
{
	(void)state;
	struct shell_result result = shell_run(nhsa, "experts", "add", "Olwen Pugh", "--email",
					       "mark1@one.example", "--region", "Wales", NULL);
	assert_int_equal(result.code, 0);
	shell_result_fini(&result);
	static const char rows[] = "Name,E-mail,Phone,Topics,Contact visibility\n"
				   "Rhys Bevan,mark2@two.example,mark-3456,gene therapy,\n"
				   "Nia Price,mark4@four.example,mark-4567,gene therapy,members\n";
	import(rows, "2 added");
	import(rows, "2 unchanged");

	static const char *const names[] = {"Olwen Pugh", "Rhys Bevan", "Nia Price"};
	static const char *const marks[] = {"mark1@one", "mark2@two", "mark-3456", "mark4@four",
					    "mark-4567"};
	static const size_t mark_of[] = {0, 1, 3};
	struct node *all[] = {nhsa, hub, wales, medcity};
	node_wait_until_holds(wales, nhsa);
	node_wait_until_holds(medcity, nhsa);
	for (size_t n = 0; n < 4; n++) {
		for (size_t i = 0; i < 3; i++)
			check_holds(all[n], names[i], true);
		for (size_t i = 0; i < 5; i++)
			check_holds(all[n], marks[i], n == 0 || i >= 3);
	}

	/* Asked over the hub, the home answers without it; at home its operator and its people see
	 * it. */
	for (size_t i = 0; i < 3; i++) {
		result = show(wales, names[i]);
		assert_int_equal(strstr(result.out, marks[mark_of[i]]) != NULL, i == 2);
		shell_result_fini(&result);
		result = show(nhsa, names[i]);
		assert_non_null(strstr(result.out, marks[mark_of[i]]));
		shell_result_fini(&result);
	}
	Lyceum__Experts__V1__GetRequest request = LYCEUM__EXPERTS__V1__GET_REQUEST__INIT;
	request.id = (char *)(uintptr_t)names[0];
	uint8_t body[64];
	size_t len = lyceum__experts__v1__get_request__pack(&request, body);
	struct lyc_client *eves = node_open_as(nhsa, &eve);
	struct outcome seen =
		ask(nhsa, eves, "lyceum.experts.v1.ExpertDirectory/Get", body, len, NULL);
	assert_int_equal(seen.status, LYC_OK);
	assert_non_null(memmem(seen.body, seen.body_len, marks[0], strlen(marks[0])));
	lyc_client_close(eves);
}

/* The one test that reads what a node really says to its hub: the story is the hub. */
static void test_label_private_is_not_among_the_packets_of_the_link(void **state)
{
	(void)state;
	struct network *own = network_new();
	struct node *false_hub = network_add(own, "hub", NULL);
	struct node *node = network_add(own, "leeds", false_hub);
	struct raw_peer *peer = raw_peer_listen(&false_hub->keys, node->hub_tcp);
	node_add_plugin(node, "experts", NULL, "process");
	node_start(node);
	node_wait_for_plugin(node, "experts", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	expert_post(node, "p1", "Mark Private", LYC_PRIVATE, NULL);
	expert_post(node, "x1", "Mark Former", LYC_PRIVATE, NULL);
	expert_post(node, "a1", "Mark Audience", LYC_AUDIENCE, "wales");
	expert_post(node, "m1", "Mark Members", LYC_MEMBERS, NULL);

	/* Everything that leaves has left when the last of it is here. */
	assert_true(raw_peer_hear_as_hub(peer, "leeds", "Mark Members", 12, NETWORK_DEADLINE_MS));
	assert_non_null(memmem(peer->heard.data, peer->heard.len, "Mark Audience", 13));
	assert_null(memmem(peer->heard.data, peer->heard.len, "Mark Private", 12));
	assert_null(memmem(peer->heard.data, peer->heard.len, "Mark Former", 11));
	assert_null(memmem(peer->heard.data, peer->heard.len, "leeds.p1", 8));
	raw_peer_free(peer);
	network_free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_label_decides_who_gets_a_record),
		cmocka_unit_test(test_label_narrowed_withdraws_from_former_readers),
		cmocka_unit_test(test_label_for_persons_reaches_them_alone),
		cmocka_unit_test(test_label_keeps_an_address_at_its_home),
		cmocka_unit_test(test_label_private_is_not_among_the_packets_of_the_link),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
