/* Introductions as people make them, at three real nodes below a hub: nobody is known before both
 * have said yes, in no file of any other daemon and on no link; then each once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/ensure.h"
#include "link_proxy.h"
#include "raw_peer.h"
#include "shell.h"

static struct network *network;
static struct link_proxy *proxy;
static struct node *hub;
static struct node *nhsa;
static struct node *wales;
static struct node *london;

#define INVEST(node, ...) shell_run(node, "invest", __VA_ARGS__, "--json", NULL)

/* What must not be read anywhere but at home; each stands in one cell of one list. */
static const char *const of_ventures[] = {"Quillmoor", "11223344", "owain@quill", "sepsis",
					  "Brynglas",  "55667788", "mali@bryn",   "Tanrhiw",
					  "Cwmteg",    "Penhelyg"};
static const char *const of_investors[] = {"Fenwick",   "99887766",  "mfa@angels",
					   "Oldcastle", "oc@angels", "Larkspur-Bell"};

static const char ventures[] =
	"name,company number,contact,stage,sectors,region,ask min,ask max,needs\n"
	"Quillmoor Bio Ltd,11223344,owain@quillmoor.example,seed,diagnostics/sepsis,Wales,251000,"
	"801000,regulatory advice\n"
	"Brynglas Devices "
	"Ltd,55667788,mali@brynglas.example,pre-seed,medtech,Wales,101000,301000,\n"
	"Tanrhiw Genomics,,t@tanrhiw.example,growth,genomics,Wales,1000000,5000000,\n"
	"Cwmteg Vaccines,,c@cwmteg.example,series a,vaccines,Wales,500000,900000,\n"
	"Penhelyg Tools,,p@penhelyg.example,seed,research tools,Wales,200000,400000,\n";
static const char investors[] =
	"name,company number,contact,ticket min,ticket max,stages,sectors,regions,co invest ok,"
	"certified as,certified until,offers\n"
	"Marjorie Fenwick-Ashe,,mfa@angels.example,25000,111000,seed,diagnostics,UK,yes,high net "
	"worth,2099-06-30,regulatory advice\n"
	"Oldcastle Money LLP,99887766,oc@angels.example,51000,211000,pre-seed,medtech,Wales,yes,"
	"sophisticated,2099-01-01,\n"
	"Ivo Larkspur-Bell,,i@larkspur.example,10000,20000,series a,vaccines,UK,yes,sophisticated,"
	"2020-01-01,\n";

static void write_list(const char *name, const char *text, char path[120])
{
	snprintf(path, 120, "%s/%s", network->folder, name);
	FILE *file = fopen(path, "we");
	ensure(file && fputs(text, file) >= 0);
	fclose(file);
}

static int start(void **state)
{
	(void)state;
	network = network_new();
	hub = network_add(network, "hub", NULL);
	nhsa = network_add(network, "nhsa", hub);
	wales = network_add(network, "wales", hub);
	london = network_add(network, "london", hub);
	node_add_plugin(nhsa, "investment", NULL, "process");
	node_add_plugin(wales, "investment", NULL, "process");
	node_add_plugin(london, "investment", NULL, "thread");
	node_start(hub);
	proxy = link_proxy_new(hub->listen_tcp);
	snprintf(wales->hub_tcp, sizeof(wales->hub_tcp), "%s", link_proxy_endpoint(proxy));
	struct node *const nodes[] = {nhsa, wales, london};
	for (size_t i = 0; i < 3; i++)
		node_start(nodes[i]);
	for (size_t i = 0; i < 3; i++)
		node_wait_for_plugin(nodes[i], "investment", LYCEUM__V1__PLUGIN__STATE__RUNNING);
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

/* Goes on with the other clients, too, so that they answer their daemons' pings. */
static struct shell_result must(struct shell_result result)
{
	network_run(network, 0);
	if (result.code != 0)
		fail_msg("%s%s", result.out, result.err);
	return result;
}

/* "proposal.state" of a JSON object. */
static const char *text_at(const json_t *json, const char *outer, const char *inner)
{
	const char *text = json_string_value(json_object_get(json_object_get(json, outer), inner));
	return text ? text : "";
}

/* Ask until the list has so many elements. */
static struct shell_result wait_for_count(struct node *node, const char *verb, const char *list,
					  size_t count)
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	for (;;) {
		struct shell_result result = must(INVEST(node, verb));
		if (json_array_size(json_object_get(result.json, list)) == count)
			return result;
		if (network_now_ms() > deadline)
			fail_msg("%s invest %s: %s", node->name, verb, result.out);
		shell_result_fini(&result);
		network_run(network, 20);
	}
}

