/* The search over a small directory: labels, filters, facets, names, reasons, removal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grow.h"
#include "search.h"

typedef Lyceum__Experts__V1__FindRequest find_request;
typedef Lyceum__Experts__V1__FindReply find_reply;

/* Sees private records of the home that arg names, and all open ones. */
static bool sees(void *arg, const Lyceum__V1__Label *label)
{
	return label->visibility == LYCEUM__V1__VISIBILITY__PUBLIC ||
	       label->visibility == LYCEUM__V1__VISIBILITY__MEMBERS ||
	       strcmp(label->home, arg) == 0;
}

struct person {
	const char *home, *id, *name, *organisation, *region, *language;
	Lyceum__Experts__V1__ExpertKind kind;
	Lyceum__V1__Visibility visibility;
	uint32_t days;
	/* Ended by NULL. */
	const char *evidence[6];
	Lyceum__Experts__V1__Evidence__Kind evidence_kind;
};

#define ANYBODY LYCEUM__V1__VISIBILITY__MEMBERS
#define HOME_ONLY LYCEUM__V1__VISIBILITY__PRIVATE

static const struct person cast[] = {
	{"wales",
	 "1",
	 "Ada Okafor",
	 "Cardiff University",
	 "Wales",
	 "cy",
	 LYCEUM__EXPERTS__V1__EXPERT_KIND__ACADEMIC,
	 ANYBODY,
	 2,
	 {"Cell therapy manufacturing at scale", "Viral vectors for cell therapy"},
	 LYCEUM__EXPERTS__V1__EVIDENCE__KIND__WORK},
	{"wales",
	 "2",
	 "Bethan Price",
	 "Aneurin Bevan Health Board",
	 "Wales",
	 "cy",
	 LYCEUM__EXPERTS__V1__EXPERT_KIND__CLINICIAN,
	 ANYBODY,
	 0,
	 {"Trial of a cell therapy for lymphoma"},
	 LYCEUM__EXPERTS__V1__EVIDENCE__KIND__PROJECT},
	{"nhsa",
	 "3",
	 "Claire Müller",
	 "Leeds Law LLP",
	 "Yorkshire and The Humber",
	 "en-GB",
	 LYCEUM__EXPERTS__V1__EXPERT_KIND__IP_LAWYER,
	 ANYBODY,
	 5,
	 {"Cell therapy patent licence upheld", "Revocation of a patent for viral vectors"},
	 LYCEUM__EXPERTS__V1__EVIDENCE__KIND__CASE},
	{"nhsa",
	 "4",
	 "Secret Person",
	 "Hidden Institute",
	 "North East",
	 "en",
	 LYCEUM__EXPERTS__V1__EXPERT_KIND__INVESTOR,
	 HOME_ONLY,
	 1,
	 {"Cell therapy manufacturing xenolith"},
	 LYCEUM__EXPERTS__V1__EVIDENCE__KIND__WORK},
};
#define CAST (sizeof(cast) / sizeof(cast[0]))

