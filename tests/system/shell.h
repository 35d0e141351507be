/* The command `lyceum`, run as a person runs it. */
#ifndef LYC_SYSTEM_SHELL_H
#define LYC_SYSTEM_SHELL_H

#include <jansson.h>

#include "network.h"

struct shell_result {
	int code;
	char *out;
	char *err;
	json_t *json; /* the first JSON value of its output; NULL without */
};

/* `lyceum --config NODE ARGUMENT ...`, ended by NULL; waits for its end. */
struct shell_result shell_run(struct node *node, ...) __attribute__((sentinel));
void shell_result_fini(struct shell_result *result);
/* A string within: "meta", "servedBy". "" when it is not there. */
const char *shell_text(const struct shell_result *result, const char *outer, const char *inner);

#endif
