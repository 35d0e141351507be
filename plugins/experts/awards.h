/*
 * For tests and benches: reads a gzipped list of awards with a heading line, one row an award, into
 * experts, one a principal investigator.
 */
#ifndef EXPERTS_AWARDS_H
#define EXPERTS_AWARDS_H

#include <stdbool.h>

#include <lyceum/experts/v1/experts.pb-c.h>

struct award {
	char *ref, *funder, *organisation, *department, *region, *amount;
	char *pi_id, *pi_name, *pi_orcid, *title;
	unsigned year;
};

struct awards {
	struct award *rows;
	size_t count;
	char *text;
};

/* False when the file is not there or has no such columns. */
bool awards_open(struct awards *awards, const char *path);
void awards_close(struct awards *awards);
/* By person, then by year: qsort order. */
void awards_sort(struct awards *awards);

#endif
