/*
 * Lines of at most 75 bytes, as RFC 5545 3.1 wants them, never cut within a character. libical
 * folds as well, but at some lengths between a line's CR and LF.
 */
#ifndef CONVENING_ICS_FOLD_H
#define CONVENING_ICS_FOLD_H

#include <stddef.h>

/* Undoes the folds of `text` and folds anew; the caller frees. NULL when there is no memory. */
char *ics_fold(const char *text, size_t *ret_len);

#endif
