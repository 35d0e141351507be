/* What a client that serves says: what it serves, and its replies. What it hears comes through the
 * hooks, from attachment.c. */
#include "client/peer.h"

#include "base/error.h"
#include "client/attachment.h"
#include "io/clock.h"

#define ABANDON_ROUNDS 8

const struct trace *client_work_in(struct lyc_client *client, const struct trace *chain)
{
	const struct trace *former = client->chain;
	client->chain = chain;
	return former;
}

bool client_is_open(const struct lyc_client *client)
{
	return client->state == ATTACHMENT_OPEN;
}

/* Send a Register and wait for Registered. */
static enum lyc_status register_until(struct lyc_client *client, const struct packet_register *reg,
				      uint64_t until_ms, struct lyc_error *error)
{
	enum lyc_status status = attachment_check(client, error);
	if (status)
		return status;
	struct register_wait *wait = &client->registering;
	if (wait->is_waiting)
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "a Register is on its way already");
	if (reg->service_count > WIRE_MAX_SERVICES || reg->publish_count > WIRE_MAX_SERVICES ||
	    reg->schema.len > WIRE_MAX_BODY)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "a peer registers at most %d services, as many patterns and a "
				 "schema of %d bytes",
				 WIRE_MAX_SERVICES, WIRE_MAX_BODY);
	uint64_t id = wait->id + 1;
	*wait = (struct register_wait){.id = id, .is_waiting = true};
	struct packet packet = {.kind = PACKET_REGISTER, .reg = *reg};
	packet.reg.id = id;
	if (attachment_put(client, &packet) == 0) {
		wait->is_waiting = false;
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "no memory to register");
	}
	while (wait->id == id && wait->is_waiting) {
		if (until_ms != UINT64_MAX && mono_ms() >= until_ms) {
			wait->is_waiting = false;
			return error_set(error, LYC_DEADLINE_EXCEEDED,
					 "the daemon did not say Registered in time");
		}
		if (attachment_pump(client, until_ms)) {
			wait->is_waiting = false;
			return error_set(error, LYC_RESOURCE_EXHAUSTED,
					 "callbacks wait within callbacks too deep");
		}
	}
	/* Another id: this session was lost, and the next one has registered already. */
	if (wait->id != id)
		return error_set(error, LYC_UNAVAILABLE, "the connection to the daemon was lost");
	if (wait->error.status && error)
		*error = wait->error;
	return wait->error.status;
}

enum lyc_status client_register(struct lyc_client *client, const struct packet_register *reg,
				struct lyc_error *error)
{
	return register_until(client, reg, UINT64_MAX, error);
}

enum lyc_status client_let_go(struct lyc_client *client, uint32_t timeout_ms)
{
	static const struct packet_register nothing;
	return register_until(client, &nothing, mono_ms() + timeout_ms, NULL);
}

void client_run_on(struct lyc_client *client, uint32_t timeout_ms)
{
	/* Too deep it is not: nothing runs but this. */
	(void)!attachment_pump(client, mono_ms() + timeout_ms);
}

enum lyc_status client_reply(struct lyc_client *client, const struct packet_reply *reply)
{
	if (client->state != ATTACHMENT_OPEN)
		return LYC_UNAVAILABLE;
	if (reply->more && connection_unsent(client->connection) > CONNECTION_MAX_UNSENT)
		return LYC_RESOURCE_EXHAUSTED;
	struct packet packet = {.kind = PACKET_REPLY, .reply = *reply};
	if (attachment_put(client, &packet) == 0)
		return LYC_RESOURCE_EXHAUSTED;
	if (reply->more)
		attachment_wrote(client);
	else
		attachment_wrote_call(client);
	return LYC_OK;
}

enum lyc_status client_wake_on(struct lyc_client *client, int fd, struct lyc_error *error)
{
	if (connection_wait_also(client->connection, fd))
		return LYC_OK;
	return error_set(error, LYC_INTERNAL, "The descriptor %d cannot be waited for.", fd);
}

bool client_is_woken(const struct lyc_client *client)
{
	return connection_is_woken(client->connection, client->now_ms);
}

bool client_stir_on(struct lyc_client *client, int fd)
{
	return connection_stir_on(client->connection, fd);
}

void client_rearm(struct lyc_client *client)
{
	connection_rearm(client->connection);
}

void client_abandon(struct lyc_client *client)
{
	for (int round = 0; round < ABANDON_ROUNDS; round++) {
		if (client->calls.count + client->publishes.count == 0)
			return;
		struct pending_table calls = pending_take_all(&client->calls);
		struct pending_table publishes = pending_take_all(&client->publishes);
		calls_end(client, &calls, LYC_CANCELLED, "the client was closed");
		publishes_end(client, &publishes, LYC_CANCELLED, "the client was closed");
	}
}

bool client_is_told_to_end(const struct lyc_client *client)
{
	return client->is_told_to_end;
}

uint64_t client_now_ms(const struct lyc_client *client)
{
	return client->now_ms;
}
