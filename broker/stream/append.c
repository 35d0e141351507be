/*
 * Records that this daemon makes, on their way to the log. The order of what happens after the
 * sync: the stream learns of the record, then whoever had it appended.
 */
#include "stream/append.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "lyceum/v1/label.pb-c.h"
#include "stream/publish_journal.h"
#include "stream/retention_rule.h"
#include "stream/trimmed.h"

/* How many, and of which length, are kept for the next records. */
#define SPARE_MAX_COUNT 2048
#define SPARE_MAX_LEN 2048

void append_acknowledge(struct stream *stream, struct session *session, uint64_t id,
			enum lyc_status status, const struct lyc_error *error, uint64_t seq,
			uint64_t refusal)
{
	if (id == 0)
		return;
	struct packet packet = {.kind = PACKET_ACK};
	packet.ack = (struct packet_ack){
		.id = id, .status = (uint32_t)status, .seq = seq, .refusal = refusal};
	if (status != LYC_OK) {
		packet.ack.text = span_of(error->text, strlen(error->text));
		packet.ack.field = span_of(error->field, strlen(error->field));
	}
	session_send(stream->sessions, session, &packet);
}

/* What the journal hears of it; returns a refusal's number. */
static uint64_t note_append(const struct stream_append *append, const struct session *session,
			    const struct lyc_error *error)
{
	struct record record;
	struct stream *stream = append->stream;
	const struct append *base = &append->base;
	bool is_refused = base->status != LYC_OK;
	if ((!is_refused && append->parent_span == 0) ||
	    record_read(span_of(base->record.data, base->record.len), &record) != LYC_OK)
		return 0;
	size_t name_len = 0;
	const struct publish_origin from = {
		.session = session,
		.principal = record.principal,
		.subject = record.subject,
		.message = types_of_subject(stream->types, record.subject, &name_len),
		.trace = record.trace,
		.parent_span = append->parent_span,
		.begun_ms = append->begun_ms,
	};
	if (!is_refused) {
		publish_journal_done(stream, &from, base->seq);
		return 0;
	}
	journal_because(stream->journal,
			base->status == LYC_FAILED_PRECONDITION ? RULE_EXPECTATION : RULE_DISK);
	return publish_journal_refused(stream, &from, error);
}

static void dispose(struct stream_append *append)
{
	buf_fini(&append->base.subject);
	buf_fini(&append->base.record);
	free(append);
}

void append_free(struct stream_append *append)
{
	struct stream *stream = append->stream;
	if (stream->spare_append_count >= SPARE_MAX_COUNT ||
	    append->base.record.cap > SPARE_MAX_LEN) {
		dispose(append);
		return;
	}
	append->base.next = stream->spare_appends;
	stream->spare_appends = &append->base;
	stream->spare_append_count++;
}

void append_fini(struct stream *stream)
{
	while (stream->spare_appends) {
		struct append *next = stream->spare_appends->next;
		dispose((struct stream_append *)stream->spare_appends);
		stream->spare_appends = next;
	}
	stream->spare_append_count = 0;
}

static void commit(const struct stream_append *append)
{
	const struct append *base = &append->base;
	struct span bytes = span_of(base->record.data, base->record.len);
	struct record record;
	if (append->written.subject.len > 0)
		stream_committed(append->stream, base->seq, &append->written, bytes, append->note);
	else if (record_read(bytes, &record) == LYC_OK)
		stream_committed(append->stream, base->seq, &record, bytes, append->note);
	else
		subjects_settle(&append->stream->subjects, append->note);
}

static void append_done(struct append *base)
{
	struct stream_append *append = (struct stream_append *)base;
	struct stream *stream = append->stream;
	stream->appends_pending--;
	struct lyc_error error;
	error.status = base->status;
	error.text[0] = error.field[0] = '\0';
	if (base->status == LYC_OK) {
		commit(append);
	} else {
		snprintf(error.text, sizeof(error.text), "%s", base->text);
		subjects_settle(&stream->subjects, append->note);
	}
	if (append->session_serial) {
		stream->appends_len -= append_memory(append->packet_len);
		struct session *session =
			session_by_serial(stream->sessions, append->session_serial);
		if (session) {
			session->publishes_len -= append->packet_len;
			append_acknowledge(stream, session, append->publish_id, base->status,
					   &error, base->seq, note_append(append, session, &error));
		}
	}
	if (append->on_done)
		append->on_done(base->status, base->seq, base->text, append->arg);
	append_free(append);
}

/* All but its buffers, and what says nothing before it is set: the reason of a failure, and the
 * rest of a record. */
static void begin_anew(struct stream_append *append)
{
	struct append *base = &append->base;
	base->next = NULL;
	buf_clear(&base->subject);
	buf_clear(&base->record);
	base->has_expect = base->is_vital = false;
	base->expect_seq = base->seq = 0;
	base->status = LYC_OK;
	base->text[0] = '\0';
	append->note = NULL;
	append->written.subject = span_of(NULL, 0);
	append->session_serial = append->publish_id = 0;
	append->packet_len = 0;
	append->begun_ms = append->parent_span = 0;
	append->on_done = NULL;
	append->arg = NULL;
}

