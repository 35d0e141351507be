/* One connection, opened when a command first needs it; the schemas that the daemon holds; calls.
 */
#include "session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "outcome.h"
#include "target.h"

#define CONNECT_TIMEOUT_MS 3000

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Is it sure that nobody listens? Then nobody has to wait for the timeout. */
static bool is_deserted(const char *endpoint)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	static const char scheme[] = "ipc://";
	const char *path = endpoint + sizeof(scheme) - 1;
	if (strncmp(endpoint, scheme, sizeof(scheme) - 1) != 0 || *path != '/' ||
	    strlen(path) >= sizeof(address.sun_path))
		return false;
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	bool is_refused = connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 &&
			  (errno == ENOENT || errno == ECONNREFUSED);
	close(fd);
	return is_refused;
}

enum lyc_status session_open(struct session *session, struct lyc_error *error)
{
	struct target target = {0};
	struct lyc_error fault = {0};
	if (session->client)
		return LYC_OK;
	enum lyc_status status = target_read(session->options.config, &target, error);
	if (status != LYC_OK) {
		session->is_misconfigured = true;
		return status;
	}
	uint32_t timeout_ms = session->options.timeout_ms;
	struct lyc_client_options options = {
		.endpoint = target.endpoint,
		.server_key = target.has_keys ? target.server_key : NULL,
		.public_key = target.has_keys ? target.public_key : NULL,
		.secret_key = target.has_keys ? target.secret_key : NULL,
		.software = "lyceum-cli " LYCEUM_VERSION,
		.connect_timeout_ms = timeout_ms && timeout_ms < CONNECT_TIMEOUT_MS
					      ? timeout_ms
					      : CONNECT_TIMEOUT_MS,
	};
	status = is_deserted(target.endpoint) ? LYC_UNAVAILABLE
					      : lyc_client_open(&options, &session->client, &fault);
	if (status == LYC_UNAVAILABLE || status == LYC_DEADLINE_EXCEEDED)
		error_set(error, LYC_UNAVAILABLE,
			  target.is_daemon ? "no daemon answers at %s: is lyceumd running? "
					     "(lyceumd --config %s)"
					   : "no daemon answers at %s: is lyceumd running there, "
					     "and is %s right?",
			  target.endpoint, target_config(session->options.config));
	else if (status != LYC_OK && error)
		*error = fault;
	if (status == LYC_OK) {
		session->endpoint = mem_dup(target.endpoint);
		lyc_trace_begin(session->client, session->trace);
	}
	target_fini(&target);
	return status;
}

/* The next step, to be copied: where the sentence alone may not be all that there is to know. */
static void say_why(const struct session *session, enum lyc_status status)
{
	const char *config = session->options.config;
	bool is_plain = status == LYC_NOT_FOUND || status == LYC_ALREADY_EXISTS;
	if ((!session->has_asked || is_plain) && session->refusal == 0)
		return;
	fprintf(stderr, "        lyceum%s%s why ", config ? " --config " : "",
		config ? config : "");
	if (session->refusal > 0)
		fprintf(stderr, "r%" PRIu64 "\n", session->refusal);
	else
		fprintf(stderr, "%.32s\n", session->trace + 3);
}

int session_fail(const struct session *session, const struct lyc_error *error)
{
	if (!session->is_misconfigured) {
		int code = outcome_error(error);
		say_why(session, error->status);
		return code;
	}
	return outcome_fault(error->status == LYC_UNAVAILABLE ? OUTCOME_UNREACHABLE : OUTCOME_USAGE,
			     error);
}

static void add_schema(struct session *session, struct span set)
{
	struct lyc_error error = {0};
	struct schema *schema = NULL;
	if (schema_new(set.data, set.len, &schema, &error) != LYC_OK) {
		outcome_say(OUTCOME_OK, "a schema of the daemon is passed over: %s", error.text);
		return;
	}
	session->schemas[session->schema_count++] = schema;
}

/* lyceum.v1.SchemaReply by hand: sets are large, and only pointed to. */
static enum lyc_status read_schemas(struct session *session, struct span reply)
{
	struct pb_reader reader = pb_reader_of(reply);
	struct pb_field field;
	size_t count = 0;
	while (pb_read_field(&reader, &field))
		count += field.number == 1 && field.wire == PB_LEN;
	if (reader.has_failed)
		return LYC_INTERNAL;
	session->schemas = mem_get((count + 1) * sizeof(*session->schemas));
	reader = pb_reader_of(reply);
	while (pb_read_field(&reader, &field)) {
		struct pb_reader inner = pb_reader_of(field.bytes);
		struct pb_field part;
		while (field.number == 1 && pb_read_field(&inner, &part)) {
			if (part.number == 2 && part.wire == PB_LEN)
				add_schema(session, part.bytes);
		}
	}
	return LYC_OK;
}

enum lyc_status session_load(struct session *session, struct lyc_error *error)
{
	struct session_reply reply = {0};
	if (session->schemas)
		return LYC_OK;
	enum lyc_status status = session_open(session, error);
	if (status != LYC_OK)
		return status;
	/* What this daemon holds, whatever node the command's own call goes to. */
	struct session_options options = session->options;
	session->options = (struct session_options){.timeout_ms = options.timeout_ms};
	session->is_untraced = true;
	status = session_call(session, "lyceum.v1.Node/Schema", span_of("", 0), &reply, error);
	session->options = options;
	session->is_untraced = false;
	if (status == LYC_OK &&
	    read_schemas(session, span_of(reply.body.data, reply.body.len)) != LYC_OK)
		status = error_set(error, LYC_INTERNAL,
				   "the daemon's answer to lyceum.v1.Node/Schema is malformed");
	session_reply_fini(&reply);
	return status;
}

