/* The list is read whole. Columns are found by their headings. */
#include "awards.h"

#include <zlib.h>

#include "grow.h"

static char *read_all(const char *path, size_t *ret_len)
{
	gzFile file = gzopen(path, "rb");
	char *text = NULL;
	size_t len = 0, capacity = 0;
	int got;

	if (!file)
		return NULL;
	do {
		text = grow(text, &capacity, len + (1 << 20) + 1, 1);
		got = gzread(file, text + len, 1 << 20);
		len += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	gzclose(file);
	text[len] = '\0';
	*ret_len = len;
	return text;
}

#define MAX_COLUMNS 40

static size_t split(char *line, char **cells)
{
	size_t count = 0;

	while (line && count < MAX_COLUMNS)
		cells[count++] = strsep(&line, "\t");
	return count;
}

static int find(char **cells, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(cells[i], name) == 0)
			return (int)i;
	}
	return -1;
}

static const char *const columns[] = {"ref",      "funder",    "organisation", "department",
				      "region",   "award_gbp", "pi_id",        "pi_name",
				      "pi_orcid", "title",     "start_year"};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

bool awards_open(struct awards *awards, const char *path)
{
	char *cells[MAX_COLUMNS], *line, *rest;
	int places[COLUMN_COUNT];
	size_t len, capacity = 0;

	*awards = (struct awards){0};
	awards->text = read_all(path, &len);
	rest = awards->text;
	line = rest ? strsep(&rest, "\n") : NULL;
	size_t heading_count = split(line, cells);
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		places[i] = find(cells, heading_count, columns[i]);
		if (places[i] < 0) {
			awards_close(awards);
			return false;
		}
	}
	while ((line = strsep(&rest, "\n"))) {
		if (split(line, cells) < heading_count)
			continue;
		awards->rows =
			grow(awards->rows, &capacity, awards->count + 1, sizeof(awards->rows[0]));
		awards->rows[awards->count++] = (struct award){
			.ref = cells[places[0]],
			.funder = cells[places[1]],
			.organisation = cells[places[2]],
			.department = cells[places[3]],
			.region = cells[places[4]],
			.amount = cells[places[5]],
			.pi_id = cells[places[6]],
			.pi_name = cells[places[7]],
			.pi_orcid = cells[places[8]],
			.title = cells[places[9]],
			.year = (unsigned)strtoul(cells[places[10]], NULL, 10),
		};
	}
	return true;
}

void awards_close(struct awards *awards)
{
	free(awards->rows);
	free(awards->text);
	*awards = (struct awards){0};
}

static int compare(const void *a, const void *b)
{
	const struct award *one = a, *two = b;
	int order = strcmp(one->pi_id, two->pi_id);

	if (order)
		return order;
	if (one->year != two->year)
		return one->year < two->year ? -1 : 1;
	return strcmp(one->ref, two->ref);
}

void awards_sort(struct awards *awards)
{
	if (awards->count > 0)
		qsort(awards->rows, awards->count, sizeof(awards->rows[0]), compare);
}
