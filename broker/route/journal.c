/* Two rings of entries that lie in one piece each. */
#include "route/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pb.h"

#define NUMBERS_KEY "refusals"
/* So many numbers are taken out of use at once. */
#define NUMBERS_STEP 1000
#define TEXTS 6

/* An entry as it lies in a ring, its texts behind it. */
struct kept {
	uint32_t len;
	uint8_t text_lens[TEXTS];
	struct journal_entry entry; /* its spans have no meaning here */
};

static void texts_of(struct journal_entry *entry, struct span *texts[TEXTS])
{
	struct span *const all[TEXTS] = {&entry->from, &entry->principal, &entry->subject,
					 &entry->to,   &entry->text,      &entry->field};
	memcpy(texts, all, sizeof(all));
}

void journal_init(struct journal *journal, const struct env *env, size_t max_len)
{
	*journal = (struct journal){.env = env, .next_number = NUMBERS_STEP + 1};
	/* The memory comes with the first entry. */
	journal->traced.cap = max_len / 2;
	journal->refused.cap = max_len / 2;
	struct buf saved = {0};
	env->load(env->world, NUMBERS_KEY, &saved);
	struct pb_reader reader = pb_reader_of(span_of(saved.data, saved.len));
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1 && field.wire == PB_VARINT)
			journal->next_number = field.value + 1;
	}
	journal->kept_number = journal->next_number;
	buf_fini(&saved);
}

void journal_fini(struct journal *journal)
{
	free(journal->traced.bytes);
	free(journal->refused.bytes);
	journal->traced.bytes = NULL;
	journal->refused.bytes = NULL;
}

/* ---- The ring ---- */

static uint32_t len_at(const struct ring *ring, size_t at)
{
	uint32_t len;
	memcpy(&len, ring->bytes + at, sizeof(len));
	return len;
}

static void drop_first(struct ring *ring)
{
	ring->first += len_at(ring, ring->first);
	ring->count--;
	if (ring->end > 0 && ring->first == ring->end) {
		ring->first = 0;
		ring->end = 0;
	}
	if (ring->count == 0)
		ring->first = ring->next = ring->end = 0;
}

/* Room for so many bytes in one piece; NULL when it is more than the whole. */
static uint8_t *make_room(struct ring *ring, uint32_t len)
{
	if (len > ring->cap)
		return NULL;
	if (!ring->bytes) {
		ring->bytes = mem_try(ring->cap);
		if (!ring->bytes)
			return NULL;
	}
	for (;;) {
		bool has_come_round = ring->end > 0;
		size_t until = has_come_round ? ring->first : ring->cap;
		if (until - ring->next >= len)
			break;
		if (has_come_round) {
			drop_first(ring);
		} else if (ring->first == 0) {
			/* All of it lies before `next`: what is oldest goes first. */
			drop_first(ring);
		} else {
			ring->end = ring->next;
			ring->next = 0;
		}
	}
	uint8_t *room = ring->bytes + ring->next;
	ring->next += len;
	ring->count++;
	return room;
}

static void keep(struct ring *ring, const struct journal_entry *entry)
{
	struct kept kept = {.entry = *entry, .len = sizeof(kept)};
	struct span *texts[TEXTS];
	texts_of(&kept.entry, texts);
	for (size_t i = 0; i < TEXTS; i++) {
		size_t len = texts[i]->len;
		kept.text_lens[i] = (uint8_t)(len < JOURNAL_MAX_TEXT ? len : JOURNAL_MAX_TEXT);
		kept.len += kept.text_lens[i];
	}
	kept.len = (kept.len + 7) & ~7u;
	uint8_t *to = make_room(ring, kept.len);
	if (!to)
		return;
	memcpy(to, &kept, sizeof(kept));
	to += sizeof(kept);
	for (size_t i = 0; i < TEXTS; i++) {
		if (kept.text_lens[i] > 0)
			memcpy(to, texts[i]->data, kept.text_lens[i]);
		to += kept.text_lens[i];
	}
}

/* Numbers of a former life do not come again. */
static uint64_t take_number(struct journal *journal)
{
	uint64_t number = journal->next_number++;
	if (journal->next_number > journal->kept_number) {
		struct buf saved = {0};
		journal->kept_number = number - number % NUMBERS_STEP + NUMBERS_STEP;
		pb_write_uint(&saved, 1, journal->kept_number);
		journal->env->save(journal->env->world, NUMBERS_KEY,
				   span_of(saved.data, saved.len));
		buf_fini(&saved);
	}
	return number;
}

uint64_t journal_add(struct journal *journal, struct journal_entry *entry)
{
	bool is_refusal = entry->event == JOURNAL_REFUSED;
	struct ring *ring = is_refusal ? &journal->refused : &journal->traced;
	if (is_refusal && journal->rule)
		entry->rule = journal->rule;
	journal->rule = RULE_NONE;
	if (ring->cap == 0)
		return 0;
	entry->time_ms = journal->env->wall_ms(journal->env->world);
	entry->number = is_refusal ? take_number(journal) : 0;
	keep(ring, entry);
	return entry->number;
}

static bool walk(const struct ring *ring, journal_fn fn, void *arg)
{
	size_t at = ring->first;
	for (size_t i = 0; i < ring->count; i++) {
		struct kept kept;
		struct span *texts[TEXTS];
		if (ring->end > 0 && at == ring->end)
			at = 0;
		memcpy(&kept, ring->bytes + at, sizeof(kept));
		const uint8_t *from = ring->bytes + at + sizeof(kept);
		texts_of(&kept.entry, texts);
		for (size_t j = 0; j < TEXTS; j++) {
			*texts[j] = span_of(from, kept.text_lens[j]);
			from += kept.text_lens[j];
		}
		if (!fn(&kept.entry, arg))
			return false;
		at += kept.len;
	}
	return true;
}

static bool keep_again(const struct journal_entry *entry, void *arg)
{
	keep(arg, entry);
	return true;
}

static void resize(struct ring *ring, size_t cap)
{
	struct ring old = *ring;
	if (cap == old.cap)
		return;
	*ring = (struct ring){.cap = cap};
	walk(&old, keep_again, ring);
	free(old.bytes);
}

void journal_resize(struct journal *journal, size_t max_len)
{
	resize(&journal->traced, max_len / 2);
	resize(&journal->refused, max_len / 2);
}

void journal_each(const struct journal *journal, journal_fn fn, void *arg)
{
	if (walk(&journal->traced, fn, arg))
		walk(&journal->refused, fn, arg);
}
