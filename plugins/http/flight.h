/*
 * What is under way at the daemon for a request: a call or an append. It outlives the request when
 * its caller goes away first, and the gateway itself when that stops.
 */
#ifndef LYC_HTTP_FLIGHT_H
#define LYC_HTTP_FLIGHT_H

#include "exchange.h"

struct flight {
	/* NULL: nobody waits for it any more. */
	struct exchange *exchange;
	bool is_call;
	uint64_t call_id;
};

/* NULL when there is no memory. Whoever gets the last reply or ack calls flight_end. */
struct flight *flight_new(struct exchange *exchange);
void flight_end(struct flight *flight);
/* Cancel the call, and forget the request. */
void flight_abandon(struct exchange *exchange);

#endif
