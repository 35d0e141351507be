/* Where a part of a .proto file stood, from the source info that the set carries. */
#ifndef LYC_SCHEMA_SOURCE_LINE_H
#define LYC_SCHEMA_SOURCE_LINE_H

#include "schema/set_read.h"

/* The line, from 1, of the part with that path; 0 when the set has no source info for it. */
unsigned source_line(const struct set_file *file, const struct set_path *path);

#endif
