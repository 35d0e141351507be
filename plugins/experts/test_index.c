/* The index alone: what is put is found, what is removed is not, numbers may change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "index.h"
#include "words.h"

static uint32_t stem_of(struct index *index, const char *word)
{
	return lexicon_find_stem(index_lexicon(index), word, strlen(word));
}

static void put(struct index *index, uint32_t doc, const char *title)
{
	struct index_item item = {.field = INDEX_EVIDENCE, .title = title};
	index_put(index, doc, true, &item, 1);
}

static void put_name(struct index *index, uint32_t doc, const char *name)
{
	struct index_item item = {.field = INDEX_NAME, .title = name};
	index_put(index, doc, true, &item, 1);
}

static void test_index_finds_other_forms_of_a_word(void **state)
{
	struct index *index = index_new();
	uint32_t sums[2] = {0};

	(void)state;
	put(index, 0, "Manufacturing of cell therapies");
	put(index, 1, "Weather in the clinic");
	index_add_up(index, stem_of(index, "manufactured"), 1, sums);
	index_add_up(index, stem_of(index, "therapy"), 1, sums);
	assert_true(sums[0] >= 20);
	assert_int_equal(sums[1], 0);
	assert_int_equal(index_frequency(index, stem_of(index, "clinics")), 1);
	index_free(index);
}

static void test_index_forgets_what_is_removed(void **state)
{
	struct index *index = index_new();

	(void)state;
	put(index, 0, "cell therapy, cell biology");
	put(index, 1, "cell biology");
	index_remove(index, 0);
	assert_int_equal(index_open_count(index), 1);
	assert_int_equal(index_frequency(index, stem_of(index, "cell")), 1);
	assert_int_equal(index_frequency(index, stem_of(index, "therapy")), 0);
	index_free(index);
}

static void test_index_keeps_its_answers_when_numbers_change(void **state)
{
	struct index *index = index_new();
	uint32_t sums[3] = {0};
	const uint32_t map[] = {0, INDEX_NO_DOC, 1, INDEX_NO_DOC, 2};

	(void)state;
	put(index, 0, "cell");
	put(index, 1, "gene cell");
	put(index, 2, "gene");
	put(index, 3, "gene");
	put(index, 4, "cell gene");
	index_remove(index, 1);
	index_remove(index, 3);
	index_renumber(index, map, 5);
	index_add_up(index, stem_of(index, "gene"), 1, sums);
	assert_int_equal(sums[0], 0);
	assert_true(sums[1] > 0 && sums[2] > 0);
	struct index_reader reader = index_read(index, 2);
	assert_true(index_read_item(&reader));
	assert_int_equal(reader.title_len, 2);
	assert_true(index_read_term(&reader) && index_read_term(&reader));
	assert_false(index_read_term(&reader) || index_read_item(&reader));
	put(index, 3, "gene");
	assert_int_equal(index_frequency(index, stem_of(index, "gene")), 3);
	index_free(index);
}

static void test_index_finds_names_by_prefix(void **state)
{
	struct index *index = index_new();
	uint32_t terms[8];

	(void)state;
	put_name(index, 0, "Ada Okafor");
	put_name(index, 1, "Ngozi Okafor-Price");
	put_name(index, 2, "Oko Oken");
	assert_int_equal(lexicon_find_prefix(index_lexicon(index), "oka", 3, terms, 8), 1);
	assert_int_equal(lexicon_find_prefix(index_lexicon(index), "ok", 2, terms, 8), 3);
	assert_int_equal(lexicon_find_prefix(index_lexicon(index), "okafor", 6, terms, 8), 0);
	put_name(index, 3, "Okasana Lind");
	assert_int_equal(lexicon_find_prefix(index_lexicon(index), "oka", 3, terms, 8), 2);
	index_free(index);
}

static void test_words_folds_case_accents_and_apostrophes(void **state)
{
	char folded[100];

	(void)state;
	words_fold("Siân O\xe2\x80\x99Neill-M\xc3\x9cLLER", folded, sizeof(folded));
	assert_string_equal(folded, "sian oneill muller");
	words_fold("Łukasz Ærø Ŵyn Straße e\xcc\x81t\xcc\x81", folded, sizeof(folded));
	assert_string_equal(folded, "lukasz aero wyn strasse et");
	words_fold(" \xff\xfe , .. ", folded, sizeof(folded));
	assert_string_equal(folded, "");
}

static void test_words_knows_every_stop_word(void **state)
{
	static const char *const some[] = {"a",     "about", "should", "so",   "there",
					   "these", "the",   "to",     "your", "which"};
	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		assert_true(words_is_stop(some[i]));
	assert_false(words_is_stop("cell"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index_finds_other_forms_of_a_word),
		cmocka_unit_test(test_index_forgets_what_is_removed),
		cmocka_unit_test(test_index_keeps_its_answers_when_numbers_change),
		cmocka_unit_test(test_index_finds_names_by_prefix),
		cmocka_unit_test(test_words_folds_case_accents_and_apostrophes),
		cmocka_unit_test(test_words_knows_every_stop_word),
	};
	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
