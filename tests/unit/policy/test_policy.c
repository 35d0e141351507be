/* Rights: who may speak for whom, who may call, publish and subscribe to what, and which
 * configurations are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lyceum/v1/config.pb-c.h"
#include "policy/policy.h"
#include "route/service.h"

#define KEY "0123456789012345678901234567890123456789"

static struct span text(const char *chars)
{
	return span_of(chars, strlen(chars));
}

static char *people[] = {"policy", "staff"};
static char *calls[] = {"lyceum.experts.v1.ExpertSearch/*", "lyceum.echo.v1.Echo/Say"};
static char *publishes[] = {"lyceum.events.v1.>"};
static char *subscribes[] = {"lyceum.events.v1.>", "lyceum.news.v1.Item.*"};

/* The daemon "wales", with a person, a node, an operator; plugin and hub as the daemon adds them.
 */
static int setup(void **state)
{
	static struct policy policy;
	Lyceum__V1__Config config = LYCEUM__V1__CONFIG__INIT;
	Lyceum__V1__PeerKey keys[4];
	Lyceum__V1__PeerKey *items[4];
	static char *const names[] = {"ann", "cork", "root", "bob"};
	static const Lyceum__V1__Role roles[] = {LYCEUM__V1__ROLE__PERSON, LYCEUM__V1__ROLE__NODE,
						 LYCEUM__V1__ROLE__OPERATOR,
						 LYCEUM__V1__ROLE__ROLE_UNSPECIFIED};
	for (int i = 0; i < 4; i++) {
		lyceum__v1__peer_key__init(&keys[i]);
		keys[i].name = names[i];
		keys[i].public_key = (char *)(uintptr_t)KEY;
		keys[i].role = roles[i];
		items[i] = &keys[i];
	}
	keys[0].groups = people;
	keys[0].n_groups = 2;
	keys[0].call = calls;
	keys[0].n_call = 2;
	keys[0].publish = publishes;
	keys[0].n_publish = 1;
	keys[0].subscribe = subscribes;
	keys[0].n_subscribe = 2;
	config.name = (char *)(uintptr_t) "wales";
	config.keys = items;
	config.n_keys = 4;
	struct lyc_error error;
	assert_int_equal(policy_init(&policy, &config, &error), LYC_OK);
	policy_grant(&policy, "echo", "", ROLE_PLUGIN);
	policy_grant(&policy, "http", "", ROLE_PLUGIN);
	policy_grant(&policy, "hub", KEY, ROLE_HUB);
	*state = &policy;
	return 0;
}

static int teardown(void **state)
{
	policy_fini(*state);
	return 0;
}

static struct session session_of(const struct policy *policy, const char *identity)
{
	struct session session = {.grants = policy_find(policy, identity)};
	assert_non_null(session.grants);
	strcpy(session.identity, identity);
	session.speaks_for_people = strcmp(identity, "http") == 0;
	return session;
}

/* The principal that a claim leads to; NULL when it is refused. */
static const char *principal(const struct policy *policy, const char *identity, const char *claim)
{
	static char result[CALL_MAX_PRINCIPAL];
	struct session session = session_of(policy, identity);
	struct lyc_error error = {0};
	list_init(&session.calls_given);
	enum lyc_status status = policy_principal(policy, &session, text(claim), result, &error);
	if (status == LYC_OK)
		return result;
	assert_int_equal(status, LYC_PERMISSION_DENIED);
	assert_non_null(strstr(error.text, identity));
	return NULL;
}

static void test_policy_person_speaks_for_itself_alone(void **state)
{
	const struct policy *policy = *state;
	assert_string_equal(principal(policy, "ann", ""), "ann@wales");
	assert_string_equal(principal(policy, "ann", "ann@wales"), "ann@wales");
	assert_string_equal(principal(policy, "bob", ""), "bob@wales");
	static const char *const others[] = {"ann",  "bob@wales",    "wales",     "ann@cork",
					     "cork", "wales/policy", "ann@wales "};
	for (size_t i = 0; i < 7; i++)
		assert_null(principal(policy, "ann", others[i]));
}

static void test_policy_node_speaks_for_its_own_people(void **state)
{
	const struct policy *policy = *state;
	assert_string_equal(principal(policy, "cork", ""), "cork");
	assert_string_equal(principal(policy, "cork", "cork"), "cork");
	assert_string_equal(principal(policy, "cork", "eve@cork"), "eve@cork");
	assert_string_equal(principal(policy, "cork", "cork/policy"), "cork/policy");
	static const char *const others[] = {"wales", "eve@wales", "wales/policy", "eve@cork@wales",
					     "eve",   "hub",       "corks",        "@"};
	for (size_t i = 0; i < 8; i++)
		assert_null(principal(policy, "cork", others[i]));
}

