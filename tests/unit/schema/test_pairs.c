/* Forms and queries: what a text means depends on its field. */
#include "sample.h"
#include "schema/pairs.h"

static struct schema *schema;

static int setup(void **state)
{
	(void)state;
	schema = sample_schema();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	schema_unref(schema);
	return 0;
}

#define COUNT(pairs) (sizeof(pairs) / sizeof((pairs)[0]))

/* The JSON of an Expert, and that json_read takes it. */
static void gives(const struct lyc_pair *pairs, size_t count, const char *expected)
{
	const struct schema_message *expert =
		schema_find_message(schema, "lyceum.sample.v1.Expert");
	struct lyc_error error = {0};
	struct buf body = {0};
	char *json = NULL;
	enum lyc_status status = pairs_write_json(expert, pairs, count, &json, &error);
	assert_string_equal(error.text, "");
	assert_int_equal(status, LYC_OK);
	assert_string_equal(json, expected);
	status = json_read(expert, json, strlen(json), &body, &error);
	assert_string_equal(error.text, "");
	assert_int_equal(status, LYC_OK);
	buf_fini(&body);
	free(json);
}

static void refuses(const char *name, const char *value, const char *reason)
{
	const struct schema_message *expert =
		schema_find_message(schema, "lyceum.sample.v1.Expert");
	const struct lyc_pair pair = {name, value};
	struct lyc_error error = {0};
	char *json = NULL;
	assert_int_equal(pairs_write_json(expert, &pair, 1, &json, &error), LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, name);
	if (!strstr(error.text, reason))
		fail_msg("said: %s", error.text);
	assert_null(json);
}

static void test_pairs_follow_the_type(void **state)
{
	(void)state;
	const struct lyc_pair pairs[] = {{"name", "Ann \"Q\""}, {"phone", "18446744073709551615"},
					 {"is_member", "on"},   {"level", "HIGH"},
					 {"weight", "0.5"},     {"since", "2026-01-02T03:04:05Z"}};
	gives(pairs, COUNT(pairs),
	      "{\"name\":\"Ann \\\"Q\\\"\",\"phone\":\"18446744073709551615\",\"isMember\":true,"
	      "\"level\":\"HIGH\",\"weight\":\"0.5\",\"since\":\"2026-01-02T03:04:05Z\"}");
}

static void test_pairs_of_one_name_make_a_list(void **state)
{
	(void)state;
	const struct lyc_pair pairs[] = {{"wordList", "a"}, {"scores", "1"}, {"word_list", "b"}};
	gives(pairs, COUNT(pairs), "{\"wordList\":[\"a\",\"b\"],\"scores\":[\"1\"]}");
}

static void test_pairs_reach_into_messages(void **state)
{
	(void)state;
	const struct lyc_pair pairs[] = {{"below.name", "Bo"}, {"below.is_member", "0"}};
	gives(pairs, COUNT(pairs), "{\"below\":{\"name\":\"Bo\",\"isMember\":false}}");
}

static void test_pairs_leave_out_what_is_empty(void **state)
{
	(void)state;
	const struct lyc_pair pairs[] = {{"name", ""}, {"phone", ""}, {"is_member", ""}};
	gives(pairs, COUNT(pairs), "{}");
}

static void test_pairs_refuse_what_does_not_fit(void **state)
{
	(void)state;
	refuses("nothing", "x", "there is no field nothing");
	refuses("evidence", "x", "there is no field");
	refuses("evidence.doi", "x", "there is no field");
	refuses("labels", "x", "there is no field");
	refuses("name.x", "x", "there is no field");
	refuses("", "x", "there is no field");
	refuses("below.below.below.below.below.below.below.below.name", "x", "there is no field");
	refuses("is_member", "maybe", "true or false");
	refuses("name", "\xff", "UTF-8");
	const struct lyc_pair twice[] = {{"name", "a"}, {"name", "b"}};
	struct lyc_error error = {0};
	char *json = NULL;
	assert_int_equal(pairs_write_json(schema_find_message(schema, "lyceum.sample.v1.Expert"),
					  twice, 2, &json, &error),
			 LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "twice"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs_follow_the_type),
		cmocka_unit_test(test_pairs_of_one_name_make_a_list),
		cmocka_unit_test(test_pairs_reach_into_messages),
		cmocka_unit_test(test_pairs_leave_out_what_is_empty),
		cmocka_unit_test(test_pairs_refuse_what_does_not_fit),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
