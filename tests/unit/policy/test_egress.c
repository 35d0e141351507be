/* What may leave: every visibility against every kind of reader, the parts within, and which label
 * is narrower. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pb.h"
#include "policy/policy.h"
#include "schema_file.h"

enum { PUBLIC = 1, MEMBERS = 2, AUDIENCE = 3, PRIVATE = 4 };

static struct span text(const char *chars)
{
	return span_of(chars, strlen(chars));
}

static struct label label_with(int visibility, const char *one, const char *two)
{
	struct label label = {.visibility = visibility, .is_present = true};
	if (one)
		label.audience[label.audience_count++] = text(one);
	if (two)
		label.audience[label.audience_count++] = text(two);
	return label;
}

/* Who may read: principal, a group, and whether it is the link to our hub. */
struct reader_case {
	const char *name;
	const char *principal;
	const char *group;
	bool is_hub_link;
	/* For audiences of a node, a person, a group and somebody else. */
	enum egress named[4];
	enum egress of_private;
};

static void test_egress_keeps_the_visibility_matrix(void **state)
{
	(void)state;
	const struct policy policy = {.name = "wales"};
	static const char *const audiences[] = {"cork", "eve@cork", "cork/policy", "bonn"};
	static const struct reader_case cases[] = {
		{"home",
		 "wales",
		 NULL,
		 false,
		 {EGRESS_WHOLE, EGRESS_WHOLE, EGRESS_WHOLE, EGRESS_WHOLE},
		 EGRESS_WHOLE},
		{"a person at home",
		 "ann@wales",
		 NULL,
		 false,
		 {EGRESS_WHOLE, EGRESS_WHOLE, EGRESS_WHOLE, EGRESS_WHOLE},
		 EGRESS_WHOLE},
		{"the link to the named node",
		 "cork",
		 NULL,
		 false,
		 {EGRESS_WHOLE, EGRESS_CARRY, EGRESS_CARRY, EGRESS_NOTHING},
		 EGRESS_NOTHING},
		{"the named person",
		 "eve@cork",
		 NULL,
		 false,
		 {EGRESS_WHOLE, EGRESS_WHOLE, EGRESS_NOTHING, EGRESS_NOTHING},
		 EGRESS_NOTHING},
		{"a person in the named group",
		 "joe@cork",
		 "cork/policy",
		 false,
		 {EGRESS_WHOLE, EGRESS_NOTHING, EGRESS_WHOLE, EGRESS_NOTHING},
		 EGRESS_NOTHING},
		{"another person of that node",
		 "joe@cork",
		 NULL,
		 false,
		 {EGRESS_WHOLE, EGRESS_NOTHING, EGRESS_NOTHING, EGRESS_NOTHING},
		 EGRESS_NOTHING},
		{"the node with a group",
		 "cork",
		 "cork/policy",
		 false,
		 {EGRESS_WHOLE, EGRESS_NOTHING, EGRESS_WHOLE, EGRESS_NOTHING},
		 EGRESS_NOTHING},
		{"another node",
		 "derry",
		 NULL,
		 false,
		 {EGRESS_NOTHING, EGRESS_NOTHING, EGRESS_NOTHING, EGRESS_NOTHING},
		 EGRESS_NOTHING},
		{"the link to the hub",
		 "hub",
		 NULL,
		 true,
		 {EGRESS_CARRY, EGRESS_CARRY, EGRESS_CARRY, EGRESS_CARRY},
		 EGRESS_NOTHING},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct reader_case *it = &cases[i];
		char node[CALL_MAX_PRINCIPAL];
		char *groups[] = {(char *)(uintptr_t)it->group};
		struct readers readers =
			policy_readers(it->principal, groups, it->group ? 1 : 0, node);
		struct buf cut = {0};
		for (int visibility = 0; visibility < 6; visibility++) {
			for (size_t k = 0; k < 4; k++) {
				struct label label = label_with(visibility, audiences[k], NULL);
				enum egress wanted = visibility == PUBLIC || visibility == MEMBERS
							     ? EGRESS_WHOLE
						     : visibility == AUDIENCE ? it->named[k]
									      : it->of_private;
				enum egress got =
					policy_outgoing(&policy, NULL, text("body"), &label,
							"wales", &readers, it->is_hub_link, &cut);
				if (got != wanted)
					fail_msg("%s, visibility %d, audience %s: %d, not %d",
						 it->name, visibility, audiences[k], (int)got,
						 (int)wanted);
			}
		}
		assert_int_equal(cut.len, 0);
	}
}

