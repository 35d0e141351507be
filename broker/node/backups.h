/*
 * Backups as the operator sees them: the call that makes one, when the last one was made, and from
 * which one this log came.
 */
#ifndef LYC_NODE_BACKUPS_H
#define LYC_NODE_BACKUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "route/call.h"

struct daemon;
struct Lyceum__V1__BackupState;

struct backups {
	bool is_running;
	uint64_t last_ms;
	char folder[256];

	/* Of the restore that this log came from; 0: it came from none. */
	uint64_t restored_ms;
	uint64_t restored_from_ms; /* when that backup was made */
	uint64_t restored_seq;
	uint64_t restored_count;
};

/* What is known beside the log. */
void backups_load(struct daemon *daemon);
/* lyceum.v1.Node/Backup: keeps the call, or refuses it. */
LYC_MUST_USE enum lyc_status backups_call(struct daemon *daemon, const struct call *call,
					  struct span body, struct lyc_error *error);
/* For Status; `restored` is memory for its sentence. */
void backups_state(struct daemon *daemon, bool is_operator, char *restored, size_t size,
		   struct Lyceum__V1__BackupState *ret_state);

#endif
