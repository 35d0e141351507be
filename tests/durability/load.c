/* The load: what it does next follows from its seed; what it appends, from the sequence. */
#include "load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ensure.h"
#include "base/rng.h"
#include "oracle.h"
#include "store/store.h"

#define MAX_BATCH 24
#define MAX_REMOVED 12

struct load {
	const struct load_options *options;
	struct store *store;
	struct rng rng;
	struct lyc_error error;
	uint64_t meta;
};

static void note(const struct load *load, const char *verb, uint64_t seq)
{
	char line[48];
	snprintf(line, sizeof(line), "%s %" PRIu64, verb, seq);
	load->options->note(line);
}

static uint64_t last_seq(const struct load *load)
{
	struct store_stats stats;
	store_stats(load->store, &stats);
	return stats.last_seq;
}

static enum lyc_status append(struct load *load)
{
	struct store_item items[MAX_BATCH] = {0};
	struct buf subjects[MAX_BATCH] = {0};
	struct buf records[MAX_BATCH] = {0};
	size_t count = 1 + (size_t)rng_below(&load->rng, MAX_BATCH);
	uint64_t last = last_seq(load);
	for (size_t i = 0; i < count; i++) {
		oracle_record(last + 1 + i, &subjects[i], &records[i]);
		items[i].subject = span_of(subjects[i].data, subjects[i].len);
		items[i].record = span_of(records[i].data, records[i].len);
	}
	note(load, "issue", last + count);
	enum lyc_status status = store_append(load->store, items, count, &load->error);
	for (size_t i = 0; i < count; i++) {
		if (status == LYC_OK)
			ensure(items[i].ret_status == LYC_OK && items[i].ret_seq == last + 1 + i);
		buf_fini(&subjects[i]);
		buf_fini(&records[i]);
	}
	if (status == LYC_OK)
		note(load, "ack", last + count);
	return status;
}

/* A few at random, or the oldest ones as retention does. */
static enum lyc_status remove_some(struct load *load)
{
	uint64_t seqs[300];
	size_t count = 0;
	uint64_t last = last_seq(load);
	if (last == 0)
		return LYC_OK;
	if (rng_below(&load->rng, 3) == 0) {
		struct store_stats stats;
		store_stats(load->store, &stats);
		for (uint64_t seq = stats.first_seq; seq > 0 && seq <= last && count < 300; seq++)
			seqs[count++] = seq;
	} else {
		size_t want = 1 + (size_t)rng_below(&load->rng, MAX_REMOVED);
		while (count < want)
			seqs[count++] = 1 + rng_below(&load->rng, last);
	}
	for (size_t i = 0; i < count; i++)
		note(load, "removing", seqs[i]);
	enum lyc_status status = store_remove(load->store, seqs, count, &load->error);
	for (size_t i = 0; i < count && status == LYC_OK; i++)
		note(load, "removed", seqs[i]);
	return status;
}

struct stale {
	struct store *store;
	uint64_t *seqs;
	size_t count;
};

static bool list_stale(uint64_t seq, struct span subject, struct span record, void *arg)
{
	struct stale *stale = arg;
	(void)record;
	if (store_last_of(stale->store, subject) != seq)
		stale->seqs[stale->count++] = seq;
	return true;
}

/* All but the last of each subject, as retention does. */
static enum lyc_status compact(struct load *load)
{
	uint64_t next;
	struct stale stale = {load->store, calloc((size_t)last_seq(load) + 1, sizeof(uint64_t)), 0};
	ensure(stale.seqs);
	enum lyc_status status = store_read(load->store, 1, SIZE_MAX, SIZE_MAX, list_stale, &stale,
					    &next, &load->error);
	for (size_t i = 0; i < stale.count && status == LYC_OK; i++)
		note(load, "removing", stale.seqs[i]);
	if (status == LYC_OK)
		status = store_remove(load->store, stale.seqs, stale.count, &load->error);
	for (size_t i = 0; i < stale.count && status == LYC_OK; i++)
		note(load, "removed", stale.seqs[i]);
	free(stale.seqs);
	return status;
}

static enum lyc_status put_meta(struct load *load)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRIu64, ++load->meta);
	note(load, "meta", load->meta);
	enum lyc_status status =
		store_put_meta(load->store, "position", span_of(text, (size_t)len), &load->error);
	if (status == LYC_OK)
		note(load, "meta-ack", load->meta);
	return status;
}

static enum lyc_status open_log(struct load *load)
{
	struct store_options options = {.folder = load->options->folder,
					.segment_len = LOAD_SEGMENT_LEN,
					.without_sync = load->options->without_sync};
	return store_open(&options, &load->store, &load->error);
}

static enum lyc_status step(struct load *load)
{
	uint64_t choice = rng_below(&load->rng, 100);
	if (choice < 88)
		return append(load);
	if (choice < 93)
		return remove_some(load);
	if (choice < 94)
		return compact(load);
	if (choice < 99)
		return put_meta(load);
	store_close(load->store);
	load->store = NULL;
	return open_log(load);
}

int load_run(const struct load_options *options)
{
	struct load load = {.options = options};
	struct buf value = {0};
	rng_init(&load.rng, options->seed);
	enum lyc_status status = open_log(&load);
	if (status == LYC_OK && store_get_meta(load.store, "position", &value) == LYC_OK)
		load.meta = strtoull(buf_text(&value), NULL, 10);
	for (uint64_t i = 0; status == LYC_OK && (options->steps == 0 || i < options->steps); i++)
		status = step(&load);
	if (status != LYC_OK)
		fprintf(stderr, "the load ended: %s\n", load.error.text);
	store_close(load.store);
	buf_fini(&value);
	return status != LYC_OK;
}