static void test_egress_home_in_the_label_comes_before_the_assumed_one(void **state)
{
	(void)state;
	const struct policy policy = {.name = "wales"};
	struct label label = label_with(PRIVATE, NULL, NULL);
	struct buf cut = {0};
	char node[CALL_MAX_PRINCIPAL];
	label.home = text("cork");
	struct readers cork = policy_readers("cork", NULL, 0, node);
	assert_int_equal(
		policy_outgoing(&policy, NULL, text(""), &label, "wales", &cork, false, &cut),
		EGRESS_WHOLE);
	char other[CALL_MAX_PRINCIPAL];
	struct readers wales = policy_readers("wales", NULL, 0, other);
	assert_int_equal(
		policy_outgoing(&policy, NULL, text(""), &label, "wales", &wales, false, &cut),
		EGRESS_NOTHING);
}

/* A notice with a part for members, one for cork and a private one. */
static void write_notice(struct buf *to)
{
	static const struct {
		const char *text;
		uint64_t visibility;
		const char *audience;
	} parts[] = {
		{"open", MEMBERS, NULL}, {"for cork", AUDIENCE, "cork"}, {"own", PRIVATE, NULL}};
	pb_write_text(to, 1, "wales");
	pb_write_text(to, 2, "1");
	for (size_t i = 0; i < 3; i++) {
		size_t part = pb_begin(to, 5);
		pb_write_text(to, 1, parts[i].text);
		size_t label = pb_begin(to, 2);
		pb_write_uint(to, 2, parts[i].visibility);
		pb_write_text(to, 3, parts[i].audience);
		pb_end(to, label);
		pb_end(to, part);
	}
}

static bool holds(const struct buf *buf, const char *chars)
{
	return memmem(buf->data, buf->len, chars, strlen(chars)) != NULL;
}

static void test_egress_cuts_the_parts_that_the_reader_may_not_see(void **state)
{
	(void)state;
	const struct policy policy = {.name = "wales"};
	struct schema *schema = schema_file_compile(NOTICE_SET, NULL);
	const struct schema_message *notice =
		schema_find_message(schema, "lyceum.notice.v1.Notice");
	struct label members = label_with(MEMBERS, NULL, NULL);
	struct buf body = {0};
	write_notice(&body);
	static const struct {
		const char *principal;
		enum egress egress;
		bool has_audience_part;
	} cases[] = {{"wales", EGRESS_WHOLE, true},
		     {"ann@wales", EGRESS_WHOLE, true},
		     {"cork", EGRESS_CUT, true},
		     {"eve@cork", EGRESS_CUT, true},
		     {"bonn", EGRESS_CUT, false}};
	for (size_t i = 0; i < 5; i++) {
		struct buf cut = {0};
		char node[CALL_MAX_PRINCIPAL];
		struct readers readers = policy_readers(cases[i].principal, NULL, 0, node);
		assert_int_equal(policy_outgoing(&policy, notice, span_of(body.data, body.len),
						 &members, "wales", &readers, false, &cut),
				 cases[i].egress);
		if (cases[i].egress == EGRESS_CUT) {
			assert_true(holds(&cut, "open"));
			assert_false(holds(&cut, "own"));
			assert_int_equal(holds(&cut, "for cork"), cases[i].has_audience_part);
		} else {
			assert_int_equal(cut.len, 0);
		}
		buf_fini(&cut);
	}
	/* What cannot be read cannot be cut, and stays. */
	struct buf cut = {0};
	char node[CALL_MAX_PRINCIPAL];
	struct readers bonn = policy_readers("bonn", NULL, 0, node);
	assert_int_equal(policy_outgoing(&policy, notice, span_of(body.data, body.len - 1),
					 &members, "wales", &bonn, false, &cut),
			 EGRESS_NOTHING);
	buf_fini(&cut);
	buf_fini(&body);
	schema_unref(schema);
}

