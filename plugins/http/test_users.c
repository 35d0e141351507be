/* Who is known: the fold over the node's records, its tokens, its times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lyceum/http/v1/users.pb-c.h"
#include "users.h"

static struct users users;
static uint64_t seq;

static int setup(void **state)
{
	(void)state;
	seq = 0;
	assert_true(users_init(&users, "wales"));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	users_fini(&users);
	return 0;
}

static void apply(const char *subject, const char *origin, const ProtobufCMessage *message)
{
	uint8_t bytes[1000];
	size_t len = 0;
	if (message) {
		assert_true(protobuf_c_message_get_packed_size(message) <= sizeof(bytes));
		len = protobuf_c_message_pack(message, bytes);
	}
	users_apply(&users, &(struct lyc_delivery){.subject = subject,
						   .body = bytes,
						   .body_len = len,
						   .origin = origin,
						   .seq = ++seq,
						   .removed = !message});
}

static void add_user_who_calls(const char *name, const char *home, uint64_t since_ms, char **calls,
			       size_t call_count)
{
	char subject[200];
	char *groups[] = {(char *)"policy", (char *)"staff"};
	Lyceum__Http__V1__User user = LYCEUM__HTTP__V1__USER__INIT;
	user.home = (char *)(uintptr_t)home;
	user.name = (char *)(uintptr_t)name;
	user.groups = groups;
	user.n_groups = 2;
	user.language = (char *)"cy";
	user.since_ms = since_ms;
	user.call = calls;
	user.n_call = call_count;
	snprintf(subject, sizeof(subject), "lyceum.http.v1.User.%s.%s", home, name);
	apply(subject, home, &user.base);
}

static void add_user(const char *name, const char *home, uint64_t since_ms)
{
	add_user_who_calls(name, home, since_ms, NULL, 0);
}

static void add_session(const char *id, const char *user, const char *home, const uint8_t *hash,
			uint64_t created_ms, uint64_t expires_ms)
{
	char subject[200];
	Lyceum__Http__V1__Session session = LYCEUM__HTTP__V1__SESSION__INIT;
	session.home = (char *)(uintptr_t)home;
	session.id = (char *)(uintptr_t)id;
	session.user = (char *)(uintptr_t)user;
	session.token_hash = (ProtobufCBinaryData){TOKEN_HASH_LEN, (uint8_t *)(uintptr_t)hash};
	session.created_ms = created_ms;
	session.expires_ms = expires_ms;
	snprintf(subject, sizeof(subject), "lyceum.http.v1.Session.%s.%s", home, id);
	apply(subject, home, &session.base);
}

static void test_users_are_found_with_their_groups(void **state)
{
	(void)state;
	add_user("ann", "wales", 5);
	const struct user *ann = users_find(&users, "ann");
	assert_non_null(ann);
	assert_int_equal(ann->group_count, 2);
	assert_string_equal(ann->groups[0], "wales/policy");
	assert_string_equal(ann->language, "cy");
	assert_null(users_find(&users, "an"));
	/* The same again, as a log may tell it. */
	add_user("ann", "wales", 5);
	assert_int_equal(HASH_CNT(by_name, users.all), 1);
	apply("lyceum.http.v1.User.wales.ann", "wales", NULL);
	assert_null(users_find(&users, "ann"));
}

static void test_users_call_what_the_operator_says(void **state)
{
	(void)state;
	char *calls[] = {(char *)"lyceum.experts.v1.ExpertSearch/*",
			 (char *)"lyceum.v1.Node/Status"};
	add_user("bob", "wales", 5);
	assert_true(users_may_call(users_find(&users, "bob"), "lyceum.echo.v1.Echo/Say"));
	add_user_who_calls("ann", "wales", 5, calls, 2);
	const struct user *ann = users_find(&users, "ann");
	assert_int_equal(ann->call_count, 2);
	assert_true(users_may_call(ann, "lyceum.experts.v1.ExpertSearch/Find"));
	assert_true(users_may_call(ann, "lyceum.v1.Node/Status"));
	assert_false(users_may_call(ann, "lyceum.v1.Node/Statuses"));
	assert_false(users_may_call(ann, "lyceum.experts.v1.Experts/Add"));
	assert_false(users_may_call(ann, "lyceum.echo.v1.Echo/Say"));
	assert_false(users_may_call(ann, ""));
	/* As soon as the record says otherwise. */
	add_user_who_calls("ann", "wales", 5, calls, 1);
	assert_false(users_may_call(users_find(&users, "ann"), "lyceum.v1.Node/Status"));
}

