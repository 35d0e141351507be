/* A random body, as JSON and back, has the same bytes; so it has when the JSON is read as YAML. */
#include "text_case.h"

#include "random_body.h"

#define BODIES 1500

static size_t byte_count;

static void round_trip(const char *name, uint64_t seed, const struct json_options *options)
{
	const struct schema_message *message = type_of(name);
	struct rng rng;
	struct buf body = {0};
	struct buf json = {0};
	struct buf from_json = {0};
	struct buf from_yaml = {0};
	struct lyc_error error = {0};
	rng_init(&rng, seed);
	random_body(&rng, message, 0, &body);
	enum lyc_status status = schema_check(message, span_of(body.data, body.len), false, &error);
	if (!status)
		status = json_write(message, span_of(body.data, body.len), options, &json, &error);
	if (!status)
		status = json_read(message, buf_text(&json), json.len, &from_json, &error);
	if (!status)
		status = yaml_read(message, buf_text(&json), json.len, &from_yaml, &error);
	if (status)
		fail_msg("%s, seed %d: %s: %s", name, (int)seed, error.text, buf_text(&json));
	struct span same = span_of(body.data, body.len);
	if (!span_equal(same, span_of(from_json.data, from_json.len)))
		fail_msg("%s, seed %d: other bytes from JSON: %s", name, (int)seed,
			 buf_text(&json));
	if (!span_equal(same, span_of(from_yaml.data, from_yaml.len)))
		fail_msg("%s, seed %d: other bytes from YAML: %s", name, (int)seed,
			 buf_text(&json));
	byte_count += body.len;
	buf_fini(&body);
	buf_fini(&json);
	buf_fini(&from_json);
	buf_fini(&from_yaml);
}

static void test_text_round_trip_keeps_every_byte(void **state)
{
	(void)state;
	static const char *const names[] = {"Scalars", "Lists", "Maps",       "Known",
					    "Kind",    "Old",   "Everything", "Person"};
	const struct json_options pretty = {.is_pretty = true, .use_proto_names = true};
	for (uint64_t seed = 0; seed < BODIES; seed++)
		round_trip(names[seed % 8], seed, seed % 3 ? NULL : &pretty);
	/* They were not all empty. */
	assert_true(byte_count > BODIES * (size_t)50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_round_trip_keeps_every_byte),
	};
	return cmocka_run_group_tests(tests, setup_schema, teardown_schema);
}
