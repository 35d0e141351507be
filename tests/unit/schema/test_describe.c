/* Types are described as the .proto text that they came from. json_against_python.py compares whole
 * descriptors; here is what a reader sees. */
#include "text_case.h"

static char *describe(const char *name, bool with_below)
{
	struct buf out = {0};
	assert_int_equal(describe_write(schema, name, with_below, &out), LYC_OK);
	return buf_text(&out);
}

static void test_describe_shows_one_message(void **state)
{
	(void)state;
	char *text = describe("lyceum.texttest.v1.Kind", false);
	assert_string_equal(text, "syntax = \"proto3\";\n"
				  "\n"
				  "package lyceum.texttest.v1;\n"
				  "\n"
				  "import \"google/protobuf/struct.proto\";\n"
				  "\n"
				  "message Kind {\n"
				  "  enum Size {\n"
				  "    option allow_alias = true;\n"
				  "    SMALL = 0;\n"
				  "    TINY = 0;\n"
				  "    LARGE = 1 [deprecated = true];\n"
				  "  }\n"
				  "  message Inner {\n"
				  "    // How often.\n"
				  "    uint32 count = 1;\n"
				  "    Kind back = 2;\n"
				  "  }\n"
				  "  oneof choice {\n"
				  "    // Said in words.\n"
				  "    string text = 3;\n"
				  "    Inner inner = 4;\n"
				  "    int32 number = 5;\n"
				  "    google.protobuf.NullValue none = 6;\n"
				  "    Scalars scalars = 7;\n"
				  "  }\n"
				  "  Size size = 1;\n"
				  "  reserved 2, 8 to 10;\n"
				  "  reserved \"gone\";\n"
				  "}\n");
	free(text);
}

static void test_describe_shows_proto2(void **state)
{
	(void)state;
	char *text = describe("lyceum.texttest.v1.Old", false);
	assert_string_equal(text,
			    "syntax = \"proto2\";\n"
			    "\n"
			    "package lyceum.texttest.v1;\n"
			    "\n"
			    "message Old {\n"
			    "  enum Shade {\n"
			    "    DARK = 1;\n"
			    "    LIGHT = 2;\n"
			    "  }\n"
			    "  required string name = 1;\n"
			    "  optional int32 count = 2 [default = -5];\n"
			    "  optional string greeting = 3 [default = \"say \\\"hi\\\"\\n\"];\n"
			    "  optional Shade shade = 4 [default = LIGHT];\n"
			    "  optional double ratio = 5 [default = inf];\n"
			    "  optional bytes mark = 6 [default = \"\\001\\\"x\"];\n"
			    "  repeated int32 loose = 7;\n"
			    "  repeated int32 tight = 8 [packed = true];\n"
			    "  map<string, bytes> marks = 9;\n"
			    "  extensions 100 to max;\n"
			    "  reserved 50 to 52;\n"
			    "}\n");
	free(text);
}

static void test_describe_shows_a_service_and_its_options(void **state)
{
	(void)state;
	char *text = describe("lyceum.texttest.v1.People", false);
	assert_non_null(strstr(text, "// Finds people.\n"
				     "service People {\n"
				     "  // By what they know.\n"
				     "  //\n"
				     "  // Two paragraphs.\n"
				     "  rpc Find(Person) returns (stream Person) {\n"));
	assert_non_null(strstr(text, "    option (lyceum.v1.command) = {verb: \"find\", rows: "
				     "\"people\", column: \"NAME=name\", column: \"ID=id\"};\n"));
	assert_non_null(strstr(text, "  rpc Add(stream Person) returns (google.protobuf.Empty) {\n"
				     "    option (lyceum.v1.appends) = true;\n"));
	assert_null(strstr(text, "message Person"));
	free(text);
}

static void test_describe_shows_a_method_with_its_messages(void **state)
{
	(void)state;
	char *text = describe("lyceum.texttest.v1.People/Find", false);
	assert_non_null(strstr(text, "rpc Find(Person)"));
	assert_null(strstr(text, "rpc Add"));
	assert_non_null(strstr(text, "message Person {"));
	assert_non_null(strstr(text, "(lyceum.v1.rules) = {required: true, pattern: "
				     "\"\\\\d{4}-[\\\\dX\\\"]+\"},\n"));
	assert_non_null(strstr(text, "(lyceum.v1.header) = \"field\",\n"));
	assert_null(strstr(text, "enum Colour"));
	free(text);
}

static void test_describe_adds_what_is_used_in_sections(void **state)
{
	(void)state;
	char *text = describe("lyceum.texttest.v1.People", true);
	const char *person = strstr(text, "message Person {");
	const char *colour = strstr(text, "enum Colour {");
	const char *section = strstr(text, "package lyceum.v1;\n");
	const char *label = strstr(text, "message Label {");
	assert_true(person && colour && section && label);
	assert_true(person < colour && colour < section && section < label);
	assert_null(strstr(text, "message Empty"));
	free(text);
}

static void test_describe_shows_an_inner_type_with_its_message(void **state)
{
	(void)state;
	char *text = describe("lyceum.texttest.v1.Kind.Inner", false);
	assert_non_null(strstr(text, "message Kind {"));
	free(text);
}

static void test_describe_knows_no_other_names(void **state)
{
	(void)state;
	const char *names[] = {"",
			       "Kind",
			       "lyceum.texttest.v1",
			       "lyceum.texttest.v1.People/Lose",
			       "lyceum.texttest.v1.Kind/Find",
			       "lyceum.texttest.v1.Scalars.a_bool"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf out = {0};
		assert_int_equal(describe_write(schema, names[i], true, &out), LYC_NOT_FOUND);
		assert_int_equal(out.len, 0);
		buf_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_describe_shows_one_message),
		cmocka_unit_test(test_describe_shows_proto2),
		cmocka_unit_test(test_describe_shows_a_service_and_its_options),
		cmocka_unit_test(test_describe_shows_a_method_with_its_messages),
		cmocka_unit_test(test_describe_adds_what_is_used_in_sections),
		cmocka_unit_test(test_describe_shows_an_inner_type_with_its_message),
		cmocka_unit_test(test_describe_knows_no_other_names),
	};
	return cmocka_run_group_tests(tests, setup_schema, teardown_schema);
}