static void wait_for_state(struct node *node, const char *proposal, const char *wanted)
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	for (bool is_so = false; !is_so;) {
		struct shell_result result = INVEST(node, "proposal", proposal);
		is_so = strcmp(text_at(result.json, "proposal", "state"), wanted) == 0;
		if (!is_so && network_now_ms() > deadline)
			fail_msg("%s is not %s at %s: %s%s", proposal, wanted, node->name,
				 result.out, result.err);
		shell_result_fini(&result);
		if (!is_so)
			network_run(network, 20);
	}
}

/* Does the proposal, as this node shows it, have this text anywhere? */
static bool shows(struct node *node, const char *proposal, const char *text)
{
	struct shell_result result = must(INVEST(node, "proposal", proposal));
	bool does = strstr(result.out, text) != NULL;
	shell_result_fini(&result);
	return does;
}

static void answer(struct node *node, const char *verb, const char *proposal, int code)
{
	struct shell_result result = INVEST(node, verb, proposal);
	if (result.code != code)
		fail_msg("%s: %s%s", verb, result.out, result.err);
	shell_result_fini(&result);
}

static size_t count_records(struct node *node, const char *pattern)
{
	struct shell_result result = must(shell_run(node, "log", pattern, NULL));
	size_t count = 0;
	for (const char *at = result.out; (at = strstr(at, "\"body\":")); at++)
		count++;
	shell_result_fini(&result);
	return count;
}

/* In no file of another daemon's log: the hub carries everything that leaves a node. */
static void check_nobody_is_known(struct node *const holders[], size_t count,
				  const char *const *marks, size_t mark_count)
{
	for (size_t i = 0; i < count; i++) {
		const char *found = network_files_find(holders[i]->folder, marks, mark_count);
		if (found)
			fail_msg("%s has \"%s\"", holders[i]->name, found);
	}
}

static void check_blind(void)
{
	struct node *const strangers_to_ventures[] = {hub, nhsa, london};
	struct node *const strangers_to_investors[] = {hub, nhsa, wales};
	check_nobody_is_known(strangers_to_ventures, 3, of_ventures,
			      sizeof(of_ventures) / sizeof(of_ventures[0]));
	check_nobody_is_known(strangers_to_investors, 3, of_investors,
			      sizeof(of_investors) / sizeof(of_investors[0]));
	/* On the link nothing can be read at all: it is encrypted. */
	assert_true(link_proxy_passed(proxy) > 1000);
	assert_false(link_proxy_saw(proxy, "Quillmoor", 9));
	assert_false(link_proxy_saw(proxy, "lyceum.investment", 17));
}

/* The proposal of one venture, by its id at home, that wales holds and that is in this state. */
static void find_proposal(const char *party, const char *state, char id[60])
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	id[0] = '\0';
	while (!id[0]) {
		struct shell_result result = must(INVEST(wales, "proposals", "--party", party));
		json_t *rows = json_object_get(result.json, "proposal");
		for (size_t i = 0; i < json_array_size(rows); i++) {
			json_t *row = json_array_get(rows, i);
			if (strcmp(json_string_value(json_object_get(row, "state")), state) == 0)
				snprintf(id, 60, "%s",
					 json_string_value(json_object_get(row, "id")));
		}
		if (!id[0] && network_now_ms() > deadline)
			fail_msg("no %s proposal of %s: %s", state, party, result.out);
		shell_result_fini(&result);
	}
}