struct stream_append *append_new(struct stream *stream, struct span subject)
{
	struct stream_append *append = (struct stream_append *)stream->spare_appends;
	if (append) {
		stream->spare_appends = append->base.next;
		stream->spare_append_count--;
		begin_anew(append);
	} else {
		append = mem_new(struct stream_append);
	}
	append->stream = stream;
	append->base.on_done = append_done;
	buf_add(&append->base.subject, subject.data, subject.len);
	return append;
}

void append_start(struct stream *stream, struct stream_append *append)
{
	stream->appends_pending++;
	stream->env->append(stream->env->world, &append->base);
}

enum lyc_status append_write(struct stream_append *append, struct record *record,
			     struct lyc_error *error)
{
	struct stream *stream = append->stream;
	struct buf *to = &append->base.record;
	uint64_t now = stream->env->wall_ms(stream->env->world);
	if (now < stream->last_time_ms)
		now = stream->last_time_ms;
	stream->last_time_ms = now;
	record->time_ms = now;
	record->body_crc = crc32c(0, record->body.data, record->body.len);
	append->written = *record;
	if (!record_move(to, &append->written))
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "no memory for the record");
	if (to->len > RECORD_MAX_LEN)
		return error_set(
			error, LYC_INVALID_ARGUMENT,
			"the record has %zu bytes with its labels, and at most %d can travel",
			to->len, RECORD_MAX_LEN);
	return LYC_OK;
}

void append_write_visibility(struct buf *to, int visibility)
{
	pb_write_uint(to, 2, (uint64_t)visibility);
}

struct span append_members_label(void)
{
	static const uint8_t members[] = {2 << 3 | PB_VARINT, LYCEUM__V1__VISIBILITY__MEMBERS};
	return span_of(members, sizeof(members));
}

bool stream_is_private(struct span subject)
{
	static const char type[] = "lyceum.v1.KeyedCall";
	const size_t len = sizeof(type) - 1;
	return span_is(subject, TRIMMED_SUBJECT) ||
	       (subject.len >= len && memcmp(subject.data, type, len) == 0 &&
		(subject.len == len || subject.data[len] == '.'));
}

static void append_of_daemon(struct stream *stream, struct record *record, bool is_vital,
			     stream_done_fn on_done, void *arg)
{
	struct stream_append *append = append_new(stream, record->subject);
	if (record->principal.len == 0)
		record->principal = span_of(stream->name, strlen(stream->name));
	struct lyc_error error = {0};
	enum lyc_status status = append_write(append, record, &error);
	append->base.is_vital = is_vital;
	if (status == LYC_OK) {
		append->note = subjects_expect(&stream->subjects, record->subject, record->label);
		append->on_done = on_done;
		append->arg = arg;
		append_start(stream, append);
	} else {
		append_free(append);
		if (on_done)
			on_done(status, 0, error.text, arg);
	}
}

void stream_append_own(struct stream *stream, struct span subject, struct span body,
		       stream_done_fn on_done, void *arg)
{
	struct buf label = {0};
	append_write_visibility(&label, LYCEUM__V1__VISIBILITY__MEMBERS);
	struct record record = {
		.subject = subject, .body = body, .label = span_of(label.data, label.len)};
	append_of_daemon(stream, &record, false, on_done, arg);
	buf_fini(&label);
}

void stream_append_private(struct stream *stream, struct span subject, struct span body,
			   stream_done_fn on_done, void *arg)
{
	struct buf label = {0};
	append_write_visibility(&label, LYCEUM__V1__VISIBILITY__PRIVATE);
	struct record record = {
		.subject = subject, .body = body, .label = span_of(label.data, label.len)};
	/* What tells of a removal has to be taken on a full disk, too. */
	append_of_daemon(stream, &record, trimmed_is(&record), on_done, arg);
	buf_fini(&label);
}

void stream_append_erasure(struct stream *stream, struct span subject, struct span label,
			   struct span principal, stream_done_fn on_done, void *arg)
{
	struct record record = {.subject = subject,
				.label = label,
				.principal = principal,
				.removed = true,
				.erase = true};
	append_of_daemon(stream, &record, true, on_done, arg);
}

enum lyc_status stream_append_record(struct stream *stream, struct record *record,
				     stream_done_fn on_done, void *arg, struct lyc_error *error)
{
	struct stream_append *append = append_new(stream, record->subject);
	enum lyc_status status = append_write(append, record, error);
	if (status != LYC_OK) {
		append_free(append);
		return status;
	}
	append->note = subjects_expect(&stream->subjects, record->subject,
				       record->former.len > 0 ? record->former : record->label);
	append->on_done = on_done;
	append->arg = arg;
	append_start(stream, append);
	return LYC_OK;
}
