/* Reading a log as a whole. */
#include "book.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "damage.h"
#include "reader.h"

static bool take_record(uint64_t seq, struct span subject, struct span bytes, void *arg)
{
	struct book *book = arg;
	(void)subject;
	size_t count = (size_t)reader_place(seq);
	ensure(count > book->count);
	book->bytes = realloc(book->bytes, count * sizeof(*book->bytes));
	ensure(book->bytes != NULL);
	memset(book->bytes + book->count, 0, (count - book->count) * sizeof(*book->bytes));
	book->count = count;
	buf_add(&book->bytes[count - 1], bytes.data, bytes.len);
	return true;
}

static bool take_lost(uint64_t seq, struct span subject, struct span details, void *arg)
{
	struct book *book = arg;
	(void)seq;
	(void)subject;
	(void)details;
	book->has_lost = true;
	return true;
}

bool book_read(struct sim *sim, struct sim_node *node, struct book *book)
{
	uint64_t from = 1;
	uint64_t next = 1;
	struct store_stats stats;
	struct lyc_error error = {0};
	store_stats(node->store, &stats);
	book->epoch = stats.epoch;
	do {
		from = next;
		if (store_read_all(node->store, from, 100000, SIZE_MAX / 2, take_record, take_lost,
				   book, &next, &error) != LYC_OK) {
			sim_broken(sim, PROMISE_DURABLE, "the log of %s: %s", node->name,
				   error.text);
			return false;
		}
	} while (next > from && next <= stats.last_seq);
	book->records = mem_get((book->count + 1) * sizeof(*book->records));
	memset(book->records, 0, (book->count + 1) * sizeof(*book->records));
	/* What retention has taken is judged by what was acknowledged. */
	bool may_miss = sim->has_retention || sim->has_erasure || node->restore_count > 0;
	for (size_t i = 0; i < book->count; i++) {
		const struct buf *bytes = &book->bytes[i];
		if (bytes->len == 0 && (may_miss || damage_is_named(node, i + 1)))
			continue;
		if (bytes->len == 0 ||
		    record_read(span_of(bytes->data, bytes->len), &book->records[i]) != LYC_OK) {
			sim_broken(sim, PROMISE_DURABLE, "record %zu of %s cannot be read", i + 1,
				   node->name);
			return false;
		}
	}
	return true;
}

void book_free(struct book *book)
{
	for (size_t i = 0; i < book->count; i++)
		buf_fini(&book->bytes[i]);
	free(book->bytes);
	free(book->records);
}
