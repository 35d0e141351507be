/* A set becomes tables that say what the .proto says; a broken one is refused with its reason. */
#include "sample.h"

#include <sodium.h>

#include "schema/rules.h"

#define SET_NAME_LEN 480

static struct schema *schema;

static const struct schema_message *message_of(const char *name)
{
	const struct schema_message *message = schema_find_message(schema, name);
	assert_non_null(message);
	return message;
}

static const struct schema_field *field_of(const struct schema_message *message, const char *name)
{
	const struct schema_field *field = schema_field_by_name(message, name, strlen(name));
	assert_non_null(field);
	return field;
}

static void test_schema_id_is_the_start_of_its_hash(void **state)
{
	(void)state;
	struct span bytes = schema_bytes(schema);
	uint8_t hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256(hash, bytes.data, bytes.len);
	uint64_t id = schema_id(schema);
	for (int i = 0; i < 8; i++)
		assert_int_equal((id >> (56 - 8 * i)) & 0xff, hash[i]);
}

static void test_schema_finds_by_full_name_only(void **state)
{
	(void)state;
	message_of("lyceum.sample.v1.Expert");
	message_of("lyceum.sample.v1.FindRequest.Inner");
	message_of("google.protobuf.Timestamp");
	assert_null(schema_find_message(schema, "lyceum.sample.v1.Exper"));
	assert_null(schema_find_message(schema, "lyceum.sample.v1.Experts"));
	assert_null(schema_find_message(schema, ""));
	assert_null(schema_find_message(schema, "lyceum.sample.v1.Level"));
	assert_non_null(schema_find_enum(schema, "lyceum.sample.v1.Level"));
	assert_non_null(schema_find_service(schema, "lyceum.sample.v1.Samples"));
	assert_non_null(schema_find_method(schema, "lyceum.sample.v1.Samples/Find"));
	assert_null(schema_find_method(schema, "lyceum.sample.v1.Samples/Fin"));
	assert_null(schema_find_method(schema, "lyceum.sample.v1.Sample/Find"));
	assert_null(schema_find_method(schema, "lyceum.sample.v1.Samples"));
	for (size_t i = 0; i < schema_message_count(schema); i++) {
		const struct schema_message *message = schema_message_at(schema, i);
		assert_ptr_equal(message, message_of(message->full_name));
	}
	assert_null(schema_message_at(schema, schema_message_count(schema)));
}

static void test_schema_fields_say_what_the_proto_says(void **state)
{
	(void)state;
	const struct schema_message *expert = message_of("lyceum.sample.v1.Expert");
	assert_int_equal(expert->field_count, 23);
	assert_string_equal(expert->comment, "A person.");
	assert_int_equal(expert->fields[22].number, 5000);
	assert_string_equal(expert->fields[expert->by_declaration[21]].name, "far");
	assert_string_equal(expert->fields[expert->by_declaration[22]].name, "word_list");
	assert_ptr_equal(schema_field_by_number(expert, 5000), &expert->fields[22]);
	assert_null(schema_field_by_number(expert, 4999));
	assert_null(schema_field_by_number(expert, 0));
	assert_ptr_equal(field_of(expert, "wordList"), field_of(expert, "word_list"));
	assert_null(schema_field_by_name(expert, "word_list\0x", 11));

	const struct schema_field *name = field_of(expert, "name");
	assert_string_equal(name->comment, "Full name.");
	assert_true(name->is_personal);
	assert_false(name->has_presence);
	assert_int_equal(name->header_count, 2);
	assert_string_equal(name->headers[1], "person");
	assert_true(name->rules->is_required);
	assert_int_equal(name->rules->min_len, 2);
	assert_int_equal(name->rules->max_len, 10);
	assert_string_equal(field_of(expert, "word_list")->comment, "Behind it.");
	assert_string_equal(field_of(expert, "word_list")->cli_flag, "word-list");

	const struct schema_field *scores = field_of(expert, "scores");
	assert_true(scores->is_repeated && scores->is_packed);
	assert_int_equal(scores->rules->int_min, -5);
	const struct schema_field *mail = field_of(expert, "mail");
	assert_int_equal(mail->oneof, 0);
	assert_string_equal(mail->oneof_name, "reach");
	assert_true(mail->has_presence);
	const struct schema_field *count = field_of(expert, "count");
	assert_int_equal(count->oneof, -1);
	assert_true(count->has_presence);
	assert_string_equal(count->cli_flag, "how-many");
	assert_int_equal(count->cli_positional, 2);
	const struct schema_field *labels = field_of(expert, "labels");
	assert_true(labels->is_map && labels->message->is_map_entry);
	assert_ptr_equal(field_of(expert, "below")->message, expert);
	assert_string_equal(field_of(expert, "level")->enumeration->values[2].name, "HIGH");
}

