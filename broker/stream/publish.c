/*
 * The way of a publish: rights, type, rules, key and label are checked, then it becomes a record
 * that is acknowledged after its sync (append.c), or goes to the subscribers of this moment.
 */
#include "stream/stream.h"

#include <string.h>

#include "base/error.h"
#include "base/pb.h"
#include "lyceum/v1/label.pb-c.h"
#include "stream/append.h"
#include "stream/genuine.h"
#include "stream/kept.h"
#include "stream/publish_journal.h"
#include "wire/subject.h"
#include "wire/trace.h"

/* Of a label beside a body: a link sends it on together with the body. */
#define MAX_LABEL_LEN (32u * 1024)

/* Daemons that a transient message may pass. */
#define MAX_HOPS 4

/* Everything about a publish that is found out before it is taken. */
struct publish_view {
	const struct schema_message *message;
	struct buf subject;    /* whole, with its key tokens */
	struct span own_label; /* serialised, in the body */
	bool has_own_label;
	struct label label;
	const struct subject_note *note; /* of a durable one's subject; NULL: none */
	char principal[CALL_MAX_PRINCIPAL];
	/* The chain that it belongs to, with this daemon's own span: a traceparent, or empty. */
	struct span trace;
	uint64_t parent_span;
	char trace_text[TRACE_TEXT_LEN + 1];
};

/* The room's buffers, one by one. Whoever gets there while one is taken finds none and makes his
 * own.
 */
static struct buf take_room(struct buf *room)
{
	struct buf taken = *room;
	*room = (struct buf){0};
	buf_clear(&taken);
	return taken;
}

static void give_room(struct buf *room, struct buf *taken)
{
	buf_fini(room);
	*room = *taken;
}

/* Not the whole of it is zeroed: a label is long. */
static void view_init(struct publish_view *view, struct buf subject)
{
	view->message = NULL;
	view->note = NULL;
	view->own_label = (struct span){0};
	view->has_own_label = false;
	view->subject = subject;
	label_set(&view->label, 0);
	view->principal[0] = '\0';
	view->trace = (struct span){0};
	view->parent_span = 0;
	view->trace_text[0] = '\0';
}

static void take_trace(const struct stream *stream, struct span traceparent,
		       struct publish_view *view)
{
	struct trace came;
	if (!trace_read(traceparent, &came))
		return;
	struct trace own = trace_next(&came, stream->env->random(stream->env->world));
	view->trace = trace_write(&own, view->trace_text);
	view->parent_span = came.span;
}

static enum lyc_status refuse_foreign(struct lyc_error *error, struct span subject,
				      struct span home)
{
	return error_set(error, LYC_FAILED_PRECONDITION,
			 "%.*s has its home at '%.*s': only that daemon appends to it",
			 (int)(subject.len < 90 ? subject.len : 90), (const char *)subject.data,
			 (int)(home.len < 60 ? home.len : 60), (const char *)home.data);
}

static enum lyc_status check_type(struct stream *stream, const struct packet_publish *publish,
				  bool is_from_link, struct publish_view *view,
				  struct lyc_error *error)
{
	struct span subject = publish->subject;
	if (!subject_is_valid(subject))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the subject is not valid: tokens joined with dots, no wildcards");
	if (stream_is_private(subject))
		return error_set(error, LYC_PERMISSION_DENIED,
				 "the daemon appends '%.*s' itself, and nobody else does",
				 (int)(subject.len < 100 ? subject.len : 100),
				 (const char *)subject.data);
	if (publish->label.len > MAX_LABEL_LEN)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "`label` has %zu bytes, and at most %u are allowed",
				 publish->label.len, MAX_LABEL_LEN);
	size_t name_len = 0;
	view->message = types_of_subject(stream->types, subject, &name_len);
	if (!view->message)
		return error_set(
			error, LYC_NOT_FOUND, "no type is known here for the subject '%.*s'",
			(int)(subject.len < 150 ? subject.len : 150), (const char *)subject.data);
	buf_add(&view->subject, subject.data, subject.len);
	if (publish->remove)
		return publish->body.len == 0
			       ? LYC_OK
			       : error_set(error, LYC_INVALID_ARGUMENT, "a withdrawal has no body");
	enum lyc_status status = schema_check(view->message, publish->body, !is_from_link, error);
	if (status != LYC_OK || (view->message->key_count == 0 && !view->message->label))
		return status;
	struct buf key = take_room(&stream->room.key);
	status = schema_key_and_label(view->message, publish->body, &key, &view->own_label,
				      &view->has_own_label, error);
	if (status != LYC_OK || view->message->key_count == 0) {
		/* refused, or nothing but the label was asked for */
	} else if (subject.len == name_len) {
		buf_add_byte(&view->subject, '.');
		buf_add(&view->subject, key.data, key.len);
	} else if (!span_equal(span_of(subject.data + name_len + 1, subject.len - name_len - 1),
			       span_of(key.data, key.len))) {
		status = error_set(error, LYC_INVALID_ARGUMENT,
				   "the subject's tokens differ from the key in the body, '%.*s'",
				   (int)(key.len < 100 ? key.len : 100), (const char *)key.data);
	}
	give_room(&stream->room.key, &key);
	return status;
}

