/*
 * An erasure as the operator asks for it. The log is read for whom the subject's records have ever
 * reached, because all of those may hold bytes of it; then the withdrawal goes the way of every
 * record, and stream/erasure.c does the rest, here as elsewhere.
 */
#include "node/erase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "log.h"
#include "lyceum/v1/node.pb-c.h"
#include "stream/erasure.h"
#include "stream/scan.h"
#include "wire/subject.h"

#define LOG_TOPIC "erase"
#define MAX_SUBJECTS 64
#define MAX_JOBS 8
/* How long the answer waits for the others. */
#define CONFIRM_MS 3000

enum { MEMBERS = 2, AUDIENCE = 3, PRIVATE = 4 };

/* A subject and whom it has reached. */
struct wanted {
	char *subject;
	int visibility;
	char *audience[LABEL_MAX_AUDIENCE];
	size_t audience_count;
	bool is_found;
	uint64_t seq; /* of the withdrawal; 0: not committed yet */
	UT_hash_handle by_subject;
};

struct erase_job {
	struct list node;
	struct daemon *daemon;
	uint64_t call_id;
	char principal[CALL_MAX_PRINCIPAL];
	char *about; /* NULL: of the one subject */
	struct wanted *wanted;
	bool has_more;

	enum { FINDING, REACHING, APPENDING, WAITING } phase;
	uint64_t next_seq;
	size_t pending; /* withdrawals on their way */
	uint64_t answer_by_ms;
	struct lyc_error error;
};

static void job_free(struct erase_job *job)
{
	struct wanted *wanted;
	struct wanted *next;
	HASH_ITER (by_subject, job->wanted, wanted, next) {
		HASH_DELETE(by_subject, job->wanted, wanted);
		for (size_t i = 0; i < wanted->audience_count; i++)
			free(wanted->audience[i]);
		free(wanted->subject);
		free(wanted);
	}
	list_remove(&job->node);
	free(job->about);
	free(job);
}

/* False: there are as many as may be. */
static bool want(struct erase_job *job, struct span subject)
{
	struct wanted *wanted;
	HASH_FIND(by_subject, job->wanted, subject.data, subject.len, wanted);
	if (wanted)
		return true;
	if (HASH_CNT(by_subject, job->wanted) == MAX_SUBJECTS)
		return false;
	wanted = mem_new(struct wanted);
	wanted->subject = mem_dup_try((const char *)subject.data, subject.len);
	wanted->visibility = PRIVATE;
	HASH_ADD_KEYPTR(by_subject, job->wanted, wanted->subject, subject.len, wanted);
	return true;
}

/* ---- whom it has reached ---- */

static void add_audience(struct wanted *wanted, struct span name)
{
	for (size_t i = 0; i < wanted->audience_count; i++) {
		if (span_is(name, wanted->audience[i]))
			return;
	}
	if (wanted->audience_count == LABEL_MAX_AUDIENCE) {
		wanted->visibility = MEMBERS;
		return;
	}
	wanted->audience[wanted->audience_count++] = mem_dup_try((const char *)name.data, name.len);
}

/* An empty label is MEMBERS; one that cannot be read is treated so, to be on the safe side. */
static void add_reach(struct wanted *wanted, struct span bytes)
{
	struct label label = policy_members_label();
	if (bytes.len > 0 && label_read(bytes, &label) != LYC_OK)
		label = policy_members_label();
	if (label.visibility == 1 || label.visibility == MEMBERS)
		wanted->visibility = MEMBERS;
	if (label.visibility != AUDIENCE || wanted->visibility == MEMBERS)
		return;
	wanted->visibility = AUDIENCE;
	for (size_t i = 0; i < label.audience_count; i++)
		add_audience(wanted, label.audience[i]);
}

static void write_reach(const struct wanted *wanted, struct buf *to)
{
	pb_write_uint(to, 2, (uint64_t)wanted->visibility);
	for (size_t i = 0; wanted->visibility == AUDIENCE && i < wanted->audience_count; i++)
		pb_write_text(to, 3, wanted->audience[i]);
}

static bool is_of_daemons(struct span subject)
{
	static const char prefix[] = "lyceum.v1.";
	return subject.len >= sizeof(prefix) - 1 &&
	       memcmp(subject.data, prefix, sizeof(prefix) - 1) == 0;
}

static bool judge(uint64_t seq, const struct record *record, size_t len, void *arg)
{
	struct erase_job *job = arg;
	struct stream *stream = &job->daemon->stream;
	struct wanted *wanted;
	(void)seq;
	(void)len;
	if (record->origin.len > 0 || is_of_daemons(record->subject))
		return true;
	if (job->phase == FINDING) {
		size_t name_len = 0;
		const struct schema_message *message =
			record->removed ? NULL
					: types_nearest(stream->types, record->subject,
							record->schema, &name_len);
		if (message &&
		    label_is_about(message, record->body,
				   span_of(job->about, strlen(job->about))) &&
		    !want(job, record->subject))
			job->has_more = true;
		return true;
	}
	HASH_FIND(by_subject, job->wanted, record->subject.data, record->subject.len, wanted);
	if (!wanted)
		return true;
	wanted->is_found = true;
	add_reach(wanted, record->label);
	if (record->former.len > 0)
		add_reach(wanted, record->former);
	return true;
}