static void put(struct view *view, const struct person *person, uint64_t seq)
{
	Lyceum__Experts__V1__Expert expert = LYCEUM__EXPERTS__V1__EXPERT__INIT;
	Lyceum__Experts__V1__PersonName name = LYCEUM__EXPERTS__V1__PERSON_NAME__INIT;
	Lyceum__Experts__V1__Organisation organisation = LYCEUM__EXPERTS__V1__ORGANISATION__INIT;
	Lyceum__Experts__V1__Availability availability = LYCEUM__EXPERTS__V1__AVAILABILITY__INIT;
	Lyceum__V1__Label label = LYCEUM__V1__LABEL__INIT;
	Lyceum__Experts__V1__Evidence items[6], *pointers[6];
	char *language = (char *)(uintptr_t)person->language;
	uint8_t body[4000];

	name.display = (char *)(uintptr_t)person->name;
	organisation.organisation_name = (char *)(uintptr_t)person->organisation;
	availability.answers_within_days = person->days;
	label.home = expert.home = (char *)(uintptr_t)person->home;
	label.visibility = person->visibility;
	expert.id = (char *)(uintptr_t)person->id;
	expert.kind = person->kind;
	expert.name = &name;
	expert.organisation = &organisation;
	expert.region = (char *)(uintptr_t)person->region;
	expert.availability = &availability;
	expert.label = &label;
	expert.language = &language;
	expert.n_language = 1;
	expert.evidence = pointers;
	for (size_t i = 0; i < 6 && person->evidence[i]; i++) {
		pointers[i] = &items[i];
		lyceum__experts__v1__evidence__init(&items[i]);
		items[i].ref = i ? "E2" : "E1";
		items[i].kind = person->evidence_kind;
		items[i].title = (char *)(uintptr_t)person->evidence[i];
		expert.n_evidence++;
	}
	assert_true(lyceum__experts__v1__expert__get_packed_size(&expert) <= sizeof(body));
	size_t len = lyceum__experts__v1__expert__pack(&expert, body);
	assert_int_equal(view_put(view, body, len, seq), LYC_OK);
}

static int fill(void **state)
{
	struct view *view = grow_new(1, sizeof(*view));

	view_init(view);
	for (size_t i = 0; i < CAST; i++)
		put(view, &cast[i], i + 1);
	*state = view;
	return 0;
}

static int empty(void **state)
{
	view_fini(*state);
	free(*state);
	return 0;
}

static find_reply *ask(struct view *view, const char *text, const char *reader)
{
	find_request request = LYCEUM__EXPERTS__V1__FIND_REQUEST__INIT;

	request.text = (char *)(uintptr_t)text;
	return search_find(view, &request, sees, (void *)(uintptr_t)reader);
}

static uint64_t facet_count(const find_reply *reply, const char *field, const char *value)
{
	for (size_t i = 0; i < reply->n_facets; i++) {
		for (size_t j = 0; j < reply->facets[i]->n_value; j++) {
			if (strcmp(reply->facets[i]->field, field) == 0 &&
			    strcmp(reply->facets[i]->value[j]->value, value) == 0)
				return reply->facets[i]->value[j]->count;
		}
	}
	return 0;
}

static void test_search_gives_a_total_and_parts_that_sum_to_it(void **state)
{
	find_reply *reply = ask(*state, "cell therapy manufacturing", "wales");

	assert_int_equal(reply->total, 3);
	assert_string_equal(reply->hits[0]->expert->name, "Ada Okafor");
	for (size_t i = 0; i < reply->n_hits; i++) {
		int64_t sum = 0;
		for (size_t j = 0; j < reply->hits[i]->n_parts; j++)
			sum += reply->hits[i]->parts[j]->points;
		assert_true(sum > 0);
		assert_int_equal(sum, reply->hits[i]->total);
	}
	const Lyceum__Experts__V1__Part *part = reply->hits[0]->parts[0];
	assert_string_equal(part->evidence_id, "E1");
	assert_int_equal(part->n_word, 3);
	assert_string_equal(part->word[2], "manufacturing");
	assert_string_equal(part->text, "the work \"Cell therapy manufacturing at scale\" matches "
					"Cell, therapy and manufacturing");
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
}

/* So many are replaced that documents get other numbers: each keeps its label and its facts. With
 * and without facets it is two ways of counting. */
