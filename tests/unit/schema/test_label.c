/* Who may see what, and what is left of a body for those who may not see all. */
#include "sample.h"

enum { PUBLIC = 1, MEMBERS, AUDIENCE, PRIVATE };

static struct schema *schema;
static const struct schema_message *expert;
static const struct schema_message *reply;

/* A serialised Label; the caller frees. */
static struct buf label_of(const char *home, unsigned visibility, const char *audience)
{
	struct buf bytes = {0};
	pb_write_text(&bytes, 1, home);
	pb_write_uint(&bytes, 2, visibility);
	pb_write_text(&bytes, 3, "nobody");
	pb_write_text(&bytes, 3, audience);
	return bytes;
}

static bool may_see(const char *home, unsigned visibility, const char *audience, const char *here,
		    const struct readers *readers)
{
	struct buf bytes = label_of(home, visibility, audience);
	struct label label;
	assert_int_equal(label_read(span_of(bytes.data, bytes.len), &label), LYC_OK);
	bool may = label_may_see(&label, here, readers);
	buf_fini(&bytes);
	return may;
}

static const char *const groups[] = {"wales/policy", "wales/board"};
static const struct readers ann = {
	.node = "wales", .person = "ann@wales", .groups = groups, .group_count = 2};
static const struct readers stranger = {.node = "nhsa", .person = ""};

static void test_label_public_and_members_are_for_all(void **state)
{
	(void)state;
	assert_true(may_see("wales", PUBLIC, NULL, "hub", &stranger));
	assert_true(may_see("wales", MEMBERS, NULL, "hub", &stranger));
}

static void test_label_private_is_for_its_home(void **state)
{
	(void)state;
	static const unsigned closed[] = {0, PRIVATE, 99};
	for (size_t i = 0; i < 3; i++) {
		assert_true(may_see("wales", closed[i], NULL, "hub", &ann));
		assert_false(may_see("wales", closed[i], "nhsa", "nhsa", &stranger));
		assert_true(may_see(NULL, closed[i], NULL, "wales", &ann));
		assert_false(may_see(NULL, closed[i], NULL, "hub", &ann));
		assert_false(may_see(NULL, closed[i], NULL, "", &stranger));
	}
}

static void test_label_audience_names_nodes_groups_and_persons(void **state)
{
	(void)state;
	assert_true(may_see("hub", AUDIENCE, "wales", "hub", &ann));
	assert_true(may_see("hub", AUDIENCE, "ann@wales", "hub", &ann));
	assert_true(may_see("hub", AUDIENCE, "wales/board", "hub", &ann));
	assert_true(may_see("wales", AUDIENCE, NULL, "hub", &ann));
	assert_false(may_see("hub", AUDIENCE, "wales/other", "hub", &ann));
	assert_false(may_see("hub", AUDIENCE, "wale", "hub", &ann));
	assert_false(may_see("wales", AUDIENCE, "ann@wales", "hub", &stranger));
	static const struct readers nobody = {.node = "", .person = NULL};
	assert_false(may_see("", AUDIENCE, "", "", &nobody));
}

static void test_label_audience_of_people_of_the_home_means_those(void **state)
{
	(void)state;
	static const struct readers ben = {.node = "wales", .person = "ben@wales"};
	static const struct readers home = {.node = "wales", .person = ""};
	static const char *const narrow[] = {"ann@wales", "wales/policy"};
	for (size_t i = 0; i < 2; i++) {
		assert_true(may_see("wales", AUDIENCE, narrow[i], "wales", &ann));
		assert_false(may_see("wales", AUDIENCE, narrow[i], "wales", &ben));
		assert_false(may_see(NULL, AUDIENCE, narrow[i], "wales", &ben));
		assert_true(may_see("wales", AUDIENCE, narrow[i], "wales", &home));
		/* Only an audience narrows. */
		assert_true(may_see("wales", PRIVATE, narrow[i], "wales", &ben));
	}
	/* Others are named beside the home's people, or names only look like theirs. */
	static const char *const wide[] = {
		"nhsa",   "nhsa/policy", "ann@nhsa",        "wales",
		"@wales", "wales/",      "ann@south-wales", "waleses/policy"};
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		assert_true(may_see("wales", AUDIENCE, wide[i], "wales", &ben));
}

static void test_label_read_refuses_malformed_labels(void **state)
{
	(void)state;
	struct label label = {.visibility = 77};
	assert_int_equal(label_read(span_of("\x0a\x05", 2), &label), LYC_INVALID_ARGUMENT);
	assert_int_equal(label_read(span_of("\x10\x01\x10\x04", 4), &label), LYC_INVALID_ARGUMENT);
	assert_int_equal(label_read(span_of("\x08\x01", 2), &label), LYC_INVALID_ARGUMENT);
	struct buf many = {0};
	for (size_t i = 0; i < LABEL_MAX_AUDIENCE; i++)
		pb_write_text(&many, 3, "a");
	assert_int_equal(label_read(span_of(many.data, many.len), &(struct label){0}), LYC_OK);
	pb_write_text(&many, 3, "a");
	assert_int_equal(label_read(span_of(many.data, many.len), &label), LYC_INVALID_ARGUMENT);
	assert_int_equal(label.visibility, 77);
	buf_fini(&many);
}

