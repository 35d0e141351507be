/* The sealed segments' figures, marks and subjects in one file with a CRC-32C. Little endian. */
#include "store/digest.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"

#define NAME "sealed"
#define MAGIC "LYCSEAL\n"
#define HEAD_LEN 24
#define CRC_LEN 4
#define SEGMENT_FIGURES_LEN 64
#define SUBJECT_FIGURES_LEN 14

struct reader {
	const uint8_t *at;
};

static void put(struct buf *to, uint64_t value, int len)
{
	for (int i = 0; i < len; i++)
		buf_add_byte(to, (uint8_t)(value >> (8 * i)));
}

static uint64_t get(struct reader *reader, int len)
{
	uint64_t value = 0;
	for (int i = len - 1; i >= 0; i--)
		value = value << 8 | reader->at[i];
	reader->at += len;
	return value;
}

static void put_segment(struct buf *to, const struct segment *segment)
{
	put(to, segment->first_seq, 8);
	put(to, segment->salt, 8);
	put(to, segment->generation, 8);
	put(to, segment->len, 8);
	put(to, segment->last_seq, 8);
	put(to, segment->first_kept_seq, 8);
	put(to, segment->record_count, 8);
	put(to, segment->mark_count, 8);
	for (size_t i = 0; i < segment->mark_count; i++) {
		put(to, segment->marks[i].seq, 4);
		put(to, segment->marks[i].offset, 4);
	}
}

/* Those of the active segment are not its business: what is counted there is taken off. The last
 * sequence may be one of them, and is said again when that segment is read. */
static uint64_t put_subjects(struct buf *to, const struct store *store)
{
	uint64_t count = 0;
	for (size_t i = 0; i < store->subjects.cap; i++) {
		const struct subject_entry *entry = &store->subjects.entries[i];
		if (!entry->name)
			continue;
		struct span name = subject_entry_name(entry);
		const struct subject_entry *active =
			subject_index_find(&store->active_subjects, name);
		uint32_t sealed_count = entry->count - (active ? active->count : 0);
		if (sealed_count == 0)
			continue;
		put(to, entry->last_seq, 8);
		put(to, sealed_count, 4);
		put(to, name.len, 2);
		buf_add(to, name.data, name.len);
		count++;
	}
	return count;
}

enum lyc_status digest_drop(struct store *store, struct lyc_error *error)
{
	if (store->digest_count == 0)
		return LYC_OK;
	store->digest_count = 0;
	unlinkat(store->folder.fd, NAME, 0);
	return segment_folder_sync_names(&store->folder, error);
}

void digest_renew(struct store *store, size_t behind)
{
	size_t sealed_count = store->segment_count - 1;
	if (sealed_count == 0 || store->digest_count + behind > sealed_count)
		return;
	struct buf out = {0};
	buf_add(&out, MAGIC, 8);
	put(&out, sealed_count, 8);
	put(&out, 0, 8);
	for (size_t i = 0; i < sealed_count; i++)
		put_segment(&out, store->segments[i]);
	uint64_t subject_count = put_subjects(&out, store);
	if (!out.has_failed) {
		for (int i = 0; i < 8; i++)
			out.data[16 + i] = (uint8_t)(subject_count >> (8 * i));
		put(&out, crc32c(0, out.data, out.len), CRC_LEN);
	}
	if (!out.has_failed && segment_folder_replace(&store->folder, store->folder.fd, NAME,
						      span_of(out.data, out.len), NULL) == LYC_OK)
		store->digest_count = sealed_count;
	buf_fini(&out);
}

/* Is this the segment that the figures are of? */
static bool fits(const struct segment *segment, uint64_t next_seq, struct reader figures)
{
	struct stat stat;
	return segment->format == SEGMENT_FORMAT && !segment->is_header_damaged &&
	       get(&figures, 8) == segment->first_seq && get(&figures, 8) == segment->salt &&
	       get(&figures, 8) == segment->generation && fstat(segment->fd, &stat) == 0 &&
	       get(&figures, 8) <= (uint64_t)stat.st_size && get(&figures, 8) == next_seq - 1;
}

static bool take_segment(struct segment *segment, struct reader *reader)
{
	reader->at += 24;
	segment->len = get(reader, 8);
	segment->last_seq = get(reader, 8);
	segment->first_kept_seq = get(reader, 8);
	segment->record_count = get(reader, 8);
	size_t mark_count = (size_t)get(reader, 8);
	if (!segment_reserve_marks(segment, mark_count))
		return false;
	for (size_t i = 0; i < mark_count; i++) {
		segment->marks[i].seq = (uint32_t)get(reader, 4);
		segment->marks[i].offset = (uint32_t)get(reader, 4);
	}
	segment->mark_count = mark_count;
	return true;
}

/* All of the file's segments have to be the first ones of the folder. */
static bool fit_all(const struct store *store, struct reader reader, uint64_t count)
{
	if (count >= store->segment_count)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		if (!fits(store->segments[i], store->segments[i + 1]->first_seq, reader))
			return false;
		reader.at += SEGMENT_FIGURES_LEN - 8;
		reader.at += 8 * get(&reader, 8);
	}
	return true;
}

static void forget_figures(struct store *store, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct segment *segment = store->segments[i];
		segment->len = SEGMENT_HEADER_LEN;
		segment->last_seq = segment->first_seq - 1;
		segment->first_kept_seq = 0;
		segment->record_count = 0;
		segment->mark_count = 0;
	}
	subject_index_fini(&store->subjects);
}

/* The CRC has been checked, so lengths inside are as they were written. */
static size_t take(struct store *store, const struct buf *content)
{
	struct reader reader = {.at = content->data + 8};
	uint64_t segment_count = get(&reader, 8);
	uint64_t subject_count = get(&reader, 8);
	if (!fit_all(store, reader, segment_count))
		return 0;
	bool has_memory =
		subject_index_reserve(&store->subjects, (size_t)subject_count,
				      content->len - (size_t)subject_count * SUBJECT_FIGURES_LEN);
	for (size_t i = 0; i < segment_count && has_memory; i++)
		has_memory = take_segment(store->segments[i], &reader);
	for (uint64_t i = 0; i < subject_count && has_memory; i++) {
		uint64_t seq = get(&reader, 8);
		uint32_t count = (uint32_t)get(&reader, 4);
		size_t len = (size_t)get(&reader, 2);
		has_memory =
			subject_index_add(&store->subjects, span_of(reader.at, len), seq, count);
		reader.at += len;
	}
	if (has_memory)
		return (size_t)segment_count;
	forget_figures(store, (size_t)segment_count);
	return 0;
}

size_t digest_load(struct store *store)
{
	struct buf content = {0};
	size_t count = 0;
	if (segment_folder_load(&store->folder, store->folder.fd, NAME, &content, NULL) == LYC_OK &&
	    content.len >= HEAD_LEN + CRC_LEN && memcmp(content.data, MAGIC, 8) == 0) {
		struct reader reader = {.at = content.data + content.len - CRC_LEN};
		if (get(&reader, CRC_LEN) == crc32c(0, content.data, content.len - CRC_LEN))
			count = take(store, &content);
	}
	buf_fini(&content);
	/* One that is of no use is in the way of none: the next one replaces it. */
	store->digest_count = count;
	if (count == 0)
		unlinkat(store->folder.fd, NAME, 0);
	return count;
}
