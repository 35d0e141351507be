/* A connection, as long as it is open: so that one which sends its request too slowly is ended. */
#ifndef LYC_HTTP_PEER_H
#define LYC_HTTP_PEER_H

#include "web.h"

struct peer {
	struct web *web;
	struct peer *previous;
	struct peer *next;
	int fd;
	/* Since when a request is awaited; 0: one is being answered. */
	uint64_t waits_since_ms;
};

void peer_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
		 enum MHD_ConnectionNotificationCode code);
/* The request has come as a whole; or its answer has gone. NULL is taken. */
void peer_has_request(struct MHD_Connection *connection);
void peer_awaits_request(struct MHD_Connection *connection);
/* End what is too slow. */
void peers_sweep(struct web *web, uint64_t now_ms);

#endif
