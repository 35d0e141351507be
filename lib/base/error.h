/* Fills a struct lyc_error and returns its status, so that a failing function ends in one line. */
#ifndef LYC_BASE_ERROR_H
#define LYC_BASE_ERROR_H

#include <lyceum/status.h>

/* Set status and sentence; `field` may be NULL. error may be NULL. Returns status. */
enum lyc_status error_set(struct lyc_error *error, enum lyc_status status, const char *format, ...)
	LYC_PRINTF(3, 4);
enum lyc_status error_set_field(struct lyc_error *error, enum lyc_status status, const char *field,
				const char *format, ...) LYC_PRINTF(4, 5);
/* No error, without writing the whole of it: for paths that run a million times a second. */
static inline void error_clear(struct lyc_error *error)
{
	error->status = LYC_OK;
	error->text[0] = '\0';
	error->field[0] = '\0';
}

#endif
