/* Statuses by name, and errors with a sentence. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const char *const names[] = {
	"OK",
	"CANCELLED",
	"UNKNOWN",
	"INVALID_ARGUMENT",
	"DEADLINE_EXCEEDED",
	"NOT_FOUND",
	"ALREADY_EXISTS",
	"PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED",
	"FAILED_PRECONDITION",
	"ABORTED",
	"OUT_OF_RANGE",
	"UNIMPLEMENTED",
	"INTERNAL",
	"UNAVAILABLE",
	"DATA_LOSS",
	"UNAUTHENTICATED",
};

#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

const char *lyc_status_name(enum lyc_status status)
{
	return (size_t)status < NAME_COUNT ? names[status] : names[LYC_UNKNOWN];
}

/* A text that was too long must not end within a character: errors travel as UTF-8. */
static void trim(char *text)
{
	size_t len = strlen(text);
	size_t last = len;
	while (last > 0 && ((uint8_t)text[last - 1] & 0xc0) == 0x80)
		last--;
	if (last > 0 && !utf8_check((const uint8_t *)text + last - 1, len - last + 1, NULL))
		text[last - 1] = '\0';
}

static void fill(struct lyc_error *error, enum lyc_status status, const char *field,
		 const char *format, va_list args)
{
	error->status = status;
	vsnprintf(error->text, sizeof(error->text), format, args);
	snprintf(error->field, sizeof(error->field), "%s", field ? field : "");
	trim(error->text);
	trim(error->field);
}

enum lyc_status error_set(struct lyc_error *error, enum lyc_status status, const char *format, ...)
{
	if (error) {
		va_list args;
		va_start(args, format);
		fill(error, status, NULL, format, args);
		va_end(args);
	}
	return status;
}

enum lyc_status error_set_field(struct lyc_error *error, enum lyc_status status, const char *field,
				const char *format, ...)
{
	if (error) {
		va_list args;
		va_start(args, format);
		fill(error, status, field, format, args);
		va_end(args);
	}
	return status;
}
