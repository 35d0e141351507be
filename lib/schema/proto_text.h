/*
 * .proto text of one message, enum or service, printed from its descriptor in the set: describe.c
 * chooses what is printed and in which order, option_text.c does the options. Nobody else includes
 * this.
 */
#ifndef LYC_SCHEMA_PROTO_TEXT_H
#define LYC_SCHEMA_PROTO_TEXT_H

#include "base/pb.h"
#include "schema/schema.h"
#include "schema/set_read.h"

struct proto_text {
	const struct schema *schema;
	const struct set *set;
	/* For comments; the owner frees it. */
	struct arena *scratch;

	/* Of what is printed now. */
	const struct set_file *file;
	struct buf *to;
	unsigned indent;

	/* Found on the way: pointers to the struct set_file that options came from, and to the
	 * struct set_symbol of every type that was used. */
	struct buf option_files;
	struct buf used;
};

/* Options as "name = value", each with a final NUL. */
struct option_list {
	struct buf text;
	size_t count;
};

/* Print one; only_method may be NULL. */
void proto_text_write(struct proto_text *text, const struct set_symbol *symbol,
		      const char *only_method);
/* The outermost message around a symbol, or the symbol itself. */
const struct set_symbol *proto_text_outermost(const struct set *set,
					      const struct set_symbol *symbol);
/* True when the array of pointers holds it. */
bool pointers_have(const struct buf *pointers, const void *pointer);

/* The last length-delimited or varint field of that number; nothing or 0 when there is none. */
struct span descriptor_part(struct span proto, uint32_t number);
uint64_t descriptor_number(struct span proto, uint32_t number);
void proto_text_indent(struct proto_text *text);
/* The comment at a path, as `//` lines. */
void proto_text_comment(struct proto_text *text, const struct set_path *path);
/* " [a = 1, b = 2];" behind a field or value, and the end of the line. */
void proto_text_option_list(struct proto_text *text, const struct option_list *list);

/* ---- proto_field.c ---- */

/* As short as it may be read inside `scope`; notes that the type was used. */
void proto_text_type_name(struct proto_text *text, struct span type_name, const char *scope);
/* All fields and oneofs of a message. */
void proto_text_fields(struct proto_text *text, struct span message, const struct set_path *path,
		       const char *scope);

/* ---- option_text.c ---- */

/* `kind` is the options message: "google.protobuf.FieldOptions". */
void option_list_add(struct option_list *list, struct proto_text *text, const char *kind,
		     struct span options);
/* A quoted literal; bytes above ASCII are escaped when is_bytes. */
void literal_write(struct buf *to, struct span value, bool is_bytes);

#endif