/* ---- step by step ---- */

static void answer(struct erase_job *job);

static void committed(enum lyc_status status, uint64_t seq, const char *text, void *arg)
{
	struct erase_job *job = arg;
	(void)seq;
	if (status != LYC_OK)
		error_set(&job->error, status, "%s", text);
	if (--job->pending == 0) {
		job->phase = WAITING;
		job->answer_by_ms = job->daemon->env.now_ms(job->daemon->env.world) + CONFIRM_MS;
	}
}

static void append_all(struct erase_job *job)
{
	struct daemon *daemon = job->daemon;
	struct wanted *wanted;
	struct wanted *next;
	job->phase = APPENDING;
	job->pending = 1;
	HASH_ITER (by_subject, job->wanted, wanted, next) {
		struct span subject = span_of(wanted->subject, strlen(wanted->subject));
		const struct subject_note *note = subjects_find(&daemon->stream.subjects, subject);
		struct buf label = {0};
		/* What has been appended since the log was read. */
		if (note && note->pending > 0)
			add_reach(wanted,
				  span_of(note->pending_label.data, note->pending_label.len));
		add_reach(wanted, note && note->label.len > 0
					  ? span_of(note->label.data, note->label.len)
					  : span_of(NULL, 0));
		write_reach(wanted, &label);
		job->pending++;
		stream_append_erasure(&daemon->stream, subject, span_of(label.data, label.len),
				      span_of(job->principal, strlen(job->principal)), committed,
				      job);
		buf_fini(&label);
	}
	log_notice("records are erased", "subjects", log_number(HASH_CNT(by_subject, job->wanted)));
	committed(LYC_OK, 0, NULL, job);
}

static void stretch_done(enum lyc_status status, uint64_t next_seq, void *arg);

static void read_on(struct erase_job *job)
{
	const char *pattern = job->phase == REACHING && !job->about ? job->wanted->subject : NULL;
	scan_read(&job->daemon->stream, job->next_seq, pattern, judge, stretch_done, job);
}

static void stretch_done(enum lyc_status status, uint64_t next_seq, void *arg)
{
	struct erase_job *job = arg;
	bool is_at_end = next_seq > job->daemon->stream.last_seq;
	job->next_seq = next_seq;
	if (status != LYC_OK) {
		error_set(&job->error, status, "the log cannot be read");
		answer(job);
	} else if (!is_at_end) {
		read_on(job);
	} else if (job->phase == FINDING && job->wanted) {
		job->phase = REACHING;
		job->next_seq = 1;
		read_on(job);
	} else if (job->phase == FINDING) {
		error_set(&job->error, LYC_NOT_FOUND,
			  "no record whose home is '%s' has a label about that person",
			  job->daemon->name);
		answer(job);
	} else if (!job->wanted->is_found) {
		error_set(&job->error, LYC_NOT_FOUND, "'%s' is home to no record of that subject",
			  job->daemon->name);
		answer(job);
	} else {
		append_all(job);
	}
}

/* ---- what is said of them ---- */

struct listing {
	struct daemon *daemon;
	const struct erase_job *job; /* NULL: what is not done everywhere */
	Lyceum__V1__Erasure *items;
	size_t count;
	size_t max_count;
};

static void list_one(const struct erasure_state *state, void *arg)
{
	struct listing *listing = arg;
	struct wanted *wanted = NULL;
	if (listing->count == listing->max_count)
		return;
	if (listing->job)
		HASH_FIND(by_subject, listing->job->wanted, state->subject, strlen(state->subject),
			  wanted);
	if (listing->job && !wanted)
		return;
	Lyceum__V1__Erasure *to = &listing->items[listing->count];
	erase_report(listing->daemon, state, to);
	if (!listing->job && to->is_done && to->n_waiting == 0)
		erase_free_list(to, 1);
	else
		listing->count++;
}

size_t erase_list(struct daemon *daemon, Lyceum__V1__Erasure *to, size_t max_count)
{
	struct listing listing = {.daemon = daemon, .items = to, .max_count = max_count};
	erasures_each_own(daemon->stream.erasures, list_one, &listing);
	return listing.count;
}

static void answer(struct erase_job *job)
{
	struct daemon *daemon = job->daemon;
	Lyceum__V1__EraseReply reply = LYCEUM__V1__ERASE_REPLY__INIT;
	Lyceum__V1__Erasure *items = mem_get(MAX_SUBJECTS * sizeof(*items));
	Lyceum__V1__Erasure *pointers[MAX_SUBJECTS];
	struct listing listing = {
		.daemon = daemon, .job = job, .items = items, .max_count = MAX_SUBJECTS};
	struct buf body = {0};
	if (job->error.status == LYC_OK)
		erasures_each_own(daemon->stream.erasures, list_one, &listing);
	for (size_t i = 0; i < listing.count; i++)
		pointers[i] = &items[i];
	reply.erasure = pointers;
	reply.n_erasure = listing.count;
	reply.has_more = job->has_more;
	size_t len = lyceum__v1__erase_reply__get_packed_size(&reply);
	if (buf_reserve(&body, len))
		body.len = lyceum__v1__erase_reply__pack(&reply, body.data);
	router_builtin_done(&daemon->router, job->call_id, span_of(body.data, body.len),
			    &job->error);
	erase_free_list(items, listing.count);
	free(items);
	buf_fini(&body);
	job_free(job);
}

