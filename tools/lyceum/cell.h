/*
 * Text for a terminal: how many columns it takes, cut to a width, and free of control characters,
 * so that what somebody wrote into a record cannot steer the reader's terminal. Works in UTF-8
 * whatever the locale is; widths come from wcwidth.
 */
#ifndef LYC_TOOLS_CELL_H
#define LYC_TOOLS_CELL_H

#include <stddef.h>

#include "base/buf.h"

/* Say once, before the others: makes wcwidth know Unicode. */
void cell_start(void);
/* Columns on a terminal. */
size_t cell_width(const char *text, size_t len);
/* Append text with line ends, tabs and runs of them as one space, and other control characters as
 * '?'. */
void cell_clean(struct buf *to, const char *text, size_t len);
/* Append at most `width` columns; "…" stands for what was left out. */
void cell_cut(struct buf *to, const char *text, size_t len, size_t width);

#endif
