/* The types of all schemas: the newest wins, the same set counts once, and a subject finds the
 * longest name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "google/protobuf/descriptor.pb-c.h"
#include "route/types.h"
#include "schema/core.h"

#include "schema_file.h"

static struct span text(const char *chars)
{
	return span_of(chars, strlen(chars));
}

static void test_types_of_the_newest_schema_win(void **state)
{
	(void)state;
	struct types types;
	types_init(&types);
	struct schema *first = schema_file_compile(NOTICE_SET, NULL);
	/* The same content, another set: an unknown field at its end makes it a version of its own.
	 */
	struct schema *second = schema_file_compile(NOTICE_SET, "\xf8\x3e\x01");
	assert_true(schema_id(first) != schema_id(second));
	assert_null(types_message(&types, text("lyceum.notice.v1.Notice")));
	assert_int_equal(types_add(&types, first, false, NULL), LYC_OK);
	assert_int_equal(types_add(&types, first, false, NULL), LYC_OK);
	assert_int_equal(types.schema_count, 1);
	assert_ptr_equal(types_message(&types, text("lyceum.notice.v1.Notice"))->schema, first);
	assert_int_equal(types_add(&types, second, false, NULL), LYC_OK);
	assert_int_equal(types.schema_count, 2);
	assert_ptr_equal(types_message(&types, text("lyceum.notice.v1.Notice"))->schema, second);
	assert_ptr_equal(types_schema(&types, schema_id(first)), first);
	assert_ptr_equal(types_schema(&types, schema_id(second)), second);
	assert_null(types_schema(&types, 1));
	assert_ptr_equal(types_defining(&types, "lyceum.notice.v1.Notice"), second);
	assert_ptr_equal(types_defining(&types, "lyceum.notice.v1.Board/Post"), second);
	assert_null(types_defining(&types, "lyceum.notice.v1.Nothing"));
	schema_unref(first);
	schema_unref(second);
	struct method_entry *method = types_method(&types, text("lyceum.notice.v1.Board/Post"));
	assert_true(method->method->appends);
	assert_string_equal(method->service->full_name, "lyceum.notice.v1.Board");
	assert_null(types_method(&types, text("lyceum.notice.v1.Board/Pos")));
	types_fini(&types);
}

static void test_types_of_a_set_that_others_brought_first_become_own(void **state)
{
	(void)state;
	struct types types;
	types_init(&types);
	struct schema *ours = schema_file_compile(NOTICE_SET, NULL);
	struct schema *theirs = schema_file_compile(NOTICE_SET, "\xf8\x3e\x01");
	assert_int_equal(types_add(&types, ours, false, NULL), LYC_OK);
	assert_int_equal(types_add(&types, ours, true, NULL), LYC_OK);
	assert_int_equal(types_add(&types, theirs, false, NULL), LYC_OK);
	assert_ptr_equal(types_message(&types, text("lyceum.notice.v1.Notice"))->schema, ours);
	assert_ptr_equal(
		types_method(&types, text("lyceum.notice.v1.Board/Post"))->method->input->schema,
		ours);
	schema_unref(ours);
	schema_unref(theirs);
	types_fini(&types);
}

/* Other nodes' plugins run both versions already when ours is started, or upgraded. */
static void test_types_of_our_own_plugin_win_over_what_others_brought(void **state)
{
	(void)state;
	struct schema *before = schema_file_before(NOTICE_SET, "Notice", "Part", "label");
	struct schema *after = schema_file_compile(NOTICE_SET, NULL);
	for (int was_ours = 0; was_ours < 2; was_ours++) {
		struct types types;
		types_init(&types);
		if (was_ours)
			assert_int_equal(types_add(&types, before, true, NULL), LYC_OK);
		assert_int_equal(types_add(&types, after, false, NULL), LYC_OK);
		assert_int_equal(types_add(&types, before, false, NULL), LYC_OK);
		assert_ptr_equal(types_message(&types, text("lyceum.notice.v1.Notice"))->schema,
				 before);
		assert_int_equal(types_add(&types, after, true, NULL), LYC_OK);
		assert_ptr_equal(types_message(&types, text("lyceum.notice.v1.Notice"))->schema,
				 after);
		/* Going back to what was accepted is allowed, and changes nothing. */
		assert_int_equal(types_add(&types, before, true, NULL), LYC_OK);
		assert_ptr_equal(types_message(&types, text("lyceum.notice.v1.Notice"))->schema,
				 after);
		types_fini(&types);
	}
	schema_unref(before);
	schema_unref(after);
}