static void test_users_of_other_nodes_are_none(void **state)
{
	(void)state;
	add_user("eve", "cork", 5);
	assert_null(users_find(&users, "eve"));
	/* It says that it is ours, but does not come from here. */
	Lyceum__Http__V1__User user = LYCEUM__HTTP__V1__USER__INIT;
	user.home = (char *)"wales";
	user.name = (char *)"eve";
	apply("lyceum.http.v1.User.wales.eve", "cork", &user.base);
	assert_null(users_find(&users, "eve"));
	add_user("ann", "wales", 5);
	apply("lyceum.http.v1.User.wales.ann", "cork", NULL);
	apply("lyceum.http.v1.User.cork.ann", "wales", NULL);
	assert_non_null(users_find(&users, "ann"));
}

static void test_users_names_with_dots_are_withdrawn(void **state)
{
	(void)state;
	add_user("ann.of.wales", "wales", 5);
	apply("lyceum.http.v1.User.wales.ann%2Eof%2Ewales", "wales", NULL);
	assert_null(users_find(&users, "ann.of.wales"));
	/* Nothing happens for what is no subject of ours. */
	apply("lyceum.http.v1.User", "wales", NULL);
	apply("lyceum.http.v1.User.", "wales", NULL);
	apply("lyceum.http.v1.User.wales", "wales", NULL);
	apply("lyceum.http.v1.Userx.wales.ann%2", "wales", NULL);
}

static void test_session_is_found_by_its_token_only(void **state)
{
	(void)state;
	char token[TOKEN_LEN + 1], other[TOKEN_LEN + 1];
	uint8_t hash[TOKEN_HASH_LEN], other_hash[TOKEN_HASH_LEN];
	token_make(token, hash);
	token_make(other, other_hash);
	assert_string_not_equal(token, other);
	assert_int_equal(strlen(token), TOKEN_LEN);
	add_user("ann", "wales", 5);
	add_session("a", "ann", "wales", hash, 10, 100);
	const struct pass *session = users_session(&users, token, 50);
	assert_non_null(session);
	assert_string_equal(session->user, "ann");
	assert_null(users_session(&users, other, 50));
	/* A session's token is no invitation. */
	assert_null(users_invitation(&users, token, 50));
	other[TOKEN_LEN - 1] = '\0';
	assert_null(users_session(&users, other, 50));
	assert_null(users_session(&users, "", 50));
	token[3] = '=';
	assert_null(users_session(&users, token, 50));
	/* The log of this node does not hold it. */
	assert_memory_not_equal(hash, token, TOKEN_HASH_LEN);
}

static void test_session_ends_by_time_and_by_removal(void **state)
{
	(void)state;
	char token[TOKEN_LEN + 1];
	uint8_t hash[TOKEN_HASH_LEN];
	uint64_t last_ms;
	token_make(token, hash);
	add_user("ann", "wales", 5);
	add_session("a", "ann", "wales", hash, 10, 100);
	assert_non_null(users_session(&users, token, 99));
	assert_null(users_session(&users, token, 100));
	assert_int_equal(users_count(&users, users.sessions, "ann", 50, &last_ms), 1);
	assert_int_equal(last_ms, 10);
	assert_int_equal(users_count(&users, users.sessions, "ann", 100, &last_ms), 0);
	apply("lyceum.http.v1.User.wales.ann", "wales", NULL);
	assert_null(users_session(&users, token, 50));
	/* Invited again, she is another: what was before stays outside. */
	add_user("ann", "wales", 60);
	assert_null(users_session(&users, token, 70));
	apply("lyceum.http.v1.Session.wales.a", "wales", NULL);
	assert_null(users.sessions);
}

static void test_session_of_another_node_lets_nobody_in(void **state)
{
	(void)state;
	char token[TOKEN_LEN + 1];
	uint8_t hash[TOKEN_HASH_LEN];
	token_make(token, hash);
	add_user("ann", "wales", 5);
	add_session("a", "ann", "cork", hash, 10, 100);
	assert_null(users_session(&users, token, 50));
	/* Nor one without a proper hash. */
	Lyceum__Http__V1__Session session = LYCEUM__HTTP__V1__SESSION__INIT;
	session.home = (char *)"wales";
	session.id = (char *)"b";
	session.user = (char *)"ann";
	session.expires_ms = 100;
	session.created_ms = 10;
	session.token_hash = (ProtobufCBinaryData){TOKEN_HASH_LEN - 1, hash};
	apply("lyceum.http.v1.Session.wales.b", "wales", &session.base);
	assert_null(users.sessions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_users_are_found_with_their_groups, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_users_call_what_the_operator_says, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_users_of_other_nodes_are_none, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_users_names_with_dots_are_withdrawn, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_session_is_found_by_its_token_only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_session_ends_by_time_and_by_removal, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_session_of_another_node_lets_nobody_in, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
