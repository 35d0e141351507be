/* What the tests of the text forms share: the schema, and texts there and back. */
#ifndef LYC_TESTS_TEXT_CASE_H
#define LYC_TESTS_TEXT_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "text_types.h"

#include "base/pb.h"

static struct schema *schema;

static inline int setup_schema(void **state)
{
	(void)state;
	schema = text_types_schema(TEXT_TYPES_SET);
	return 0;
}

static inline int teardown_schema(void **state)
{
	(void)state;
	schema_unref(schema);
	return 0;
}

static inline const struct schema_message *type_of(const char *name)
{
	char full[200];
	snprintf(full, sizeof(full), "lyceum.texttest.v1.%s", name);
	const struct schema_message *message = schema_find_message(schema, full);
	assert_non_null(message);
	return message;
}

typedef enum lyc_status (*read_fn)(const struct schema_message *message, const char *text,
				   size_t len, struct buf *to, struct lyc_error *error);

/* The text is read, and written as JSON it is `json`. */
static inline void assert_reads_as(read_fn read, const char *name, const char *text,
				   const char *json)
{
	struct buf wire = {0};
	struct buf out = {0};
	struct lyc_error error = {0};
	enum lyc_status status = read(type_of(name), text, strlen(text), &wire, &error);
	assert_string_equal(error.text, "");
	assert_int_equal(status, LYC_OK);
	status = schema_check(type_of(name), span_of(wire.data, wire.len), false, &error);
	assert_string_equal(error.text, "");
	assert_int_equal(status, LYC_OK);
	status = json_write(type_of(name), span_of(wire.data, wire.len), NULL, &out, &error);
	assert_int_equal(status, LYC_OK);
	assert_string_equal(buf_text(&out), json);
	buf_fini(&wire);
	buf_fini(&out);
}

/* The text is refused with that sentence and field, and nothing is appended. */
static inline void assert_refuses(read_fn read, const char *name, const char *text,
				  const char *sentence, const char *field)
{
	struct buf wire = {0};
	struct lyc_error error = {0};
	buf_add_text(&wire, "x");
	enum lyc_status status = read(type_of(name), text, strlen(text), &wire, &error);
	assert_string_equal(error.text, sentence);
	assert_string_equal(error.field, field);
	assert_int_equal(status, LYC_INVALID_ARGUMENT);
	assert_int_equal(wire.len, 1);
	buf_fini(&wire);
}

#endif
