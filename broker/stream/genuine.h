/*
 * Is a copied record its home's? Its subject has to name the origin as home, in the words of the
 * schema that this daemon judges the type by, whatever schema the sender says it was written with;
 * and its body has to have the key that the subject says.
 */
#ifndef LYC_STREAM_GENUINE_H
#define LYC_STREAM_GENUINE_H

#include "route/types.h"
#include "stream/record.h"

/* Where the key begins with a home: that token of the subject, which has the type's name in its
 * first name_len bytes; empty otherwise. */
struct span genuine_home(const struct schema_message *message, struct span subject,
			 size_t name_len);
/* PERMISSION_DENIED when the record's origin is not the home that its subject names,
 * INVALID_ARGUMENT when the body's key is another than the subject's. What cannot be told, because
 * no schema of the type is held, is LYC_OK: ask again before it is passed to somebody. */
LYC_MUST_USE enum lyc_status genuine_check(const struct types *types, const struct record *record,
					   struct lyc_error *error);

#endif