static void test_search_counts_the_same_with_and_without_facets(void **state)
{
	static const char *const readers[] = {"wales", "nhsa"};
	const uint32_t all = 1500, hidden = all / 3;
	uint64_t seq = CAST;

	for (uint32_t i = 0; i < 2 * all; i++) {
		char id[16];
		struct person person = cast[i % 3 == 0 ? 3 : 0];
		snprintf(id, sizeof(id), "m%u", i % all);
		person.id = id;
		put(*state, &person, ++seq);
	}
	for (size_t i = 0; i < 2; i++) {
		find_request request = LYCEUM__EXPERTS__V1__FIND_REQUEST__INIT;
		bool sees_hidden = i == 1;
		request.text = (char *)"therapy";
		for (int without = 0; without < 2; without++) {
			request.without_facets = without;
			find_reply *reply =
				search_find(*state, &request, sees, (void *)(uintptr_t)readers[i]);
			assert_int_equal(reply->total,
					 all - hidden + 3 + (sees_hidden ? hidden + 1 : 0));
			for (size_t hit = 0; hit < reply->n_hits; hit++)
				assert_true(sees_hidden || strcmp(reply->hits[hit]->expert->name,
								  "Secret Person") != 0);
			assert_int_equal(reply->n_facets > 0, !without);
			assert_int_equal(facet_count(reply, "region", "North East"),
					 sees_hidden && !without ? hidden + 1 : 0);
			lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
		}
	}
}

/* Her record is for her home only, so it is in no statistics: they are held while it changes. */
static void test_search_takes_exactly_the_points_of_what_is_deleted(void **state)
{
	static const char question[] = "cell therapy patent manufacturing";
	struct person whole = cast[3];

	whole.evidence[1] = "Patent for a cell therapy";
	put(*state, &whole, 10);
	find_reply *before = ask(*state, question, "nhsa");
	for (size_t deleted = 0; deleted < 2; deleted++) {
		const char *ref = deleted ? "E2" : "E1";
		struct person fewer = whole;
		int64_t points = 0, was = 0, is = 0;
		/* Left empty, so that the other keeps its reference. */
		fewer.evidence[deleted] = "";
		put(*state, &fewer, 11 + deleted);
		find_reply *after = ask(*state, question, "nhsa");
		for (size_t i = 0; i < before->n_hits; i++) {
			const Lyceum__Experts__V1__Hit *hit = before->hits[i];
			was = strcmp(hit->expert->id, "4") == 0 ? hit->total : was;
			for (size_t j = 0; strcmp(hit->expert->id, "4") == 0 && j < hit->n_parts;
			     j++)
				points += strcmp(hit->parts[j]->evidence_id, ref) == 0
						  ? hit->parts[j]->points
						  : 0;
		}
		for (size_t i = 0; i < after->n_hits; i++) {
			if (strcmp(after->hits[i]->expert->id, "4") == 0)
				is = after->hits[i]->total;
		}
		assert_true(points > 1 && is > 0);
		assert_int_equal(was - is, points);
		lyceum__experts__v1__find_reply__free_unpacked(after, NULL);
	}
	lyceum__experts__v1__find_reply__free_unpacked(before, NULL);
}

static void test_search_puts_the_lawyer_first_for_her_subject(void **state)
{
	find_reply *reply = ask(*state, "patent licence for cell therapy", "wales");

	assert_string_equal(reply->hits[0]->expert->name, "Claire Müller");
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
}

static void test_search_shows_nothing_of_a_private_record_elsewhere(void **state)
{
	find_reply *reply = ask(*state, "cell therapy", "wales");

	assert_int_equal(reply->total, 3);
	for (size_t i = 0; i < reply->n_hits; i++)
		assert_string_not_equal(reply->hits[i]->expert->id, "4");
	assert_int_equal(facet_count(reply, "region", "North East"), 0);
	assert_int_equal(facet_count(reply, "kind", "investor"), 0);
	assert_int_equal(facet_count(reply, "kind", "ip-lawyer"), 1);
	assert_int_equal(facet_count(reply, "organisation", "Hidden Institute"), 0);
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);

	reply = ask(*state, "cell therapy", "nhsa");
	assert_int_equal(reply->total, 4);
	assert_int_equal(facet_count(reply, "region", "North East"), 1);
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);

	reply = ask(*state, "secret", "wales");
	assert_int_equal(reply->total, 0);
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
}