static void test_policy_operator_and_gateway_speak_for_this_daemon(void **state)
{
	const struct policy *policy = *state;
	static const char *const who[] = {"root", "http"};
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(principal(policy, who[i], ""), "wales");
		assert_string_equal(principal(policy, who[i], "ann@wales"), "ann@wales");
		assert_null(principal(policy, who[i], "eve@cork"));
		assert_null(principal(policy, who[i], "cork"));
	}
}

/* It signs nobody in, so it cannot know that it is she. */
static void test_policy_plain_plugin_speaks_for_no_person(void **state)
{
	const struct policy *policy = *state;
	assert_string_equal(principal(policy, "echo", ""), "wales");
	assert_string_equal(principal(policy, "echo", "wales"), "wales");
	assert_null(principal(policy, "echo", "ann@wales"));
	assert_null(principal(policy, "echo", "@wales"));
	assert_null(principal(policy, "echo", "eve@cork"));
	assert_null(principal(policy, "http", "eve@cork"));
	assert_null(principal(policy, "http", "ann@wales@cork"));
	/* The right is a plugin's: no other peer gets anything by it. */
	struct session cork = session_of(policy, "cork");
	struct lyc_error error = {0};
	char result[CALL_MAX_PRINCIPAL];
	cork.speaks_for_people = true;
	list_init(&cork.calls_given);
	assert_int_equal(policy_principal(policy, &cork, text("ann@wales"), result, &error),
			 LYC_PERMISSION_DENIED);
	assert_false(policy_vouches_for_group(policy, &cork, text("wales/policy")));
}

static void test_policy_hub_speaks_for_all_others_and_never_for_us(void **state)
{
	const struct policy *policy = *state;
	assert_string_equal(principal(policy, "hub", "eve@cork"), "eve@cork");
	assert_string_equal(principal(policy, "hub", "hub"), "hub");
	assert_null(principal(policy, "hub", ""));
	assert_null(principal(policy, "hub", "wales"));
	assert_null(principal(policy, "hub", "ann@wales"));
	assert_null(principal(policy, "hub", "wales/policy"));
}

/* What a peer may say while it serves a call of eve's at cork. */
static bool may_say(const struct policy *policy, const char *identity, struct call_table *table,
		    const char *claim)
{
	char result[CALL_MAX_PRINCIPAL] = "";
	struct lyc_error error = {0};
	struct session caller = session_of(policy, "hub");
	struct session callee = session_of(policy, identity);
	list_init(&caller.calls_made);
	list_init(&callee.calls_given);
	struct call *call = call_add(table, &caller, 1, 10, 1000);
	strcpy(call->principal, "eve@cork");
	call_give(call, &callee);
	enum lyc_status status = policy_principal(policy, &callee, text(claim), result, &error);
	if (status == LYC_OK)
		assert_string_equal(result, claim);
	call_end(table, call);
	assert_int_equal(policy_principal(policy, &callee, text("eve@cork"), result, &error),
			 strcmp(identity, "cork") == 0 ? LYC_OK : LYC_PERMISSION_DENIED);
	return status == LYC_OK;
}

static void test_policy_plugin_speaks_for_whose_call_it_serves(void **state)
{
	const struct policy *policy = *state;
	struct call_table table;
	call_table_init(&table, 0, 7);
	assert_true(may_say(policy, "echo", &table, "eve@cork"));
	assert_true(may_say(policy, "http", &table, "eve@cork"));
	assert_true(may_say(policy, "http", &table, "ann@wales"));
	assert_false(may_say(policy, "echo", &table, "ann@wales"));
	/* Exactly for her, and only a plugin. */
	assert_false(may_say(policy, "echo", &table, "cork"));
	assert_false(may_say(policy, "echo", &table, "bob@cork"));
	assert_false(may_say(policy, "echo", &table, "eve@cor"));
	assert_false(may_say(policy, "root", &table, "eve@cork"));
	call_table_fini(&table);
}

static void test_policy_principal_has_a_length(void **state)
{
	const struct policy *policy = *state;
	char wide[CALL_MAX_PRINCIPAL + 1];
	memset(wide, 'x', sizeof(wide));
	memcpy(wide + CALL_MAX_PRINCIPAL - 5, "@cork", 6);
	assert_null(principal(policy, "cork", wide));
	assert_string_equal(principal(policy, "cork", wide + 1), wide + 1);
}

