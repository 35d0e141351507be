/* A client over one end of a pair of sockets (io/channel.h): a plugin's, whose other end its daemon
 * has. When that is closed there is no daemon any more, and none will come. */
#ifndef LYC_CLIENT_CHANNEL_TRANSPORT_H
#define LYC_CLIENT_CHANNEL_TRANSPORT_H

#include "client/transport.h"
#include "io/channel.h"

/* Borrows the channel. */
struct transport channel_transport(struct channel *channel);
/* Wait until what was sent has left, for up to timeout_ms. */
void channel_transport_linger(struct channel *channel, int timeout_ms);

#endif
