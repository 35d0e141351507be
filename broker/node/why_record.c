/* Records: found in the log, judged for whoever asks, and how far each has come. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "base/mem.h"
#include "lyceum/v1/label.pb-c.h"
#include "node/why.h"
#include "route/log_read.h"
#include "stream/follower.h"
#include "stream/genuine.h"
#include "wire/subject.h"

#define READ_MAX_LEN (256u * 1024)
/* A foreign record lies somewhere behind its origin's mark. */
#define MAX_STRETCHES 64

/* seq 0: it is not there. */
typedef void (*why_found_fn)(struct inquiry *inquiry, uint64_t seq, struct span bytes);

struct why_read {
	struct log_read base;
	struct inquiry *inquiry;
	uint64_t wanted; /* a sequence; 0: by identity */
	why_found_fn on_found;
};

/* ---- What is told ---- */

static bool is_own(const struct record *record)
{
	return record->origin.len == 0;
}

static struct label label_of(const struct record *record)
{
	struct label label = policy_members_label();
	if (record->label.len > 0 && label_read(record->label, &label) != LYC_OK)
		label = (struct label){.visibility = LYCEUM__V1__VISIBILITY__PRIVATE};
	return label;
}

static bool may_see(const struct inquiry *inquiry, const struct record *record)
{
	const struct asker *asker = &inquiry->asker;
	char node[CALL_MAX_PRINCIPAL];
	char home[64];
	if (asker->is_operator)
		return true;
	snprintf(home, sizeof(home), "%.*s",
		 is_own(record) ? (int)strlen(inquiry->daemon->name) : (int)record->origin.len,
		 is_own(record) ? inquiry->daemon->name : (const char *)record->origin.data);
	struct readers readers =
		policy_readers(asker->principal, asker->groups, asker->group_count, node);
	struct label label = label_of(record);
	return label_may_see(&label, home, &readers);
}

static Lyceum__V1__Label *told_label(const struct record *record)
{
	struct label label = label_of(record);
	Lyceum__V1__Label *told = mem_new(Lyceum__V1__Label);
	lyceum__v1__label__init(told);
	if (label.home.len > 0)
		told->home = why_text(label.home);
	told->visibility = (Lyceum__V1__Visibility)label.visibility;
	told->audience = mem_get((label.audience_count + 1) * sizeof(char *));
	for (size_t i = 0; i < label.audience_count; i++)
		told->audience[told->n_audience++] = why_text(label.audience[i]);
	return told;
}

/* Is the schema held, and would its followers get it? */
static void fill_schema(const struct inquiry *inquiry, const struct record *record,
			Lyceum__V1__RecordFate *fate)
{
	const struct daemon *daemon = inquiry->daemon;
	struct buf text = {0};
	struct lyc_error error;
	size_t name_len = 0;
	buf_add_format(&text, "%016llx", (unsigned long long)record->schema);
	fate->schema = buf_text(&text);
	fate->schema_is_held =
		types_of_record(&daemon->types, record->subject, record->schema, &name_len) != NULL;
	if (fate->schema_is_held) {
		if (!is_own(record) && genuine_check(&daemon->types, record, &error) != LYC_OK)
			fate->schema_text = mem_dup(error.text);
		return;
	}
	const struct held *held = &daemon->stream.held;
	struct buf why = {0};
	for (size_t i = 0; i < held->count; i++) {
		size_t len = strlen(held->types[i].name);
		if (held->types[i].schema == record->schema && record->subject.len >= len &&
		    memcmp(record->subject.data, held->types[i].name, len) == 0)
			held_explain(held, i, &daemon->types, &why);
	}
	fate->schema_text = why.len > 0 ? buf_text(&why) : mem_dup("its type is not known");
}

static Lyceum__V1__Reach *add_reach(Lyceum__V1__RecordFate *fate, const char *daemon)
{
	Lyceum__V1__Reach **all =
		realloc(fate->reach, (fate->n_reach + 1) * sizeof(Lyceum__V1__Reach *));
	if (!all)
		return NULL;
	Lyceum__V1__Reach *reach = mem_new(Lyceum__V1__Reach);
	lyceum__v1__reach__init(reach);
	reach->daemon = mem_dup(daemon);
	fate->reach = all;
	all[fate->n_reach++] = reach;
	return reach;
}

static const char *reason_of_label(const struct label *label)
{
	return label->visibility == LYCEUM__V1__VISIBILITY__AUDIENCE
		       ? "its label names others only"
		       : "its label is private to its home";
}

