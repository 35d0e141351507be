/*
 * Relevance on real titles: each investigator with two or more awards has the latest held out; its
 * title is the question, its investigator the one right answer, everybody's other titles the
 * directory. The list is looked for at LYCEUM_GTR_AWARDS; without it the test is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "awards.h"
#include "grow.h"
#include "query.h"
#include "search.h"

static bool everybody(void *arg, const Lyceum__V1__Label *label)
{
	(void)arg;
	(void)label;
	return true;
}

/* Rows from..to-1 are one person; puts all but the held-out one. */
static void put_person(struct view *view, const struct award *rows, size_t count, uint64_t seq)
{
	Lyceum__Experts__V1__Expert expert = LYCEUM__EXPERTS__V1__EXPERT__INIT;
	Lyceum__V1__Label label = LYCEUM__V1__LABEL__INIT;
	Lyceum__Experts__V1__Evidence *items = grow_new(count, sizeof(*items));
	Lyceum__Experts__V1__Evidence **pointers = grow_new(count, sizeof(*pointers));

	label.visibility = LYCEUM__V1__VISIBILITY__MEMBERS;
	expert.home = "test";
	expert.id = rows[0].pi_id;
	expert.label = &label;
	for (size_t i = 0; i < count; i++) {
		lyceum__experts__v1__evidence__init(&items[i]);
		items[i].ref = rows[i].ref;
		items[i].kind = LYCEUM__EXPERTS__V1__EVIDENCE__KIND__GRANT;
		items[i].title = rows[i].title;
		pointers[i] = &items[i];
	}
	expert.evidence = pointers;
	expert.n_evidence = count;
	size_t len = lyceum__experts__v1__expert__get_packed_size(&expert);
	uint8_t *body = grow_new(len, 1);
	lyceum__experts__v1__expert__pack(&expert, body);
	assert_int_equal(view_put(view, body, len, seq), LYC_OK);
	free(body);
	free(pointers);
	free(items);
}

static size_t rank_of(struct view *view, const struct award *wanted)
{
	Lyceum__Experts__V1__FindRequest request = LYCEUM__EXPERTS__V1__FIND_REQUEST__INIT;
	size_t rank = 0;

	request.text = wanted->title;
	request.limit = 100;
	request.without_facets = true;
	Lyceum__Experts__V1__FindReply *reply = search_find(view, &request, everybody, NULL);
	for (size_t i = 0; i < reply->n_hits && rank == 0; i++) {
		if (strcmp(reply->hits[i]->expert->id, wanted->pi_id) == 0)
			rank = i + 1;
	}
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
	return rank;
}

static void test_search_finds_the_investigator_of_a_held_out_award(void **state)
{
	const char *path = getenv("LYCEUM_GTR_AWARDS");
	struct awards awards;
	struct view view;
	double sum = 0;
	size_t questions = 0, in_ten = 0, in_hundred = 0;

	(void)state;
	if (!path || !awards_open(&awards, path)) {
		print_message("skipped: LYCEUM_GTR_AWARDS names no list of awards\n");
		skip();
	}
	awards_sort(&awards);
	view_init(&view);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0, next; i < awards.count; i = next) {
			next = i + 1;
			while (next < awards.count &&
			       strcmp(awards.rows[next].pi_id, awards.rows[i].pi_id) == 0)
				next++;
			/* Some awards name nobody. */
			if (!awards.rows[i].pi_id[0])
				continue;
			bool has_question = next - i > 1;
			if (pass == 0)
				put_person(&view, awards.rows + i, next - i - has_question, i + 1);
			if (pass == 0 || !has_question)
				continue;
			size_t rank = rank_of(&view, &awards.rows[next - 1]);
			sum += rank ? 1.0 / (double)rank : 0;
			in_ten += rank >= 1 && rank <= 10;
			in_hundred += rank >= 1;
			questions++;
		}
	}
	print_message("%u people, %zu questions: MRR %.3f, Hit@10 %.3f, Hit@100 %.3f\n",
		      view.people.count, questions, sum / (double)questions,
		      (double)in_ten / (double)questions, (double)in_hundred / (double)questions);
	assert_true(sum / (double)questions >= 0.27);
	view_fini(&view);
	awards_close(&awards);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_search_finds_the_investigator_of_a_held_out_award),
	};
	return cmocka_run_group_tests_name("known item", tests, NULL, NULL);
}
