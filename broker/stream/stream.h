/*
 * The log as the core sees it: appends that become records, records that reach followers, and
 * positions. Everything runs on the loop thread; the files are behind struct env.
 */
#ifndef LYC_STREAM_STREAM_H
#define LYC_STREAM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "base/list.h"
#include "policy/policy.h"
#include "route/env.h"
#include "route/journal.h"
#include "route/session.h"
#include "route/topics.h"
#include "route/types.h"
#include "stream/held.h"
#include "stream/moments.h"
#include "stream/origins.h"
#include "stream/record.h"
#include "stream/subjects.h"

/* Runs for every record once it is committed, in order; the record is valid until it returns. */
typedef void (*stream_commit_fn)(uint64_t seq, const struct record *record, struct span bytes,
				 void *arg);

struct durable_count; /* of durable.c */
struct left_place;
struct retention;
struct erasures;

/* Where positions are kept that the records themselves may not say any more. */
#define STREAM_POSITIONS_KEY "positions"
struct taken_back; /* of taken_back.c */
struct overtaken;  /* of overtaken.c */

/* Buffers of a publish that is being judged: the next one has their memory. */
struct publish_room {
	struct buf subject;
	struct buf key;
	struct buf label;
};

struct stream {
	const struct env *env;
	struct policy *policy;
	struct types *types;
	struct session_table *sessions;
	struct topics *topics;
	struct journal *journal;

	char name[64];
	uint64_t epoch;
	uint64_t last_seq;     /* committed */
	uint64_t told_seq;     /* the followers have been told so far */
	uint64_t replayed_seq; /* how far it was at the start; until then UINT64_MAX */
	/* Restored, and the hub has not given back yet what it has of the lost end. */
	bool is_waiting;
	struct taken_back *taken_back; /* by subject */
	/* On their way to the log, by enum record_form. */
	struct seq_set taking[RECORD_WHOLE_AGAIN + 1];
	size_t taking_count;
	/* Given back, and not taken: their keys had been written since. */
	struct seq_set passed_over;
	struct overtaken *overtaken; /* of those the subjects, until all know */
	bool is_reading_overtaken;
	uint64_t taken_back_count;
	uint64_t not_taken_back_count;
	uint8_t seal_key[16];
	uint64_t last_time_ms;
	size_t appends_pending;
	size_t appends_len;           /* memory of the publishes among them */
	size_t max_appends_len;       /* beyond it publishes are refused */
	struct append *spare_appends; /* of append.c */
	size_t spare_append_count;
	struct publish_room room;
	/* A label of the last records that says nothing special: the next one may have the same. */
	uint8_t plain_label[32];
	size_t plain_label_len;
	/* The daemon ends: nothing more is asked of the log. */
	bool is_ending;
	/* Records are being taken out of the files: one removal at a time. */
	bool is_removing;
	uint64_t removal_count;      /* that have ended */
	struct retention *retention; /* NULL: everything is kept */
	struct erasures *erasures;

	/* The sequences of the records of lyceum.v1 and of erasures, whose meaning is the daemons'
	 * own. */
	uint64_t *own_seqs;
	size_t own_seq_count;

	struct origins origins;
	struct subjects subjects;
	struct moments moments;
	struct list followers;
	struct list groups;
	struct list unkept;             /* of kept.c */
	struct durable_count *durables; /* by identity */
	struct left_place *left;        /* see left.h */
	uint64_t fanout;                /* number of the transient message being sent */
	uint64_t fanned_len;            /* bytes of all that went to subscribers and links */
	struct buf fanout_common;       /* its Deliver, but for the id */
	struct buf fanout_cut;          /* its body, as it was last cut */
	size_t max_subscriptions;       /* of one peer that is not a link */
	struct held held;
	/* What a session asks for just now; NULL. */
	const struct packet_subscribe *subscribing;

	/* May a damaged record of this origin still come back? It may be the schema that later ones
	 * need: who follows waits for it. NULL: none is damaged. */
	bool (*is_sought)(struct span origin, void *arg);
	void *is_sought_arg;

	stream_commit_fn on_commit;
	void *on_commit_arg;
	/* A private record of the log, while it is replayed. */
	stream_commit_fn on_private;
	void *on_private_arg;
	/* Somebody's interest in transient messages came or went. */
	void (*on_interest)(const struct subscription *subscription, bool is_added, void *arg);
	void *on_interest_arg;
};

void stream_init(struct stream *stream, const struct env *env, struct policy *policy,
		 struct types *types, struct session_table *sessions, struct topics *topics,
		 const char *name, uint64_t epoch);
void stream_fini(struct stream *stream);

/* Before anything else, once per record of the log, in order. */
void stream_replay(struct stream *stream, uint64_t seq, struct span bytes);

/* The log has come so far, though its last records may have been removed since. */
void stream_replayed(struct stream *stream, uint64_t last_seq);
/* Append how far this daemon has come with each origin: kept before records are removed. */
void stream_write_positions(const struct stream *stream, struct buf *to);
/* A record of lyceum.v1, where a summary spoke of all others (node/summary.h): whatever take() in
 * stream.c learns of records is in the summary, or is learnt here. */
void stream_replay_own(struct stream *stream, uint64_t seq, struct span bytes);
/* Before that, what is kept beside the log: its former epochs, the key of its seals, whether it
 * waits for its hub. */
void stream_load(struct stream *stream, bool has_hub);
/* The epoch in which a record of this log was appended. */
uint64_t stream_epoch_of(const struct stream *stream, uint64_t seq);

/* A record, of these bytes, has been synced. The note of its being on its way is settled. */
void stream_committed(struct stream *stream, uint64_t seq, const struct record *record,
		      struct span bytes, struct subject_note *note);