static void drop_schemas(struct session *session)
{
	for (size_t i = 0; i < session->schema_count; i++)
		schema_unref(session->schemas[i]);
	free(session->schemas);
	session->schemas = NULL;
	session->schema_count = 0;
}

enum lyc_status session_reload(struct session *session, struct lyc_error *error)
{
	drop_schemas(session);
	return session_load(session, error);
}

void session_close(struct session *session)
{
	lyc_client_close(session->client);
	drop_schemas(session);
	for (size_t i = 0; i < session->options.after_count; i++)
		free((char *)session->options.after[i].origin);
	free(session->endpoint);
	*session = (struct session){0};
}

const struct schema_service *session_find_service(const struct session *session,
						  const char *full_name)
{
	const struct schema_service *best = NULL;
	for (size_t i = 0; i < session->schema_count; i++) {
		const struct schema_service *service =
			schema_find_service(session->schemas[i], full_name);
		if (service && (!best || service->method_count > best->method_count))
			best = service;
	}
	return best;
}

const struct schema_message *session_find_message(const struct session *session,
						  const char *full_name)
{
	const struct schema_message *best = NULL;
	for (size_t i = 0; i < session->schema_count; i++) {
		const struct schema_message *message =
			schema_find_message(session->schemas[i], full_name);
		if (message && (!best || message->field_count > best->field_count))
			best = message;
	}
	return best;
}

struct lyc_call_options session_call_options(const struct session *session)
{
	const struct session_options *options = &session->options;
	return (struct lyc_call_options){
		.at = options->at,
		.principal = options->principal,
		.timeout_ms = options->timeout_ms,
		.idempotency_key = options->idempotency_key,
		.want_as_of = true,
		.after = options->after_count ? options->after : NULL,
		.after_count = options->after_count,
		.trace = session->is_untraced ? NULL : session->trace,
	};
}

/* One call on its way. */
struct flight {
	session_reply_fn on_reply;
	void *arg;
	/* The last reply of a stream is empty. */
	bool is_stream;
	bool is_done;
	enum lyc_status status;
	struct lyc_error *error;
};

static void on_flight_reply(const struct lyc_reply *reply, void *arg)
{
	struct flight *flight = arg;
	if (reply->status == LYC_OK && (reply->body_len > 0 || reply->more || !flight->is_stream))
		flight->on_reply(reply, flight->arg);
	if (reply->more)
		return;
	flight->is_done = true;
	flight->status = reply->status;
	if (reply->status != LYC_OK)
		error_set_field(flight->error, reply->status, reply->field ? reply->field : "",
				"%s", reply->text ? reply->text : "");
}

static enum lyc_status fly(struct session *session, const char *method, struct span body,
			   struct flight *flight)
{
	enum lyc_status status = session_open(session, flight->error);
	if (status != LYC_OK)
		return status;
	struct lyc_call_options options = session_call_options(session);
	/* Why asks about others, and says of each thing itself who knows it. */
	bool is_why = strcmp(method, "lyceum.v1.Node/Why") == 0;
	bool is_traced = options.trace && !is_why;
	if (!is_traced)
		options.trace = NULL;
	options.want_as_of = !is_why;
	status = lyc_client_call_start(session->client, method, body.data, body.len, &options,
				       on_flight_reply, flight, NULL);
	if (status != LYC_OK)
		return error_set(flight->error, status,
				 "the call of %s could not be sent: it is larger than "
				 "the daemon takes, or the link is lost",
				 method);
	while (!flight->is_done)
		(void)lyc_client_run(session->client, -1);
	session->has_asked = session->has_asked || (is_traced && flight->status != LYC_OK);
	return flight->status;
}

static void keep_reply(const struct lyc_reply *reply, void *arg)
{
	struct session_reply *kept = arg;
	session_reply_fini(kept);
	buf_add(&kept->body, reply->body, reply->body_len);
	kept->served_by = mem_dup(reply->served_by);
	kept->position = reply->position;
	kept->position.origin = mem_dup(reply->position.origin);
	kept->as_of = mem_get((reply->as_of_count + 1) * sizeof(*kept->as_of));
	kept->as_of_count = reply->as_of_count;
	for (size_t i = 0; i < reply->as_of_count; i++) {
		kept->as_of[i] = reply->as_of[i];
		kept->as_of[i].origin = mem_dup(reply->as_of[i].origin);
	}
}

enum lyc_status session_call(struct session *session, const char *method, struct span body,
			     struct session_reply *ret_reply, struct lyc_error *error)
{
	struct session_reply reply = {0};
	struct flight flight = {.on_reply = keep_reply, .arg = &reply, .error = error};
	enum lyc_status status = session_open(session, error);
	if (status != LYC_OK)
		return status;
	uint64_t start_ms = now_ms();
	status = fly(session, method, body, &flight);
	reply.duration_ms = now_ms() - start_ms;
	if (status == LYC_OK && ret_reply)
		*ret_reply = reply;
	else
		session_reply_fini(&reply);
	return status;
}

enum lyc_status session_stream(struct session *session, const char *method, struct span body,
			       session_reply_fn on_reply, void *arg, struct lyc_error *error)
{
	struct flight flight = {
		.on_reply = on_reply, .arg = arg, .is_stream = true, .error = error};
	return fly(session, method, body, &flight);
}

void session_reply_fini(struct session_reply *reply)
{
	buf_fini(&reply->body);
	free(reply->served_by);
	free((char *)reply->position.origin);
	for (size_t i = 0; i < reply->as_of_count; i++)
		free((char *)reply->as_of[i].origin);
	free(reply->as_of);
	*reply = (struct session_reply){0};
}
