/* Tables as JSON Schemas: every kind of field, the rules, references that resolve. */
#include <jansson.h>

#include "sample.h"
#include "schema/json_schema.h"

#define PREFIX "#/types/"

static json_t *schemas_of(const char *name)
{
	struct schema *schema = sample_schema();
	const struct schema_message *message = schema_find_message(schema, name);
	struct buf text = {0};
	struct lyc_error error = {0};
	assert_non_null(message);
	assert_int_equal(json_schema_write(&message, 1, PREFIX, &text, &error), LYC_OK);
	json_t *all = json_loads(buf_text(&text), 0, NULL);
	assert_non_null(all);
	buf_fini(&text);
	schema_unref(schema);
	return all;
}

static void assert_property(json_t *all, const char *property, const char *expected)
{
	json_t *expert = json_object_get(all, "lyceum.sample.v1.Expert");
	json_t *value = json_object_get(json_object_get(expert, "properties"), property);
	json_t *wanted = json_loads(expected, 0, NULL);
	assert_non_null(wanted);
	if (!json_equal(value, wanted)) {
		char *text = value ? json_dumps(value, 0) : NULL;
		fail_msg("%s is %s", property, text ? text : "absent");
	}
	json_decref(wanted);
}

static void test_json_schema_of_each_kind_of_field(void **state)
{
	(void)state;
	json_t *all = schemas_of("lyceum.sample.v1.Expert");
	assert_property(all, "home",
			"{\"type\":\"string\",\"minLength\":1,\"description\":\"Who keeps it.\"}");
	assert_property(all, "name",
			"{\"type\":\"string\",\"minLength\":2,\"maxLength\":10,"
			"\"description\":\"Full name.\"}");
	assert_property(all, "orcid",
			"{\"type\":\"string\",\"pattern\":\"^(?:\\\\d{4}(-\\\\d{4}){2}-"
			"\\\\d{3}[\\\\dX])?$\"}");
	assert_property(all, "evidence",
			"{\"type\":\"array\",\"items\":{\"$ref\":\"#/types/"
			"lyceum.sample.v1.Evidence\"},\"maxItems\":3}");
	assert_property(all, "scores",
			"{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"format\":\"int32\","
			"\"minimum\":-5,\"maximum\":5},\"minItems\":2}");
	assert_property(all, "phone",
			"{\"type\":[\"string\",\"integer\"],\"format\":\"uint64\","
			"\"pattern\":\"^-?[0-9]+$\"}");
	assert_property(all, "labels",
			"{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/types/"
			"lyceum.sample.v1.Evidence\"}}");
	assert_property(all, "weight",
			"{\"type\":\"number\",\"format\":\"double\",\"minimum\":0.0,"
			"\"maximum\":1.0}");
	assert_property(all, "since", "{\"type\":\"string\",\"format\":\"date-time\"}");
	assert_property(all, "photo", "{\"type\":\"string\",\"contentEncoding\":\"base64\"}");
	assert_property(all, "isMember", "{\"type\":\"boolean\"}");
	assert_property(all, "below", "{\"$ref\":\"#/types/lyceum.sample.v1.Expert\"}");
	json_decref(all);
}

static void test_json_schema_names_what_is_required(void **state)
{
	(void)state;
	json_t *all = schemas_of("lyceum.sample.v1.Expert");
	json_t *required =
		json_object_get(json_object_get(all, "lyceum.sample.v1.Expert"), "required");
	assert_int_equal(json_array_size(required), 2);
	assert_string_equal(json_string_value(json_array_get(required, 0)), "home");
	assert_string_equal(json_string_value(json_array_get(required, 1)), "name");
	json_decref(all);
}

static void check_refs(json_t *all, const json_t *value)
{
	const char *key;
	json_t *member;
	size_t index;
	const char *ref = json_string_value(json_object_get(value, "$ref"));
	if (ref) {
		assert_memory_equal(ref, PREFIX, strlen(PREFIX));
		assert_non_null(json_object_get(all, ref + strlen(PREFIX)));
	}
	if (json_is_object(value)) {
		json_object_foreach((json_t *)(uintptr_t)value, key, member)
			check_refs(all, member);
	}
	json_array_foreach(value, index, member) check_refs(all, member);
}

static void test_json_schema_has_all_that_is_referred_to(void **state)
{
	(void)state;
	json_t *all = schemas_of("lyceum.sample.v1.FindReply");
	assert_non_null(json_object_get(all, "lyceum.sample.v1.Hit"));
	assert_non_null(json_object_get(all, "lyceum.v1.Label"));
	assert_null(json_object_get(all, "google.protobuf.Timestamp"));
	assert_null(json_object_get(all, "lyceum.sample.v1.Numbers"));
	check_refs(all, all);
	json_decref(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_schema_of_each_kind_of_field),
		cmocka_unit_test(test_json_schema_names_what_is_required),
		cmocka_unit_test(test_json_schema_has_all_that_is_referred_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