static void propose(struct node *node, const char *flag, const char *value, int64_t count)
{
	struct shell_result result = must(INVEST(node, "propose", flag, value));
	json_int_t made = json_integer_value(json_object_get(result.json, "proposals"));
	if (made != count)
		fail_msg("%s", result.out);
	shell_result_fini(&result);
	network_settle(network);
}

/* ---- The story ---- */

static void test_investment_imports_once_and_shows_others_the_blind_form(void **state)
{
	char venture_list[120], investor_list[120];

	(void)state;
	write_list("ventures.csv", ventures, venture_list);
	write_list("investors.csv", investors, investor_list);
	struct shell_result result =
		shell_run(wales, "invest", "import-ventures", venture_list, "--dry-run", NULL);
	assert_int_equal(result.code, 0);
	shell_result_fini(&result);
	assert_int_equal(count_records(wales, "lyceum.investment.v1.Venture.>"), 0);
	for (int i = 0; i < 2; i++) {
		result = must(shell_run(wales, "invest", "import-ventures", venture_list, NULL));
		assert_non_null(strstr(result.out, i == 0 ? "5 added" : "5 unchanged"));
		shell_result_fini(&result);
		result = must(shell_run(london, "invest", "import-investors", investor_list, NULL));
		assert_non_null(strstr(result.out, i == 0 ? "3 added" : "3 unchanged"));
		shell_result_fini(&result);
	}
	assert_int_equal(count_records(wales, "lyceum.investment.v1.Venture.>"), 5);
	result = wait_for_count(nhsa, "market", "profile", 8);
	shell_result_fini(&result);
	/* Asked from elsewhere, the home shows nobody. */
	result = shell_run(nhsa, "invest", "show", "quillmoor-bio-ltd", "--at", "wales", NULL);
	assert_int_not_equal(result.code, 0);
	assert_non_null(strstr(result.err, "PERMISSION_DENIED"));
	shell_result_fini(&result);
	check_blind();
}

static void test_investment_interest_finds_ventures_of_other_nodes(void **state)
{
	(void)state;
	struct shell_result result = must(INVEST(london, "interest", "marjorie-fenwick-ashe"));
	shell_result_fini(&result);
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	for (bool is_found = false; !is_found;) {
		result = must(INVEST(london, "interests"));
		json_t *row = json_array_get(json_object_get(result.json, "interest"), 0);
		json_t *fit = json_array_get(json_object_get(row, "fit"), 0);
		is_found = fit != NULL;
		if (is_found)
			assert_string_equal(json_string_value(json_object_get(fit, "path")),
					    "london > wales");
		else if (network_now_ms() > deadline)
			fail_msg("%s", result.out);
		shell_result_fini(&result);
	}
	check_blind();
}