/* What nobody in particular may see is for all; what is said to be so is whole for every reader. */
static void test_egress_for_all_is_what_every_reader_is_given(void **state)
{
	(void)state;
	const struct policy policy = {.name = "wales"};
	static const char *const audiences[] = {NULL, "cork", "@", "", "wales", "eve@", "/x"};
	static const char *const principals[] = {"wales", "ann@wales", "cork", "eve@cork", "bonn"};
	struct schema *schema = schema_file_compile(NOTICE_SET, NULL);
	const struct schema_message *notice =
		schema_find_message(schema, "lyceum.notice.v1.Notice");
	size_t counts[2] = {0};
	for (int visibility = 0; visibility < 6; visibility++) {
		for (size_t i = 0; i < 7; i++) {
			struct buf body = {0};
			struct buf scratch = {0};
			struct label label = label_with(visibility, audiences[i], NULL);
			bool is_open = visibility == PUBLIC || visibility == MEMBERS;
			assert_int_equal(policy_is_for_all(&label), is_open);
			/* The same label on a part of a message that everybody may see. */
			struct label members = label_with(MEMBERS, NULL, NULL);
			size_t part = pb_begin(&body, 5);
			size_t inner = pb_begin(&body, 2);
			pb_write_uint(&body, 2, (uint64_t)visibility);
			pb_write_text(&body, 3, audiences[i] ? audiences[i] : "");
			pb_end(&body, inner);
			pb_end(&body, part);
			buf_add_text(&scratch, "kept");
			bool shows_all = policy_shows_all_parts(
				&policy, notice, span_of(body.data, body.len), &scratch);
			assert_int_equal(shows_all, is_open);
			assert_true(span_is(span_of(scratch.data, scratch.len), "kept"));
			for (size_t k = 0; k < 5 && shows_all; k++) {
				char node[CALL_MAX_PRINCIPAL];
				struct readers readers =
					policy_readers(principals[k], NULL, 0, node);
				assert_int_equal(policy_outgoing(&policy, notice,
								 span_of(body.data, body.len),
								 &members, "wales", &readers, false,
								 &scratch),
						 EGRESS_WHOLE);
			}
			counts[shows_all]++;
			buf_fini(&body);
			buf_fini(&scratch);
		}
	}
	assert_true(counts[0] > 0 && counts[1] > 0);
	/* Without labelled parts there is nothing to hide; what cannot be read hides everything. */
	struct buf scratch = {0};
	assert_true(policy_shows_all_parts(&policy, NULL, text("\x2a"), &scratch));
	assert_true(policy_shows_all_parts(&policy,
					   schema_find_message(schema, "lyceum.notice.v1.Remark"),
					   text("\x2a"), &scratch));
	assert_false(policy_shows_all_parts(&policy, notice, text("\x2a"), &scratch));
	buf_fini(&scratch);
	schema_unref(schema);
}

/* Where versions are known, a field that none of them has may be a labelled part of one to come. */
static void test_egress_shows_no_part_that_nobody_knows(void **state)
{
	(void)state;
	struct types types;
	struct lyc_error error;
	struct policy policy = {.name = "wales", .types = &types};
	struct schema *schema = schema_file_compile(NOTICE_SET, NULL);
	const struct schema_message *notice =
		schema_find_message(schema, "lyceum.notice.v1.Notice");
	struct buf body = {0};
	struct buf scratch = {0};
	types_init(&types);
	assert_int_equal(types_add(&types, schema, true, &error), LYC_OK);
	pb_write_text(&body, 1, "wales");
	assert_true(
		policy_shows_all_parts(&policy, notice, span_of(body.data, body.len), &scratch));
	pb_write_text(&body, 99, "later");
	assert_false(
		policy_shows_all_parts(&policy, notice, span_of(body.data, body.len), &scratch));
	buf_fini(&body);
	buf_fini(&scratch);
	types_fini(&types);
	schema_unref(schema);
}

/* A label is narrower than another when one of a small world's readers may see that and not this.
 */
static void test_egress_narrower_means_somebody_loses_sight(void **state)
{
	(void)state;
	const struct label labels[] = {
		label_with(0, NULL, NULL),
		label_with(PUBLIC, NULL, NULL),
		label_with(MEMBERS, NULL, NULL),
		label_with(AUDIENCE, NULL, NULL),
		label_with(AUDIENCE, "cork", NULL),
		label_with(AUDIENCE, "bonn", NULL),
		label_with(AUDIENCE, "cork", "bonn"),
		label_with(AUDIENCE, "bonn", "cork"),
		label_with(PRIVATE, NULL, NULL),
	};
	static const char *const principals[] = {"cork", "bonn", "derry"};
	for (size_t narrow = 0; narrow < 9; narrow++) {
		for (size_t wide = 0; wide < 9; wide++) {
			bool is_narrower = false;
			for (size_t i = 0; i < 3; i++) {
				struct readers readers = {.node = principals[i], .person = ""};
				is_narrower |= label_may_see(&labels[wide], "wales", &readers) &&
					       !label_may_see(&labels[narrow], "wales", &readers);
			}
			bool got = policy_is_narrower(&labels[narrow], &labels[wide]);
			/* An audience of nobody is nobody's loss; saying so all the same does no
			 * harm. */
			bool is_harmless = labels[wide].visibility == AUDIENCE &&
					   labels[wide].audience_count == 0;
			if (got != is_narrower && !is_harmless)
				fail_msg("labels %zu and %zu: %d", narrow, wide, got);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_egress_keeps_the_visibility_matrix),
		cmocka_unit_test(test_egress_home_in_the_label_comes_before_the_assumed_one),
		cmocka_unit_test(test_egress_cuts_the_parts_that_the_reader_may_not_see),
		cmocka_unit_test(test_egress_for_all_is_what_every_reader_is_given),
		cmocka_unit_test(test_egress_shows_no_part_that_nobody_knows),
		cmocka_unit_test(test_egress_narrower_means_somebody_loses_sight),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
