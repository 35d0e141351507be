/* What a command reads: a file, standard input for "-", or a word that may name one as "@FILE". */
#ifndef LYC_TOOLS_INPUT_H
#define LYC_TOOLS_INPUT_H

#include <lyceum/status.h>

#include "base/buf.h"
#include "schema/schema.h"

#define INPUT_MAX (64 * 1024 * 1024)

/* Append a whole file; "-" is standard input. The error names the file. */
LYC_MUST_USE enum lyc_status input_read(const char *path, struct buf *to, struct lyc_error *error);
/* Append the word itself, or what "@FILE" or "@-" names; "@@x" is the word "@x". */
LYC_MUST_USE enum lyc_status input_word(const char *word, struct buf *to, struct lyc_error *error);
/* Append the wire bytes of a message that a word gives as JSON: itself, "@FILE", or "-" for
 * standard input. */
LYC_MUST_USE enum lyc_status input_body(const struct schema_message *message, const char *word,
					struct buf *to, struct lyc_error *error);

#endif
