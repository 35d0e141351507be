/* Nearest names by Levenshtein distance, without regard to case; only ever run to explain an
 * error. */
#include "schema/near_name.h"

#include <ctype.h>
#include <string.h>

#define MAX_LEN 64

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[MAX_LEN + 1];
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t above = row[j];
			int is_other = tolower((unsigned char)a[i - 1]) !=
				       tolower((unsigned char)b[j - 1]);
			row[j] = smaller(diagonal + (size_t)is_other,
					 smaller(above, row[j - 1]) + 1);
			diagonal = above;
		}
	}
	return row[b_len];
}

/* Takes the candidate when it is nearer than the best so far. */
static void try_name(const char *name, size_t len, const char *candidate, const char *answer,
		     size_t *best, const char **ret_near)
{
	size_t candidate_len = strlen(candidate);
	if (len > MAX_LEN || candidate_len > MAX_LEN)
		return;
	size_t edits = distance(name, len, candidate, candidate_len);
	if (edits < *best) {
		*best = edits;
		*ret_near = answer;
	}
}

const char *near_field_name(const struct schema_message *message, const char *name, size_t len)
{
	const char *near = NULL;
	size_t best = len <= 4 ? 2 : 3;
	for (size_t i = 0; i < message->field_count; i++) {
		const struct schema_field *field = &message->fields[i];
		try_name(name, len, field->name, field->name, &best, &near);
		try_name(name, len, field->json_name, field->json_name, &best, &near);
	}
	return near;
}

const char *near_value_name(const struct schema_enum *enumeration, const char *name, size_t len)
{
	const char *near = NULL;
	size_t best = len <= 4 ? 2 : 3;
	for (size_t i = 0; i < enumeration->value_count; i++)
		try_name(name, len, enumeration->values[i].name, enumeration->values[i].name, &best,
			 &near);
	return near;
}