static void test_investment_introduces_each_to_the_other_once(void **state)
{
	char quillmoor[60];

	(void)state;
	propose(nhsa, "--days", "7", 2);
	find_proposal("quillmoor-bio-ltd", "open", quillmoor);
	struct shell_result result = must(INVEST(wales, "batches"));
	const char *batch = json_string_value(
		json_object_get(json_array_get(json_object_get(result.json, "batch"), 0), "id"));
	struct shell_result verified = must(INVEST(london, "verify", batch));
	assert_true(json_is_true(json_object_get(verified.json, "is_sound")) ||
		    json_is_true(json_object_get(verified.json, "isSound")));
	assert_null(strstr(verified.out, "wrong"));
	shell_result_fini(&verified);
	shell_result_fini(&result);

	answer(wales, "opt-in", quillmoor, 0);
	wait_for_state(wales, quillmoor, "waiting for the other side");
	network_settle(network);
	check_blind();
	assert_false(shows(london, quillmoor, "Quillmoor"));
	/* In the middle of it wales starts again, and london is killed. */
	node_stop(wales);
	node_kill(london);
	node_start(wales);
	node_start(london);
	node_wait_for_plugin(wales, "investment", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	node_wait_for_plugin(london, "investment", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	network_settle(network);
	wait_for_state(wales, quillmoor, "waiting for the other side");
	check_blind();

	answer(london, "opt-in", quillmoor, 0);
	wait_for_state(wales, quillmoor, "introduced");
	wait_for_state(london, quillmoor, "introduced");
	network_settle(network);
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while (!(shows(london, quillmoor, "owain@quillmoor.example") &&
		 shows(wales, quillmoor, "mfa@angels.example")) &&
	       network_now_ms() < deadline)
		network_run(network, 20);
	assert_true(shows(london, quillmoor, "owain@quillmoor.example"));
	assert_true(shows(wales, quillmoor, "mfa@angels.example"));
	/* A second yes gives nothing a second time; and what was given is sealed for the other one.
	 */
	answer(london, "opt-in", quillmoor, 0);
	assert_int_equal(count_records(wales, "lyceum.investment.v1.Reveal.wales.>"), 1);
	assert_int_equal(count_records(london, "lyceum.investment.v1.Reveal.london.>"), 1);
	assert_int_equal(count_records(nhsa, "lyceum.investment.v1.Reveal.>"), 0);
	check_blind();
	result = must(INVEST(london, "credits"));
	assert_int_equal(json_integer_value(json_object_get(result.json, "introductions")), 1);
	shell_result_fini(&result);
}

static void test_investment_tells_why_somebody_was_not_proposed(void **state)
{
	(void)state;
	struct shell_result token = must(INVEST(wales, "show", "cwmteg-vaccines"));
	const char *venture = json_string_value(json_object_get(token.json, "token"));
	/* The only one who looks for vaccines has let the certificate lapse. */
	struct shell_result result = must(INVEST(london, "why", venture, "ivo-larkspur-bell"));
	assert_non_null(strstr(result.out, "certification"));
	assert_non_null(strstr(result.out, "the investor's certificate ended on 2020-01-01"));
	shell_result_fini(&result);
	shell_result_fini(&token);
}

static void test_investment_revokes_for_a_late_conflict_and_does_not_say_whose(void **state)
{
	char brynglas[60];

	(void)state;
	find_proposal("brynglas-devices-ltd", "open", brynglas);
	answer(london, "opt-in", brynglas, 0);
	/* Wales knows the investor by a name in another spelling, and not that this is who it is.
	 */
	struct shell_result result =
		must(INVEST(wales, "conflict", "brynglas-devices-ltd", "OLDCASTLE MONEY",
			    "--nature", "a former partner"));
	shell_result_fini(&result);
	network_settle(network);
	/* Nothing is said before Wales has said yes, too: the name may be a guess. */
	wait_for_state(london, brynglas, "waiting for the other side");
	answer(wales, "opt-in", brynglas, 0);
	wait_for_state(london, brynglas, "not possible");
	wait_for_state(wales, brynglas, "not possible");
	network_settle(network);
	/* FAILED_PRECONDITION: it cannot be accepted any more. */
	answer(wales, "opt-in", brynglas, 1);
	assert_false(shows(london, brynglas, "conflict"));
	assert_false(network_files_hold(hub->folder, "OLDCASTLE"));
	assert_false(network_files_hold(hub->folder, "former partner"));
	assert_false(network_files_hold(london->folder, "former partner"));
	assert_int_equal(count_records(london, "lyceum.investment.v1.Reveal.london.>"), 1);
	/* Nor is it proposed again. */
	propose(nhsa, "--days", "7", 0);
}

static void test_investment_calls_an_identity_back_with_the_venture(void **state)
{
	char quillmoor[60];

	(void)state;
	find_proposal("quillmoor-bio-ltd", "introduced", quillmoor);
	struct shell_result result = must(INVEST(wales, "remove", "quillmoor-bio-ltd"));
	shell_result_fini(&result);
	wait_for_state(london, quillmoor, "not possible");
	network_settle(network);
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while (shows(london, quillmoor, "Quillmoor") && network_now_ms() < deadline)
		network_run(network, 20);
	assert_false(shows(london, quillmoor, "Quillmoor"));
	result = wait_for_count(nhsa, "market", "profile", 7);
	shell_result_fini(&result);
}

static void test_investment_lets_a_proposal_expire(void **state)
{
	char tools[60], pattern[120];

	(void)state;
	struct shell_result result =
		must(INVEST(london, "add-investor", "Una Toolmaker", "--ticket-max", "300000",
			    "--sector", "research tools", "--co-invests", "--exempt"));
	shell_result_fini(&result);
	result = wait_for_count(nhsa, "market", "profile", 8);
	shell_result_fini(&result);
	propose(nhsa, "--seconds", "1", 1);
	find_proposal("penhelyg-tools", "expired", tools);
	answer(wales, "opt-in", tools, 1);
	/* And is then free to be proposed again. */
	propose(nhsa, "--days", "7", 1);
	find_proposal("penhelyg-tools", "open", tools);
	answer(wales, "opt-in", tools, 0);
	answer(wales, "opt-out", tools, 0);
	network_settle(network);
	answer(london, "opt-in", tools, 0);
	wait_for_state(london, tools, "taken back");
	network_settle(network);
	assert_false(shows(wales, tools, "Toolmaker"));
	snprintf(pattern, sizeof(pattern), "lyceum.investment.v1.Reveal.london.%s.>", tools);
	assert_int_equal(count_records(london, pattern), 0);
}

/* What a node really says to its hub, packet by packet: the story is the hub. */
static void test_investment_says_nothing_but_the_blind_form_to_its_hub(void **state)
{
	char list[120];

	(void)state;
	write_list("ventures.csv", ventures, list);
	struct network *own = network_new();
	struct node *false_hub = network_add(own, "hub", NULL);
	struct node *node = network_add(own, "leeds", false_hub);
	struct raw_peer *peer = raw_peer_listen(&false_hub->keys, node->hub_tcp);
	node_add_plugin(node, "investment", NULL, "process");
	node_start(node);
	node_wait_for_plugin(node, "investment", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	struct shell_result result = must(shell_run(node, "invest", "import-ventures", list, NULL));
	shell_result_fini(&result);
	result = must(INVEST(node, "conflict", "brynglas-devices-ltd", "Oldcastle Money"));
	shell_result_fini(&result);
	result = must(INVEST(node, "add-venture", "Last Of All", "--sector", "services"));
	shell_result_fini(&result);

	/* The last one's sector is in no other row: when it is here, all is. */
	assert_true(
		raw_peer_hear_as_hub(peer, "leeds", "\x12\x08services", 10, NETWORK_DEADLINE_MS));
	assert_non_null(memmem(peer->heard.data, peer->heard.len, "VentureProfile.leeds.v", 22));
	for (size_t i = 0; i < sizeof(of_ventures) / sizeof(of_ventures[0]); i++)
		assert_null(memmem(peer->heard.data, peer->heard.len, of_ventures[i],
				   strlen(of_ventures[i])));
	static const char *const more[] = {"quillmoor", "brynglas", "Oldcastle", "Last Of All",
					   "v1.Venture."};
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		assert_null(memmem(peer->heard.data, peer->heard.len, more[i], strlen(more[i])));
	raw_peer_free(peer);
	network_free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_investment_imports_once_and_shows_others_the_blind_form),
		cmocka_unit_test(test_investment_interest_finds_ventures_of_other_nodes),
		cmocka_unit_test(test_investment_introduces_each_to_the_other_once),
		cmocka_unit_test(test_investment_tells_why_somebody_was_not_proposed),
		cmocka_unit_test(
			test_investment_revokes_for_a_late_conflict_and_does_not_say_whose),
		cmocka_unit_test(test_investment_calls_an_identity_back_with_the_venture),
		cmocka_unit_test(test_investment_lets_a_proposal_expire),
		cmocka_unit_test(test_investment_says_nothing_but_the_blind_form_to_its_hub),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
