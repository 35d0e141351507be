/* The formula: what it promises about sums, about kinds of evidence and about vague matches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grow.h"
#include "score.h"

static const char *const vocabulary[] = {
	"gene",   "therapy", "patent",  "licence", "cell",   "manufacture", "vector", "trial",
	"market", "immune",  "protein", "assay",   "clinic", "policy",      "data",   "ethics",
};
#define VOCABULARY (sizeof(vocabulary) / sizeof(vocabulary[0]))

static uint64_t random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* A text of 1 to 8 random words. The caller frees. */
static char *random_text(uint64_t *seed)
{
	char text[200] = "";
	size_t count = 1 + random_next(seed) % 8;

	for (size_t i = 0; i < count; i++) {
		strcat(text, vocabulary[random_next(seed) % VOCABULARY]);
		strcat(text, " ");
	}
	return grow_copy(text, strlen(text));
}

static void ask(struct query *query, struct index *index, const char *text)
{
	bool is_seen[QUERY_MAX_WORDS] = {false};

	query_init(query, index, text, false);
	query_settle(query, is_seen);
}

/* Documents 0 and 1 are put closed, so the statistics are those of the background alone. */
static void fill_background(struct index *index, uint32_t first, uint64_t *seed)
{
	for (uint32_t doc = first; doc < first + 200; doc++) {
		struct index_item item = {.field = INDEX_EVIDENCE, .title = random_text(seed)};
		index_put(index, doc, true, &item, 1);
		free((char *)(uintptr_t)item.title);
	}
}

static void test_score_falls_by_exactly_the_part_of_what_is_deleted(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 50; round++) {
		struct index *index = index_new();
		struct index_item items[12], fewer[12];
		struct score_parts parts = {0};
		struct query query;
		size_t count = 1 + random_next(&seed) % 12;
		for (size_t i = 0; i < count; i++)
			items[i] =
				(struct index_item){.field = i % 3 ? INDEX_EVIDENCE : INDEX_TOPIC,
						    .ordinal = (uint32_t)i,
						    .kind = (uint8_t)(i % 8),
						    .title = random_text(&seed),
						    .body = random_text(&seed)};
		index_put(index, 0, false, items, count);
		fill_background(index, 1, &seed);
		ask(&query, index, "gene therapy patent market");
		int64_t total = score_document(index, 0, &query, &parts), sum = 0;
		for (size_t i = 0; i < parts.count; i++) {
			struct index *other = index_new();
			size_t kept = 0;
			sum += parts.parts[i].points;
			for (size_t j = 0; j < count; j++) {
				if (items[j].ordinal != parts.parts[i].ordinal)
					fewer[kept++] = items[j];
			}
			/* The same terms for the same words: the whole document goes in first. */
			index_put(other, 0, false, items, count);
			index_put(other, 1, false, fewer, kept);
			assert_int_equal(score_document(other, 1, &query, NULL),
					 total - parts.parts[i].points);
			index_free(other);
		}
		assert_int_equal(sum, total);
		for (size_t i = 0; i < count; i++) {
			free((char *)(uintptr_t)items[i].title);
			free((char *)(uintptr_t)items[i].body);
		}
		free(parts.parts);
		query_fini(&query);
		index_free(index);
	}
}

static void test_score_puts_the_lawyer_with_two_cases_before_two_hundred_vague_papers(void **state)
{
	struct index *index = index_new();
	struct index_item papers[200];
	struct index_item cases[] = {
		{.field = INDEX_EVIDENCE,
		 .ordinal = 0,
		 .kind = 3,
		 .title = "Patent licence dispute over a gene therapy vector"},
		{.field = INDEX_EVIDENCE,
		 .ordinal = 1,
		 .kind = 3,
		 .title = "Revocation of a gene therapy patent, licence upheld"},
	};
	struct query query;
	uint64_t seed = 3;

	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		papers[i] = (struct index_item){
			.field = INDEX_EVIDENCE,
			.ordinal = i,
			.kind = 1,
			.title = i % 3 ? "Gene therapy of the immune system in the clinic"
				       : "Protein assay with gene data and a patent map"};
	index_put(index, 0, true, papers, 200);
	index_put(index, 1, true, cases, 2);
	fill_background(index, 2, &seed);
	ask(&query, index, "gene therapy patent licence");
	assert_true(score_document(index, 1, &query, NULL) >
		    score_document(index, 0, &query, NULL));
	query_fini(&query);
	index_free(index);
}

static void test_score_is_higher_for_more_of_the_question(void **state)
{
	struct index *index = index_new();
	struct index_item one = {.field = INDEX_EVIDENCE, .title = "gene clinic"};
	struct index_item two = {.field = INDEX_EVIDENCE, .title = "gene therapy"};
	struct index_item body = {
		.field = INDEX_EVIDENCE, .title = "clinic policy", .body = "gene therapy"};
	struct query query;
	uint64_t seed = 5;

	(void)state;
	index_put(index, 0, true, &one, 1);
	index_put(index, 1, true, &two, 1);
	index_put(index, 2, true, &body, 1);
	fill_background(index, 3, &seed);
	ask(&query, index, "gene therapies");
	int64_t half = score_document(index, 0, &query, NULL);
	int64_t whole = score_document(index, 1, &query, NULL);
	int64_t in_body = score_document(index, 2, &query, NULL);
	assert_true(half > 0 && whole > half && whole > in_body && in_body > 0);
	assert_int_equal(whole, SCORE_ONE);
	query_fini(&query);
	index_free(index);
}

static void test_score_of_a_closed_document_leaves_the_statistics_alone(void **state)
{
	struct index *index = index_new();
	struct index_item item = {.field = INDEX_EVIDENCE, .title = "gene therapy"};
	struct query before, after;
	uint64_t seed = 9;

	(void)state;
	fill_background(index, 0, &seed);
	ask(&before, index, "gene therapy");
	for (uint32_t doc = 200; doc < 300; doc++)
		index_put(index, doc, false, &item, 1);
	ask(&after, index, "gene therapy");
	assert_int_equal(before.weight_sum, after.weight_sum);
	query_fini(&before);
	query_fini(&after);
	index_free(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_score_falls_by_exactly_the_part_of_what_is_deleted),
		cmocka_unit_test(
			test_score_puts_the_lawyer_with_two_cases_before_two_hundred_vague_papers),
		cmocka_unit_test(test_score_is_higher_for_more_of_the_question),
		cmocka_unit_test(test_score_of_a_closed_document_leaves_the_statistics_alone),
	};
	return cmocka_run_group_tests_name("score", tests, NULL, NULL);
}
