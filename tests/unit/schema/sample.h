/* The tests' own schema, read from the file that the build made. */
#ifndef LYC_TEST_SAMPLE_H
#define LYC_TEST_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pb.h"
#include "base/utf8.h"
#include "schema/schema.h"

/* The set's bytes; the caller frees. */
static inline uint8_t *sample_bytes(size_t *ret_len)
{
	FILE *file = fopen(SAMPLE_SET, "rb");
	assert_non_null(file);
	size_t cap = 1 << 20;
	uint8_t *bytes = malloc(cap);
	assert_non_null(bytes);
	*ret_len = fread(bytes, 1, cap, file);
	assert_in_range(*ret_len, 1, cap - 1);
	fclose(file);
	return bytes;
}

static inline struct schema *sample_schema(void)
{
	size_t len;
	uint8_t *bytes = sample_bytes(&len);
	struct schema *schema = NULL;
	struct lyc_error error = {0};
	enum lyc_status status = schema_new(bytes, len, &schema, &error);
	assert_string_equal(error.text, "");
	assert_int_equal(status, LYC_OK);
	free(bytes);
	return schema;
}

#endif
