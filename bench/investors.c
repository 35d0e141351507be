/*
 * How well the points of plugins/investment rank investors, on rounds that came later: mandates are
 * read off the deals before a date, then for each life-science round of the following year all
 * investors are ranked, beside plain baselines. The list is not part of the project: LYCEUM_DATA or
 * ../shared/data holds it (crunchbase2013). The weights were not fitted to it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "score.h"

#define SPLIT "2012-01-01"
#define WORDS_MAX 64

enum column { ROUND, DAY, COMPANY, CATEGORY, STATE, CITY, KIND, RAISED, INVESTOR, COLUMN_COUNT };

struct row {
	char *cells[COLUMN_COUNT];
	char region[16];
};

struct investor {
	const char *name;
	/* Its deals before the date. */
	const struct row *rows;
	size_t row_count;
	struct rules_investor mandate;
	char *sectors[WORDS_MAX];
	char *regions[WORDS_MAX];
};

/* What a deal history says about one round. */
struct deals {
	uint32_t similar;
	bool is_known;
};

enum method { POPULAR, SIMILAR, KNOWN_SIMILAR, FOR_INVESTOR, FOR_VENTURE, BOTH, METHOD_COUNT };

static const char *const method_names[METHOD_COUNT] = {
	[POPULAR] = "most deals",
	[SIMILAR] = "most deals in category and state",
	[KNOWN_SIMILAR] = "earlier investors, then the same",
	[FOR_INVESTOR] = "score.c, the investor's side",
	[FOR_VENTURE] = "score.c, the venture's side",
	[BOTH] = "score.c, both sides summed",
};

struct tally {
	size_t round_count;
	double reciprocal;
	double hits;
	double recall;
};

struct setting {
	struct row *before;
	size_t before_count;
	struct row *after;
	size_t after_count;
	struct investor *investors;
	size_t investor_count;
	int64_t *values[METHOD_COUNT];
	bool *is_known;
};

static void *get(void *old, size_t size)
{
	void *block = realloc(old, size);

	if (!block) {
		fputs("bench_investors: out of memory\n", stderr);
		exit(1);
	}
	return block;
}

static bool is_life_science(const char *category)
{
	return strcmp(category, "biotech") == 0 || strcmp(category, "medical") == 0 ||
	       strcmp(category, "health") == 0;
}

static bool cut_row(char *line, struct row *row)
{
	char *text = strdup(line);

	for (int column = 0; column < COLUMN_COUNT; column++) {
		row->cells[column] = strsep(&text, "\t\n");
		if (!row->cells[column])
			return false;
	}
	snprintf(row->region, sizeof(row->region), "US-%.8s", row->cells[STATE]);
	return true;
}

static bool read_rows(struct setting *setting)
{
	char path[1000], line[4000];
	const char *folder = getenv("LYCEUM_DATA");

	snprintf(path, sizeof(path), "%s/crunchbase2013/dev/investments.tsv.gz",
		 folder ? folder : SOURCE_ROOT "/../shared/data");
	gzFile file = gzopen(path, "rb");
	if (!file || !gzgets(file, line, sizeof(line))) {
		fprintf(stderr, "skipped: %s is not there; set LYCEUM_DATA\n", path);
		return false;
	}
	while (gzgets(file, line, sizeof(line))) {
		struct row row;
		if (!cut_row(line, &row))
			continue;
		bool is_before = strcmp(row.cells[DAY], SPLIT) < 0;
		if (!is_before && !is_life_science(row.cells[CATEGORY]))
			continue;
		struct row **rows = is_before ? &setting->before : &setting->after;
		size_t *count = is_before ? &setting->before_count : &setting->after_count;
		*rows = get(*rows, (*count + 1) * sizeof(**rows));
		(*rows)[(*count)++] = row;
	}
	gzclose(file);
	return true;
}

static int by_investor(const void *left, const void *right)
{
	const struct row *one = left, *two = right;
	return strcmp(one->cells[INVESTOR], two->cells[INVESTOR]);
}

