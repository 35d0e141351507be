/*
 * The one table between the core and the world. Everything below broker/ that decides something
 * runs on one thread and reaches sockets, files, threads and the clock only through here, so that
 * the whole of it can run without any of them.
 */
#ifndef LYC_ROUTE_ENV_H
#define LYC_ROUTE_ENV_H

#include <stdbool.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "base/buf.h"

struct plugin; /* host's entry of a configured plugin instance */

/* One append on its way to the log. The core fills it and hands it over; the world answers with
 * on_done on the loop, in order. */
struct append {
	struct append *next;
	struct buf subject;
	struct buf record;
	bool has_expect;
	uint64_t expect_seq;
	/* What makes the log hold less in the end: taken also where the disk is full, as long as
	 * the reserve lasts. */
	bool is_vital;

	enum lyc_status status;
	uint64_t seq;
	void (*on_done)(struct append *append);
	char text[200]; /* why, where it was not taken; behind what every append needs */
};

/* A stretch of the log to be read. The world fills `records` with what matches and answers with
 * on_done. */
struct log_read {
	struct log_read *next;
	uint64_t from;
	size_t max_bytes;
	char *pattern; /* NULL: everything */
	/* Of the records up to this sequence only the last of each subject; 0: all of them. */
	uint64_t only_last_to;
	/* Records of this subject, too, whatever the pattern says; NULL: none. */
	const char *also;

	enum lyc_status status;
	uint64_t next_seq;  /* where to go on */
	struct buf records; /* of route/log_read.h */
	char text[200];
	void (*on_done)(struct log_read *read);
};

/* Records to be taken out of the files. The world keeps `value` under `key` first, synced, so that
 * what only these records said is not lost with them, and answers with on_done on the loop; their
 * bytes are gone then. One at a time. */
struct log_removal {
	const uint64_t *seqs;
	size_t seq_count;
	const char *key;
	struct span value;
	/* Damaged files that are kept aside go, too, whatever is in them. */
	bool forgets_damaged;

	enum lyc_status status;
	char text[200];
	void (*on_done)(struct log_removal *removal);
};

/* A backup to be made. The world answers with on_done, on the loop. */
struct backup_job {
	char *folder;
	char *earlier; /* NULL: none */
	bool with_keys;
	uint64_t time_ms;

	enum lyc_status status;
	char text[200];
	uint64_t record_count;
	uint64_t bytes;
	uint64_t shared_bytes;
	uint64_t last_seq;
	uint64_t epoch;
	void (*on_done)(struct backup_job *job);
};

/* A record that was found damaged, whole again from another daemon's copy. The world answers with
 * on_done, on the loop: FAILED_PRECONDITION when it is not the one that was there. */
struct log_heal {
	struct log_heal *next;
	uint64_t seq;
	struct buf subject;
	struct buf record;
	/* It has its home's seal, or comes from where copies come from: believed where nothing of
	 * the checksum is left. */
	bool is_vouched;

	enum lyc_status status;
	void (*on_done)(struct log_heal *heal);
};
/* What is lost: from and to which sequence, and what is known of it, a serialised lyceum.v1.Record
 * with nothing but `lost`. */
typedef void (*log_lost_fn)(uint64_t first_seq, uint64_t last_seq, struct span details, void *arg);

/* The port number of the connection to the hub; listeners and plugin pipes count from 1. */
#define PORT_UPLINK 0

struct env {
	void *world;
	/* Milliseconds: monotonic, the same within one turn of the loop; and since 1970. */
	uint64_t (*now_ms)(void *world);
	uint64_t (*wall_ms)(void *world);
	/* Send one frame. OK takes the buffer's content. RESOURCE_EXHAUSTED: full, try again next
	 * turn. UNAVAILABLE: the peer is gone. */
	enum lyc_status (*send)(void *world, uint32_t port, struct span routing_id,
				struct buf *frame);
	/* End the connection that this descriptor belongs to. */
	void (*cut)(void *world, int fd);
	/* Takes the append. */
	void (*append)(void *world, struct append *append);
	/* Takes the read. */
	void (*read)(void *world, struct log_read *read);
	/* Borrows the removal until it is answered. */
	void (*remove)(void *world, struct log_removal *removal);
	/* The last sequence of a subject, 0: none. */
	uint64_t (*last_of)(void *world, struct span subject);
	/* Keep a small value beside the log; not synchronous, the last one wins. An empty one
	 * removes what was saved. */
	void (*save)(void *world, const char *key, struct span value);
	/* What was saved; nothing when there is none. Reads a small file. */
	void (*load)(void *world, const char *key, struct buf *ret_value);
	/* Was what was saved under this key found damaged, and nothing saved since? Which keys
	 * were. NULL, both: this world's values are never damaged. */
	bool (*was_damaged)(void *world, const char *key);
	void (*damaged)(void *world, void (*on_key)(const char *key, void *arg), void *arg);
	/* How many keys that begin like this have a value on the disk. */
	size_t (*saved_count)(void *world, const char *prefix);
	/* Does this very key have one? */
	bool (*is_saved)(void *world, const char *key);
	/* Takes the job; one at a time. NULL: this world has no files. */
	void (*backup)(void *world, struct backup_job *job);
	/* Takes the heal. NULL, as is the next: this world's log is never damaged. */
	void (*heal)(void *world, struct log_heal *heal);
	void (*lost)(void *world, log_lost_fn on_lost, void *arg);
	/* Random bits. */
	uint64_t (*random)(void *world);

	/* Begin and end an attempt to reach the hub: frames of it come from and go to PORT_UPLINK.
	 */
	enum lyc_status (*uplink_open)(void *world, struct lyc_error *error);
	void (*uplink_close)(void *world);
	/* Has the attempt failed by now? Writes why, or else what it waits for. */
	bool (*uplink_failed)(void *world, char *ret_text, size_t size);

	/* Start an instance: host_exited is called when it has ended, host_line for what it says.
	 */
	enum lyc_status (*plugin_start)(void *world, struct plugin *plugin,
					struct lyc_error *error);
	/* Ask it to end; after grace_ms it is made to, where that is possible. */
	void (*plugin_stop)(void *world, struct plugin *plugin, uint32_t grace_ms);
};

#endif
