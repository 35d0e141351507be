/* What the directory answers to an enquiry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enquiry.h"
#include "grow.h"

static bool sees_members(void *arg, const Lyceum__V1__Label *label)
{
	(void)arg;
	return label->visibility == LYCEUM__V1__VISIBILITY__MEMBERS;
}

static void put(struct view *view, const char *id, const char *organisation, const char *topic,
		Lyceum__V1__Visibility visibility, uint64_t seq)
{
	Lyceum__Experts__V1__Expert expert = LYCEUM__EXPERTS__V1__EXPERT__INIT;
	Lyceum__Experts__V1__PersonName name = LYCEUM__EXPERTS__V1__PERSON_NAME__INIT;
	Lyceum__Experts__V1__Organisation at = LYCEUM__EXPERTS__V1__ORGANISATION__INIT;
	Lyceum__Experts__V1__Topic knows = LYCEUM__EXPERTS__V1__TOPIC__INIT, *topics = &knows;
	Lyceum__V1__Label label = LYCEUM__V1__LABEL__INIT;
	uint8_t body[2000];

	name.display = (char *)(uintptr_t)id;
	at.organisation_name = (char *)(uintptr_t)organisation;
	knows.topic = (char *)(uintptr_t)topic;
	label.home = expert.home = "wales";
	label.visibility = visibility;
	expert.id = (char *)(uintptr_t)id;
	expert.kind = LYCEUM__EXPERTS__V1__EXPERT_KIND__IP_LAWYER;
	expert.name = &name;
	expert.organisation = &at;
	expert.region = "Wales";
	expert.topic = &topics;
	expert.n_topic = 1;
	expert.label = &label;
	assert_true(lyceum__experts__v1__expert__get_packed_size(&expert) <= sizeof(body));
	size_t len = lyceum__experts__v1__expert__pack(&expert, body);
	assert_int_equal(view_put(view, body, len, seq), LYC_OK);
}

static void test_enquiry_items_say_who_what_and_why(void **state)
{
	struct view view;
	Lyceum__V1__Enquiry enquiry = LYCEUM__V1__ENQUIRY__INIT;

	(void)state;
	view_init(&view);
	put(&view, "ada", "Leeds Law", "viral vector patents", LYCEUM__V1__VISIBILITY__MEMBERS, 1);
	put(&view, "eve", "Hidden", "viral vector patents", LYCEUM__V1__VISIBILITY__PRIVATE, 2);
	enquiry.text = "patents on viral vectors, urgently";
	Lyceum__V1__EnquiryAnswer *answer = enquiry_answer(&view, &enquiry, sees_members, NULL);
	assert_string_equal(answer->kind, "experts");
	assert_int_equal(answer->total, 1);
	assert_int_equal(answer->n_item, 1);
	const Lyceum__V1__EnquiryItem *item = answer->item[0];
	assert_string_equal(item->title, "ada");
	assert_string_equal(item->subtitle, "ip-lawyer, Leeds Law, Wales");
	assert_string_equal(item->home, "wales");
	assert_string_equal(item->ref, "ada");
	assert_non_null(strstr(item->why, "viral vector patents"));
	assert_true(item->score > 0);
	assert_int_equal(item->label->visibility, LYCEUM__V1__VISIBILITY__MEMBERS);
	lyceum__v1__enquiry_answer__free_unpacked(answer, NULL);
	view_fini(&view);
}

static void test_enquiry_cuts_between_characters(void **state)
{
	struct view view;
	Lyceum__V1__Enquiry enquiry = LYCEUM__V1__ENQUIRY__INIT;
	char organisation[302] = "x";

	(void)state;
	for (int i = 0; i < 150; i++)
		memcpy(organisation + 1 + 2 * i, "\u0175", 2);
	organisation[301] = '\0';
	view_init(&view);
	put(&view, "ada", organisation, "vectors", LYCEUM__V1__VISIBILITY__MEMBERS, 1);
	enquiry.text = "vectors";
	Lyceum__V1__EnquiryAnswer *answer = enquiry_answer(&view, &enquiry, sees_members, NULL);
	const char *subtitle = answer->item[0]->subtitle;
	size_t end = strlen("ip-lawyer, ") + 149;
	assert_int_equal(strlen(subtitle), end + strlen(", Wales"));
	assert_memory_equal(subtitle + end - 2, "\u0175, Wales", 2);
	lyceum__v1__enquiry_answer__free_unpacked(answer, NULL);
	view_fini(&view);
}

static void test_enquiry_limit_is_five_unless_said(void **state)
{
	struct view view;
	Lyceum__V1__Enquiry enquiry = LYCEUM__V1__ENQUIRY__INIT;
	char id[12];

	(void)state;
	view_init(&view);
	for (unsigned i = 1; i <= 9; i++) {
		snprintf(id, sizeof(id), "p%u", i);
		put(&view, id, "Leeds Law", "vectors", LYCEUM__V1__VISIBILITY__MEMBERS, i);
	}
	enquiry.text = "vectors";
	for (uint32_t limit = 0; limit < 8; limit += 7) {
		enquiry.limit = limit;
		Lyceum__V1__EnquiryAnswer *answer =
			enquiry_answer(&view, &enquiry, sees_members, NULL);
		assert_int_equal(answer->n_item, limit ? limit : 5);
		assert_int_equal(answer->total, 9);
		lyceum__v1__enquiry_answer__free_unpacked(answer, NULL);
	}
	view_fini(&view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enquiry_items_say_who_what_and_why),
		cmocka_unit_test(test_enquiry_cuts_between_characters),
		cmocka_unit_test(test_enquiry_limit_is_five_unless_said),
	};
	return cmocka_run_group_tests_name("enquiry", tests, NULL, NULL);
}
