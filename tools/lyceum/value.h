/*
 * Values inside a body, read straight from its wire bytes by the schema: the text of a path such as
 * "expert.name" for a table's cell, and the messages that a path leads to for its rows.
 */
#ifndef LYC_TOOLS_VALUE_H
#define LYC_TOOLS_VALUE_H

#include <stdbool.h>

#include "base/buf.h"
#include "schema/schema.h"

/* Append the text at the path: several values joined with "; ", enums by their short name, moments
 * in UTC; "" where nothing is. The body has been checked. */
void value_write(const struct schema_message *message, struct span body, const char *path,
		 struct buf *to);
/* The same with another text between several values. */
void value_write_joined(const struct schema_message *message, struct span body, const char *path,
			const char *gap, struct buf *to);
/* Call fn for each message at the path, in order. */
typedef void (*value_message_fn)(const struct schema_message *message, struct span body, void *arg);
void value_each(const struct schema_message *message, struct span body, const char *path,
		value_message_fn fn, void *arg);
/* Append the text with each {path} filled in. */
void value_fill(const struct schema_message *message, struct span body, const char *text,
		struct buf *to);
/* Call fn with the path and text of every field that is set: "hit[0].name", "Ann". */
typedef void (*value_line_fn)(const char *path, const char *text, void *arg);
void value_lines(const struct schema_message *message, struct span body, value_line_fn fn,
		 void *arg);

#endif
