/* One line on a terminal that says how far an import is; nothing anywhere else. */
#ifndef LYC_IMPORT_PROGRESS_H
#define LYC_IMPORT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	FILE *to;
	bool is_shown;
	bool is_drawn;
	uint64_t started_ms;
	uint64_t drawn_ms;
};

struct progress_state {
	uint64_t rows;
	uint64_t items;
	uint64_t items_total;
	uint64_t refused;
};

void progress_init(struct progress *progress, FILE *to);
/* Draws at most ten times a second. */
void progress_show(struct progress *progress, const struct progress_state *state);
/* Takes the line away, before something else is printed. */
void progress_clear(struct progress *progress);

#endif
