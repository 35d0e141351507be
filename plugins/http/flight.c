/* Who waits for what. */
#include "flight.h"

#include <stdlib.h>

struct flight *flight_new(struct exchange *exchange)
{
	struct flight *flight = calloc(1, sizeof(*flight));
	if (!flight)
		return NULL;
	flight->exchange = exchange;
	exchange->flight = flight;
	return flight;
}

void flight_end(struct flight *flight)
{
	if (flight->exchange)
		flight->exchange->flight = NULL;
	free(flight);
}

void flight_abandon(struct exchange *exchange)
{
	struct flight *flight = exchange->flight;
	if (!flight)
		return;
	exchange->flight = NULL;
	flight->exchange = NULL;
	if (flight->is_call)
		lyc_client_cancel(exchange->web->client, flight->call_id);
}