static void test_label_of_body_finds_the_own_one(void **state)
{
	(void)state;
	struct buf body = {0};
	struct label label;
	pb_write_text(&body, 3, "Ann");
	assert_int_equal(label_of_body(expert, span_of(body.data, body.len), &label), LYC_OK);
	assert_false(label.is_present);
	struct buf bytes = label_of("wales", PRIVATE, NULL);
	pb_write_message(&body, 10, span_of(bytes.data, bytes.len));
	assert_int_equal(label_of_body(expert, span_of(body.data, body.len), &label), LYC_OK);
	assert_true(label.is_present);
	assert_int_equal(label.visibility, PRIVATE);
	assert_true(span_is(label.home, "wales"));
	pb_write_message(&body, 10, span_of(bytes.data, bytes.len));
	assert_int_equal(label_of_body(expert, span_of(body.data, body.len), &label),
			 LYC_INVALID_ARGUMENT);
	buf_fini(&bytes);
	buf_fini(&body);
}

/* An Evidence with a label, or an Expert with one: doi and name are field 1 or 3. */
static void add_labelled(struct buf *to, uint32_t number, uint32_t label_number, const char *text,
			 unsigned visibility)
{
	struct buf bytes = label_of("wales", visibility, NULL);
	size_t mark = pb_begin(to, number);
	pb_write_text(to, 3, text);
	if (visibility > 0)
		pb_write_message(to, label_number, span_of(bytes.data, bytes.len));
	pb_end(to, mark);
	buf_fini(&bytes);
}

/* Everybody may see the message that is being written. */
static void add_public_label(struct buf *to)
{
	struct buf bytes = label_of("wales", PUBLIC, NULL);
	pb_write_message(to, 10, span_of(bytes.data, bytes.len));
	buf_fini(&bytes);
}

static void test_label_cut_leaves_out_what_is_refused(void **state)
{
	(void)state;
	struct buf body = {0};
	struct buf wanted = {0};
	struct buf got = {0};
	size_t count = 99;
	/* Two hits: one with two pieces of evidence of which one is private, one private itself. */
	size_t hit = pb_begin(&body, 1);
	size_t inner = pb_begin(&body, 1);
	add_labelled(&body, 5, 2, "open", PUBLIC);
	add_labelled(&body, 5, 2, "secret", PRIVATE);
	pb_write_text(&body, 3, "Ann");
	add_public_label(&body);
	pb_end(&body, inner);
	pb_write_uint(&body, 2, 7);
	pb_end(&body, hit);
	hit = pb_begin(&body, 1);
	add_labelled(&body, 1, 10, "Bob", PRIVATE);
	pb_write_uint(&body, 2, 8);
	pb_end(&body, hit);
	pb_write_uint(&body, 2, 2);

	hit = pb_begin(&wanted, 1);
	inner = pb_begin(&wanted, 1);
	add_labelled(&wanted, 5, 2, "open", PUBLIC);
	pb_write_text(&wanted, 3, "Ann");
	add_public_label(&wanted);
	pb_end(&wanted, inner);
	pb_write_uint(&wanted, 2, 7);
	pb_end(&wanted, hit);
	hit = pb_begin(&wanted, 1);
	pb_write_uint(&wanted, 2, 8);
	pb_end(&wanted, hit);
	pb_write_uint(&wanted, 2, 2);

	struct span bytes = span_of(body.data, body.len);
	assert_int_equal(label_cut(reply, NULL, bytes, "hub", &stranger, &got, &count), LYC_OK);
	assert_int_equal(count, 2);
	assert_int_equal(got.len, wanted.len);
	assert_memory_equal(got.data, wanted.data, wanted.len);
	buf_clear(&got);
	assert_int_equal(label_cut(reply, NULL, bytes, "hub", &ann, &got, &count), LYC_OK);
	assert_int_equal(count, 0);
	assert_int_equal(got.len, body.len);
	assert_memory_equal(got.data, body.data, body.len);
	buf_fini(&body);
	buf_fini(&wanted);
	buf_fini(&got);
}

/* A part of a type with a label that says nothing stays at home, as a record does. */
static void test_label_cut_takes_a_part_without_a_label_for_private(void **state)
{
	(void)state;
	struct buf body = {0};
	struct buf got = {0};
	size_t count;
	size_t hit = pb_begin(&body, 1);
	add_labelled(&body, 1, 10, "Ann", 0);
	pb_end(&body, hit);
	struct span bytes = span_of(body.data, body.len);
	assert_int_equal(label_cut(reply, NULL, bytes, "wales", &stranger, &got, &count), LYC_OK);
	assert_int_equal(count, 1);
	assert_null(memmem(got.data, got.len, "Ann", 3));
	buf_clear(&got);
	assert_int_equal(label_cut(reply, NULL, bytes, "wales", &ann, &got, &count), LYC_OK);
	assert_int_equal(count, 0);
	assert_int_equal(got.len, body.len);
	buf_fini(&body);
	buf_fini(&got);
}

