/* Keys: this daemon's own, the operator's, and the table of those who may connect. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "log.h"
#include "world/parts.h"

#define LOG_TOPIC "keys"
#define REFUSED_LOG_MS 10000

/* The key pair of a file; made, with its public half beside it, when there is none. */
static enum lyc_status get_key(const char *path, const char *public_path, struct keypair *ret_keys,
			       struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	if (access(path, F_OK) != 0) {
		status = keyfile_make(ret_keys, error);
		if (status == LYC_OK)
			status = keyfile_write(path, ret_keys, error);
	} else {
		status = keyfile_read(path, ret_keys, error);
	}
	if (status != LYC_OK || !public_path)
		return status;
	FILE *file = fopen(public_path, "we");
	if (!file)
		return error_set(error, LYC_UNAVAILABLE, "%s cannot be written: %s", public_path,
				 strerror(errno));
	fprintf(file, "%s\n", ret_keys->public_key);
	return fclose(file) == 0 ? LYC_OK
				 : error_set(error, LYC_UNAVAILABLE, "%s cannot be written: %s",
					     public_path, strerror(errno));
}

enum lyc_status identities_open(struct world *world, struct lyc_error *error)
{
	const Lyceum__V1__Config *config = world->config;
	char path[460];
	char public_path[460];
	snprintf(path, sizeof(path), "%s/daemon.key", world->data);
	snprintf(public_path, sizeof(public_path), "%s/daemon.pub", world->data);
	return get_key(config->key_file[0] ? config->key_file : path, public_path, &world->keys,
		       error);
}

enum lyc_status identities_admit_operator(struct world *world, struct lyc_error *error)
{
	struct keypair keys;
	char path[460];
	snprintf(path, sizeof(path), "%s/operator.key", world->data);
	enum lyc_status status = get_key(path, NULL, &keys, error);
	if (status == LYC_OK)
		policy_grant(&world->daemon.policy, "operator", keys.public_key, ROLE_OPERATOR);
	return status;
}

enum lyc_status identities_publish(struct world *world, struct lyc_error *error)
{
	size_t count = HASH_CNT(by_name, world->daemon.policy.by_name);
	struct zap_key *keys = mem_get((count + 1) * sizeof(*keys));
	size_t used = 0;
	struct grants *grants;
	struct grants *next;
	HASH_ITER (by_name, world->daemon.policy.by_name, grants, next) {
		if (grants->public_key[0] && grants->role != ROLE_HUB)
			keys[used++] = (struct zap_key){.name = grants->name,
							.public_key = grants->public_key};
	}
	enum lyc_status status = zap_set_keys(world->zap, keys, used, error);
	free(keys);
	return status;
}

void identities_report_refused(struct world *world)
{
	struct zap_refusals refusals;
	uint64_t now = uv_now(&world->loop);
	zap_get_refusals(world->zap, &refusals);
	world->daemon.counters.refused_keys = refusals.count;
	if (refusals.count == world->refused_logged || now < world->refused_due_ms)
		return;
	log_warning(refusals.reason, "public_key", refusals.public_key, "count",
		    log_number(refusals.count - world->refused_logged));
	world->refused_logged = refusals.count;
	world->refused_due_ms = now + REFUSED_LOG_MS;
}