static void test_schema_knows_keys_and_labels(void **state)
{
	(void)state;
	const struct schema_message *expert = message_of("lyceum.sample.v1.Expert");
	assert_int_equal(expert->key_count, 2);
	assert_string_equal(expert->keys[0]->name, "home");
	assert_string_equal(expert->keys[1]->name, "id");
	assert_ptr_equal(expert->label, field_of(expert, "label"));
	assert_true(expert->has_label_below);
	const struct schema_message *reply = message_of("lyceum.sample.v1.FindReply");
	assert_null(reply->label);
	assert_true(reply->has_label_below);
	const struct schema_message *request = message_of("lyceum.sample.v1.FindRequest");
	assert_null(request->label);
	assert_false(request->has_label_below);
	const struct schema_message *evidence = message_of("lyceum.sample.v1.Evidence");
	assert_non_null(evidence->label);
	assert_false(evidence->has_label_below);
	assert_int_equal(message_of("lyceum.v1.Label")->known, SCHEMA_LABEL);
	assert_int_equal(message_of("google.protobuf.Timestamp")->known, SCHEMA_TIMESTAMP);
	assert_int_equal(expert->known, SCHEMA_PLAIN);
}

static void test_schema_methods_carry_their_command(void **state)
{
	(void)state;
	const struct schema_service *service =
		schema_find_service(schema, "lyceum.sample.v1.Samples");
	assert_string_equal(service->noun, "sample");
	assert_string_equal(service->comment, "Finds samples.");
	assert_int_equal(service->method_count, 2);
	const struct schema_method *find =
		schema_find_method(schema, "lyceum.sample.v1.Samples/Find");
	assert_string_equal(find->comment, "Finds some.");
	assert_true(find->is_server_streaming);
	assert_false(find->is_client_streaming);
	assert_false(find->appends);
	assert_string_equal(find->command.verb, "find");
	assert_int_equal(find->command.column_count, 2);
	assert_string_equal(find->command.columns[1], "ID=expert.id");
	assert_string_equal(find->command.detail_columns[0], "DOI=doi");
	assert_string_equal(find->command.headline, "{count} found");
	const struct schema_method *import =
		schema_find_method(schema, "lyceum.sample.v1.Samples/Import");
	assert_true(import->appends);
	assert_string_equal(import->command.verb, "");
	assert_string_equal(import->output->full_name, "lyceum.sample.v1.FindReply");
	assert_string_equal(import->web.get, "");
	assert_false(import->web.is_open || import->command.is_bare);
	service = schema_find_service(schema, "lyceum.sample.v1.Pages");
	assert_string_equal(service->noun, "page");
	assert_string_equal(service->package_word, "sample");
	const struct schema_method *read =
		schema_find_method(schema, "lyceum.sample.v1.Pages/Read");
	assert_true(read->command.is_bare);
	assert_string_equal(read->web.get, "/page/{token}");
	assert_string_equal(read->web.post, "");
	assert_string_equal(read->web.body, "text");
	assert_string_equal(read->web.content_type, "text/plain");
	assert_true(read->web.is_open);
}

