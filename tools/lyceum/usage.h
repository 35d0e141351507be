/* Help texts: an aligned, wrapped list entry, and the help of a plugin's verb from its schema. */
#ifndef LYC_TOOLS_USAGE_H
#define LYC_TOOLS_USAGE_H

#include "base/buf.h"
#include "schema/schema.h"

/* Append "  name    text", text wrapped and starting at column name_width + 4. */
void usage_write_entry(const char *name, const char *text, size_t name_width, struct buf *to);
/* Append "find TEXT...": the verb and its positional arguments. */
void usage_write_line(const struct schema_method *method, struct buf *to);
/* Append the whole help of a verb. `noun` comes before the verb. */
void usage_write(const char *noun, const struct schema_method *method, struct buf *to);

#endif
