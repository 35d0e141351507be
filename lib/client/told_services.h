/* The services that a daemon's Node/Services tells: who runs them, and which schema counts. */
#ifndef LYC_CLIENT_TOLD_SERVICES_H
#define LYC_CLIENT_TOLD_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "base/buf.h"

struct told_service {
	char *name;
	/* The number of the one schema that says what it is; 0: the daemon does not tell. */
	uint64_t schema;
	bool is_here;
};

struct told_services {
	struct told_service *items;
	size_t count;
};

/* INTERNAL when the reply is malformed. The caller ends ret_services, after a failure, too. */
LYC_MUST_USE enum lyc_status told_services_read(struct span reply,
						struct told_services *ret_services);
void told_services_fini(struct told_services *served);
bool told_services_equal(const struct told_services *one, const struct told_services *other);
/* NULL: nobody serves it. */
const struct told_service *told_services_find(const struct told_services *served, const char *name);

#endif
