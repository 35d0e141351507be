/* The reply that is made of what came in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answers.h"

typedef Lyceum__Ask__V1__Answer answer_msg;

/* An answer with the items of these refs, all of one home. */
static void end_with(struct answers *answers, answer_msg *answer, const char *kind,
		     const char *const *refs)
{
	Lyceum__V1__EnquiryAnswer said = LYCEUM__V1__ENQUIRY_ANSWER__INIT;
	Lyceum__V1__EnquiryItem items[8], *pointers[8];
	uint8_t body[1000];
	said.kind = (char *)(uintptr_t)kind;
	said.item = pointers;
	for (; refs[said.n_item]; said.n_item++) {
		lyceum__v1__enquiry_item__init(&items[said.n_item]);
		items[said.n_item].home = "wales";
		items[said.n_item].ref = (char *)(uintptr_t)refs[said.n_item];
		pointers[said.n_item] = &items[said.n_item];
	}
	said.total = (uint32_t)said.n_item;
	assert_true(lyceum__v1__enquiry_answer__get_packed_size(&said) <= sizeof(body));
	size_t len = lyceum__v1__enquiry_answer__pack(&said, body);
	answers_end(answers, answer, LYC_OK, NULL, body, len, 3);
}

static void test_answers_name_who_was_silent_and_who_refused(void **state)
{
	(void)state;
	struct answers answers = {0};
	char headline[ANSWERS_HEADLINE_SIZE];
	answer_msg *silent = answers_add(&answers, "a.v1.A", "wales");
	answer_msg *refused = answers_add(&answers, "b.v1.B", "wales");
	answer_msg *experts = answers_add(&answers, "c.v1.C", "wales");
	answers_end(&answers, silent, LYC_DEADLINE_EXCEEDED, "too late", NULL, 0, 1800);
	answers_end(&answers, refused, LYC_PERMISSION_DENIED, "not for you", NULL, 0, 1);
	assert_int_equal(answers.ended_count, 2);
	end_with(&answers, experts, "experts", (const char *const[]){"1", "2", NULL});
	Lyceum__Ask__V1__AskReply reply = LYCEUM__ASK__V1__ASK_REPLY__INIT;
	answers_write(&answers, NULL, 0, 1805, headline, &reply);
	assert_int_equal(reply.n_answer, 3);
	assert_string_equal(reply.answer[0]->kind, "experts");
	assert_string_equal(reply.answer[0]->outcome, "answered");
	assert_int_equal(reply.answer[0]->n_item, 2);
	assert_string_equal(reply.answer[1]->outcome, "silent");
	assert_string_equal(reply.answer[2]->outcome, "refused: not for you");
	assert_int_equal(reply.asked, 3);
	assert_int_equal(reply.answered, 1);
	assert_true(reply.partial);
	assert_string_equal(headline, "1 of 3 answered in 1805 ms: this is a part of the answer.");
	answers_fini(&answers);
}

static void test_answers_have_each_item_once(void **state)
{
	(void)state;
	struct answers answers = {0};
	char headline[ANSWERS_HEADLINE_SIZE];
	end_with(&answers, answers_add(&answers, "e.v1.E", "wales"), "experts",
		 (const char *const[]){"1", "2", NULL});
	end_with(&answers, answers_add(&answers, "e.v1.E", "nhsa"), "experts",
		 (const char *const[]){"2", "3", NULL});
	/* The same name in another kind is another thing; what has no name cannot be told apart. */
	end_with(&answers, answers_add(&answers, "v.v1.V", "nhsa"), "ventures",
		 (const char *const[]){"2", "", "", NULL});
	Lyceum__Ask__V1__AskReply reply = LYCEUM__ASK__V1__ASK_REPLY__INIT;
	answers_write(&answers, NULL, 0, 5, headline, &reply);
	assert_int_equal(reply.n_answer, 3);
	size_t items = 0;
	for (size_t i = 0; i < 3; i++)
		items += reply.answer[i]->n_item;
	assert_int_equal(items, 6);
	assert_false(reply.partial);
	assert_string_equal(headline, "3 of 3 answered in 5 ms.");
	answers_fini(&answers);
}

static void test_answers_of_other_kinds_are_left_out(void **state)
{
	(void)state;
	struct answers answers = {0};
	char headline[ANSWERS_HEADLINE_SIZE];
	char *kinds[] = {"events", "experts"};
	end_with(&answers, answers_add(&answers, "e.v1.E", "wales"), "experts",
		 (const char *const[]){"1", NULL});
	end_with(&answers, answers_add(&answers, "v.v1.V", "wales"), "ventures",
		 (const char *const[]){"2", NULL});
	answers_end(&answers, answers_add(&answers, "x.v1.X", "wales"), LYC_UNAVAILABLE, "", NULL,
		    0, 0);
	end_with(&answers, answers_add(&answers, "e.v1.E", "nhsa"), "experts",
		 (const char *const[]){NULL});
	char kinds_in[30], short_of_room[12];
	answers_kinds(&answers, kinds_in, sizeof(kinds_in));
	assert_string_equal(kinds_in, "experts, ventures");
	answers_kinds(&answers, short_of_room, sizeof(short_of_room));
	assert_string_equal(short_of_room, "experts");
	Lyceum__Ask__V1__AskReply reply = LYCEUM__ASK__V1__ASK_REPLY__INIT;
	answers_write(&answers, kinds, 2, 5, headline, &reply);
	assert_int_equal(reply.n_answer, 3);
	assert_string_equal(reply.answer[0]->kind, "experts");
	assert_string_equal(reply.answer[2]->outcome, "refused: UNAVAILABLE");
	answers_fini(&answers);
}

static void test_answers_refuse_what_is_no_answer(void **state)
{
	(void)state;
	struct answers answers = {0};
	answer_msg *answer = answers_add(&answers, "e.v1.E", "wales");
	answers_end(&answers, answer, LYC_OK, NULL, (const uint8_t *)"\xff\xff", 2, 1);
	assert_int_equal(answer->status, LYC_INTERNAL);
	assert_string_equal(answer->outcome, "refused: what came is no answer to an enquiry");
	answers_fini(&answers);
}

static void test_answers_are_bounded(void **state)
{
	(void)state;
	struct answers answers = {0};
	for (size_t i = 0; i < ANSWERS_MAX; i++)
		assert_non_null(answers_add(&answers, "e.v1.E", "wales"));
	assert_null(answers_add(&answers, "e.v1.E", "wales"));
	answers_fini(&answers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_name_who_was_silent_and_who_refused),
		cmocka_unit_test(test_answers_have_each_item_once),
		cmocka_unit_test(test_answers_of_other_kinds_are_left_out),
		cmocka_unit_test(test_answers_refuse_what_is_no_answer),
		cmocka_unit_test(test_answers_are_bounded),
	};
	return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
