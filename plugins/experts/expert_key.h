/* The subject of an expert's record, "lyceum.experts.v1.Expert.<home>.<id>", made and read. */
#ifndef EXPERTS_EXPERT_KEY_H
#define EXPERTS_EXPERT_KEY_H

#include <stdbool.h>
#include <stddef.h>

#define EXPERT_KEY_PREFIX "lyceum.experts.v1.Expert."
/* Room for a subject of any home and id that the schema lets through. */
#define EXPERT_KEY_SIZE 2400
#define EXPERT_KEY_MAX_HOME 65
#define EXPERT_KEY_MAX_ID 500

/* False when it does not fit. */
bool expert_key_write(const char *home, const char *id, char *to, size_t size);
/* False when it is no such subject. */
bool expert_key_read(const char *subject, char home[EXPERT_KEY_MAX_HOME],
		     char id[EXPERT_KEY_MAX_ID]);

#endif
