/* Connections by age of what they owe. */
#include "peer.h"

#include <stdlib.h>
#include <sys/socket.h>

void peer_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
		 enum MHD_ConnectionNotificationCode code)
{
	struct web *web = cls;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		struct peer *peer = calloc(1, sizeof(*peer));
		*socket_context = peer;
		if (!peer || !info)
			return;
		peer->web = web;
		peer->fd = info->connect_fd;
		peer->waits_since_ms = web_now_ms();
		peer->next = web->peers;
		if (peer->next)
			peer->next->previous = peer;
		web->peers = peer;
		web->peer_count++;
		return;
	}
	struct peer *peer = *socket_context;
	*socket_context = NULL;
	if (peer && peer->web) {
		if (peer->next)
			peer->next->previous = peer->previous;
		if (peer->previous)
			peer->previous->next = peer->next;
		else
			web->peers = peer->next;
		web->peer_count--;
	}
	free(peer);
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

void peer_has_request(struct MHD_Connection *connection)
{
	struct peer *peer = peer_of(connection);
	if (peer)
		peer->waits_since_ms = 0;
}

void peer_awaits_request(struct MHD_Connection *connection)
{
	struct peer *peer = peer_of(connection);
	if (peer)
		peer->waits_since_ms = web_now_ms();
}

void peers_sweep(struct web *web, uint64_t now_ms)
{
	for (struct peer *peer = web->peers; peer; peer = peer->next) {
		if (peer->waits_since_ms == 0 ||
		    now_ms - peer->waits_since_ms < web->settings.request_seconds * 1000u)
			continue;
		/* MHD reads an end and closes it. */
		shutdown(peer->fd, SHUT_RDWR);
		peer->waits_since_ms = 0;
		web->counters.late_requests++;
	}
}