static void test_schema_knows_proto2(void **state)
{
	(void)state;
	const struct schema_message *car = message_of("lyceum.older.v1.Car");
	assert_true(car->is_proto2);
	assert_true(field_of(car, "plate")->is_required);
	const struct schema_field *color = field_of(car, "color");
	assert_string_equal(color->default_text, "BLUE");
	assert_true(color->enumeration->is_closed);
	assert_int_equal(color->enumeration->numbers[0], -7);
	assert_int_equal(color->enumeration->numbers[1], 1);
	assert_false(field_of(car, "loose")->is_packed);
	assert_true(field_of(car, "tight")->is_packed);
	assert_int_equal(field_of(car, "engine")->type, SCHEMA_GROUP);
}

/* ---- broken sets ---- */

/* A file "a.proto", proto3, with `more` behind. */
static void add_file(struct buf *set, const char *name, const char *package, struct buf *more)
{
	size_t mark = pb_begin(set, 1);
	pb_write_text(set, 1, name);
	pb_write_text(set, 2, package);
	buf_add(set, more->data, more->len);
	pb_write_text(set, 12, "proto3");
	pb_end(set, mark);
	buf_fini(more);
}

struct field_spec {
	const char *name;
	uint32_t number;
	uint32_t type;
	const char *type_name;
	struct span options;
};

static void add_field(struct buf *to, struct field_spec spec)
{
	size_t mark = pb_begin(to, 2);
	pb_write_text(to, 1, spec.name);
	pb_write_uint(to, 3, spec.number);
	pb_write_uint(to, 4, 1);
	pb_write_uint(to, 5, spec.type);
	pb_write_text(to, 6, spec.type_name);
	pb_write_bytes(to, 8, spec.options.data, spec.options.len);
	pb_end(to, mark);
}

static void assert_refused(struct buf *set, const char *text)
{
	struct schema *none = NULL;
	struct lyc_error error = {0};
	assert_int_equal(schema_new(set->data, set->len, &none, &error), LYC_INVALID_ARGUMENT);
	assert_string_equal(error.text, text);
	assert_null(none);
	buf_fini(set);
}

/* A set of one message "M" in package "p" with these fields. */
static struct buf set_of(const struct field_spec *specs, size_t count)
{
	struct buf more = {0};
	struct buf set = {0};
	size_t mark = pb_begin(&more, 4);
	pb_write_text(&more, 1, "M");
	for (size_t i = 0; i < count; i++)
		add_field(&more, specs[i]);
	pb_end(&more, mark);
	add_file(&set, "a.proto", "p", &more);
	return set;
}

