/* The subject of an expert's record, "lyceum.experts.v1.Expert.<home>.<id>", read. */
#ifndef EXPERTS_EXPERT_KEY_H
#define EXPERTS_EXPERT_KEY_H

#include <stdbool.h>
#include <stddef.h>

#define EXPERT_KEY_PREFIX "lyceum.experts.v1.Expert."
#define EXPERT_KEY_MAX_HOME 65
#define EXPERT_KEY_MAX_ID 500

/* False when it is no such subject. */
bool expert_key_read(const char *subject, char home[EXPERT_KEY_MAX_HOME],
		     char id[EXPERT_KEY_MAX_ID]);

#endif
