/*
 * Which daemon, and with which keys: read from the daemon's own configuration (then as its
 * operator) or from a client's.
 */
#ifndef LYC_TOOLS_TARGET_H
#define LYC_TOOLS_TARGET_H

#include <stdbool.h>

#include <lyceum/status.h>

#define TARGET_DEFAULT_CONFIG "/etc/lyceum/lyceum.yaml"

struct target {
	char *endpoint;
	/* Empty for a plain listener. */
	char server_key[41];
	char public_key[41];
	char secret_key[41];
	bool has_keys;
	/* The configuration is the daemon's own. */
	bool is_daemon;
};

/* config NULL: LYCEUM_CONFIG, then TARGET_DEFAULT_CONFIG. The error is a sentence with the next
 * step. */
LYC_MUST_USE enum lyc_status target_read(const char *config, struct target *ret_target,
					 struct lyc_error *error);
/* The file that `config` stands for. */
const char *target_config(const char *config);
void target_fini(struct target *target);

#endif
