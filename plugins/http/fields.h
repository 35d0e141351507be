/*
 * Names and values from a path, a query or a form, for the fields of a request. Bounded: FIELDS_MAX
 * of them.
 */
#ifndef LYC_HTTP_FIELDS_H
#define LYC_HTTP_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include <lyceum/msg.h>

#define FIELDS_MAX 64

struct fields {
	struct lyc_pair items[FIELDS_MAX];
	size_t count;
};

/* Copies. False when there are too many, or no memory. */
bool fields_add(struct fields *fields, const char *name, size_t name_len, const char *value,
		size_t value_len);
/* The value of the first of that name; NULL. */
const char *fields_find(const struct fields *fields, const char *name);
/* Read an application/x-www-form-urlencoded body. False when it is none, or there are too many. */
bool fields_read_form(struct fields *fields, const char *body, size_t len);
/* Does a path fit a route like "/calendar/{token}.ics"? A name in braces takes what stands in its
 * place up to the next letter of the route, at least one character and no slash. What was taken is
 * in fields; on failure they may hold a part. */
bool fields_match_path(struct fields *fields, const char *route, const char *path);
void fields_fini(struct fields *fields);

#endif
