/* Lyceum: durable publishes by the public client library. An Ack says that the record has been
 * synced. */
#include <stdlib.h>

#include <lyceum/client.h>

#include "durable/durable.h"
#include "durable/writers.h"
#include "kit/daemon.h"
#include "kit/refusals.h"

struct connection {
	struct lyc_client *client;
	struct writer *writer;
	struct slot {
		struct connection *connection;
		size_t number;
	} slots[WRITERS_MAX_OUTSTANDING];
};

static void on_ack(const struct lyc_ack *ack, void *arg)
{
	struct slot *slot = arg;
	if (ack->status == LYC_OK)
		writer_acked(slot->connection->writer, slot->number);
	else
		writer_refused(slot->connection->writer, ack->text);
}

static void *open_connection(const struct contestant *self, struct measure *measure,
			     struct writer *writer)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	connection->writer = writer;
	for (size_t i = 0; i < WRITERS_MAX_OUTSTANDING; i++)
		connection->slots[i] = (struct slot){connection, i};
	return daemon_open(self, &connection->client, measure) &&
			       refusals_of_publishes(connection->client, measure)
		       ? connection
		       : NULL;
}

static bool put(void *arg, size_t slot, const char *subject, const uint8_t *body, size_t len)
{
	static const struct lyc_publish_options options = {.durable = true};
	struct connection *connection = arg;
	return lyc_client_publish_start(connection->client, subject, body, len, &options, on_ack,
					&connection->slots[slot]) == LYC_OK;
}

static bool turn(void *arg)
{
	struct connection *connection = arg;
	return lyc_client_run(connection->client, 100) != LYC_UNAVAILABLE;
}

static void close_connection(void *arg)
{
	struct connection *connection = arg;
	lyc_client_close(connection->client);
	free(connection);
}

void lyceum_durable_round(const struct contestant *self, const struct setting *setting,
			  const struct workload *work, struct measure *ret_measure)
{
	static const struct writer_parts parts = {open_connection, put, turn, close_connection};
	writers_round(self, setting, work, &parts, ret_measure);
}