static void test_schema_refuses_broken_fields(void **state)
{
	(void)state;
	const struct {
		struct field_spec specs[2];
		const char *text;
	} cases[] = {
		{{{"a", 1, 5}, {"a", 2, 5}}, "a.proto: p.M: two fields are called a"},
		{{{"a", 1, 5}, {"b", 1, 5}}, "a.proto: p.M: two fields have the number 1"},
		{{{"a", 1, 11, ".p.N"}, {"b", 2, 5}},
		 "a.proto: p.M: the type .p.N of field a is not in the set"},
		{{{"a", 1, 14, ".p.M"}, {"b", 2, 5}},
		 "a.proto: p.M: the type .p.M of field a is not in the set"},
		{{{"a", 1, 11, "M"}, {"b", 2, 5}},
		 "a.proto: p.M: the type M of field a is not in the set"},
		{{{"a", 0, 5}, {"b", 2, 5}}, "a.proto: p.M: field a has no proper number"},
		{{{"a", 1, 19}, {"b", 2, 5}},
		 "a.proto: p.M: field a has a type or label that is not known"},
		{{{"a.b", 1, 5}, {"b", 2, 5}}, "a.proto: p.M: field 1 has no proper name"},
		{{{"a", 1, 5}, {"", 2, 5}}, "a.proto: p.M: field 2 has no proper name"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf set = set_of(cases[i].specs, 2);
		assert_refused(&set, cases[i].text);
	}
}

static void test_schema_refuses_rules_that_do_not_fit(void **state)
{
	(void)state;
	struct buf rules = {0};
	size_t mark = pb_begin(&rules, 51300);
	pb_write_text(&rules, 8, "a(b");
	pb_end(&rules, mark);
	struct span options = span_of(rules.data, rules.len);
	struct buf set = set_of((struct field_spec[]){{"a", 1, 9, NULL, options}}, 1);
	assert_refused(&set, "a.proto: p.M: the pattern of a: at character 4: the group is not "
			     "closed with )");
	set = set_of((struct field_spec[]){{"a", 1, 5, NULL, options}}, 1);
	assert_refused(&set, "a.proto: p.M: the rules of a: a pattern is for strings");
	buf_fini(&rules);
}

static void test_schema_refuses_gaps_in_the_keys(void **state)
{
	(void)state;
	struct buf key = {0};
	pb_write_uint(&key, 51301, 2);
	struct span options = span_of(key.data, key.len);
	struct buf set = set_of((struct field_spec[]){{"a", 1, 9, NULL, options}}, 1);
	assert_refused(&set, "a.proto: p.M: the keys are not numbered 1 to 1, each once");
	set = set_of((struct field_spec[]){{"a", 1, 1, NULL, options}}, 1);
	assert_refused(&set, "a.proto: p.M: field a cannot be a key: a key is one string, integer, "
			     "bool or enum");
	buf_fini(&key);
}

static void test_schema_refuses_broken_sets(void **state)
{
	(void)state;
	struct buf set = {0};
	assert_refused(&set, "the schema holds no files");
	buf_add_text(&set, "\x0a\x7f");
	assert_refused(&set, "the schema: the descriptor is malformed");

	struct buf more = {0};
	pb_write_text(&more, 3, "b.proto");
	add_file(&set, "a.proto", "p", &more);
	assert_refused(&set, "a.proto: imports b.proto, which is not in the set; make the set with "
			     "--include_imports");

	add_file(&set, "a.proto", "p", &more);
	add_file(&set, "a.proto", "p", &more);
	assert_refused(&set, "a.proto: the file is in the set twice");

	add_file(&set, "a.proto", "p..q", &more);
	assert_refused(&set, "a.proto: the package has no proper name");

	for (int i = 0; i < 2; i++) {
		size_t mark = pb_begin(&more, 4);
		pb_write_text(&more, 1, "M");
		pb_end(&more, mark);
	}
	add_file(&set, "a.proto", "p", &more);
	assert_refused(&set, "a.proto: p.M is defined twice");

	size_t mark = pb_begin(&more, 4);
	pb_write_text(&more, 1, "Timestamp");
	add_field(&more, (struct field_spec){"seconds", 1, 9});
	pb_end(&more, mark);
	add_file(&set, "a.proto", "google.protobuf", &more);
	assert_refused(&set, "google.protobuf.Timestamp does not have the fields that a type of "
			     "this kind has");
}

static void test_schema_refuses_deep_nesting(void **state)
{
	(void)state;
	struct buf more = {0};
	size_t marks[40];
	for (size_t i = 0; i < 40; i++) {
		marks[i] = pb_begin(&more, i == 0 ? 4 : 3);
		pb_write_text(&more, 1, "M");
	}
	for (size_t i = 40; i-- > 0;)
		pb_end(&more, marks[i]);
	struct buf set = {0};
	add_file(&set, "a.proto", "p", &more);
	assert_refused(&set, "a.proto: messages are nested deeper than 32");
}

static void test_schema_bounds_what_patterns_cost(void **state)
{
	(void)state;
	struct buf rules = {0};
	size_t mark = pb_begin(&rules, 51300);
	pb_write_text(&rules, 8, "(.*a.{9}|.*b.{9})*");
	pb_end(&rules, mark);
	struct buf set =
		set_of((struct field_spec[]){{"a", 1, 9, NULL, span_of(rules.data, rules.len)}}, 1);
	assert_refused(&set, "a.proto: p.M: the pattern of a: the pattern needs more than 4096 "
			     "states or too much work; make it shorter");
	buf_fini(&rules);
}

/* A small set that would need much memory: long names, repeated in all that is nested below. */
static void test_schema_bounds_the_memory_of_a_set(void **state)
{
	(void)state;
	char name[SET_NAME_LEN + 1];
	memset(name, 'n', SET_NAME_LEN);
	name[SET_NAME_LEN] = '\0';
	struct buf more = {0};
	struct buf set = {0};
	size_t outer = pb_begin(&more, 4);
	pb_write_text(&more, 1, name);
	for (unsigned i = 0; i < 140000; i++) {
		char inner[16];
		snprintf(inner, sizeof(inner), "m%u", i);
		size_t mark = pb_begin(&more, 3);
		pb_write_text(&more, 1, inner);
		pb_end(&more, mark);
	}
	pb_end(&more, outer);
	add_file(&set, "a.proto", "p", &more);
	struct schema *none = NULL;
	struct lyc_error error = {0};
	assert_int_equal(schema_new(set.data, set.len, &none, &error), LYC_RESOURCE_EXHAUSTED);
	assert_string_equal(error.text,
			    "the schema needs more memory than there is or may be used");
	assert_null(none);
	buf_fini(&set);
}

/* Every prefix and every single changed byte of a good set ends in a status. */
static void test_schema_survives_changed_bytes(void **state)
{
	(void)state;
	size_t len;
	uint8_t *bytes = sample_bytes(&len);
	size_t step = len / 400 + 1;
	size_t refused = 0;
	for (size_t i = 0; i < len; i += step) {
		struct schema *made = NULL;
		if (schema_new(bytes, i, &made, NULL) != LYC_OK)
			refused++;
		schema_unref(made);
		made = NULL;
		bytes[i] ^= 0x15;
		if (schema_new(bytes, len, &made, NULL) != LYC_OK)
			refused++;
		schema_unref(made);
		bytes[i] ^= 0x15;
	}
	assert_in_range(refused, 300, 1000);
	free(bytes);
}

static void test_schema_lives_until_the_last_reference(void **state)
{
	(void)state;
	struct schema *one = sample_schema();
	struct schema *two = schema_ref(one);
	schema_unref(one);
	assert_non_null(schema_find_message(two, "lyceum.sample.v1.Expert"));
	schema_unref(two);
	schema_unref(NULL);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schema_id_is_the_start_of_its_hash),
		cmocka_unit_test(test_schema_finds_by_full_name_only),
		cmocka_unit_test(test_schema_fields_say_what_the_proto_says),
		cmocka_unit_test(test_schema_knows_keys_and_labels),
		cmocka_unit_test(test_schema_methods_carry_their_command),
		cmocka_unit_test(test_schema_knows_proto2),
		cmocka_unit_test(test_schema_refuses_broken_fields),
		cmocka_unit_test(test_schema_refuses_rules_that_do_not_fit),
		cmocka_unit_test(test_schema_refuses_gaps_in_the_keys),
		cmocka_unit_test(test_schema_refuses_broken_sets),
		cmocka_unit_test(test_schema_refuses_deep_nesting),
		cmocka_unit_test(test_schema_bounds_what_patterns_cost),
		cmocka_unit_test(test_schema_bounds_the_memory_of_a_set),
		cmocka_unit_test(test_schema_survives_changed_bytes),
		cmocka_unit_test(test_schema_lives_until_the_last_reference),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