static void test_policy_groups_are_vouched_for_by_their_node(void **state)
{
	const struct policy *policy = *state;
	static const struct {
		const char *who;
		const char *group;
		bool is_allowed;
	} cases[] = {
		{"ann", "wales/policy", false}, /* hers come from the configuration */
		{"cork", "cork/policy", true},  {"cork", "wales/policy", false},
		{"cork", "hub/policy", false},  {"root", "wales/policy", true},
		{"root", "cork/policy", false}, {"http", "wales/staff", true},
		{"http", "cork/staff", false},  {"echo", "wales/staff", false},
		{"echo", "cork/staff", false},  {"hub", "cork/policy", true},
		{"hub", "wales/policy", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct session session = session_of(policy, cases[i].who);
		if (policy_vouches_for_group(policy, &session, text(cases[i].group)) !=
		    cases[i].is_allowed)
			fail_msg("%s, %s", cases[i].who, cases[i].group);
	}
	const struct grants *ann = policy_find(policy, "ann");
	assert_int_equal(ann->group_count, 2);
	assert_string_equal(ann->groups[0], "wales/policy");
	assert_string_equal(ann->groups[1], "wales/staff");
}

static void test_policy_call_list_is_of_whole_method_names(void **state)
{
	const struct policy *policy = *state;
	const struct grants *ann = policy_find(policy, "ann");
	assert_true(policy_may_call(ann, "lyceum.experts.v1.ExpertSearch/Find"));
	assert_true(policy_may_call(ann, "lyceum.echo.v1.Echo/Say"));
	assert_false(policy_may_call(ann, "lyceum.echo.v1.Echo/SayMore"));
	assert_false(policy_may_call(ann, "lyceum.echo.v1.Echo/Count"));
	assert_false(policy_may_call(ann, "lyceum.experts.v1.ExpertSearches/Find"));
	assert_true(policy_may_call(policy_find(policy, "bob"), "any.Service/Method"));
}

/* What was found once is the right of that key and that method only, and goes with the key. */
static void test_policy_right_that_was_found_is_of_one_key_and_method(void **state)
{
	struct policy *policy = *state;
	static char *const names[] = {"lyceum.echo.v1.Echo/Say", "lyceum.echo.v1.Echo/Count"};
	struct method_entry methods[2] = {{.name = names[0]}, {.name = names[1]}};
	const struct grants *ann = policy_find(policy, "ann");
	/* With a list that is set and empty nothing is allowed. */
	struct grants *none = policy_grant(policy, "none", "", ROLE_PERSON);
	none->call.is_set = true;
	for (int round = 0; round < 3; round++) {
		assert_true(policy_may_call_known(policy, ann, &methods[0]));
		assert_false(policy_may_call_known(policy, ann, &methods[1]));
		assert_false(policy_may_call_known(policy, none, &methods[0]));
		assert_true(policy_may_call_known(policy, policy_find(policy, "bob"), &methods[1]));
	}
	policy_revoke(policy, "none");
	for (size_t i = 0; i < POLICY_FOUND; i++)
		assert_null(policy->found[i].grants);
}

static void test_policy_subscribe_list_covers_the_whole_pattern(void **state)
{
	const struct policy *policy = *state;
	const struct grants *ann = policy_find(policy, "ann");
	assert_true(policy_may_subscribe(ann, text("lyceum.events.v1.>")));
	assert_true(policy_may_subscribe(ann, text("lyceum.events.v1.Event.*.x")));
	assert_true(policy_may_subscribe(ann, text("lyceum.news.v1.Item.*")));
	assert_false(policy_may_subscribe(ann, text("lyceum.news.v1.Item.>")));
	assert_false(policy_may_subscribe(ann, text("lyceum.>")));
	assert_false(policy_may_subscribe(ann, text("*.events.v1.Event")));
	assert_true(policy_may_subscribe(policy_find(policy, "bob"), text(">")));
}

static void test_policy_publish_is_for_lists_daemons_and_plugins_of_the_package(void **state)
{
	const struct policy *policy = *state;
	static const struct {
		const char *who;
		const char *subject;
		bool is_allowed;
	} cases[] = {
		{"ann", "lyceum.events.v1.Event.wales.1", true},
		{"ann", "lyceum.news.v1.Item.1", false},
		{"bob", "lyceum.events.v1.Event.wales.1", false},
		{"cork", "lyceum.news.v1.Item.1", true},
		{"root", "lyceum.news.v1.Item.1", true},
		{"hub", "lyceum.news.v1.Item.1", true},
		{"echo", "lyceum.echo.v1.Note", true},
		{"echo", "lyceum.echo.v10.Note", false},
		{"echo", "lyceum.echo.v1", false},
		{"echo", "lyceum.news.v1.Item.1", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct session session = session_of(policy, cases[i].who);
		struct services services;
		services_init(&services);
		list_init(&session.offers);
		if (session.grants->role == ROLE_PLUGIN)
			services_offer(&services, &session, text("lyceum.echo.v1.Echo"), text(""));
		bool is_allowed =
			policy_may_publish(session.grants, &session, text(cases[i].subject));
		if (is_allowed != cases[i].is_allowed)
			fail_msg("%s, %s", cases[i].who, cases[i].subject);
		services_withdraw(&services, &session);
		services_fini(&services);
	}
	/* A plugin that serves nothing publishes nothing. */
	struct session idle = session_of(policy, "echo");
	list_init(&idle.offers);
	assert_false(policy_may_publish(idle.grants, &idle, text("lyceum.echo.v1.Note")));
}

static void test_policy_grant_is_found_and_replaced(void **state)
{
	struct policy *policy = *state;
	assert_null(policy_find(policy, "carl"));
	policy_grant(policy, "carl", KEY, ROLE_PLUGIN);
	policy_grant(policy, "carl", "", ROLE_OPERATOR);
	assert_int_equal(policy_find(policy, "carl")->role, ROLE_OPERATOR);
	assert_string_equal(policy_find(policy, "carl")->public_key, "");
}

/* One configuration of a key, whether it is taken. */
static enum lyc_status init_with(const char *name, const char *key, size_t count)
{
	Lyceum__V1__Config config = LYCEUM__V1__CONFIG__INIT;
	Lyceum__V1__PeerKey entry = LYCEUM__V1__PEER_KEY__INIT;
	Lyceum__V1__PeerKey *items[] = {&entry, &entry};
	entry.name = (char *)(uintptr_t)name;
	entry.public_key = (char *)(uintptr_t)key;
	config.name = (char *)(uintptr_t) "wales";
	config.keys = items;
	config.n_keys = count;
	struct policy policy;
	struct lyc_error error = {0};
	enum lyc_status status = policy_init(&policy, &config, &error);
	if (status == LYC_OK)
		policy_fini(&policy);
	else
		assert_non_null(strstr(error.text, name));
	return status;
}

static void test_policy_refuses_keys_that_cannot_be(void **state)
{
	(void)state;
	assert_int_equal(init_with("ann", KEY, 1), LYC_OK);
	assert_int_equal(init_with("ann", KEY, 2), LYC_INVALID_ARGUMENT);
	assert_int_equal(init_with("ann", "", 1), LYC_INVALID_ARGUMENT);
	assert_int_equal(init_with("anonymous", "", 1), LYC_OK);
	assert_int_equal(init_with("anonymous", KEY, 1), LYC_INVALID_ARGUMENT);
}

static void test_policy_node_of_a_name(void **state)
{
	(void)state;
	assert_true(span_is(policy_node_of(text("ann@wales")), "wales"));
	assert_true(span_is(policy_node_of(text("wales/policy")), "wales"));
	assert_true(span_is(policy_node_of(text("wales")), "wales"));
	assert_true(span_is(policy_node_of(text("ann/x@wales")), "wales"));
	assert_int_equal(policy_node_of(text("ann@")).len, 0);
	assert_int_equal(policy_node_of(text("")).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_policy_person_speaks_for_itself_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_policy_node_speaks_for_its_own_people, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_policy_operator_and_gateway_speak_for_this_daemon, setup, teardown),
		cmocka_unit_test_setup_teardown(test_policy_plain_plugin_speaks_for_no_person,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_policy_hub_speaks_for_all_others_and_never_for_us, setup, teardown),
		cmocka_unit_test_setup_teardown(test_policy_plugin_speaks_for_whose_call_it_serves,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_policy_principal_has_a_length, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_policy_groups_are_vouched_for_by_their_node,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_policy_call_list_is_of_whole_method_names,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_policy_right_that_was_found_is_of_one_key_and_method, setup, teardown),
		cmocka_unit_test_setup_teardown(test_policy_subscribe_list_covers_the_whole_pattern,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_policy_publish_is_for_lists_daemons_and_plugins_of_the_package, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_policy_grant_is_found_and_replaced, setup,
						teardown),
		cmocka_unit_test(test_policy_refuses_keys_that_cannot_be),
		cmocka_unit_test(test_policy_node_of_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