/* Only the home appends to a key; a label names this daemon or nobody. */
static enum lyc_status check_home(struct stream *stream, struct publish_view *view,
				  struct lyc_error *error)
{
	struct span subject = span_of(view->subject.data, view->subject.len);
	view->note = subjects_find(&stream->subjects, subject);
	struct span home = view->label.home;
	if (view->message->label && home.len > 0 && !span_is(home, stream->name))
		return refuse_foreign(error, subject, home);
	home = genuine_home(view->message, subject, strlen(view->message->full_name));
	if (home.len > 0 && !span_is(home, stream->name))
		return refuse_foreign(error, subject, home);
	/* Where the subject names no home, whoever came first is it. */
	const char *first = origins_home(&stream->origins, view->note);
	if (home.len == 0 && view->message->key_count > 0 && first)
		return refuse_foreign(error, subject, span_of(first, strlen(first)));
	return LYC_OK;
}

/* Over a link come transient messages only, of the node itself or, from the hub, of others. */
static enum lyc_status check_link(struct stream *stream, const struct session *link,
				  const struct packet_publish *publish, struct lyc_error *error)
{
	if (publish->durable)
		return error_set(error, LYC_PERMISSION_DENIED,
				 "records cross a link as copies of their home's");
	bool is_allowed =
		link->kind == SESSION_NODE
			? publish->origin.len == 0 || span_is(publish->origin, link->identity)
			: publish->origin.len > 0 && !span_is(publish->origin, stream->name);
	if (!is_allowed || publish->hops > MAX_HOPS)
		return error_set(error, LYC_PERMISSION_DENIED,
				 "'%s' may not pass on a message of '%.*s'", link->identity,
				 (int)(publish->origin.len < 64 ? publish->origin.len : 64),
				 (const char *)publish->origin.data);
	return LYC_OK;
}

/* What can be told only when the type and the whole subject are known. */
static enum lyc_status check_rest(struct stream *stream, const struct session *session,
				  const struct packet_publish *publish,
				  const struct publish_view *view, struct lyc_error *error)
{
	const struct schema_message *message = view->message;
	struct span subject = span_of(view->subject.data, view->subject.len);
	if (!policy_is_registered(session, subject))
		return error_set(error, LYC_PERMISSION_DENIED,
				 "the plugin '%s' has not registered '%.*s' in its `publishes`",
				 session->identity, (int)(subject.len < 150 ? subject.len : 150),
				 (const char *)subject.data);
	if (publish->label.len > 0 && message->label && !session_is_link(session)) {
		journal_because(stream->journal, RULE_LABEL);
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the type %s says its own label in the field '%s'",
				 message->full_name, message->label->name);
	}
	return LYC_OK;
}

static enum lyc_status check(struct stream *stream, struct session *session,
			     const struct packet_publish *publish, struct publish_view *view,
			     struct lyc_error *error)
{
	bool is_from_link = session_is_link(session);
	enum lyc_status status = policy_principal(stream->policy, session, publish->principal,
						  view->principal, error);
	if (status == LYC_OK && is_from_link)
		status = check_link(stream, session, publish, error);
	if (status != LYC_OK)
		return status;
	if (!policy_may_publish(session->grants, session, publish->subject))
		return error_set(
			error, LYC_PERMISSION_DENIED,
			"'%s' may not publish '%.*s': its key's `publish` list does not have it",
			session->identity,
			(int)(publish->subject.len < 100 ? publish->subject.len : 100),
			(const char *)publish->subject.data);
	status = check_type(stream, publish, is_from_link, view, error);
	if (status == LYC_OK)
		status = check_rest(stream, session, publish, view, error);
	if (status == LYC_OK && !(publish->remove && publish->durable))
		status = stream_label(view->message, view->own_label, view->has_own_label,
				      publish->label, &view->label);
	if (status == LYC_OK && publish->durable)
		status = check_home(stream, view, error);
	return status;
}

