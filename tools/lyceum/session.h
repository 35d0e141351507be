/*
 * What a command works with: the client of one daemon, opened when it is first needed, the schemas
 * that this daemon holds, and how to print. One thread. Commands get a session from main; they do
 * not make one.
 */
#ifndef LYC_TOOLS_SESSION_H
#define LYC_TOOLS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/client.h>

#include "base/buf.h"
#include "schema/schema.h"

#define SESSION_MAX_AFTER 16

/* From the global options. */
struct session_options {
	/* NULL: LYCEUM_CONFIG, then /etc/lyceum/lyceum.yaml. */
	const char *config;
	const char *at;
	const char *principal;
	/* The same call again gets the same reply; NULL: none. */
	const char *idempotency_key;
	/* 0: the daemon's default. */
	uint32_t timeout_ms;
	struct lyc_position after[SESSION_MAX_AFTER];
	size_t after_count;
};

struct session_output {
	bool is_json;
	/* --json wraps the reply: {"reply":…, "meta":…}. */
	bool with_meta;
	/* stdout is a terminal that takes colour; and stderr. */
	bool has_colour;
	bool has_error_colour;
	/* stdout is a terminal of this many columns; 0: it is a file or a pipe. */
	size_t width;
};

struct session {
	struct session_options options;
	struct session_output output;

	/* NULL until session_open. */
	struct lyc_client *client;
	char *endpoint;
	/* session_open failed before it reached out: the configuration is wrong. */
	bool is_misconfigured;

	/* The chain of all that the command asks for, of which `lyceum why` tells; and what of it
	 * the daemon has refused: the chain, or a number. */
	char trace[LYC_TRACE_SIZE];
	bool is_untraced;
	bool has_asked;
	uint64_t refusal;

	/* What the daemon holds; empty until session_load. */
	struct schema **schemas;
	size_t schema_count;
};

/* One reply; all of it owned: session_reply_fini. */
struct session_reply {
	struct buf body;
	char *served_by;
	struct lyc_position position;
	struct lyc_position *as_of;
	size_t as_of_count;
	uint64_t duration_ms;
};

/* Connect, once; later calls do nothing. The error is a sentence with the next step. */
LYC_MUST_USE enum lyc_status session_open(struct session *session, struct lyc_error *error);
/* Connect and fetch the daemon's schemas, once. */
LYC_MUST_USE enum lyc_status session_load(struct session *session, struct lyc_error *error);
/* Fetch the schemas again; what was found in the former ones is then invalid. */
LYC_MUST_USE enum lyc_status session_reload(struct session *session, struct lyc_error *error);
/* Accepts a session that was never opened. */
void session_close(struct session *session);

/* Print the error that one of these functions gave; returns the exit code. */
int session_fail(const struct session *session, const struct lyc_error *error);

/* Among the loaded schemas; NULL when none has it. The daemon tells the newest schema first; of
 * several that define a name, the first with the most methods or fields counts. */
const struct schema_service *session_find_service(const struct session *session,
						  const char *full_name);
const struct schema_message *session_find_message(const struct session *session,
						  const char *full_name);

/* What every call of this session carries: at, principal, timeout, after, want_as_of. Valid as long
 * as the session. */
struct lyc_call_options session_call_options(const struct session *session);
/* Call and wait; connects first where needed. `method` is "package.Service/Method". ret_reply may
 * be NULL. On failure error has the sentence and the field. */
LYC_MUST_USE enum lyc_status session_call(struct session *session, const char *method,
					  struct span body, struct session_reply *ret_reply,
					  struct lyc_error *error);
/* The same for a streaming method: on_reply runs for each reply that carries a body. */
typedef void (*session_reply_fn)(const struct lyc_reply *reply, void *arg);
LYC_MUST_USE enum lyc_status session_stream(struct session *session, const char *method,
					    struct span body, session_reply_fn on_reply, void *arg,
					    struct lyc_error *error);
void session_reply_fini(struct session_reply *reply);

#endif
