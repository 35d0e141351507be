/*
 * Four steps: add up the postings of the question's terms, pass once over all documents (count,
 * facets, a heap of the best by the coarse sum), score those by their items, explain the ones
 * shown.
 */
#include "search.h"

#include <time.h>

#include "explain.h"
#include "facets.h"
#include "filter.h"
#include "grow.h"
#include "hint.h"
#include "query.h"
#include "score.h"

typedef Lyceum__Experts__V1__FindRequest find_request;
typedef Lyceum__Experts__V1__FindReply find_reply;
typedef Lyceum__Experts__V1__ExpertSummary summary_msg;

#define DEFAULT_LIMIT 10

struct candidate {
	uint32_t doc;
	/* The coarse sum, then the points. */
	int64_t score;
};

struct search {
	struct view *view;
	const find_request *request;
	struct filter filter;
	struct query query;
	struct facets facets;
	bool with_facets;
	uint32_t total;

	/* A heap while it is filled, the worst on top; then in order, the best first. */
	struct candidate best[SEARCH_CANDIDATES_MAX];
	size_t best_count;
	size_t best_max;
};

static uint64_t now_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static char *copy(const char *text)
{
	return grow_copy(text, strlen(text));
}

/* ---- Candidates ---- */

static void sift_down(struct candidate *heap, size_t count, size_t at)
{
	for (;;) {
		size_t child = at * 2 + 1;
		if (child >= count)
			return;
		if (child + 1 < count && heap[child + 1].score < heap[child].score)
			child++;
		if (heap[at].score <= heap[child].score)
			return;
		struct candidate held = heap[at];
		heap[at] = heap[child];
		heap[child] = held;
		at = child;
	}
}

static void offer(struct search *search, uint32_t doc, int64_t score)
{
	if (search->best_count < search->best_max) {
		search->best[search->best_count++] = (struct candidate){doc, score};
		if (search->best_count == search->best_max) {
			for (size_t i = search->best_max / 2; i-- > 0;)
				sift_down(search->best, search->best_max, i);
		}
	} else if (score > search->best[0].score) {
		search->best[0] = (struct candidate){doc, score};
		sift_down(search->best, search->best_max, 0);
	}
}

static void count(struct search *search, uint32_t doc)
{
	search->total++;
	if (!search->with_facets)
		return;
	facets_count(&search->facets, &search->view->people.facts[doc]);
}

struct seen {
	struct filter *filter;
	bool has_one;
};

static void see(uint32_t doc, void *arg)
{
	struct seen *seen = arg;

	if (!seen->has_one)
		seen->has_one = filter_passes(seen->filter, doc);
}

/* Words that no open record has count only if this reader sees one that does. Their postings are
 * short: they come from closed records alone. */
static void settle(struct search *search, struct filter *eyes)
{
	bool is_seen[QUERY_MAX_WORDS] = {false};
	struct query *query = &search->query;

	for (uint32_t i = 0; i < query->word_count; i++) {
		const struct query_word *word = &query->words[i];
		struct seen seen = {.filter = eyes};
		for (uint32_t j = 0; !word->is_open && j < word->term_count; j++)
			index_each(search->view->index, query->terms[word->first_term + j].term,
				   see, &seen);
		is_seen[i] = seen.has_one;
	}
	query_settle(query, is_seen);
}

static void take_each(struct search *search, const uint32_t *sums, uint32_t doc_count)
{
	for (uint32_t doc = 0; doc < doc_count; doc++) {
		if (sums[doc] == 0 || !filter_passes(&search->filter, doc))
			continue;
		count(search, doc);
		offer(search, doc, sums[doc]);
	}
}

/* The same where nothing but labels is looked at. Which documents match follows no pattern that a
 * processor could foresee, so they are counted without a branch; few are better than the worst of
 * the best. */