static void test_types_subject_finds_the_longest_name(void **state)
{
	(void)state;
	struct types types;
	types_init(&types);
	struct schema *schema = schema_file_compile(NOTICE_SET, NULL);
	assert_int_equal(types_add(&types, schema, false, NULL), LYC_OK);
	size_t len = 0;
	const struct schema_message *notice =
		types_message(&types, text("lyceum.notice.v1.Notice"));
	assert_ptr_equal(types_of_subject(&types, text("lyceum.notice.v1.Notice"), &len), notice);
	assert_int_equal(len, strlen("lyceum.notice.v1.Notice"));
	len = 0;
	assert_ptr_equal(types_of_subject(&types, text("lyceum.notice.v1.Notice.wales.7"), &len),
			 notice);
	assert_int_equal(len, strlen("lyceum.notice.v1.Notice"));
	/* Asked again, and with more or less behind it. */
	len = 0;
	assert_ptr_equal(types_of_subject(&types, text("lyceum.notice.v1.Notice.wales.7"), &len),
			 notice);
	assert_int_equal(len, strlen("lyceum.notice.v1.Notice"));
	assert_ptr_equal(types_of_subject(&types, text("lyceum.notice.v1.Notice.wales"), &len),
			 notice);
	/* A message within it is the longer name. */
	assert_string_equal(
		types_of_subject(&types, text("lyceum.notice.v1.Notice.Part.x"), &len)->full_name,
		"lyceum.notice.v1.Notice.Part");
	/* And the one asked for last says nothing of what only begins alike. */
	assert_string_equal(
		types_of_subject(&types, text("lyceum.notice.v1.Notice.Part.y.z"), &len)->full_name,
		"lyceum.notice.v1.Notice.Part");
	assert_int_equal(len, strlen("lyceum.notice.v1.Notice.Part"));
	assert_ptr_equal(types_of_subject(&types, text("lyceum.notice.v1.Notice.Party.x"), &len),
			 notice);
	assert_ptr_equal(types_of_subject(&types, text("lyceum.notice.v1.Notice"), &len), notice);
	assert_null(types_of_subject(&types, text("lyceum.notice.v1.Noticed.wales"), &len));
	assert_null(types_of_subject(&types, text("lyceum.notice.v1"), &len));
	assert_null(types_of_subject(&types, text(""), &len));
	schema_unref(schema);
	types_fini(&types);
}

typedef void (*change_fn)(Google__Protobuf__DescriptorProto *notice);

/* The notices' set after a change of Notice. */
static struct schema *changed(change_fn change)
{
	struct buf bytes = schema_file_read(NOTICE_SET);
	Google__Protobuf__FileDescriptorSet *set =
		google__protobuf__file_descriptor_set__unpack(NULL, bytes.len, bytes.data);
	assert_non_null(set);
	Google__Protobuf__DescriptorProto *notice = NULL;
	Google__Protobuf__FileDescriptorProto *file = set->file[set->n_file - 1];
	for (size_t i = 0; i < file->n_message_type; i++) {
		if (strcmp(file->message_type[i]->name, "Notice") == 0)
			notice = file->message_type[i];
	}
	assert_non_null(notice);
	change(notice);
	buf_clear(&bytes);
	size_t len = google__protobuf__file_descriptor_set__get_packed_size(set);
	assert_true(buf_reserve(&bytes, len));
	google__protobuf__file_descriptor_set__pack(set, bytes.data);
	struct schema *schema = NULL;
	struct lyc_error error = {0};
	assert_int_equal(schema_new(bytes.data, len, &schema, &error), LYC_OK);
	google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
	buf_fini(&bytes);
	return schema;
}