/* Gone here, and everybody has said so? */
static bool is_all_done(struct erase_job *job, bool *ret_is_here)
{
	Lyceum__V1__Erasure *items = mem_get(MAX_SUBJECTS * sizeof(*items));
	struct listing listing = {
		.daemon = job->daemon, .job = job, .items = items, .max_count = MAX_SUBJECTS};
	erasures_each_own(job->daemon->stream.erasures, list_one, &listing);
	bool is_all = true;
	*ret_is_here = true;
	for (size_t i = 0; i < listing.count; i++) {
		*ret_is_here = *ret_is_here && items[i].is_done;
		is_all = is_all && items[i].n_waiting == 0;
	}
	erase_free_list(items, listing.count);
	free(items);
	return is_all && *ret_is_here;
}

void erase_tick(struct daemon *daemon)
{
	uint64_t now = daemon->env.now_ms(daemon->env.world);
	list_each_safe (node, &daemon->erase_jobs) {
		struct erase_job *job = list_entry(node, struct erase_job, node);
		bool is_here = false;
		if (job->phase != WAITING)
			continue;
		if (job->error.status != LYC_OK || is_all_done(job, &is_here) ||
		    (is_here && now >= job->answer_by_ms) ||
		    !call_find(&daemon->router.calls, job->call_id))
			answer(job);
	}
}

void erase_fini(struct daemon *daemon)
{
	list_each_safe (node, &daemon->erase_jobs)
		job_free(list_entry(node, struct erase_job, node));
}

/* ---- the call ---- */

static size_t jobs_of(const struct daemon *daemon)
{
	size_t count = 0;
	list_each (node, &daemon->erase_jobs)
		count++;
	return count;
}

static enum lyc_status check_subject(struct daemon *daemon, const char *text,
				     struct lyc_error *error)
{
	struct span subject = span_of(text, strlen(text));
	const struct subject_note *note = subjects_find(&daemon->stream.subjects, subject);
	if (!subject_is_valid(subject))
		return error_set_field(error, LYC_INVALID_ARGUMENT, "subject",
				       "this is no subject: tokens joined with dots, no wildcards");
	if (is_of_daemons(subject))
		return error_set_field(error, LYC_INVALID_ARGUMENT, "subject",
				       "what the daemons write for themselves is not erased");
	if (note && note->home)
		return error_set_field(error, LYC_FAILED_PRECONDITION, "subject",
				       "its home is '%s': only the operator there erases it",
				       note->home);
	if (daemon->env.last_of(daemon->env.world, subject) == 0)
		return error_set_field(error, LYC_NOT_FOUND, "subject",
				       "'%s' has no record of that subject", daemon->name);
	return LYC_OK;
}

static enum lyc_status check(struct daemon *daemon, const struct call *call,
			     const Lyceum__V1__EraseRequest *request, struct lyc_error *error)
{
	if (call->caller->grants->role != ROLE_OPERATOR)
		return error_set(error, LYC_PERMISSION_DENIED,
				 "only the operator of '%s' erases its records", daemon->name);
	if (!request->subject[0] == !request->about[0])
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "say either a subject or whom the records are about");
	if (jobs_of(daemon) == MAX_JOBS)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "%d erasures are under way: ask again when they are done",
				 MAX_JOBS);
	return request->subject[0] ? check_subject(daemon, request->subject, error) : LYC_OK;
}

enum lyc_status erase_call(struct daemon *daemon, const struct call *call, struct span body,
			   struct lyc_error *error)
{
	Lyceum__V1__EraseRequest *request =
		lyceum__v1__erase_request__unpack(NULL, body.len, body.data);
	if (!request)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "out of memory");
	enum lyc_status status = check(daemon, call, request, error);
	if (status == LYC_OK) {
		struct erase_job *job = mem_new(struct erase_job);
		job->daemon = daemon;
		job->call_id = call_id(call);
		snprintf(job->principal, sizeof(job->principal), "%s", call->principal);
		job->phase = request->about[0] ? FINDING : REACHING;
		job->about = request->about[0] ? mem_dup(request->about) : NULL;
		if (!job->about)
			want(job, span_of(request->subject, strlen(request->subject)));
		job->next_seq = 1;
		list_init(&job->node);
		list_add_last(&daemon->erase_jobs, &job->node);
		router_builtin_later(&daemon->router);
		read_on(job);
	}
	lyceum__v1__erase_request__free_unpacked(request, NULL);
	return status;
}