/* The label beside the body: who may see the record, not whom it is about. Nothing is MEMBERS. */
static void write_label(struct buf *to, const struct label *label)
{
	pb_write_bytes(to, 1, label->home.data, label->home.len);
	append_write_visibility(to, label->visibility ? label->visibility
						      : LYCEUM__V1__VISIBILITY__PRIVATE);
	for (size_t i = 0; i < label->audience_count; i++)
		pb_write_message(to, 3, label->audience[i]);
}

void stream_write_reach(struct buf *to, struct span wide, const struct label *wide_label,
			const struct label *narrow)
{
	if (wide_label->audience_count + narrow->audience_count > LABEL_MAX_AUDIENCE) {
		append_write_visibility(to, LYCEUM__V1__VISIBILITY__MEMBERS);
		return;
	}
	buf_add(to, wide.data, wide.len);
	for (size_t i = 0;
	     wide_label->visibility == LYCEUM__V1__VISIBILITY__AUDIENCE &&
	     narrow->visibility == LYCEUM__V1__VISIBILITY__AUDIENCE && i < narrow->audience_count;
	     i++)
		pb_write_message(to, 3, narrow->audience[i]);
}

static bool is_there(const struct stream *stream, const struct subject_note *note,
		     struct span subject)
{
	return (note && note->pending > 0) || stream->env->last_of(stream->env->world, subject) > 0;
}

/* As nearly always there is nothing to read. */
static bool read_former(const struct buf *last, struct span former, struct label *ret_label)
{
	if (last && last->len > 0)
		return label_read(former, ret_label) == LYC_OK;
	label_set(ret_label, LYCEUM__V1__VISIBILITY__MEMBERS);
	return true;
}

/* Build the record with its label, and the former one where that reached further. While appends are
 * under way, any of them may be refused: what they and the last record reached together is the
 * former label then. */
static enum lyc_status build(struct stream *stream, const struct packet_publish *publish,
			     struct publish_view *view, struct stream_append *append,
			     struct lyc_error *error)
{
	struct span subject = span_of(view->subject.data, view->subject.len);
	const struct subject_note *note = view->note;
	bool is_pending = note && note->pending > 0;
	struct buf label = take_room(&stream->room.label);
	struct buf reach = {0};
	struct span former = append_members_label();
	const struct buf *last = note ? is_pending ? &note->pending_label : &note->label : NULL;
	if (last && last->len > 0)
		former = span_of(last->data, last->len);

	struct record record = {.subject = subject,
				.principal = span_of(view->principal, strlen(view->principal)),
				.body = publish->body,
				.removed = publish->remove,
				.schema = schema_id(view->message->schema),
				.trace = view->trace};
	enum lyc_status status = LYC_OK;
	if (publish->remove) {
		if (!is_there(stream, note, subject))
			status = error_set(error, LYC_NOT_FOUND, "there is no record of '%.*s'",
					   (int)(subject.len < 150 ? subject.len : 150),
					   (const char *)subject.data);
		record.label = former;
	} else {
		if (view->message->label || publish->label.len > 0)
			write_label(&label, &view->label);
		record.label = span_of(label.data, label.len);
		struct label former_label;
		if (view->message->key_count > 0 && read_former(last, former, &former_label) &&
		    policy_is_narrower(&view->label, &former_label) &&
		    is_there(stream, note, subject)) {
			record.former = former;
			stream_write_reach(&reach, former, &former_label, &view->label);
		}
	}
	if (status == LYC_OK)
		status = append_write(append, &record, error);
	if (status == LYC_OK)
		append->note = subjects_expect_of(&stream->subjects, note, subject,
						  reach.len > 0 ? span_of(reach.data, reach.len)
								: record.label);
	buf_fini(&reach);
	give_room(&stream->room.label, &label);
	return status;
}

