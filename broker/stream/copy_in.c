/*
 * Records that another daemon made: checked like everything that enters, then appended as they are,
 * with the origin's position in them. How they come and which are asked for is node/link.h's.
 */
#include "base/error.h"
#include "stream/append.h"
#include "stream/genuine.h"
#include "wire/packet.h"
#include "wire/subject.h"

/* A copy comes from the home of its key, and from nobody else. */
static enum lyc_status check_copy_home(struct stream *stream, const struct record *record,
				       struct lyc_error *error)
{
	size_t name_len = 0;
	const struct schema_message *message =
		types_of_subject(stream->types, record->subject, &name_len);
	enum lyc_status status = genuine_check(stream->types, record, error);
	if (status != LYC_OK || !message || message->key_count == 0 ||
	    genuine_home(message, record->subject, name_len).len > 0)
		return status;
	/* The subject names no home: whoever came first is it, be it that his record is not yet
	 * known to be in the log. */
	const struct subject_note *note = subjects_find(&stream->subjects, record->subject);
	const char *home = origins_home(&stream->origins, note);
	bool is_own = !home && ((note && note->pending > 0) ||
				stream->env->last_of(stream->env->world, record->subject) > 0);
	if (is_own || (home && !span_is(record->origin, home)))
		return error_set(error, LYC_PERMISSION_DENIED, "'%.*s' is not the home of %.*s",
				 (int)record->origin.len, (const char *)record->origin.data,
				 (int)(record->subject.len < 120 ? record->subject.len : 120),
				 (const char *)record->subject.data);
	return LYC_OK;
}

enum lyc_status stream_append_copy(struct stream *stream, struct span bytes, stream_done_fn on_done,
				   void *arg, struct lyc_error *error)
{
	struct record record;
	if (record_read(bytes, &record) != LYC_OK || record.origin.len == 0 ||
	    record.origin_seq == 0 || !subject_is_valid(record.subject))
		return error_set(error, LYC_INVALID_ARGUMENT, "a copied record is malformed");
	if (span_is(record.origin, stream->name))
		return error_set(error, LYC_FAILED_PRECONDITION, "it is this daemon's own");
	if (stream_is_private(record.subject))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "a daemon keeps this record for itself");
	if (record.body.len > WIRE_MAX_BODY)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "a copied record's body has %zu bytes, and at most %d are allowed",
				 record.body.len, WIRE_MAX_BODY);
	size_t name_len = 0;
	const struct schema_message *message =
		types_of_record(stream->types, record.subject, record.schema, &name_len);
	enum lyc_status home_status = check_copy_home(stream, &record, error);
	if (home_status != LYC_OK)
		return home_status;
	/* Judged by the schema that it was written with; without that one it is kept as it is. */
	if (message && record.schema && schema_id(message->schema) != record.schema)
		message = NULL;
	if (message && !record.removed) {
		enum lyc_status status = schema_check(message, record.body, false, error);
		if (status != LYC_OK)
			return status;
	}
	/* Without a position it would come again and again. */
	struct origin *origin = origins_get(&stream->origins, record.origin);
	if (!origin)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "this daemon knows %d origins and takes records of no other",
				 ORIGINS_MAX);
	struct stream_append *append = append_new(stream, record.subject);
	buf_add(&append->base.record, bytes.data, bytes.len);
	origin_queued(origin, record.epoch, record.origin_seq);
	append->note = subjects_expect(&stream->subjects, record.subject, record.label);
	if (append->note->pending == 1)
		append->note->pending_origin = (uint32_t)(origin - stream->origins.items);
	append->on_done = on_done;
	append->arg = arg;
	append_start(stream, append);
	return LYC_OK;
}
