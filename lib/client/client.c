/* Opening, running and closing a client. What happens in between is in session.c. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/error.h"
#include "base/mem.h"
#include "client/chain.h"
#include "client/attachment.h"
#include "io/clock.h"

#define CONNECT_TIMEOUT_MS 5000
#define CLOSE_MS 1000
#define FIRST_BACK_OFF_MS 50

static void client_free(struct lyc_client *client)
{
	subscriptions_fini(client);
	pending_fini(&client->calls);
	pending_fini(&client->publishes);
	chain_fini(client);
	connection_free(client->connection);
	for (int i = 0; i < ATTACHMENT_MAX_DEPTH; i++) {
		if (client->levels[i])
			buf_fini(&client->levels[i]->texts);
		free(client->levels[i]);
	}
	buf_fini(&client->deferred);
	buf_fini(&client->welcome_texts);
	free(client->software);
	free(client);
}

static enum lyc_status wait_for_welcome(struct lyc_client *client, uint32_t timeout_ms,
					struct lyc_error *error)
{
	uint64_t until_ms = mono_ms() + timeout_ms;
	while (client->state != ATTACHMENT_OPEN) {
		if (client->is_refused)
			return error_set(error, client->why.status, "%s", client->why.text);
		if (mono_ms() >= until_ms)
			break;
		if (attachment_pump(client, until_ms))
			return error_set(error, LYC_RESOURCE_EXHAUSTED, "no memory for a client");
	}
	if (client->state == ATTACHMENT_OPEN)
		return LYC_OK;
	const char *endpoint = client->connection->endpoint;
	if (client->why.status)
		return error_set(error, client->why.status, "no daemon at %s: %s", endpoint,
				 client->why.text);
	return error_set(error, LYC_UNAVAILABLE, "no daemon answers at %s", endpoint);
}

enum lyc_status client_open_with(const struct connection_options *options,
				 const struct peer_hooks *hooks, struct lyc_client **ret_client,
				 struct lyc_error *error)
{
	struct connection *connection;
	*ret_client = NULL;
	enum lyc_status status = connection_new(options, &connection, error);
	if (status)
		return status;
	struct lyc_client *client = mem_try(sizeof(*client));
	if (!client) {
		connection_free(connection);
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "no memory for a client");
	}
	client->connection = connection;
	client->hooks = hooks ? *hooks : (struct peer_hooks){0};
	client->serve_credit = options->call_credit;
	client->back_off_ms = FIRST_BACK_OFF_MS;
	client->welcome =
		(struct lyc_welcome){.daemon = "", .identity = "", .ack_means = "", .software = ""};
	list_init(&client->keyed);
	list_init(&client->owing);
	list_init(&client->removed);
	/* Whoever carries the frames wants each run to be like the last one. */
	rng_init(&client->rng, options->transport
				       ? wall_ms()
				       : wall_ms() ^ (uint64_t)getpid() << 32 ^ (uintptr_t)client);
	if (options->software) {
		client->software = mem_dup_try(options->software, strlen(options->software));
		if (!client->software) {
			client_free(client);
			return error_set(error, LYC_RESOURCE_EXHAUSTED, "no memory for a client");
		}
	}
	*ret_client = client;
	status = wait_for_welcome(client,
				  options->connect_timeout_ms ? options->connect_timeout_ms
							      : CONNECT_TIMEOUT_MS,
				  error);
	if (status) {
		*ret_client = NULL;
		lyc_client_close(client);
	}
	return status;
}

enum lyc_status lyc_client_open(const struct lyc_client_options *options,
				struct lyc_client **ret_client, struct lyc_error *error)
{
	struct connection_options with = {.endpoint = options->endpoint,
					  .server_key = options->server_key,
					  .public_key = options->public_key,
					  .secret_key = options->secret_key,
					  .software = options->software,
					  .connect_timeout_ms = options->connect_timeout_ms};
	return client_open_with(&with, NULL, ret_client, error);
}

/* Goodbye goes behind what is queued; all of it gets a second. */
static void say_goodbye(struct lyc_client *client)
{
	struct packet goodbye = {.kind = PACKET_GOODBYE, .goodbye = {.reason = GOODBYE_SHUTDOWN}};
	uint64_t until_ms = mono_ms() + CLOSE_MS;
	attachment_put(client, &goodbye);
	for (;;) {
		connection_flush(client->connection, WIRE_FRAME_LEN);
		uint64_t now_ms = mono_ms();
		if (connection_unsent(client->connection) == 0 || now_ms >= until_ms)
			break;
		connection_wait(client->connection, (int)(until_ms - now_ms));
	}
}

void lyc_client_close(struct lyc_client *client)
{
	if (!client)
		return;
	ensure(client->depth == 0);
	client->is_closing = true;
	/* The callbacks that run now find no session. */
	struct pending_table calls = pending_take_all(&client->calls);
	struct pending_table publishes = pending_take_all(&client->publishes);
	if (client->state == ATTACHMENT_OPEN)
		say_goodbye(client);
	client->state = ATTACHMENT_WAITING;
	client->retry_at_ms = UINT64_MAX;
	connection_close(client->connection, CLOSE_MS);
	calls_end(client, &calls, LYC_CANCELLED, "the client was closed");
	keyed_end(client, LYC_CANCELLED, "the client was closed");
	publishes_end(client, &publishes, LYC_CANCELLED, "the client was closed");
	client_free(client);
}

void lyc_trace_begin(struct lyc_client *client, char ret_trace[LYC_TRACE_SIZE])
{
	static_assert(LYC_TRACE_SIZE == TRACE_TEXT_LEN + 1, "room for a traceparent");
	struct trace trace = trace_begin(&client->rng);
	trace_write(&trace, ret_trace);
}

bool lyc_trace_is_valid(const char *trace)
{
	struct trace read;
	return trace && trace_read(span_of(trace, strlen(trace)), &read);
}

const struct lyc_welcome *lyc_client_welcome(const struct lyc_client *client)
{
	return &client->welcome;
}

enum lyc_status lyc_client_run(struct lyc_client *client, int timeout_ms)
{
	uint64_t until_ms = timeout_ms < 0 ? UINT64_MAX : mono_ms() + (uint64_t)timeout_ms;
	enum lyc_status status = attachment_pump_or_wake(client, until_ms);
	return status ? status : attachment_check(client, NULL);
}

int lyc_client_fd(const struct lyc_client *client)
{
	struct connection *connection = client->connection;
	/* The first time lyc_client_run is due at once; from then on it says itself when it is, and
	 * only what was queued since counts: armed at every call, the descriptor would never be
	 * quiet. */
	uint64_t due_ms = connection->is_watched ? UINT64_MAX : mono_ms();
	connection->is_watched = true;
	connection_arm(connection, due_ms);
	return client->connection->wait_fd;
}
