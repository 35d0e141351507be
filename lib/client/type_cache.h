/*
 * The inside of lyc_types: the schemas that a daemon holds, and the services that somebody serves.
 * type_cache.c fetches and keeps them, json_calls.c works with them.
 */
#ifndef LYC_CLIENT_TYPE_CACHE_H
#define LYC_CLIENT_TYPE_CACHE_H

#include <lyceum/msg.h>

#include "schema/schema.h"

struct type_load;

struct lyc_types {
	struct lyc_client *client;
	/* The newest first, as the daemon tells them. */
	struct schema **schemas;
	size_t schema_count;
	uint64_t generation;

	/* Names that Node/Services told, with a blank between, and the list made from them. */
	struct buf served;
	struct lyc_service *services;
	size_t service_count;

	struct type_load *loading;
};

/* Of several schemas that define a name, the first with the most fields or methods counts.
 * NOT_FOUND when the daemon does not know it either. Valid until the generation changes. */
LYC_MUST_USE enum lyc_status type_cache_message(struct lyc_types *types, const char *name,
						const struct schema_message **ret_message,
						struct lyc_error *error);
LYC_MUST_USE enum lyc_status type_cache_method(struct lyc_types *types, const char *full_name,
					       const struct schema_method **ret_method,
					       struct lyc_error *error);

#endif