static enum lyc_status append_publish(struct stream *stream, struct session *session,
				      const struct packet_publish *publish, uint32_t packet_len,
				      struct publish_view *view, struct lyc_error *error)
{
	struct stream_append *append =
		append_new(stream, span_of(view->subject.data, view->subject.len));
	enum lyc_status status = build(stream, publish, view, append, error);
	if (status != LYC_OK) {
		append_free(append);
		return status;
	}
	append->base.has_expect = publish->has_expect;
	append->base.expect_seq = publish->expect_seq;
	append->base.is_vital = publish->remove;
	append->session_serial = session->serial;
	append->publish_id = publish->id;
	append->packet_len = packet_len;
	append->begun_ms = stream->env->now_ms(stream->env->world);
	append->parent_span = view->parent_span;
	session->publishes_len += packet_len;
	stream->appends_len += append_memory(packet_len);
	kept_again(stream);
	append_start(stream, append);
	return LYC_OK;
}

static struct span publish_origin(const struct stream *stream, const struct session *session,
				  const struct packet_publish *publish)
{
	if (session_is_link(session) && publish->origin.len > 0)
		return publish->origin;
	return session->kind == SESSION_NODE ? span_of(session->identity, strlen(session->identity))
					     : span_of(stream->name, strlen(stream->name));
}

/* What the journal hears of one that ends here; returns a refusal's number. */
static uint64_t note_publish(struct stream *stream, const struct session *session,
			     const struct packet_publish *publish, const struct publish_view *view,
			     const struct lyc_error *error)
{
	if (error->status == LYC_OK && view->parent_span == 0)
		return 0;
	const struct publish_origin from = {
		.session = session,
		.principal = span_of(view->principal, strlen(view->principal)),
		.subject = view->subject.len > 0 ? span_of(view->subject.data, view->subject.len)
						 : publish->subject,
		.message = view->message,
		.trace = view->trace,
		.parent_span = view->parent_span,
		.begun_ms = stream->env->now_ms(stream->env->world),
	};
	if (error->status != LYC_OK)
		return publish_journal_refused(stream, &from, error);
	publish_journal_done(stream, &from, 0);
	return 0;
}

/* The log is slower than all publishers together, each of whom is within its credit. */
static enum lyc_status refuse_for_now(struct stream *stream, struct lyc_error *error)
{
	journal_because(stream->journal, RULE_LIMIT);
	return error_set(error, LYC_RESOURCE_EXHAUSTED,
			 "as many records wait for the log of '%s' as may (limits.memory): try "
			 "again later",
			 stream->name);
}

void stream_publish(struct stream *stream, struct session *session,
		    const struct packet_publish *publish, uint32_t packet_len)
{
	struct publish_view view;
	struct lyc_error error;
	view_init(&view, take_room(&stream->room.subject));
	error.status = LYC_OK;
	error.text[0] = error.field[0] = '\0';
	if (publish->trace.len > 0)
		take_trace(stream, publish->trace, &view);
	enum lyc_status status = check(stream, session, publish, &view, &error);
	if (status == LYC_OK && publish->durable && stream->is_waiting)
		status = error_set(
			&error, LYC_UNAVAILABLE,
			"'%s' was restored and takes no records until its hub has given "
			"back what it holds of the lost end (lyceumd --alone does without)",
			stream->name);
	if (status == LYC_OK && publish->durable && !publish->remove &&
	    stream->appends_len + append_memory(packet_len) > stream->max_appends_len)
		status = refuse_for_now(stream, &error);
	if (status == LYC_OK && publish->durable) {
		status = append_publish(stream, session, publish, packet_len, &view, &error);
		if (status != LYC_OK)
			append_acknowledge(stream, session, publish->id, status, &error, 0,
					   note_publish(stream, session, publish, &view, &error));
	} else {
		if (status == LYC_OK) {
			struct transient transient = {
				.subject = span_of(view.subject.data, view.subject.len),
				.message = view.message,
				.body = publish->body,
				.label = publish->label,
				.reach = &view.label,
				.principal = view.principal,
				.origin = publish_origin(stream, session, publish),
				.hops = publish->hops,
				.trace = view.trace,
			};
			stream_fan_out(stream, session, &transient);
		}
		error.status = status;
		append_acknowledge(stream, session, publish->id, status, &error, 0,
				   note_publish(stream, session, publish, &view, &error));
	}
	give_room(&stream->room.subject, &view.subject);
}