static void drop_last(Google__Protobuf__DescriptorProto *message)
{
	size_t last = --message->n_field;
	google__protobuf__field_descriptor_proto__free_unpacked(message->field[last], NULL);
}

/* Notice before it had parts. */
static void without_parts(Google__Protobuf__DescriptorProto *notice)
{
	assert_string_equal(notice->field[4]->name, "part");
	drop_last(notice);
}

/* The text is called otherwise: no version before or after. */
static void rename_text(Google__Protobuf__DescriptorProto *notice)
{
	assert_string_equal(notice->field[2]->name, "text");
	memcpy(notice->field[2]->name, "next", 4);
}

/* And the message within it has another name. */
static void rename_part(Google__Protobuf__DescriptorProto *notice)
{
	without_parts(notice);
	assert_string_equal(notice->nested_type[0]->name, "Part");
	memcpy(notice->nested_type[0]->name, "Past", 4);
}

/* What a subject was found to be a moment ago is not remembered beyond that. */
static void test_types_subject_finds_a_longer_name_that_came_since(void **state)
{
	(void)state;
	struct types types;
	struct span subject = text("lyceum.notice.v1.Notice.Part.x");
	size_t len;
	types_init(&types);
	struct schema *before = changed(rename_part);
	struct schema *after = schema_file_compile(NOTICE_SET, NULL);
	assert_int_equal(types_add(&types, before, false, NULL), LYC_OK);
	assert_string_equal(types_of_subject(&types, subject, &len)->full_name,
			    "lyceum.notice.v1.Notice");
	assert_int_equal(types_add(&types, after, false, NULL), LYC_OK);
	assert_string_equal(types_of_subject(&types, subject, &len)->full_name,
			    "lyceum.notice.v1.Notice.Part");
	assert_int_equal(len, strlen("lyceum.notice.v1.Notice.Part"));
	schema_unref(before);
	schema_unref(after);
	types_fini(&types);
}

static const char notices[] = "lyceum.notice.v1.Notice";

/* A part may become labelled, and is then known as such; a label is never taken away. */
static void test_types_take_a_part_that_has_become_labelled(void **state)
{
	(void)state;
	struct types types;
	struct lyc_error error;
	struct schema *before = schema_file_before(NOTICE_SET, "Notice", "Part", "label");
	struct schema *after = schema_file_compile(NOTICE_SET, NULL);
	size_t len;
	types_init(&types);
	assert_int_equal(types_add(&types, before, true, &error), LYC_OK);
	struct span subject = text("lyceum.notice.v1.Notice.wales.7");
	assert_true(types_note_record(&types, subject));
	assert_int_equal(types_add(&types, after, true, &error), LYC_OK);
	assert_true(types_of_subject(&types, subject, &len)->has_label_below);
	assert_false(types_of_record(&types, subject, schema_id(before), &len)->has_label_below);
	types_fini(&types);

	static const struct span board = {(const uint8_t *)"lyceum.notice.v1.Board", 22};
	types_init(&types);
	assert_int_equal(types_add(&types, after, true, &error), LYC_OK);
	assert_true(types_note_record(&types, subject));
	assert_int_equal(types_check_services(&types, before, &board, 1, &error),
			 LYC_FAILED_PRECONDITION);
	assert_non_null(strstr(error.text, "3 changes break records of lyceum.notice.v1, "));
	types_fini(&types);
	schema_unref(before);
	schema_unref(after);
}