/* The scores that a stranger gets are the same as if the private record did not exist. */
static void test_search_scores_do_not_tell_of_a_private_record(void **state)
{
	struct view without;
	const char *const questions[] = {
		"cell therapy xenolith",   "xenolith",     "cell manufacturing", "cell sec",
		"xenolith xenoliths cell", "cell xenolit", "north east secrt"};

	view_init(&without);
	for (size_t i = 0; i < CAST; i++) {
		if (cast[i].visibility != HOME_ONLY)
			put(&without, &cast[i], i + 1);
	}
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		find_reply *one = ask(*state, questions[i], "wales");
		find_reply *two = ask(&without, questions[i], "wales");
		one->took_us = two->took_us = 0;
		size_t len = lyceum__experts__v1__find_reply__get_packed_size(one);
		assert_int_equal(len, lyceum__experts__v1__find_reply__get_packed_size(two));
		uint8_t *a = grow_new(len, 1), *b = grow_new(len, 1);
		lyceum__experts__v1__find_reply__pack(one, a);
		lyceum__experts__v1__find_reply__pack(two, b);
		assert_memory_equal(a, b, len);
		free(a);
		free(b);
		lyceum__experts__v1__find_reply__free_unpacked(one, NULL);
		lyceum__experts__v1__find_reply__free_unpacked(two, NULL);
	}
	view_fini(&without);
}

static void test_search_filters_by_region_kind_organisation_language_and_days(void **state)
{
	find_request request = LYCEUM__EXPERTS__V1__FIND_REQUEST__INIT;
	char *region = "GB-WLS", *england = "england", *organisation = "leeds law llp";
	char *language = "en";
	Lyceum__Experts__V1__ExpertKind kind = LYCEUM__EXPERTS__V1__EXPERT_KIND__CLINICIAN;
	find_reply *reply;

	request.text = "cell therapy";
	request.region = &region;
	request.n_region = 1;
	reply = search_find(*state, &request, sees, "wales");
	assert_int_equal(reply->total, 2);
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);

	request.kind = &kind;
	request.n_kind = 1;
	reply = search_find(*state, &request, sees, "wales");
	assert_int_equal(reply->total, 1);
	assert_string_equal(reply->hits[0]->expert->name, "Bethan Price");
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);

	request = (find_request)LYCEUM__EXPERTS__V1__FIND_REQUEST__INIT;
	request.region = &england;
	request.n_region = 1;
	request.organisation = &organisation;
	request.n_organisation = 1;
	request.language = &language;
	request.n_language = 1;
	request.answers_within_days = 5;
	reply = search_find(*state, &request, sees, "wales");
	assert_int_equal(reply->total, 1);
	assert_string_equal(reply->hits[0]->expert->id, "3");
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);

	request.answers_within_days = 4;
	reply = search_find(*state, &request, sees, "wales");
	assert_int_equal(reply->total, 0);
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
}

static void test_search_without_a_question_lists_by_name(void **state)
{
	find_reply *reply = ask(*state, "", "wales");

	assert_int_equal(reply->total, 3);
	assert_string_equal(reply->hits[0]->expert->name, "Ada Okafor");
	assert_string_equal(reply->hits[2]->expert->name, "Claire Müller");
	assert_int_equal(facet_count(reply, "region", "Wales"), 2);
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
}

static void test_search_finds_names_whole_by_prefix_and_without_accents(void **state)
{
	static const char *const names[] = {"okafor", "Okaf", "muller", "MÜLLER"};

	for (size_t i = 0; i < 4; i++) {
		find_reply *reply = ask(*state, names[i], "wales");
		assert_int_equal(reply->total, 1);
		assert_string_equal(reply->hits[0]->parts[0]->field, "name");
		assert_int_equal(reply->hits[0]->parts[0]->n_word, 1);
		assert_string_equal(reply->hits[0]->expert->id, i < 2 ? "1" : "3");
		lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
	}
}