static void take_best(struct search *search, const uint32_t *sums, uint32_t doc_count)
{
	struct filter *filter = &search->filter;
	const uint32_t *label_of = filter->people->label_of;
	const uint8_t *labels = filter->labels;
	const uint32_t label_count = filter->label_count;
	int64_t worst = 0;
	uint32_t total = 0;

	for (uint32_t doc = 0; doc < doc_count; doc++) {
		uint32_t sum = sums[doc];
		uint8_t verdict = labels[filter_label(label_of[doc], label_count)];
		if (verdict == 0 && sum > 0)
			verdict = filter_judge(filter, doc);
		total += (sum > 0) & (verdict == FILTER_YES);
		if (sum <= worst || verdict != FILTER_YES)
			continue;
		offer(search, doc, sum);
		worst = search->best_count == search->best_max ? search->best[0].score : 0;
	}
	search->total += total;
}

static void match(struct search *search)
{
	struct view *view = search->view;
	const struct query *query = &search->query;
	uint32_t doc_count = view->people.doc_count;

	view->sums = grow(view->sums, &view->sums_capacity, doc_count, sizeof(*view->sums));
	uint32_t *sums = view->sums;

	for (uint32_t i = 0; i < query->term_count; i++) {
		const struct query_term *term = &query->terms[i];
		uint32_t weight = query->words[term->word].weight * term->strength / 10;
		index_add_up(view->index, term->term, weight ? weight : 1, sums);
	}
	if (search->with_facets || search->filter.is_narrow)
		take_each(search, sums, doc_count);
	else
		take_best(search, sums, doc_count);
	memset(sums, 0, doc_count * sizeof(*sums));
}

/* ---- Ranking ---- */

static int compare_candidates(const void *a, const void *b, void *arg)
{
	const struct candidate *one = a, *two = b;
	const struct people *people = arg;

	if (one->score != two->score)
		return one->score > two->score ? -1 : 1;
	uint64_t first = people->holdings[one->doc].lot, second = people->holdings[two->doc].lot;
	if (first != second)
		return first < second ? -1 : 1;
	int order = strcmp(people_home(people, one->doc), people_home(people, two->doc));
	return order ? order : strcmp(people_id(people, one->doc), people_id(people, two->doc));
}

static void rank(struct search *search)
{
	for (size_t i = 0; i < search->best_count; i++)
		search->best[i].score = score_document(search->view->index, search->best[i].doc,
						       &search->query, NULL);
	if (search->best_count > 1)
		qsort_r(search->best, search->best_count, sizeof(search->best[0]),
			compare_candidates, &search->view->people);
}

/* Without a question: everybody whom the filters let through, by name. */
static void browse(struct search *search, size_t wanted)
{
	const uint32_t *order = people_in_order(&search->view->people);

	for (uint32_t i = 0; i < search->view->people.order_count; i++) {
		if (!filter_passes(&search->filter, order[i]))
			continue;
		count(search, order[i]);
		if (search->best_count < wanted && search->best_count < search->best_max)
			search->best[search->best_count++] = (struct candidate){order[i], 0};
	}
}

/* ---- The reply ---- */

static summary_msg *summarise(const Lyceum__Experts__V1__Expert *expert)
{
	summary_msg *summary = grow_new(1, sizeof(*summary));

	lyceum__experts__v1__expert_summary__init(summary);
	summary->home = copy(expert->home);
	summary->id = copy(expert->id);
	summary->name = copy(expert->name ? expert->name->display : "");
	summary->kind = expert->kind;
	summary->organisation =
		copy(expert->organisation ? expert->organisation->organisation_name : "");
	summary->department = copy(expert->organisation ? expert->organisation->department : "");
	summary->region = copy(expert->region);
	summary->evidence_count = (uint32_t)expert->n_evidence;
	if (expert->label) {
		size_t len = lyceum__v1__label__get_packed_size(expert->label);
		uint8_t *bytes = grow_new(len, 1);
		lyceum__v1__label__pack(expert->label, bytes);
		summary->label = grow_check(lyceum__v1__label__unpack(NULL, len, bytes));
		free(bytes);
	}
	return summary;
}

static void add_hit(struct search *search, find_reply *reply, const struct candidate *candidate,
		    struct score_parts *parts)
{
	Lyceum__Experts__V1__Hit *hit = grow_new(1, sizeof(*hit));
	Lyceum__Experts__V1__Expert *expert = people_unpack(&search->view->people, candidate->doc);

