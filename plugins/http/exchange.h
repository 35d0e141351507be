/*
 * One request and its answer. It may wait (its connection is suspended) until a call's reply has
 * come, and may stream. Whoever answers calls exactly one of exchange_answer, exchange_fail and
 * exchange_stream, now or later.
 */
#ifndef LYC_HTTP_EXCHANGE_H
#define LYC_HTTP_EXCHANGE_H

#include "fields.h"
#include "web.h"

#define MAX_HEADERS 12

struct flight;

struct exchange {
	struct web *web;
	struct MHD_Connection *connection;
	struct exchange *previous;
	struct exchange *next;

	bool is_get; /* or HEAD */
	char path[1024];
	char address[MAX_ADDRESS];
	char *body;
	size_t body_len;
	size_t body_cap;

	/* Whose session it is; "" without. */
	char user[64];
	char session_id[TOKEN_ID_LEN + 1];
	/* To be sent with the answer; "": none. */
	char cookie[200];

	/* Refused while its body still came: it is read no further than this. */
	bool is_refused;
	bool is_begun;
	bool is_suspended;
	/* Its connection has ended: nobody takes an answer. */
	bool is_gone;
	bool has_tried_types;

	/* What is called for it. */
	struct flight *flight;
	char method_name[240];
	char output[200];
	/* The chain that the request belongs to, given back with the answer; "": none. */
	char trace[LYC_TRACE_SIZE];
	/* "wales/r1017": who remembers why the call was refused. */
	char refusal[90];
	/* Of a web route: the field that is the answer, and its type. */
	char web_body[100];
	char web_content_type[120];

	/* The answer. */
	bool has_answer;
	struct MHD_Response *response;
	unsigned status;

	/* A stream of events: what has come and is not sent yet. */
	bool is_stream;
	bool has_ended;
	char *events;
	size_t events_len;
	size_t events_cap;
	uint64_t beat_ms;
};

/* The handlers for MHD_start_daemon; cls is the struct web. */
enum MHD_Result exchange_handle(void *cls, struct MHD_Connection *connection, const char *url,
				const char *method, const char *version, const char *upload,
				size_t *upload_len, void **state);
void exchange_completed(void *cls, struct MHD_Connection *connection, void **state,
			enum MHD_RequestTerminationCode code);

/* A header of the request; NULL. */
const char *exchange_header(const struct exchange *exchange, const char *name);
/* Its query. False when it has too much of it. */
bool exchange_read_query(const struct exchange *exchange, struct fields *fields);

/* Answer with bytes that are copied. headers: pairs of name and value, ended by NULL; may be NULL.
 */
void exchange_answer(struct exchange *exchange, unsigned status, const char *type,
		     const void *bytes, size_t len, const char *const *headers);
/* Bytes that never go away. */
void exchange_answer_static(struct exchange *exchange, unsigned status, const char *type,
			    const void *bytes, size_t len, const char *const *headers);
/* {"status":"NOT_FOUND","text":"...","field":"..."}; http 0: what fits the status. */
void exchange_fail(struct exchange *exchange, unsigned http, enum lyc_status status,
		   const char *field, const char *format, ...) LYC_PRINTF(5, 6);
/* Begin text/event-stream; then events, then its end. */
void exchange_stream(struct exchange *exchange);
/* `event` NULL: an unnamed one. False when it is not taken any more. */
bool exchange_event(struct exchange *exchange, const char *event, const char *data);
void exchange_end(struct exchange *exchange);
/* Every second: streams say that they are alive. */
void exchanges_beat(struct web *web, uint64_t now_ms);
/* End what this user, or session (NULL: all of hers), has under way. */
void exchanges_end_user(struct web *web, const char *user);
/* Those that waited for types go on. */
void exchanges_types_came(struct web *web);
/* Is somebody waiting for an answer? Streams never end by themselves, and do not count. */
bool exchanges_are_open(const struct web *web);
/* Resume all, so that the daemon can stop. */
void exchanges_stop(struct web *web);

/* ---- guard.c ---- */

/* What can be said of a request before its body has come: NULL, or a sentence, with the status. */
const char *guard_check(struct exchange *exchange, const char *method, const char *version,
			unsigned *ret_http, enum lyc_status *ret_status);
/* The same, for its session: fills in user. */
void guard_sign_in(struct exchange *exchange);
/* Does it come from our own page? NULL, or why not. */
const char *guard_own_page(const struct exchange *exchange);

/* ---- site.c and who answers ---- */

/* The whole request has come. */
void site_answer(struct exchange *exchange);
/* Ask the daemon for its types, if that was not done just now. */
void site_refresh(struct web *web, bool is_urgent);

void methods_post(struct exchange *exchange, const char *name);
/* A path of (lyceum.v1.web); false when it is none. */
bool methods_route(struct exchange *exchange);
/* What is not known may have come a moment ago: ask the daemon, once, and go on with
 * methods_types_came. False when nothing is under way: answer now. */
bool methods_wait(struct exchange *exchange);
void methods_types_came(struct exchange *exchange);
void openapi_answer(struct exchange *exchange);
void prometheus_answer(struct exchange *exchange);
void sign_in_page(struct exchange *exchange);
void sign_in_enter(struct exchange *exchange);
void sign_in_leave(struct exchange *exchange);
void sign_in_me(struct exchange *exchange);
/* A session in use is prolonged when half of its time has passed. */
void sign_in_prolong(struct exchange *exchange, const struct pass *session, const char *token);

#endif