static int by_round(const void *left, const void *right)
{
	const struct row *one = left, *two = right;
	return strcmp(one->cells[ROUND], two->cells[ROUND]);
}

static uint32_t stage_of(const char *kind)
{
	static const char *const kinds[] = {"angel",    "seed",      "series-a",
					    "series-b", "series-c+", "venture"};

	for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kind, kinds[i]) == 0)
			return i + 1;
	}
	return 7;
}

static void add_word(struct rules_words *words, char **room, char *word)
{
	for (size_t i = 0; i < words->count; i++) {
		if (strcmp(room[i], word) == 0)
			return;
	}
	if (words->count < WORDS_MAX)
		room[words->count++] = word;
}

static size_t count_region(const struct investor *investor, const char *region)
{
	size_t count = 0;

	for (size_t i = 0; i < investor->row_count; i++)
		count += strcmp(investor->rows[i].region, region) == 0;
	return count;
}

/* The mandate that the deals suggest: their categories, states and stages; the most frequent state
 * is the preferred one. */
static void infer_mandate(struct investor *investor)
{
	struct rules_investor *mandate = &investor->mandate;
	size_t most = 0;

	mandate->sectors.words = investor->sectors;
	mandate->regions.words = investor->regions;
	for (size_t i = 0; i < investor->row_count; i++) {
		struct row *row = (struct row *)(uintptr_t)&investor->rows[i];
		add_word(&mandate->sectors, investor->sectors, row->cells[CATEGORY]);
		add_word(&mandate->regions, investor->regions, row->region);
		mandate->stages |= 1u << stage_of(row->cells[KIND]);
	}
	for (size_t i = 0; i < mandate->regions.count; i++) {
		size_t count = count_region(investor, investor->regions[i]);
		if (count > most) {
			most = count;
			mandate->prefers_regions =
				(struct rules_words){.words = &investor->regions[i], .count = 1};
		}
	}
}

static void make_investors(struct setting *setting)
{
	qsort(setting->before, setting->before_count, sizeof(struct row), by_investor);
	setting->investors = get(NULL, setting->before_count * sizeof(struct investor));
	for (size_t i = 0; i < setting->before_count; i++) {
		const struct row *row = &setting->before[i];
		if (i == 0 || by_investor(row - 1, row) != 0)
			setting->investors[setting->investor_count++] =
				(struct investor){.name = row->cells[INVESTOR], .rows = row};
		setting->investors[setting->investor_count - 1].row_count++;
	}
	for (size_t i = 0; i < setting->investor_count; i++)
		infer_mandate(&setting->investors[i]);
	for (int method = 0; method < METHOD_COUNT; method++)
		setting->values[method] = get(NULL, setting->investor_count * sizeof(int64_t));
	setting->is_known = get(NULL, setting->investor_count);
}

static struct deals deals_like(const struct investor *investor, const struct row *round)
{
	struct deals deals = {0};

	for (size_t i = 0; i < investor->row_count; i++) {
		const struct row *row = &investor->rows[i];
		deals.similar += strcmp(row->cells[CATEGORY], round->cells[CATEGORY]) == 0 &&
				 strcmp(row->cells[STATE], round->cells[STATE]) == 0;
		deals.is_known =
			deals.is_known || strcmp(row->cells[COMPANY], round->cells[COMPANY]) == 0;
	}
	return deals;
}

static void value_all(struct setting *setting, struct row *round)
{
	struct rules rules = {0};
	struct rules_venture venture = {.id = round->cells[COMPANY],
					.stage = stage_of(round->cells[KIND]),
					.sectors = {.words = &round->cells[CATEGORY], .count = 1},
					.region = round->region};

	for (size_t i = 0; i < setting->investor_count; i++) {
		const struct investor *investor = &setting->investors[i];
		struct deals deals = deals_like(investor, round);
		struct score_facts facts = {.preference = {0, deals.is_known ? 100 : 0},
					    .is_interested = deals.is_known,
					    .earlier_deals = deals.similar};
		struct score score;
		int64_t similar = (int64_t)deals.similar * 100000 + (int64_t)investor->row_count;
		setting->is_known[i] = deals.is_known;
		setting->values[POPULAR][i] = (int64_t)investor->row_count;
		setting->values[SIMILAR][i] = similar;
		setting->values[KNOWN_SIMILAR][i] = similar + (deals.is_known ? INT64_MAX / 2 : 0);
		score_pair(&rules, &venture, &investor->mandate, &facts, SCORE_FOR_INVESTOR,
			   &score);
		setting->values[FOR_INVESTOR][i] = score.total;
		setting->values[BOTH][i] = score.total;
		score_pair(&rules, &venture, &investor->mandate, &facts, SCORE_FOR_VENTURE, &score);
		setting->values[FOR_VENTURE][i] = score.total;
		setting->values[BOTH][i] += score.total;
	}
}