	lyceum__experts__v1__hit__init(hit);
	hit->expert = summarise(expert);
	if (search->query.word_count > 0) {
		hit->total =
			score_document(search->view->index, candidate->doc, &search->query, parts);
		explain(hit, expert, parts, &search->query, search->view->index);
	}
	lyceum__experts__v1__expert__free_unpacked(expert, NULL);
	reply->hits[reply->n_hits++] = hit;
}

static void add_hits(struct search *search, find_reply *reply, size_t offset, size_t limit)
{
	struct score_parts parts = {0};

	reply->hits = grow_new(limit, sizeof(reply->hits[0]));
	for (size_t i = offset; i < search->best_count && i < offset + limit; i++)
		add_hit(search, reply, &search->best[i], &parts);
	free(parts.parts);
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n\v\f")] == '\0';
}

find_reply *search_find(struct view *view, const find_request *request, search_may_see_fn may_see,
			void *arg)
{
	uint64_t start_us = now_us();
	size_t limit = request->limit ? request->limit : DEFAULT_LIMIT;
	find_reply *reply = grow_new(1, sizeof(*reply));
	struct search *search = grow_new(1, sizeof(*search));
	static const find_request no_filters = LYCEUM__EXPERTS__V1__FIND_REQUEST__INIT;
	struct filter eyes;

	lyceum__experts__v1__find_reply__init(reply);
	search->view = view;
	search->request = request;
	search->with_facets = !request->without_facets;
	search->best_max = request->offset + limit > SEARCH_CANDIDATES ? SEARCH_CANDIDATES_MAX
								       : SEARCH_CANDIDATES;
	facets_init(&search->facets, &view->people);
	filter_init(&search->filter, &view->people, request, may_see, arg);
	filter_init(&eyes, &view->people, &no_filters, may_see, arg);
	query_init(&search->query, view->index, request->text, request->unfinished);
	if (search->query.word_count > 0) {
		settle(search, &eyes);
		match(search);
		rank(search);
	} else if (is_blank(request->text)) {
		browse(search, request->offset + limit);
	} else {
		hint_no_word(reply);
	}
	add_hits(search, reply, request->offset, limit);
	if (search->with_facets)
		facets_add(&search->facets, request->facet_limit, reply);
	reply->total = search->total;
	hint_words(reply, &search->query, view->index);
	hint_filters(reply, &view->people, request, &eyes);

	query_fini(&search->query);
	filter_fini(&search->filter);
	filter_fini(&eyes);
	facets_fini(&search->facets);
	free(search);
	reply->took_us = now_us() - start_us;
	return reply;
}

Lyceum__Experts__V1__ListReply *search_list(struct view *view,
					    const Lyceum__Experts__V1__ListRequest *request,
					    search_may_see_fn may_see, void *arg)
{
	Lyceum__Experts__V1__ListReply *reply = grow_new(1, sizeof(*reply));
	find_request filters = LYCEUM__EXPERTS__V1__FIND_REQUEST__INIT;
	char *home = request->home;
	uint32_t limit = request->limit ? request->limit : 100;
	struct filter filter;

	lyceum__experts__v1__list_reply__init(reply);
	if (home[0]) {
		filters.home = &home;
		filters.n_home = 1;
	}
	filter_init(&filter, &view->people, &filters, may_see, arg);
	reply->expert = grow_new(limit, sizeof(reply->expert[0]));
	const uint32_t *order = people_in_order(&view->people);
	for (uint32_t i = 0; i < view->people.order_count; i++) {
		if (!filter_passes(&filter, order[i]))
			continue;
		if (reply->total++ < request->offset || reply->n_expert == limit)
			continue;
		Lyceum__Experts__V1__Expert *expert = people_unpack(&view->people, order[i]);
		reply->expert[reply->n_expert++] = summarise(expert);
		lyceum__experts__v1__expert__free_unpacked(expert, NULL);
	}
	filter_fini(&filter);
	return reply;
}
