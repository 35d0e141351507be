/* YAML becomes wire bytes; every error begins with its line. */
#include "text_case.h"

static void reads(const char *name, const char *text, const char *json)
{
	assert_reads_as(yaml_read, name, text, json);
}

static void refuses(const char *name, const char *text, const char *sentence, const char *field)
{
	assert_refuses(yaml_read, name, text, sentence, field);
}

static void test_yaml_read_takes_plain_scalars_by_the_field(void **state)
{
	(void)state;
	reads("Scalars", "an_int32: 12\na_string: 12\na_bool: true\n",
	      "{\"anInt32\":12,\"aBool\":true,\"aString\":\"12\"}");
	reads("Scalars", "a_string: true\ncolour: RED\na_double: 1.5e3\n",
	      "{\"aDouble\":1500,\"aString\":\"true\",\"colour\":\"RED\"}");
	reads("Scalars", "a_uint64: 18446744073709551615\n",
	      "{\"aUint64\":\"18446744073709551615\"}");
	reads("Scalars", "a_string: ~\nan_int32:\nmaybe_string: ''\n", "{\"maybeString\":\"\"}");
}

static void test_yaml_read_takes_quotes_as_text(void **state)
{
	(void)state;
	reads("Scalars", "a_string: 'null'\n", "{\"aString\":\"null\"}");
	refuses("Scalars", "a_bool: \"true\"\n",
		"line 1: a_bool must be true or false, not \"true\"", "a_bool");
	reads("Known", "values: [1, '1', true, 'true', null, word, [], {a: 2}]\n",
	      "{\"values\":[1,\"1\",true,\"true\",null,\"word\",[],{\"a\":2}]}");
}

static void test_yaml_read_takes_nesting_in_both_styles(void **state)
{
	(void)state;
	reads("Everything",
	      "# a comment\nkinds:\n  - text: a b\n  - inner: {count: 3}\nmaps:\n  texts:\n"
	      "    k: v\n",
	      "{\"maps\":{\"texts\":{\"k\":\"v\"}},\"kinds\":[{\"text\":\"a b\"},"
	      "{\"inner\":{\"count\":3}}]}");
	reads("Scalars", "a_string: |\n  two\n  lines\n", "{\"aString\":\"two\\nlines\\n\"}");
}

static void test_yaml_read_takes_nothing_for_an_empty_message(void **state)
{
	(void)state;
	reads("Scalars", "", "{}");
	reads("Scalars", "# only a comment\n", "{}");
	reads("Scalars", "---\n", "{}");
}

static void test_yaml_read_names_the_line_and_the_field(void **state)
{
	(void)state;
	refuses("Everything", "scalars:\n  a_bool: true\n  an_int32: many\n",
		"line 3: scalars.an_int32 must be a whole number from -2147483648 to 2147483647, "
		"not many",
		"scalars.an_int32");
	refuses("Person", "id: a\norcd: b\n",
		"line 2: orcd is no field of lyceum.texttest.v1.Person; did you mean 'orcid'?",
		"orcd");
	refuses("Person", "id: a\norcd:\n  - b\n",
		"line 2: orcd is no field of lyceum.texttest.v1.Person; did you mean 'orcid'?",
		"orcd");
	refuses("Scalars", "a_bool: yes\n", "line 1: a_bool must be true or false, not yes",
		"a_bool");
	refuses("Lists", "\nstrings:\n  a: b\n", "line 2: strings must be a list, not an object",
		"strings");
	refuses("Lists", "strings:\n  - a\n  -\n", "line 3: strings[1] is null; leave it out",
		"strings[1]");
	refuses("Scalars", "- a\n", "line 1: the message must be an object, not a list", "");
	refuses("Old", "count: 1\n", "line 1: name is required", "name");
}