/* The investors are in order of their names, which decide between equals. */
static size_t rank_of(const struct setting *setting, enum method method, size_t at, bool is_new)
{
	const int64_t *values = setting->values[method];
	size_t rank = 1;

	for (size_t i = 0; i < setting->investor_count; i++)
		rank += !(is_new && setting->is_known[i]) &&
			(values[i] > values[at] || (values[i] == values[at] && i < at));
	return rank;
}

static void judge(const struct setting *setting, const size_t *truth, size_t truth_count,
		  bool is_new, struct tally *tallies)
{
	if (truth_count == 0)
		return;
	for (int method = 0; method < METHOD_COUNT; method++) {
		struct tally *tally = &tallies[method];
		size_t best = SIZE_MAX, found = 0;
		for (size_t i = 0; i < truth_count; i++) {
			size_t rank = rank_of(setting, (enum method)method, truth[i], is_new);
			best = rank < best ? rank : best;
			found += rank <= 50;
		}
		tally->round_count++;
		tally->reciprocal += 1.0 / (double)best;
		tally->hits += best <= 10;
		tally->recall += (double)found / (double)truth_count;
	}
}

static void play_round(struct setting *setting, struct row *rows, size_t count,
		       struct tally tallies[2][METHOD_COUNT])
{
	size_t truth[2][WORDS_MAX], truth_counts[2] = {0, 0};

	value_all(setting, rows);
	for (size_t i = 0; i < count && i < WORDS_MAX; i++) {
		for (size_t at = 0; at < setting->investor_count; at++) {
			if (strcmp(setting->investors[at].name, rows[i].cells[INVESTOR]) != 0)
				continue;
			truth[0][truth_counts[0]++] = at;
			if (!setting->is_known[at])
				truth[1][truth_counts[1]++] = at;
			break;
		}
	}
	for (int is_new = 0; is_new < 2; is_new++)
		judge(setting, truth[is_new], truth_counts[is_new], is_new, tallies[is_new]);
}

int main(void)
{
	static struct setting setting;
	static struct tally tallies[2][METHOD_COUNT];
	size_t start = 0;

	if (!read_rows(&setting))
		return 0;
	make_investors(&setting);
	qsort(setting.after, setting.after_count, sizeof(struct row), by_round);
	for (size_t i = 1; i <= setting.after_count; i++) {
		if (i < setting.after_count &&
		    by_round(&setting.after[i - 1], &setting.after[i]) == 0)
			continue;
		play_round(&setting, &setting.after[start], i - start, tallies);
		start = i;
	}
	printf("%zu deals before %s, %zu investors\n", setting.before_count, SPLIT,
	       setting.investor_count);
	for (int is_new = 0; is_new < 2; is_new++) {
		printf("\n%s, %zu rounds\n\n| ranked by | MRR | in the first 10 | found in 50 |\n"
		       "|---|---|---|---|\n",
		       is_new ? "Only investors new to the company" : "All investors",
		       tallies[is_new][0].round_count);
		for (int method = 0; method < METHOD_COUNT; method++) {
			const struct tally *tally = &tallies[is_new][method];
			double rounds = (double)tally->round_count;
			printf("| %-32s | %.3f | %.3f | %.3f |\n", method_names[method],
			       tally->reciprocal / rounds, tally->hits / rounds,
			       tally->recall / rounds);
		}
	}
	return 0;
}
