/* Stands between a node and its hub: passes bytes on, keeps what passed, and cuts the link when it
 * is told to. */
#ifndef LYC_SYSTEM_LINK_PROXY_H
#define LYC_SYSTEM_LINK_PROXY_H

#include <stdbool.h>
#include <stddef.h>

struct link_proxy;

/* Listens on a free port of loopback; connects to `target` ("tcp://127.0.0.1:7700") for whoever
 * comes. */
struct link_proxy *link_proxy_new(const char *target);
void link_proxy_free(struct link_proxy *proxy);
const char *link_proxy_endpoint(const struct link_proxy *proxy);
/* Ends all connections; new ones are ended at once until link_proxy_mend. */
void link_proxy_cut(struct link_proxy *proxy);
void link_proxy_mend(struct link_proxy *proxy);
/* Did these bytes pass, in either direction? */
bool link_proxy_saw(struct link_proxy *proxy, const void *bytes, size_t len);
size_t link_proxy_passed(struct link_proxy *proxy);

#endif
