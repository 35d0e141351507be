/*
 * The first pass over a FileDescriptorSet: its files, the full name of every message, enum and
 * service, and the comments. compile.c makes the tables of it.
 */
#ifndef LYC_SCHEMA_SET_READ_H
#define LYC_SCHEMA_SET_READ_H

#include "schema/arena.h"
#include "schema/schema.h"

#define SET_MAX_LEN ((size_t)8 * 1024 * 1024)
#define SET_MAX_NAME 512
#define SET_MAX_NESTING 32

/* Field numbers and indexes from a file's root to a part of it, packed as SourceCodeInfo has them.
 */
struct set_path {
	uint8_t bytes[320];
	size_t len;
};

struct set_comment {
	struct span path;
	struct span text;
};

struct set_file {
	const char *name;
	const char *package;
	bool is_proto2;
	struct span proto;
	/* Sorted by path. */
	struct set_comment *comments;
	size_t comment_count;
};

enum set_kind { SET_MESSAGE, SET_ENUM, SET_SERVICE };

/* A message, enum or service that the set defines. */
struct set_symbol {
	enum set_kind kind;
	const char *full_name;
	struct span proto;
	const struct set_file *file;
	struct set_path path;
	struct set_symbol *next;
	/* Its place among those of its kind, by name. */
	size_t index;
};

struct set {
	struct set_file *files;
	size_t file_count;
	/* Sorted by full name. */
	struct set_symbol **symbols;
	size_t symbol_count;
	size_t kind_count[3];
};

/* Names go to `arena`, all else to `scratch`; the spans borrow `bytes`. */
LYC_MUST_USE enum lyc_status set_read(struct span bytes, struct arena *arena, struct arena *scratch,
				      struct set *ret_set, struct lyc_error *error);
/* NULL when absent. */
const struct set_symbol *set_find(const struct set *set, const char *full_name, size_t len);
/* The path of a part: its field number in `path`'s message, and its index. */
struct set_path set_path_down(const struct set_path *path, uint32_t number, uint32_t index);
/* The comment at a path, cleaned: no leading blank, no end of line at the end; "" when there is
 * none. NULL when there is no memory. */
const char *set_comment(const struct set_file *file, const struct set_path *path,
			struct arena *arena);
/* True for an identifier of the protobuf language. */
bool set_is_identifier(struct span name);
/* The status of an allocation that failed, with its sentence. */
enum lyc_status set_no_memory(struct lyc_error *error);

#endif
