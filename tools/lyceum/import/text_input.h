/*
 * A file's text as UTF-8: gzip is unpacked, byte order marks are taken off, UTF-16 and Windows-1252
 * are converted. The whole text is held in memory, so that rows can be read again by offset.
 */
#ifndef LYC_IMPORT_TEXT_INPUT_H
#define LYC_IMPORT_TEXT_INPUT_H

#include <stdbool.h>

#include <lyceum/status.h>

#include "base/buf.h"

/* A file that unpacks to more is refused. */
#define TEXT_INPUT_MAX ((size_t)4 << 30)

struct text_input {
	/* Without a byte order mark. UTF-8, unless is_damaged: then some lines are not. */
	struct span text;
	/* "UTF-8", "UTF-16LE", "UTF-16BE" or "Windows-1252": what it was. */
	const char *encoding;
	bool is_gzip;
	bool is_damaged;

	struct buf owned;
};

/* Read a file, or standard input for "-". NOT_FOUND, INVALID_ARGUMENT (a
 * workbook, a broken gzip), RESOURCE_EXHAUSTED. The caller ends ret_input with text_input_fini. */
LYC_MUST_USE enum lyc_status text_input_open(const char *path, struct text_input *ret_input,
					     struct lyc_error *error);
/* The same from bytes. Takes `bytes`, which is then empty, also on failure. */
LYC_MUST_USE enum lyc_status text_input_decode(struct buf *bytes, struct text_input *ret_input,
					       struct lyc_error *error);
void text_input_fini(struct text_input *input);

#endif