/* ---- publish.c ---- */

/* A Publish packet from a session: check it, then append or fan out. The Ack goes to the session.
 */
void stream_publish(struct stream *stream, struct session *session,
		    const struct packet_publish *publish, uint32_t packet_len);

/* ---- append.c ---- */

/* A record of this daemon's own making; on_done may be NULL. */
typedef void (*stream_done_fn)(enum lyc_status status, uint64_t seq, const char *text, void *arg);
void stream_append_own(struct stream *stream, struct span subject, struct span body,
		       stream_done_fn on_done, void *arg);
/* The same, of what this daemon keeps for itself: nobody is sent one, nobody else appends one, and
 * the label says that it never leaves. */
void stream_append_private(struct stream *stream, struct span subject, struct span body,
			   stream_done_fn on_done, void *arg);
bool stream_is_private(struct span subject);
/* A withdrawal of an own subject that takes the bytes, too, for all whom this label reaches. */
void stream_append_erasure(struct stream *stream, struct span subject, struct span label,
			   struct span principal, stream_done_fn on_done, void *arg);
/* A record as it is to be, but for the time and the checksum, which it gets here: a key's last
 * record has to be expect_seq where has_expect. OK when it is on its way; on_done may be NULL. */
LYC_MUST_USE enum lyc_status stream_append_record(struct stream *stream, struct record *record,
						  stream_done_fn on_done, void *arg,
						  struct lyc_error *error);

/* A label that reaches whoever one of the two reaches: `narrow` does not reach further than the
 * other, or both name audiences. */
void stream_write_reach(struct buf *to, struct span wide, const struct label *wide_label,
			const struct label *narrow);

/* ---- copy_in.c ---- */

/* A record that another daemon made. FAILED_PRECONDITION: not new. INVALID_ARGUMENT: refused for
 * good. */
LYC_MUST_USE enum lyc_status stream_append_copy(struct stream *stream, struct span record,
						stream_done_fn on_done, void *arg,
						struct lyc_error *error);

/* ---- taken_back.c ---- */

/* This daemon's seal and mark on a copy of its own record, as it is sent. */
void stream_seal(const struct stream *stream, struct record *copy);
bool stream_seal_fits(const struct stream *stream, const struct record *copy);
/* A record of this daemon's own that a restore had lost, given back by another one; a hub may have
 * cut it once more. OK: it is on its way. FAILED_PRECONDITION: it is here, and no worse.
 * INVALID_ARGUMENT: it cannot be taken, and is counted. */
LYC_MUST_USE enum lyc_status stream_take_back(struct stream *stream, const struct record *record,
					      bool is_from_hub, stream_done_fn on_done, void *arg,
					      struct lyc_error *error);
/* How many came back without parts of them, and how many as a withdrawal only. */
void stream_count_partial(const struct stream *stream, uint64_t *ret_cut, uint64_t *ret_withdrawn);
/* The hub has given back everything that it had. */
void stream_given_back(struct stream *stream);
void taken_back_fini(struct stream *stream);
/* For the summary: a field of this number for each subject; 1 is the subject, and restore gets the
 * numbers from 2 on. */
void taken_back_write(const struct stream *stream, uint32_t number, struct buf *to);
void taken_back_restore(struct stream *stream, struct span subject, const uint64_t numbers[5]);
/* A committed record that was given back. */
void taken_back_note(struct stream *stream, uint64_t seq, const struct record *record);
/* A label that reaches whom one of the two reaches; and a record's label, MEMBERS where it has
 * none.
 */
void stream_write_both(struct buf *to, struct span a, struct span b);
struct span stream_label_or_members(struct span label);

/* ---- subscribe.c ---- */

void stream_subscribe(struct stream *stream, struct session *session,
		      const struct packet_subscribe *subscribe);
void stream_unsubscribe(struct stream *stream, struct session *session, uint64_t id, bool forget);
void stream_consumed(struct stream *stream, struct session *session, uint64_t id, uint64_t seq);
void stream_credit(struct stream *stream, struct session *session, uint64_t id, uint64_t bytes);
/* End all subscriptions of a session. */
void stream_leave(struct stream *stream, struct session *session);

/* ---- follower.c ---- */

/* A committed record, to whoever follows. */
void stream_deliver(struct stream *stream, uint64_t seq, const struct record *record);
/* At the end of a turn: followers learn how far the log is, also where nothing was for them. */
void stream_turn(struct stream *stream);
/* Save durable positions that have moved. */
void stream_tick(struct stream *stream);
/* How far a session's follower of records is behind; 0 when it has none. */
uint64_t stream_behind(const struct stream *stream, const struct session *session);

/* ---- fan_out.c ---- */

/* A transient message, to the subscribers of this moment; `from` gets none when it is a link. */
struct transient {
	struct span subject;
	const struct schema_message *message; /* the type; NULL: unknown */
	struct span body;
	struct span label;         /* serialised; empty: of the body, or MEMBERS */
	const struct label *reach; /* what stream_label makes of both */
	const char *principal;
	struct span origin;
	uint32_t hops;
	struct span trace; /* a traceparent of this daemon's span */
};
void stream_fan_out(struct stream *stream, const struct session *from,
		    const struct transient *transient);
/* A link says that transient messages of this pattern were lost on it: pass that on. */
void stream_missed(struct stream *stream, const char *pattern, uint64_t missed);
/* Tell links that were slow what they missed. */
void stream_tell_links(struct stream *stream);

/* The label of a message: where its type has a field for one, what that holds, else PRIVATE; where
 * it has none, `given`, else MEMBERS. */
enum lyc_status stream_label(const struct schema_message *message, struct span own, bool has_own,
			     struct span given, struct label *ret_label);

#endif
