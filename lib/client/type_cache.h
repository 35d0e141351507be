/*
 * The inside of lyc_types: the schemas that a daemon holds, and the services that somebody serves.
 * type_cache.c fetches and keeps them, json_calls.c works with them.
 */
#ifndef LYC_CLIENT_TYPE_CACHE_H
#define LYC_CLIENT_TYPE_CACHE_H

#include <lyceum/msg.h>

#include "client/told_services.h"
#include "schema/schema.h"

struct type_load;

struct lyc_types {
	struct lyc_client *client;
	/* The newest first, as the daemon tells them. */
	struct schema **schemas;
	size_t schema_count;
	uint64_t generation;

	/* What Node/Services told, and the list made from it. */
	struct told_services served;
	struct lyc_service *services;
	size_t service_count;

	struct type_load *loading;
};

/* A service is what the schema says that the daemon named for it, and so are the messages of its
 * package where it runs at this daemon. Of several others that define a name, the first with the
 * most fields or methods counts.
 * NOT_FOUND when the daemon does not know it either. Valid until the generation changes. */
LYC_MUST_USE enum lyc_status type_cache_message(struct lyc_types *types, const char *name,
						const struct schema_message **ret_message,
						struct lyc_error *error);
LYC_MUST_USE enum lyc_status type_cache_method(struct lyc_types *types, const char *full_name,
					       const struct schema_method **ret_method,
					       struct lyc_error *error);

#endif
