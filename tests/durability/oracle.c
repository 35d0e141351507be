/* What a log has to hold, and the comparison with what it holds. */
#include "oracle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/rng.h"

enum fate { KEPT = 0, MAY_GO = 1, GONE = 2 };

struct comparison {
	struct oracle *oracle;
	struct verdict *verdict;
	uint8_t *is_seen; /* by sequence */
	struct buf subject;
	struct buf record;
};

void oracle_fini(struct oracle *oracle)
{
	free(oracle->fates);
	*oracle = (struct oracle){0};
}

void oracle_record(uint64_t seq, struct buf *ret_subject, struct buf *ret_record)
{
	struct rng rng;
	rng_init(&rng, seq);
	buf_add_format(ret_subject, "load.v1.Thing.s%" PRIu64, rng_below(&rng, 23));
	buf_add_format(ret_record, "record %" PRIu64 " ", seq);
	/* Runs of zeros, too: they are what an unwritten sector looks like. */
	size_t len = (size_t)rng_below(&rng, 400);
	bool with_zeros = rng_below(&rng, 4) == 0;
	for (size_t i = 0; i < len; i++)
		buf_add_byte(ret_record, with_zeros && i % 64 > 8 ? 0 : (uint8_t)rng_next(&rng));
}

static void make_fates(struct oracle *oracle, uint64_t seq)
{
	if (seq < oracle->fate_cap)
		return;
	size_t cap = (size_t)(seq + 1) * 2;
	oracle->fates = realloc(oracle->fates, cap);
	ensure(oracle->fates);
	memset(oracle->fates + oracle->fate_cap, KEPT, cap - oracle->fate_cap);
	oracle->fate_cap = cap;
}

void oracle_note(struct oracle *oracle, const char *line)
{
	char verb[16];
	uint64_t seq;
	if (sscanf(line, "%15s %" SCNu64, verb, &seq) != 2) {
		fprintf(stderr, "not a note: \"%s\"\n", line);
		abort();
	}
	make_fates(oracle, seq);
	if (strcmp(verb, "issue") == 0)
		oracle->issued_seq = seq;
	else if (strcmp(verb, "ack") == 0)
		oracle->acked_seq = seq;
	else if (strcmp(verb, "removing") == 0)
		oracle->fates[seq] = oracle->fates[seq] == GONE ? GONE : MAY_GO;
	else if (strcmp(verb, "removed") == 0)
		oracle->fates[seq] = GONE;
	else if (strcmp(verb, "meta") == 0)
		oracle->meta = seq;
	else if (strcmp(verb, "meta-ack") == 0)
		oracle->meta_acked = seq;
	else
		abort();
}

static void complain(struct verdict *verdict, const char *what, uint64_t seq)
{
	if (verdict->text[0] == '\0')
		snprintf(verdict->text, sizeof(verdict->text), "%s: sequence %" PRIu64, what, seq);
}

static bool compare_record(uint64_t seq, struct span subject, struct span record, void *arg)
{
	struct comparison *comparison = arg;
	struct oracle *oracle = comparison->oracle;
	struct verdict *verdict = comparison->verdict;
	buf_clear(&comparison->subject);
	buf_clear(&comparison->record);
	oracle_record(seq, &comparison->subject, &comparison->record);
	bool is_equal =
		span_equal(subject, span_of(comparison->subject.data, comparison->subject.len)) &&
		span_equal(record, span_of(comparison->record.data, comparison->record.len));
	if (seq > oracle->issued_seq || !is_equal) {
		complain(verdict, "not what was appended", seq);
		verdict->wrong++;
		return true;
	}
	if (oracle->fates[seq] == GONE) {
		complain(verdict, "removed, but there again", seq);
		verdict->wrong++;
	}
	comparison->is_seen[seq] = 1;
	return true;
}

static void compare_all(struct comparison *comparison, bool learn)
{
	struct oracle *oracle = comparison->oracle;
	struct verdict *verdict = comparison->verdict;
	for (uint64_t seq = 1; seq <= oracle->acked_seq; seq++) {
		bool is_seen = comparison->is_seen[seq];
		if (oracle->fates[seq] != KEPT) {
			if (learn && oracle->fates[seq] == MAY_GO)
				oracle->fates[seq] = is_seen ? KEPT : GONE;
			continue;
		}
		verdict->acknowledged++;
		verdict->recovered += is_seen;
		if (!is_seen) {
			complain(verdict, "acknowledged, but lost", seq);
			verdict->lost++;
		}
	}
}

static void compare_meta(struct comparison *comparison, struct store *store, bool learn)
{
	struct oracle *oracle = comparison->oracle;
	struct buf value = {0};
	enum lyc_status status = store_get_meta(store, "position", &value);
	uint64_t found = status == LYC_OK ? strtoull(buf_text(&value), NULL, 10) : 0;
	if ((status != LYC_OK && status != LYC_NOT_FOUND) || found < oracle->meta_acked ||
	    found > oracle->meta) {
		complain(comparison->verdict, "the value put last is lost", oracle->meta_acked);
		comparison->verdict->wrong++;
	}
	if (learn)
		oracle->meta = oracle->meta_acked = found;
	buf_fini(&value);
}

void oracle_compare(struct oracle *oracle, const char *folder, uint64_t segment_len, bool learn,
		    struct verdict *verdict)
{
	/* Nothing will cut the power here, so the comparison need not sync. */
	struct store_options options = {
		.folder = folder, .segment_len = segment_len, .without_sync = true};
	struct store *store = NULL;
	struct lyc_error error = {0};
	struct store_stats stats;
	uint64_t next;
	make_fates(oracle, oracle->issued_seq + 1);
	struct comparison comparison = {.oracle = oracle,
					.verdict = verdict,
					.is_seen = calloc((size_t)oracle->issued_seq + 2, 1)};
	ensure(comparison.is_seen);
	verdict->runs++;
	enum lyc_status status = store_open(&options, &store, &error);
	if (status == LYC_OK)
		status = store_read(store, 1, SIZE_MAX, SIZE_MAX, compare_record, &comparison,
				    &next, &error);
	compare_all(&comparison, learn && status == LYC_OK);
	if (status != LYC_OK) {
		verdict->unopened++;
		if (verdict->text[0] == '\0')
			snprintf(verdict->text, sizeof(verdict->text), "%s", error.text);
	} else {
		compare_meta(&comparison, store, learn);
		store_stats(store, &stats);
		/* A sequence is never given twice. */
		if (stats.last_seq < oracle->acked_seq) {
			complain(verdict, "the last sequence went back", stats.last_seq);
			verdict->wrong++;
		}
		if (learn)
			oracle->issued_seq = oracle->acked_seq = stats.last_seq;
	}
	store_close(store);
	free(comparison.is_seen);
	buf_fini(&comparison.subject);
	buf_fini(&comparison.record);
}
