/* Cutting where several versions of a message are known: what the one that is asked does not have
 * is judged by the others, and what none has is private. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pb.h"
#include "schema/schema.h"
#include "schema_file.h"

enum { MEMBERS = 2, AUDIENCE = 3, PRIVATE = 4 };

static struct schema *newer;
static struct schema *older; /* before a Part had a label */
static const struct schema_message *reply;

static const struct readers cork = {.node = "cork", .person = "bob@cork"};
static const struct readers derry = {.node = "derry", .person = "eve@derry"};
static const struct readers wales = {.node = "wales", .person = "ann@wales"};

static const struct schema_message *const *
both(const void *types, const struct schema_message *message, size_t *ret_count)
{
	static const struct schema_message *found[2];
	(void)types;
	found[0] = schema_find_message(older, message->full_name);
	found[1] = schema_find_message(newer, message->full_name);
	*ret_count = 2;
	return found;
}

static const struct schema_message *const *
older_alone(const void *types, const struct schema_message *message, size_t *ret_count)
{
	const struct schema_message *const *found = both(types, message, ret_count);
	*ret_count = 1;
	return found;
}

static const struct label_versions all = {.of = both};
static const struct label_versions few = {.of = older_alone};

static int setup(void **state)
{
	(void)state;
	newer = schema_file_compile(NOTICE_SET, NULL);
	older = schema_file_before(NOTICE_SET, "Notice", "Part", "label");
	reply = schema_find_message(older, "lyceum.notice.v1.ReadReply");
	return reply ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	schema_unref(newer);
	schema_unref(older);
	return 0;
}

/* A reply with one Notice of wales that everybody may see, and one part of it. */
static void write_reply(struct buf *to, unsigned visibility, const char *audience)
{
	size_t notice = pb_begin(to, 2);
	pb_write_text(to, 1, "wales");
	pb_write_text(to, 3, "open");
	size_t label = pb_begin(to, 4);
	pb_write_uint(to, 2, MEMBERS);
	pb_end(to, label);
	size_t part = pb_begin(to, 5);
	pb_write_text(to, 1, "secret");
	if (visibility > 0) {
		label = pb_begin(to, 2);
		pb_write_uint(to, 2, visibility);
		pb_write_text(to, 3, audience);
		pb_end(to, label);
	}
	pb_end(to, part);
	pb_end(to, notice);
}

/* Is the part left in the reply? */
static bool sees(const struct label_versions *versions, struct span body,
		 const struct readers *readers)
{
	struct buf got = {0};
	size_t count = 9;
	assert_int_equal(label_cut(reply, versions, body, "derry", readers, &got, &count), LYC_OK);
	bool is_there = memmem(got.data, got.len, "secret", 6) != NULL;
	assert_non_null(memmem(got.data, got.len, "open", 4));
	assert_int_equal(count, is_there ? 0 : 1);
	assert_true(!is_there ||
		    (got.len == body.len && memcmp(got.data, body.data, got.len) == 0));
	buf_fini(&got);
	return is_there;
}

static void test_label_cut_obeys_a_label_that_only_a_newer_version_has(void **state)
{
	(void)state;
	struct buf body = {0};
	write_reply(&body, AUDIENCE, "cork");
	struct span bytes = span_of(body.data, body.len);
	assert_true(sees(NULL, bytes, &derry)); /* the older version alone knows nothing of it */
	assert_false(sees(&all, bytes, &derry));
	assert_true(sees(&all, bytes, &cork));
	assert_true(sees(&all, bytes, &wales));
	buf_fini(&body);
}

/* What was written before there was a label is shown as it was. */
static void test_label_cut_leaves_a_part_from_before_the_label(void **state)
{
	(void)state;
	struct buf body = {0};
	write_reply(&body, 0, NULL);
	assert_true(sees(&all, span_of(body.data, body.len), &derry));
	buf_fini(&body);
}

static void test_label_cut_takes_a_label_that_cannot_be_read_for_a_refusal(void **state)
{
	(void)state;
	struct buf body = {0};
	size_t notice = pb_begin(&body, 2);
	pb_write_text(&body, 1, "wales");
	pb_write_text(&body, 3, "open");
	size_t label = pb_begin(&body, 4);
	pb_write_uint(&body, 2, MEMBERS);
	pb_end(&body, label);
	size_t part = pb_begin(&body, 5);
	pb_write_text(&body, 1, "secret");
	pb_write_text(&body, 2, "\x0f");
	pb_end(&body, part);
	pb_end(&body, notice);
	assert_false(sees(&all, span_of(body.data, body.len), &cork));
	buf_fini(&body);
}

/* A field that no version has may be a labelled part of one to come: it is for the home alone. */
static void test_label_cut_takes_what_no_version_has_for_private(void **state)
{
	(void)state;
	struct buf body = {0};
	size_t notice = pb_begin(&body, 2);
	pb_write_text(&body, 1, "wales");
	pb_write_text(&body, 3, "open");
	size_t label = pb_begin(&body, 4);
	pb_write_uint(&body, 2, MEMBERS);
	pb_end(&body, label);
	size_t part = pb_begin(&body, 9);
	pb_write_text(&body, 1, "secret");
	pb_end(&body, part);
	pb_write_uint(&body, 10, 7); /* a number is no part */
	pb_end(&body, notice);
	struct span bytes = span_of(body.data, body.len);
	assert_false(sees(&all, bytes, &cork));
	assert_false(sees(&few, bytes, &derry));
	assert_true(sees(&all, bytes, &wales));
	buf_fini(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_label_cut_obeys_a_label_that_only_a_newer_version_has),
		cmocka_unit_test(test_label_cut_leaves_a_part_from_before_the_label),
		cmocka_unit_test(test_label_cut_takes_a_label_that_cannot_be_read_for_a_refusal),
		cmocka_unit_test(test_label_cut_takes_what_no_version_has_for_private),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