static uint32_t count_typed(struct view *view, const char *text, bool is_unfinished)
{
	find_request request = LYCEUM__EXPERTS__V1__FIND_REQUEST__INIT;
	request.text = (char *)(uintptr_t)text;
	request.unfinished = is_unfinished;
	find_reply *reply = search_find(view, &request, sees, "wales");
	uint32_t total = reply->n_unmatched ? 0 : reply->total;
	for (size_t i = 0; i < reply->n_hits; i++) {
		int64_t sum = 0;
		for (size_t j = 0; j < reply->hits[i]->n_parts; j++)
			sum += reply->hits[i]->parts[j]->points;
		assert_int_equal(sum, reply->hits[i]->total);
	}
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
	return total;
}

static void test_search_takes_an_unfinished_last_word_for_those_that_begin_so(void **state)
{
	assert_int_equal(count_typed(*state, "manufac", false), 0);
	assert_int_equal(count_typed(*state, "manufac", true), 1);
	assert_int_equal(count_typed(*state, "lymph", true), 1);
	/* A whole word is not looked at twice, one that is not the last is finished. */
	assert_int_equal(count_typed(*state, "manufac ", true), 0);
	assert_int_equal(count_typed(*state, "manufac cell", true), 0);
	assert_int_equal(count_typed(*state, "ma", true), 0);
	/* A word of closed records alone says nothing, neither to those who may not see them. */
	assert_int_equal(count_typed(*state, "xenol", true), 0);
}

static bool has_note(const find_reply *reply, const char *part)
{
	for (size_t i = 0; i < reply->n_note; i++) {
		if (strstr(reply->note[i], part))
			return true;
	}
	return false;
}

static void test_search_counts_and_names_the_words_that_match_nothing(void **state)
{
	find_reply *whole = ask(*state, "cell therapy", "wales");
	find_reply *part = ask(*state, "cell therapy zebrafish", "wales");

	assert_int_equal(whole->n_unmatched, 0);
	assert_int_equal(whole->n_note, 0);
	assert_int_equal(part->n_unmatched, 1);
	assert_string_equal(part->unmatched[0]->word, "zebrafish");
	assert_string_equal(part->unmatched[0]->nearest, "");
	assert_true(has_note(part, "\"zebrafish\""));
	assert_int_equal(part->total, whole->total);
	/* The rarer the word that is missing, the more is missing: here most of the question. */
	assert_true(part->hits[0]->total < whole->hits[0]->total / 2);
	lyceum__experts__v1__find_reply__free_unpacked(whole, NULL);
	lyceum__experts__v1__find_reply__free_unpacked(part, NULL);

	part = ask(*state, "Manufacturign by Okafro", "wales");
	assert_int_equal(part->n_unmatched, 2);
	assert_string_equal(part->unmatched[0]->word, "Manufacturign");
	assert_string_equal(part->unmatched[0]->nearest, "manufacturing");
	assert_string_equal(part->unmatched[1]->nearest, "okafor");
	assert_true(has_note(part, "did you mean \"manufacturing\"?"));
	lyceum__experts__v1__find_reply__free_unpacked(part, NULL);

	/* A letter that no record keeps is no word that is missing. */
	part = ask(*state, "x cell", "wales");
	assert_int_equal(part->n_unmatched, 0);
	lyceum__experts__v1__find_reply__free_unpacked(part, NULL);
}

static void test_search_shows_the_flag_for_a_region_or_a_kind(void **state)
{
	find_reply *reply = ask(*state, "cell therapy london lawyers", "wales");

	assert_true(has_note(reply, "--region London"));
	assert_true(has_note(reply, "--kind ip-lawyer"));
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
}