/* A reply may hold a record of another home as that home wrote it: its key says whose it is, of its
 * parts, too. */
static void test_label_cut_takes_the_home_from_the_key(void **state)
{
	(void)state;
	struct readers cork = {.node = "cork", .person = ""};
	struct buf body = {0};
	struct buf got = {0};
	size_t count;
	size_t hit = pb_begin(&body, 1);
	size_t inner = pb_begin(&body, 1);
	pb_write_text(&body, 1, "wales");
	struct buf part = label_of(NULL, PRIVATE, NULL);
	size_t evidence = pb_begin(&body, 5);
	pb_write_text(&body, 1, "of wales");
	pb_write_message(&body, 2, span_of(part.data, part.len));
	pb_end(&body, evidence);
	struct buf label = label_of(NULL, AUDIENCE, "ann@cork");
	pb_write_message(&body, 10, span_of(label.data, label.len));
	pb_end(&body, inner);
	pb_end(&body, hit);
	struct span bytes = span_of(body.data, body.len);
	assert_int_equal(label_cut(reply, NULL, bytes, "cork", &cork, &got, &count), LYC_OK);
	assert_int_equal(count, 1);
	assert_null(memmem(got.data, got.len, "of wales", 8));
	buf_clear(&got);
	assert_int_equal(label_cut(reply, NULL, bytes, "cork", &ann, &got, &count), LYC_OK);
	assert_int_equal(count, 0);
	buf_fini(&part);
	buf_fini(&label);
	buf_fini(&body);
	buf_fini(&got);
}

static void test_label_cut_drops_a_map_entry_with_its_value(void **state)
{
	(void)state;
	struct buf body = {0};
	struct buf got = {0};
	size_t count;
	size_t mark = pb_begin(&body, 9);
	pb_write_text(&body, 1, "secret key");
	add_labelled(&body, 2, 2, "secret", PRIVATE);
	pb_end(&body, mark);
	assert_int_equal(label_cut(expert, NULL, span_of(body.data, body.len), "hub", &stranger,
				   &got, &count),
			 LYC_OK);
	assert_int_equal(count, 1);
	assert_int_equal(got.len, 0);
	buf_fini(&body);
	buf_fini(&got);
}

/* Lengths in a longer spelling than needed stay as they are. */
static void test_label_cut_keeps_the_bytes_where_nothing_is_cut(void **state)
{
	(void)state;
	struct buf got = {0};
	size_t count;
	struct span body =
		span_of("\x0a\x8b\x80\x00\x0a\x88\x00\x1a\x81\x00\x41\x52\x02\x10\x01", 15);
	assert_int_equal(label_cut(reply, NULL, body, "hub", &stranger, &got, &count), LYC_OK);
	assert_int_equal(got.len, body.len);
	assert_memory_equal(got.data, body.data, body.len);
	buf_fini(&got);
}

static void test_label_cut_refuses_malformed_and_deep_bodies(void **state)
{
	(void)state;
	struct buf got = {0};
	struct buf inner = {0};
	size_t count = 5;
	buf_add_text(&got, "kept");
	assert_int_equal(
		label_cut(reply, NULL, span_of("\x0a\x05x", 3), "hub", &stranger, &got, &count),
		LYC_INVALID_ARGUMENT);
	for (size_t i = 0; i < 100; i++) {
		struct buf outer = {0};
		pb_write_message(&outer, 21, span_of(inner.data, inner.len));
		add_public_label(&outer);
		buf_fini(&inner);
		inner = outer;
	}
	assert_int_equal(label_cut(expert, NULL, span_of(inner.data, inner.len), "hub", &stranger,
				   &got, &count),
			 LYC_INVALID_ARGUMENT);
	assert_int_equal(count, 5);
	assert_string_equal(buf_text(&got), "kept");
	buf_fini(&got);
	buf_fini(&inner);
}

static int setup(void **state)
{
	(void)state;
	schema = sample_schema();
	expert = schema_find_message(schema, "lyceum.sample.v1.Expert");
	reply = schema_find_message(schema, "lyceum.sample.v1.FindReply");
	return expert && reply ? 0 : -1;
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
		cmocka_unit_test(test_label_public_and_members_are_for_all),
		cmocka_unit_test(test_label_private_is_for_its_home),
		cmocka_unit_test(test_label_audience_names_nodes_groups_and_persons),
		cmocka_unit_test(test_label_audience_of_people_of_the_home_means_those),
		cmocka_unit_test(test_label_read_refuses_malformed_labels),
		cmocka_unit_test(test_label_of_body_finds_the_own_one),
		cmocka_unit_test(test_label_cut_leaves_out_what_is_refused),
		cmocka_unit_test(test_label_cut_takes_a_part_without_a_label_for_private),
		cmocka_unit_test(test_label_cut_takes_the_home_from_the_key),
		cmocka_unit_test(test_label_cut_drops_a_map_entry_with_its_value),
		cmocka_unit_test(test_label_cut_keeps_the_bytes_where_nothing_is_cut),
		cmocka_unit_test(test_label_cut_refuses_malformed_and_deep_bodies),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
