/*
 * The port, which one instance after the other has. While one listens, the next of the same plugin
 * may bind the same address (SO_REUSEPORT) and listen when it has caught up: so there is no moment
 * without somebody who takes connections. Everybody else is told that the port is taken.
 */
#ifndef LYC_HTTP_PORT_H
#define LYC_HTTP_PORT_H

#include "web.h"

/* A socket that is bound and does not listen. ret_family as of socket(). */
LYC_MUST_USE enum lyc_status port_bind(struct web *web, int *ret_fd, int *ret_family,
				       struct lyc_error *error);
/* Is there another instance that has bound it, too? */
bool port_is_shared(const struct web *web);
/* It listens: who had the port need not take connections any more. */
void port_tell_listening(struct web *web);
/* Is another bound that does not listen yet? */
bool port_has_next(const struct web *web);
void port_release(struct web *web);

#endif