static void test_types_refuse_what_breaks_records(void **state)
{
	(void)state;
	struct types types;
	struct lyc_error error = {0};
	struct schema *known = schema_file_compile(NOTICE_SET, NULL);
	struct schema *renamed = changed(rename_text);
	types_init(&types);
	assert_false(types_note_record(&types, text("lyceum.notice.v1.Notice.wales.7")));
	assert_int_equal(types_add(&types, known, true, &error), LYC_OK);
	assert_true(types_note_record(&types, text("lyceum.notice.v1.Notice.wales.7")));
	/* Again and again: it is not taken in by being offered. */
	for (int i = 0; i < 2; i++) {
		error = (struct lyc_error){0};
		assert_int_equal(types_add(&types, renamed, true, &error), LYC_FAILED_PRECONDITION);
		assert_non_null(
			strstr(error.text, "breaks records of lyceum.notice.v1: notice.proto:"));
		assert_non_null(strstr(error.text, "called text and is next (FIELD_SAME_NAME)"));
	}
	assert_int_equal(types.schema_count, 1);
	assert_ptr_equal(types_message(&types, text(notices))->schema, known);
	/* Another daemon's is held for its records, and gives no names. */
	assert_int_equal(types_add(&types, renamed, false, &error), LYC_FAILED_PRECONDITION);
	assert_ptr_equal(types_schema(&types, schema_id(renamed)), renamed);
	assert_ptr_equal(types_message(&types, text(notices))->schema, known);
	assert_ptr_equal(types_defining(&types, "lyceum.notice.v1.Board/Post"), known);
	assert_int_equal(types_add(&types, renamed, true, &error), LYC_FAILED_PRECONDITION);
	types_fini(&types);
	schema_unref(known);
	schema_unref(renamed);
}

/* Where nothing is kept there is nothing to break. */
static void test_types_without_records_are_the_newest(void **state)
{
	(void)state;
	struct types types;
	struct schema *known = schema_file_compile(NOTICE_SET, NULL);
	struct schema *renamed = changed(rename_text);
	types_init(&types);
	assert_int_equal(types_add(&types, known, true, NULL), LYC_OK);
	assert_int_equal(types_add(&types, renamed, true, NULL), LYC_OK);
	assert_ptr_equal(types_message(&types, text(notices))->schema, renamed);
	types_fini(&types);
	schema_unref(known);
	schema_unref(renamed);
}

/* A node that was not upgraded yet brings its version to a hub that knows the newer one. */
static void test_types_of_an_earlier_version_leave_the_later(void **state)
{
	(void)state;
	static const struct span board = {(const uint8_t *)"lyceum.notice.v1.Board", 22};
	struct types types;
	struct lyc_error error = {0};
	struct schema *later = schema_file_compile(NOTICE_SET, NULL);
	struct schema *earlier = changed(without_parts);
	types_init(&types);
	assert_int_equal(types_add(&types, later, true, &error), LYC_OK);
	assert_true(types_note_record(&types, text("lyceum.notice.v1.Notice.wales.7")));
	assert_int_equal(types_check_services(&types, earlier, NULL, 0, &error), LYC_OK);
	assert_int_equal(types_check_services(&types, earlier, &board, 1, &error),
			 LYC_FAILED_PRECONDITION);
	assert_int_equal(types_add(&types, earlier, false, &error), LYC_OK);
	assert_int_equal(types.schema_count, 2);
	assert_ptr_equal(types_message(&types, text(notices))->schema, later);
	/* Once accepted, a plugin may go back to it. */
	assert_int_equal(types_check_services(&types, earlier, &board, 1, &error), LYC_OK);
	types_fini(&types);
	types_init(&types);
	assert_int_equal(types_add(&types, earlier, true, &error), LYC_OK);
	assert_true(types_note_record(&types, text("lyceum.notice.v1.Notice.wales.7")));
	assert_int_equal(types_check_services(&types, later, &board, 1, &error), LYC_OK);
	assert_int_equal(types_add(&types, later, true, &error), LYC_OK);
	assert_ptr_equal(types_message(&types, text(notices))->schema, later);
	types_fini(&types);
	schema_unref(earlier);
	schema_unref(later);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types_of_the_newest_schema_win),
		cmocka_unit_test(test_types_take_a_part_that_has_become_labelled),
		cmocka_unit_test(test_types_refuse_what_breaks_records),
		cmocka_unit_test(test_types_without_records_are_the_newest),
		cmocka_unit_test(test_types_of_an_earlier_version_leave_the_later),
		cmocka_unit_test(test_types_of_a_set_that_others_brought_first_become_own),
		cmocka_unit_test(test_types_of_our_own_plugin_win_over_what_others_brought),
		cmocka_unit_test(test_types_subject_finds_the_longest_name),
		cmocka_unit_test(test_types_subject_finds_a_longer_name_that_came_since),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
