/* The sealed segments' figures, marks and subjects in one file with a CRC-32C. Little endian. */
#include "store/digest.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "store/figures.h"

#define NAME "sealed"
#define MAGIC "LYCSEAL\n"
#define HEAD_LEN 24
#define CRC_LEN 4
#define SEGMENT_FIGURES_LEN 64
#define SUBJECT_FIGURES_LEN 14

static void put_segment(struct buf *to, const struct segment *segment)
{
	figures_add(to, segment->first_seq, 8);
	figures_add(to, segment->salt, 8);
	figures_add(to, segment->generation, 8);
	figures_add(to, segment->len, 8);
	figures_add(to, segment->last_seq, 8);
	figures_add(to, segment->first_kept_seq, 8);
	figures_add(to, segment->record_count, 8);
	figures_add(to, segment->mark_count, 8);
	for (size_t i = 0; i < segment->mark_count; i++) {
		figures_add(to, segment->marks[i].seq, 4);
		figures_add(to, segment->marks[i].offset, 4);
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
		figures_add(to, entry->last_seq, 8);
		figures_add(to, sealed_count, 4);
		figures_add(to, name.len, 2);
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
	figures_add(&out, sealed_count, 8);
	figures_add(&out, 0, 8);
	for (size_t i = 0; i < sealed_count; i++)
		put_segment(&out, store->segments[i]);
	uint64_t subject_count = put_subjects(&out, store);
	if (!out.has_failed) {
		figures_put(out.data + 16, subject_count, 8);
		figures_add(&out, crc32c(0, out.data, out.len), CRC_LEN);
	}
	if (!out.has_failed && segment_folder_replace(&store->folder, store->folder.fd, NAME,
						      span_of(out.data, out.len), NULL) == LYC_OK)
		store->digest_count = sealed_count;
	buf_fini(&out);
}

/* Is this the segment that the figures are of? */
static bool fits(const struct segment *segment, uint64_t next_seq, struct figures figures)
{
	struct stat stat;
	return segment->format == SEGMENT_FORMAT && !segment->is_header_damaged &&
	       figures_next(&figures, 8) == segment->first_seq &&
	       figures_next(&figures, 8) == segment->salt &&
	       figures_next(&figures, 8) == segment->generation && fstat(segment->fd, &stat) == 0 &&
	       figures_next(&figures, 8) <= (uint64_t)stat.st_size &&
	       figures_next(&figures, 8) == next_seq - 1;
}

static bool take_segment(struct segment *segment, struct figures *figures)
{
	figures->at += 24;
	segment->len = figures_next(figures, 8);
	segment->last_seq = figures_next(figures, 8);
	segment->first_kept_seq = figures_next(figures, 8);
	segment->record_count = figures_next(figures, 8);
	size_t mark_count = (size_t)figures_next(figures, 8);
	if (!segment_reserve_marks(segment, mark_count))
		return false;
	for (size_t i = 0; i < mark_count; i++) {
		segment->marks[i].seq = (uint32_t)figures_next(figures, 4);
		segment->marks[i].offset = (uint32_t)figures_next(figures, 4);
	}
	segment->mark_count = mark_count;
	return true;
}

/* All of the file's segments have to be the first ones of the folder. */
static bool fit_all(const struct store *store, struct figures figures, uint64_t count)
{
	if (count >= store->segment_count)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		if (!fits(store->segments[i], store->segments[i + 1]->first_seq, figures))
			return false;
		figures.at += SEGMENT_FIGURES_LEN - 8;
		figures.at += 8 * figures_next(&figures, 8);
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
	struct figures figures = {.at = content->data + 8};
	uint64_t segment_count = figures_next(&figures, 8);
	uint64_t subject_count = figures_next(&figures, 8);
	if (!fit_all(store, figures, segment_count))
		return 0;
	bool has_memory =
		subject_index_reserve(&store->subjects, (size_t)subject_count,
				      content->len - (size_t)subject_count * SUBJECT_FIGURES_LEN);
	for (size_t i = 0; i < segment_count && has_memory; i++)
		has_memory = take_segment(store->segments[i], &figures);
	for (uint64_t i = 0; i < subject_count && has_memory; i++) {
		uint64_t seq = figures_next(&figures, 8);
		uint32_t count = (uint32_t)figures_next(&figures, 4);
		size_t len = (size_t)figures_next(&figures, 2);
		has_memory =
			subject_index_add(&store->subjects, span_of(figures.at, len), seq, count);
		figures.at += len;
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
		size_t len = content.len - CRC_LEN;
		if (figures_get(content.data + len, CRC_LEN) == crc32c(0, content.data, len))
			count = take(store, &content);
	}
	buf_fini(&content);
	/* One that is of no use is in the way of none: the next one replaces it. */
	store->digest_count = count;
	if (count == 0)
		unlinkat(store->folder.fd, NAME, 0);
	return count;
}
