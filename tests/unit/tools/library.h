/* The tests' schema, compiled, and bodies made from JSON. */
#ifndef LYC_TESTS_LIBRARY_H
#define LYC_TESTS_LIBRARY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "input.h"
#include "schema/schema.h"

static struct schema *library;

static inline int library_setup(void **state)
{
	struct lyc_error error = {0};
	struct buf set = {0};
	(void)state;
	int result = input_read(LIBRARY_SET, &set, &error) == LYC_OK &&
				     schema_new(set.data, set.len, &library, &error) == LYC_OK
			     ? 0
			     : -1;
	if (result)
		fprintf(stderr, "%s\n", error.text);
	buf_fini(&set);
	return result;
}

static inline int library_teardown(void **state)
{
	(void)state;
	schema_unref(library);
	return 0;
}

static inline const struct schema_message *library_message(const char *name)
{
	char full_name[100];
	snprintf(full_name, sizeof(full_name), "lyceum.library.v1.%s", name);
	const struct schema_message *message = schema_find_message(library, full_name);
	assert_non_null(message);
	return message;
}

static inline const struct schema_method *library_method(const char *name)
{
	char full_name[100];
	snprintf(full_name, sizeof(full_name), "lyceum.library.v1.Library/%s", name);
	const struct schema_method *method = schema_find_method(library, full_name);
	assert_non_null(method);
	return method;
}

/* The wire bytes of a JSON text. The caller: buf_fini. */
static inline struct buf library_body(const struct schema_message *message, const char *json)
{
	struct lyc_error error = {0};
	struct buf body = {0};
	if (json_read(message, json, strlen(json), &body, &error) != LYC_OK)
		fail_msg("%s: %s", error.field, error.text);
	return body;
}

#endif
