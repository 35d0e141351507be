/* The subject of a record, taken apart: the type's own name and the key tokens. */
#ifndef CONVENING_SUBJECT_H
#define CONVENING_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#define SUBJECT_PREFIX "lyceum.convening.v1."
#define SUBJECT_MAX_KEYS 5

struct subject {
	char text[420]; /* what the others point into */
	const char *type;
	const char *key[SUBJECT_MAX_KEYS]; /* "" where there is none */
	size_t key_count;
};

/* False when it is no subject of this package. */
bool subject_read(const char *text, struct subject *ret_subject);
/* Do the key fields of a body, which are its first fields in order, say what the subject says? */
bool subject_agrees(const struct subject *subject, const ProtobufCMessage *message);

#endif