static void test_search_names_filters_that_nobody_matches(void **state)
{
	find_request request = LYCEUM__EXPERTS__V1__FIND_REQUEST__INIT;
	char *region = "Walse", *home = "whales", *secret = "Hidden Institut", *cold = "Scotland";

	request.region = &region;
	request.n_region = 1;
	find_reply *reply = search_find(*state, &request, sees, "wales");
	assert_int_equal(reply->total, 0);
	assert_true(has_note(reply, "\"Walse\": did you mean \"Wales\"?"));
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);

	/* A region that is right, but nobody is there. */
	request.region = &cold;
	reply = search_find(*state, &request, sees, "wales");
	assert_true(has_note(reply, "\"Scotland\""));
	assert_false(has_note(reply, "did you mean"));
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);

	request.n_region = 0;
	request.home = &home;
	request.n_home = 1;
	reply = search_find(*state, &request, sees, "wales");
	assert_true(has_note(reply, "\"whales\": did you mean \"wales\"?"));
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);

	/* What the reader may not see is not offered. */
	request.n_home = 0;
	request.organisation = &secret;
	request.n_organisation = 1;
	reply = search_find(*state, &request, sees, "wales");
	assert_false(has_note(reply, "Hidden Institute"));
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
	reply = search_find(*state, &request, sees, "nhsa");
	assert_true(has_note(reply, "Hidden Institute"));
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
}

static void test_search_for_a_text_without_a_word_finds_nobody(void **state)
{
	find_reply *reply = ask(*state, "!!!", "wales");

	assert_int_equal(reply->total, 0);
	assert_int_equal(reply->n_hits, 0);
	assert_true(has_note(reply, "no word"));
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
	reply = ask(*state, " \n", "wales");
	assert_int_equal(reply->total, 3);
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
}

static void test_search_finds_nothing_of_whom_was_withdrawn(void **state)
{
	view_remove(*state, "wales", "1", 10);
	find_reply *reply = ask(*state, "okafor manufacturing", "wales");
	assert_int_equal(reply->total, 0);
	assert_int_equal(reply->n_hits, 0);
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
}

/* A view that lived through changes, and one that only saw what is left, answer alike. */
static void test_search_answers_alike_after_many_changes(void **state)
{
	find_reply *before = ask(*state, "cell therapy patent", "wales");

	for (uint64_t seq = 10; seq < 6000; seq += 3) {
		put(*state, &cast[seq % CAST], seq);
		struct person passing = cast[0];
		passing.id = "99";
		put(*state, &passing, seq + 1);
		view_remove(*state, "wales", "99", seq + 2);
	}
	find_reply *after = ask(*state, "cell therapy patent", "wales");
	assert_int_equal(before->n_hits, after->n_hits);
	for (size_t i = 0; i < before->n_hits; i++) {
		assert_string_equal(before->hits[i]->expert->id, after->hits[i]->expert->id);
		assert_int_equal(before->hits[i]->total, after->hits[i]->total);
	}
	assert_true(((struct view *)*state)->people.doc_count < 3000);
	lyceum__experts__v1__find_reply__free_unpacked(before, NULL);
	lyceum__experts__v1__find_reply__free_unpacked(after, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fill, empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_search_gives_a_total_and_parts_that_sum_to_it),
		TEST(test_search_counts_the_same_with_and_without_facets),
		TEST(test_search_takes_exactly_the_points_of_what_is_deleted),
		TEST(test_search_puts_the_lawyer_first_for_her_subject),
		TEST(test_search_shows_nothing_of_a_private_record_elsewhere),
		TEST(test_search_scores_do_not_tell_of_a_private_record),
		TEST(test_search_filters_by_region_kind_organisation_language_and_days),
		TEST(test_search_without_a_question_lists_by_name),
		TEST(test_search_finds_names_whole_by_prefix_and_without_accents),
		TEST(test_search_takes_an_unfinished_last_word_for_those_that_begin_so),
		TEST(test_search_counts_and_names_the_words_that_match_nothing),
		TEST(test_search_shows_the_flag_for_a_region_or_a_kind),
		TEST(test_search_names_filters_that_nobody_matches),
		TEST(test_search_for_a_text_without_a_word_finds_nobody),
		TEST(test_search_finds_nothing_of_whom_was_withdrawn),
		TEST(test_search_answers_alike_after_many_changes),
	};
	return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
