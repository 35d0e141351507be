/*
 * Who serves what: offers of services by sessions of this daemon's plugins and peers, and by links
 * to other daemons.
 */
#ifndef LYC_ROUTE_SERVICE_H
#define LYC_ROUTE_SERVICE_H

#include "route/session.h"
#include "route/types.h"

/* One session's offer of one service. */
struct offer {
	struct session *session;
	struct service_entry *service;
	/* The daemon that runs it, when the session is a link; "" when it runs here. */
	char node[64];
	bool is_closed;
	struct list of_service;
	struct list of_session;
};

struct service_entry {
	char *name;
	struct list here;   /* offers of sessions of this daemon */
	struct list abroad; /* offers through links */
	size_t closed_count;
	UT_hash_handle by_name;
};

struct services {
	struct service_entry *by_name;
	/* How often an entry has come or gone, from 1 on: what was found before holds no longer. */
	uint64_t change_count;
};

void services_init(struct services *services);
void services_fini(struct services *services);

/* Dotted, of letters, digits and `_`, at most WIRE_MAX_SERVICE_NAME bytes. */
bool service_name_is_valid(struct span name);
/* NULL when nobody offers it. Valid until the last offer is withdrawn. */
struct service_entry *services_find(const struct services *services, struct span name);
/* The same of a method's service, which the method remembers until an entry comes or goes. */
struct service_entry *services_of_method(const struct services *services,
					 struct method_entry *method);
/* Add one offer. `node` is "" for a session of this daemon. */
void services_offer(struct services *services, struct session *session, struct span name,
		    struct span node);
/* Drop everything that a session offers. True when there was something. */
bool services_withdraw(struct services *services, struct session *session);
/* Nobody is to be given calls by what a session offers: it keeps the offers, for what it may still
 * publish, until they are withdrawn. */
void services_close(struct services *services, struct session *session);
/* The next offer in turn of those that run here; NULL when there is none. */
struct offer *services_pick_here(struct service_entry *service);
/* An offer abroad: of that node, or of any when `node` is empty; none through the link `from` (may
 * be NULL), where the call came from. */
struct offer *services_pick_abroad(struct service_entry *service, struct span node,
				   const struct session *from);

#endif