static void set_waiting(const struct daemon *daemon, const struct link *link,
			Lyceum__V1__Reach *reach)
{
	struct buf text = {0};
	uint64_t now = daemon->env.now_ms(daemon->env.world);
	reach->state = LYCEUM__V1__REACH__STATE__WAITING;
	if (!link)
		buf_add_text(&text, "it has not been connected since this daemon started");
	else if (!link->session)
		buf_add_format(&text, "the link has been down for %llu s%s%s",
			       (unsigned long long)(now - link->since_ms) / 1000,
			       link->text[0] ? ", " : "", link->text);
	else
		buf_add_text(&text, "the link is up, and it is on its way");
	reach->text = buf_text(&text);
}

/* One daemon on the other side of a link. */
static void tell_link(const struct inquiry *inquiry, const struct record *record,
		      const struct grants *grants, Lyceum__V1__RecordFate *fate)
{
	struct daemon *daemon = inquiry->daemon;
	const struct link *link = links_find(&daemon->links, grants->name);
	bool is_hub = grants->role == ROLE_HUB;
	struct readers readers = {.node = grants->name, .person = ""};
	struct label label = label_of(record);
	struct buf cut = {0};
	size_t name_len = 0;
	size_t cut_count = 0;
	const struct schema_message *message = types_nearest(
		&daemon->types, record->subject, is_own(record) ? 0 : record->schema, &name_len);
	if (record->removed)
		message = NULL;
	if (strcmp(grants->name, fate->origin) == 0 || (is_hub && !is_own(record)))
		return; /* it came from there */
	Lyceum__V1__Reach *reach = add_reach(fate, grants->name);
	if (!reach)
		return;
	enum egress egress = policy_outgoing(&daemon->policy, message, record->body, &label,
					     fate->origin, &readers, is_hub, &cut);
	const struct origin *theirs =
		link ? origins_find((struct origins *)(uintptr_t)&link->theirs,
				    span_of(fate->origin, strlen(fate->origin)))
		     : NULL;
	if (egress == EGRESS_NOTHING) {
		reach->state = LYCEUM__V1__REACH__STATE__KEPT_BACK;
		reach->text = mem_dup(reason_of_label(&label));
	} else if (theirs && !origin_is_new(theirs, fate->epoch, fate->origin_seq)) {
		reach->state = LYCEUM__V1__REACH__STATE__CONFIRMED;
		if (egress == EGRESS_CARRY && is_hub)
			reach->text = mem_dup("it carries it for others and shows it to nobody");
	} else {
		set_waiting(daemon, link, reach);
	}
	if (egress == EGRESS_CUT) {
		buf_clear(&cut);
		if (policy_cut(&daemon->policy, message, record->body, &readers, &cut,
			       &cut_count) == LYC_OK)
			reach->cut_parts = (uint32_t)cut_count;
	}
	buf_fini(&cut);
}

static void tell_links(const struct inquiry *inquiry, const struct record *record,
		       Lyceum__V1__RecordFate *fate)
{
	const struct grants *grants;
	const struct grants *next;
	for (grants = inquiry->daemon->policy.by_name; grants; grants = next) {
		next = grants->by_name.next;
		if (grants->role == ROLE_NODE || grants->role == ROLE_HUB)
			tell_link(inquiry, record, grants, fate);
	}
}

struct passing {
	const struct inquiry *inquiry;
	const struct record *record;
	Lyceum__V1__RecordFate *fate;
};

static void tell_follower(const struct follower_place *place, void *arg)
{
	struct passing *passing = arg;
	Lyceum__V1__RecordFate *fate = passing->fate;
	bool is_view = place->is_plugin && !place->durable[0];
	if (!is_view && !place->durable[0])
		return;
	if (!subject_matches(span_of(place->pattern, strlen(place->pattern)),
			     passing->record->subject))
		return;
	Lyceum__V1__Passed **all =
		realloc(fate->passed, (fate->n_passed + 1) * sizeof(Lyceum__V1__Passed *));
	if (!all)
		return;
	Lyceum__V1__Passed *passed = mem_new(Lyceum__V1__Passed);
	lyceum__v1__passed__init(passed);
	passed->name = mem_dup(place->identity);
	passed->is_away = place->is_away;
	if (place->durable[0])
		passed->durable = mem_dup(place->durable);
	passed->is_view = is_view;
	passed->has_passed = place->next_seq > fate->seq;
	passed->behind = passing->inquiry->daemon->stream.last_seq + 1 - place->next_seq;
	fate->passed = all;
	all[fate->n_passed++] = passed;
}

