/*
 * Subjects: tokens joined with dots, `<full message name>.<key tokens>`. In a pattern `*` stands
 * for one token and a final `>` for one or more. A type's full name is part of the subject, so
 * "lyceum.experts.v1.Expert.>" is every expert and "lyceum.>" everything of ours.
 */
#ifndef LYC_WIRE_SUBJECT_H
#define LYC_WIRE_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define SUBJECT_MAX_LEN 400
#define SUBJECT_MAX_TOKENS 32

/* 1 to SUBJECT_MAX_LEN bytes of UTF-8, no empty token, no space or control byte, no wildcard. */
bool subject_is_valid(struct span subject);
/* The same with wildcards: `*` alone in a token, `>` alone in the last. */
bool subject_pattern_is_valid(struct span pattern);
bool subject_matches(struct span pattern, struct span subject);
/* Is every subject that `inner` matches also matched by `outer`? */
bool subject_pattern_covers(struct span outer, struct span inner);
/* Is there a subject that both match? */
bool subject_patterns_meet(struct span one, struct span other);

#endif
