/* A list of subjects with whom they have reached; of one at a time the last record is read. */
#include "stream/overtaken.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "log.h"
#include "stream/scan.h"

#define LOG_TOPIC "stream"

struct overtaken {
	struct stream *stream;
	char *subject;
	struct buf label; /* whom its lost records have reached */
	uint64_t last_seq;
	struct buf record; /* what is to be appended */
	struct overtaken *next;
};

static struct span subject_of(const struct overtaken *overtaken)
{
	return span_of(overtaken->subject, strlen(overtaken->subject));
}

static struct overtaken *find(const struct stream *stream, struct span subject)
{
	struct overtaken *overtaken = stream->overtaken;
	while (overtaken && !span_equal(subject, subject_of(overtaken)))
		overtaken = overtaken->next;
	return overtaken;
}

static void put_last(struct stream *stream, struct overtaken *overtaken)
{
	struct overtaken **end = &stream->overtaken;
	while (*end)
		end = &(*end)->next;
	overtaken->next = NULL;
	*end = overtaken;
}

void overtaken_add(struct stream *stream, const struct record *record)
{
	struct buf reach = {0};
	struct overtaken *overtaken = find(stream, record->subject);
	if (record->removed)
		return;
	if (overtaken) {
		stream_write_both(&reach, span_of(overtaken->label.data, overtaken->label.len),
				  stream_label_or_members(record->label));
		buf_fini(&overtaken->label);
		overtaken->label = reach;
		return;
	}
	char *subject = mem_dup_try((const char *)record->subject.data, record->subject.len);
	if (!subject)
		return; /* it is given again at the next connection */
	overtaken = mem_new(struct overtaken);
	overtaken->stream = stream;
	overtaken->subject = subject;
	struct span label = stream_label_or_members(record->label);
	buf_add(&overtaken->label, label.data, label.len);
	put_last(stream, overtaken);
}

static void free_one(struct overtaken *overtaken)
{
	free(overtaken->subject);
	buf_fini(&overtaken->label);
	buf_fini(&overtaken->record);
	free(overtaken);
}

void overtaken_fini(struct stream *stream)
{
	while (stream->overtaken) {
		struct overtaken *overtaken = stream->overtaken;
		stream->overtaken = overtaken->next;
		free_one(overtaken);
	}
}

/* The one at the front is done, or the others come first. */
static void settle(struct stream *stream, bool is_done)
{
	struct overtaken *overtaken = stream->overtaken;
	stream->overtaken = overtaken->next;
	if (is_done)
		free_one(overtaken);
	else
		put_last(stream, overtaken);
}

/* Does what stands here reach all whom the lost one reached, by its label or by its former one? */
static bool reaches(struct span standing, struct span lost)
{
	struct label of_standing;
	struct label of_lost;
	return label_read(standing, &of_standing) == LYC_OK &&
	       label_read(lost, &of_lost) == LYC_OK && !policy_is_narrower(&of_standing, &of_lost);
}

static bool take(uint64_t seq, const struct record *record, size_t len, void *arg)
{
	struct overtaken *overtaken = arg;
	struct span lost = span_of(overtaken->label.data, overtaken->label.len);
	struct span standing =
		stream_label_or_members(record->former.len > 0 ? record->former : record->label);
	(void)len;
	/* One that was given back itself says already whom it reached. */
	if (seq != overtaken->last_seq || record->origin.len > 0 || record->was.epoch > 0 ||
	    reaches(standing, lost))
		return false;
	struct record again = *record;
	struct buf reach = {0};
	stream_write_both(&reach, standing, lost);
	if (record->removed)
		again.label = span_of(reach.data, reach.len);
	else
		again.former = span_of(reach.data, reach.len);
	record_write(&overtaken->record, &again);
	buf_fini(&reach);
	return false;
}

static void appended(enum lyc_status status, uint64_t seq, const char *text, void *arg)
{
	struct overtaken *overtaken = arg;
	struct stream *stream = overtaken->stream;
	(void)text;
	stream->is_reading_overtaken = false;
	if (status == LYC_OK)
		log_notice("a record is appended again, for whom its key had reached before",
			   "subject", overtaken->subject, "seq", log_number(seq));
	settle(stream, status == LYC_OK);
}

/* Has nothing else been appended, or is on its way? */
static bool still_stands(const struct overtaken *overtaken)
{
	const struct stream *stream = overtaken->stream;
	const struct subject_note *note = subjects_find(&stream->subjects, subject_of(overtaken));
	return (!note || note->pending == 0) &&
	       stream->env->last_of(stream->env->world, subject_of(overtaken)) ==
		       overtaken->last_seq;
}

static void read_done(enum lyc_status status, uint64_t next_seq, void *arg)
{
	struct overtaken *overtaken = arg;
	struct stream *stream = overtaken->stream;
	struct record record;
	struct lyc_error error;
	(void)next_seq;
	bool is_told = status == LYC_OK && still_stands(overtaken);
	bool has_record = is_told && overtaken->record.len > 0 &&
			  record_read(span_of(overtaken->record.data, overtaken->record.len),
				      &record) == LYC_OK;
	if (has_record && !stream->is_ending &&
	    stream_append_record(stream, &record, appended, overtaken, &error) == LYC_OK)
		return;
	stream->is_reading_overtaken = false;
	settle(stream, is_told && !has_record);
}

void overtaken_tick(struct stream *stream)
{
	struct overtaken *overtaken = stream->overtaken;
	if (!overtaken || stream->is_reading_overtaken || stream->is_ending)
		return;
	buf_clear(&overtaken->record);
	overtaken->last_seq = stream->env->last_of(stream->env->world, subject_of(overtaken));
	if (overtaken->last_seq == 0 || !still_stands(overtaken)) {
		settle(stream, overtaken->last_seq == 0);
		return;
	}
	stream->is_reading_overtaken = true;
	scan_read(stream, overtaken->last_seq, overtaken->subject, take, read_done, overtaken);
}