static void test_yaml_read_names_both_lines_of_a_double(void **state)
{
	(void)state;
	refuses("Scalars", "a_bool: true\nan_int32: 1\na_bool: true\n",
		"line 3: the key 'a_bool' is there already in line 1", "");
	refuses("Scalars", "aBool: true\nan_int32: 1\na_bool: true\n",
		"line 3: a_bool is there twice, as 'a_bool' and as 'aBool' (line 1)", "a_bool");
	refuses("Kind", "text: a\nsize: LARGE\nnumber: 1\n",
		"line 3: number and text (line 1) exclude each other: one of 'choice' only",
		"number");
}

static void test_yaml_read_refuses_anchors_tags_and_documents(void **state)
{
	(void)state;
	refuses("Scalars", "a_bool: &x true\n", "line 1: anchors (&name) are not taken here", "");
	refuses("Scalars", "a_bool: true\na_string: *x\n",
		"line 2: aliases (*name) are not taken here", "");
	refuses("Scalars", "a_string: !!str 5\n", "line 1: tags (!name) are not taken here", "");
	refuses("Scalars", "a_bool: true\n---\na_bool: true\n",
		"line 2: a second document begins here; only one is taken", "");
	refuses("Scalars", "[a]: true\n",
		"line 1: a key must be a word, not a list, a mapping or an alias", "");
}

static void test_yaml_read_says_where_broken_yaml_breaks(void **state)
{
	(void)state;
	refuses("Scalars", "a_bool: true\n  an_int32: 1\n",
		"line 2: mapping values are not allowed in this context", "");
	refuses("Scalars", "a_string: \"open\n", "line 2: found unexpected end of stream", "");
	refuses("Scalars", "a_bool: true\na_string: \xff\n", "line 2: invalid leading UTF-8 octet",
		"");
}

static void test_yaml_read_stops_at_deep_nesting(void **state)
{
	(void)state;
	struct buf text = {0};
	struct buf wire = {0};
	struct lyc_error error = {0};
	buf_add_text(&text, "values: ");
	for (int i = 0; i < 1000; i++)
		buf_add_text(&text, "[");
	assert_int_equal(yaml_read(type_of("Known"), (char *)text.data, text.len, &wire, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.text, "line 1: this is nested too deeply");
	buf_fini(&text);
	buf_fini(&wire);
}

static void test_yaml_line_finds_a_path(void **state)
{
	(void)state;
	static const char text[] = "scalars:\n  a_bool: true\nkinds:\n  - text: a\n"
				   "  - inner:\n      count: 1\nmaps:\n  byInt32: {1: a}\n";
	const struct {
		const char *path;
		unsigned line;
	} cases[] = {{"", 1},
		     {"scalars", 1},
		     {"scalars.a_bool", 2},
		     {"kinds[0]", 4},
		     {"kinds[0].text", 4},
		     {"kinds[1].inner.count", 6},
		     {"kinds[1].inner.back", 5},
		     {"kinds[9].text", 3},
		     {"maps.by_int32", 8},
		     {"lists.strings[0]", 1},
		     {"kinds[x", 3},
		     {"..[", 1}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			yaml_line(type_of("Everything"), text, sizeof(text) - 1, cases[i].path),
			cases[i].line);
	assert_int_equal(yaml_line(type_of("Everything"), "a: [", 4, "scalars"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml_read_takes_plain_scalars_by_the_field),
		cmocka_unit_test(test_yaml_read_takes_quotes_as_text),
		cmocka_unit_test(test_yaml_read_takes_nesting_in_both_styles),
		cmocka_unit_test(test_yaml_read_takes_nothing_for_an_empty_message),
		cmocka_unit_test(test_yaml_read_names_the_line_and_the_field),
		cmocka_unit_test(test_yaml_read_names_both_lines_of_a_double),
		cmocka_unit_test(test_yaml_read_refuses_anchors_tags_and_documents),
		cmocka_unit_test(test_yaml_read_says_where_broken_yaml_breaks),
		cmocka_unit_test(test_yaml_read_stops_at_deep_nesting),
		cmocka_unit_test(test_yaml_line_finds_a_path),
	};
	return cmocka_run_group_tests(tests, setup_schema, teardown_schema);
}
