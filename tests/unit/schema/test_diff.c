/* What breaks between two versions: where it is said to lie, in which order, and for which package.
 * The rules have their pairs in diff_pairs.py. */
#include "sample.h"

#include "google/protobuf/descriptor.pb-c.h"
#include "schema/diff.h"

typedef void (*change_fn)(Google__Protobuf__FileDescriptorProto *file);

/* The sample's set after a change of its file; with_lines keeps the source info. */
static struct schema *changed(change_fn change, bool with_lines)
{
	size_t len;
	uint8_t *bytes = sample_bytes(&len);
	Google__Protobuf__FileDescriptorSet *set =
		google__protobuf__file_descriptor_set__unpack(NULL, len, bytes);
	assert_non_null(set);
	for (size_t i = 0; i < set->n_file; i++) {
		if (!with_lines && set->file[i]->source_code_info) {
			google__protobuf__source_code_info__free_unpacked(
				set->file[i]->source_code_info, NULL);
			set->file[i]->source_code_info = NULL;
		}
		if (strcmp(set->file[i]->name, "sample.proto") == 0 && change)
			change(set->file[i]);
	}
	free(bytes);
	len = google__protobuf__file_descriptor_set__get_packed_size(set);
	bytes = malloc(len);
	assert_non_null(bytes);
	google__protobuf__file_descriptor_set__pack(set, bytes);
	struct schema *schema = NULL;
	struct lyc_error error = {0};
	enum lyc_status status = schema_new(bytes, len, &schema, &error);
	assert_string_equal(error.text, "");
	assert_int_equal(status, LYC_OK);
	google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
	free(bytes);
	return schema;
}

static Google__Protobuf__DescriptorProto *expert_of(Google__Protobuf__FileDescriptorProto *file)
{
	for (size_t i = 0; i < file->n_message_type; i++) {
		if (strcmp(file->message_type[i]->name, "Expert") == 0)
			return file->message_type[i];
	}
	fail();
	return NULL;
}

/* The fourth field becomes bytes, the third is called otherwise. */
static void retype(Google__Protobuf__FileDescriptorProto *file)
{
	Google__Protobuf__DescriptorProto *expert = expert_of(file);
	assert_string_equal(expert->field[3]->name, "orcid");
	google__protobuf__field_options__free_unpacked(expert->field[3]->options, NULL);
	expert->field[3]->options = NULL;
	expert->field[3]->type = GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_BYTES;
	expert->field[2]->name[0] = 'f';
}

static char *text_of(const struct diff *diff, struct buf *to)
{
	buf_clear(to);
	for (size_t i = 0; i < diff->count; i++) {
		diff_write(&diff->breaks[i], to);
		buf_add_byte(to, '\n');
	}
	return buf_text(to);
}

static void test_diff_of_a_set_with_itself_is_empty(void **state)
{
	(void)state;
	struct schema *schema = sample_schema();
	struct diff diff;
	assert_int_equal(diff_new(schema, schema, NULL, &diff, NULL), LYC_OK);
	assert_int_equal(diff.count, 0);
	diff_fini(&diff);
	schema_unref(schema);
}

static void test_diff_names_lines_in_their_order(void **state)
{
	(void)state;
	struct schema *older = sample_schema();
	struct schema *newer = changed(retype, true);
	struct buf text = {0};
	struct diff diff;
	assert_int_equal(diff_new(older, newer, NULL, &diff, NULL), LYC_OK);
	char *lines = text_of(&diff, &text);
	assert_non_null(strstr(lines, "sample.proto:49: the field 3 of lyceum.sample.v1.Expert was "
				      "called name and is fame (FIELD_SAME_NAME)\n"));
	assert_non_null(strstr(lines, "sample.proto:57: the type of lyceum.sample.v1.Expert.orcid "
				      "was string and is bytes "
				      "(FIELD_WIRE_JSON_COMPATIBLE_TYPE)\n"));
	assert_int_equal(diff.count, 2);
	assert_true(diff.breaks[0].line < diff.breaks[1].line);
	diff_fini(&diff);
	buf_fini(&text);
	schema_unref(older);
	schema_unref(newer);
}

static void test_diff_without_source_info_names_the_file(void **state)
{
	(void)state;
	struct schema *older = sample_schema();
	struct schema *newer = changed(retype, false);
	struct buf text = {0};
	struct diff diff;
	assert_int_equal(diff_new(older, newer, NULL, &diff, NULL), LYC_OK);
	assert_int_equal(diff.count, 2);
	assert_int_equal(diff.breaks[0].line, 0);
	assert_non_null(strstr(text_of(&diff, &text), "sample.proto: the type of "));
	diff_fini(&diff);
	buf_fini(&text);
	schema_unref(older);
	schema_unref(newer);
}

static void test_diff_keeps_to_a_package(void **state)
{
	(void)state;
	struct schema *older = sample_schema();
	struct schema *newer = changed(retype, true);
	struct diff diff;
	assert_int_equal(diff_new(older, newer, "lyceum.sample.v1", &diff, NULL), LYC_OK);
	assert_int_equal(diff.count, 2);
	diff_fini(&diff);
	assert_int_equal(diff_new(older, newer, "lyceum.v1", &diff, NULL), LYC_OK);
	assert_int_equal(diff.count, 0);
	diff_fini(&diff);
	schema_unref(older);
	schema_unref(newer);
}

static void test_diff_rules_are_listed_once_each(void **state)
{
	(void)state;
	size_t count = 0;
	for (; diff_rules[count].name; count++) {
		assert_non_null(diff_rules[count].help);
		for (size_t i = 0; i < count; i++)
			assert_string_not_equal(diff_rules[i].name, diff_rules[count].name);
	}
	assert_int_equal(count, 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diff_of_a_set_with_itself_is_empty),
		cmocka_unit_test(test_diff_names_lines_in_their_order),
		cmocka_unit_test(test_diff_without_source_info_names_the_file),
		cmocka_unit_test(test_diff_keeps_to_a_package),
		cmocka_unit_test(test_diff_rules_are_listed_once_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