static Lyceum__V1__RecordFate *tell(const struct inquiry *inquiry, const struct record *record)
{
	struct daemon *daemon = inquiry->daemon;
	Lyceum__V1__RecordFate *fate = mem_new(Lyceum__V1__RecordFate);
	lyceum__v1__record_fate__init(fate);
	fate->daemon = mem_dup(daemon->name);
	fate->origin = is_own(record) ? mem_dup(daemon->name) : why_text(record->origin);
	fate->epoch =
		is_own(record) ? stream_epoch_of(&daemon->stream, inquiry->seq) : record->epoch;
	fate->origin_seq = is_own(record) ? inquiry->seq : record->origin_seq;
	fate->seq = inquiry->seq;
	fate->subject = why_text(record->subject);
	fate->time_ms = record->time_ms;
	if (record->principal.len > 0)
		fate->principal = why_text(record->principal);
	fate->label = told_label(record);
	fate->removed = record->removed;
	fate->erases = record->erase;
	struct span trace = trace_checked(record->trace);
	if (trace.len > 0)
		fate->trace = why_text(trace);
	fate->superseded_by = inquiry->last_seq > inquiry->seq ? inquiry->last_seq : 0;
	fate->is_withdrawn = inquiry->is_withdrawn;
	fate->was_cut = !is_own(record) && !record->removed && record->body_crc != 0 &&
			record->body_crc != crc32c(0, record->body.data, record->body.len);
	fill_schema(inquiry, record, fate);
	bool is_home_asking =
		!inquiry->asker.is_local && strcmp(inquiry->asker.principal, fate->origin) == 0;
	if (inquiry->asker.is_operator || is_home_asking)
		tell_links(inquiry, record, fate);
	if (inquiry->asker.is_operator) {
		struct passing passing = {.inquiry = inquiry, .record = record, .fate = fate};
		stream_each_place(&daemon->stream, tell_follower, &passing);
	}
	return fate;
}

/* ---- Reading ---- */

static bool is_wanted(const struct why_read *read, uint64_t seq, const struct record *record)
{
	const struct inquiry *inquiry = read->inquiry;
	if (read->wanted > 0)
		return seq == read->wanted;
	return record->epoch == inquiry->epoch && record->origin_seq == inquiry->origin_seq &&
	       span_equal(record->origin, inquiry->origin);
}

static uint64_t find_in(const struct why_read *read, struct span *ret_bytes)
{
	struct span at = log_read_begin(&read->base.records);
	struct span bytes;
	struct record record;
	uint64_t seq;
	while (log_read_next(&at, &seq, &bytes)) {
		if (record_read(bytes, &record) == LYC_OK && is_wanted(read, seq, &record)) {
			*ret_bytes = bytes;
			return seq;
		}
	}
	return 0;
}

static void read_on(struct inquiry *inquiry, uint64_t from, uint64_t wanted, why_found_fn on_found);

static void read_done(struct log_read *base)
{
	struct why_read *read = (struct why_read *)base;
	struct inquiry *inquiry = read->inquiry;
	struct span bytes = {0};
	bool is_over = !inquiry->daemon;
	uint64_t seq = !is_over && base->status == LYC_OK ? find_in(read, &bytes) : 0;
	inquiry->is_reading = false;
	bool goes_on = !is_over && seq == 0 && base->status == LYC_OK && read->wanted == 0 &&
		       base->next_seq <= inquiry->daemon->stream.last_seq &&
		       ++inquiry->stretches_read < MAX_STRETCHES;
	if (is_over)
		free(inquiry);
	else if (goes_on)
		read_on(inquiry, base->next_seq, 0, read->on_found);
	else
		read->on_found(inquiry, seq, bytes);
	buf_fini(&base->records);
	free(base->pattern);
	free(read);
}

/* `wanted` 0: go on until the record of that identity is found. */
static void read_on(struct inquiry *inquiry, uint64_t from, uint64_t wanted, why_found_fn on_found)
{
	const struct env *env = &inquiry->daemon->env;
	struct why_read *read = mem_new(struct why_read);
	read->inquiry = inquiry;
	read->wanted = wanted;
	read->on_found = on_found;
	read->base.from = from;
	read->base.max_bytes = wanted > 0 ? 1 : READ_MAX_LEN;
	read->base.on_done = read_done;
	inquiry->is_reading = true;
	env->read(env->world, &read->base);
}

static void refuse(struct inquiry *inquiry)
{
	struct lyc_error error = {0};
	why_not_found(inquiry, &error);
	why_finish(inquiry, &error);
}

/* The hub knows which of its nodes have it. */
static void ask_hub(struct inquiry *inquiry, const struct record *record)
{
	const struct router *router = &inquiry->daemon->router;
	struct label label = label_of(record);
	struct readers readers = {.node = router->hub_name, .person = ""};
	if (!inquiry->asker.is_operator || inquiry->is_here || !router->hub_name[0] ||
	    !is_own(record) ||
	    policy_outgoing(&inquiry->daemon->policy, NULL, span_of(NULL, 0), &label,
			    inquiry->daemon->name, &readers, true, NULL) == EGRESS_NOTHING)
		return;
	char id[120];
	snprintf(id, sizeof(id), "%s/%llu/%llu", inquiry->daemon->name,
		 (unsigned long long)stream_epoch_of(&inquiry->daemon->stream, inquiry->seq),
		 (unsigned long long)inquiry->seq);
	why_ask(inquiry, router->hub_name, id);
}

static void conclude(struct inquiry *inquiry)
{
	struct record record;
	const struct lyc_error ok = {.status = LYC_OK};
	if (record_read(span_of(inquiry->record.data, inquiry->record.len), &record) != LYC_OK ||
	    !may_see(inquiry, &record)) {
		refuse(inquiry);
		return;
	}
	inquiry->fate = tell(inquiry, &record);
	ask_hub(inquiry, &record);
	if (inquiry->waiting_count == 0)
		why_finish(inquiry, &ok);
}

/* Does the subject's last record withdraw it? */
static void last_found(struct inquiry *inquiry, uint64_t seq, struct span bytes)
{
	struct record record;
	inquiry->is_withdrawn = seq > 0 && record_read(bytes, &record) == LYC_OK && record.removed;
	conclude(inquiry);
}

static void found(struct inquiry *inquiry, uint64_t seq, struct span bytes)
{
	struct record record;
	const struct env *env = &inquiry->daemon->env;
	if (seq == 0 || record_read(bytes, &record) != LYC_OK) {
		refuse(inquiry);
		return;
	}
	inquiry->seq = seq;
	buf_add(&inquiry->record, bytes.data, bytes.len);
	inquiry->last_seq = env->last_of(env->world, record.subject);
	if (inquiry->last_seq <= seq)
		conclude(inquiry);
	else
		read_on(inquiry, inquiry->last_seq, inquiry->last_seq, last_found);
}

enum lyc_status why_record_start(struct inquiry *inquiry, struct lyc_error *error)
{
	struct daemon *daemon = inquiry->daemon;
	struct stream *stream = &daemon->stream;
	uint64_t from = inquiry->seq;
	uint64_t wanted = inquiry->seq;
	if (inquiry->is_by_identity && span_is(inquiry->origin, stream->name)) {
		bool is_its_epoch = inquiry->epoch == stream_epoch_of(stream, inquiry->origin_seq);
		from = wanted = is_its_epoch ? inquiry->origin_seq : 0;
	} else if (inquiry->is_by_identity) {
		const struct origin *origin = origins_find(&stream->origins, inquiry->origin);
		from = origin && inquiry->origin_seq > 0
			       ? origin_start(origin, inquiry->epoch, inquiry->origin_seq - 1)
			       : 0;
		wanted = 0;
	}
	if (from == 0 || from > stream->last_seq)
		return why_not_found(inquiry, error);
	read_on(inquiry, from, wanted, found);
	return LYC_OK;
}

void why_record_take(struct inquiry *inquiry, Lyceum__V1__WhyReply *reply)
{
	if (!reply->record || !inquiry->fate)
		return;
	for (size_t i = 0; i < reply->record->n_reach; i++) {
		const Lyceum__V1__Reach *theirs = reply->record->reach[i];
		Lyceum__V1__Reach *reach = add_reach(inquiry->fate, theirs->daemon);
		if (!reach)
			return;
		reach->state = theirs->state;
		reach->cut_parts = theirs->cut_parts;
		if (*theirs->text)
			reach->text = mem_dup(theirs->text);
		reach->by = mem_dup(reply->record->daemon);
	}
}
