/* One pass over the text outside of its strings, one walk over the tree in the order of the text.
 */
#include "schema/json_big.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* The fewest digits that 63 bits may not hold. */
#define MIN_DIGITS 19

void json_big_fini(struct json_big *big)
{
	buf_fini(&big->text);
	buf_fini(&big->places);
	buf_fini(&big->marks);
}

/* One past the closing quote of the string that begins at `at`. */
static size_t skip_string(const char *json, size_t len, size_t at)
{
	for (at++; at < len && json[at] != '"'; at++) {
		if (json[at] == '\\')
			at++;
	}
	return at < len ? at + 1 : len;
}

static bool is_key(const char *json, size_t len, size_t at)
{
	while (at < len &&
	       (json[at] == ' ' || json[at] == '\t' || json[at] == '\n' || json[at] == '\r'))
		at++;
	return at < len && json[at] == ':';
}

static bool is_number_byte(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* Only what is a whole number by JSON's grammar: everything else is left to the parser. */
static bool is_big(const char *token, size_t len)
{
	size_t from = len > 0 && token[0] == '-' ? 1 : 0;
	if (len - from < MIN_DIGITS || token[from] == '0')
		return false;
	for (size_t i = from; i < len; i++) {
		if (token[i] < '0' || token[i] > '9')
			return false;
	}
	return true;
}

bool json_big_quote(struct json_big *big, const char *json, size_t len)
{
	uint32_t count = 0;
	for (size_t at = 0; at < len;) {
		size_t from = at;
		if (json[at] == '"') {
			at = skip_string(json, len, at);
			count += !is_key(json, len, at);
			buf_add(&big->text, json + from, at - from);
			continue;
		}
		while (at < len && is_number_byte(json[at]))
			at++;
		if (at > from && is_big(json + from, at - from)) {
			buf_add(&big->places, &count, sizeof(count));
			count++;
			buf_add_byte(&big->text, '"');
			buf_add(&big->text, json + from, at - from);
			buf_add_byte(&big->text, '"');
		} else {
			at += at == from;
			buf_add(&big->text, json + from, at - from);
		}
	}
	return big->places.len > 0 && !big->places.has_failed && !big->text.has_failed;
}

struct walk {
	struct json_big *big;
	uint32_t count;
	size_t next; /* of the places */
};

static void note_string(struct walk *walk, const json_t *value)
{
	uint32_t place;
	if (walk->next + sizeof(place) <= walk->big->places.len) {
		memcpy(&place, walk->big->places.data + walk->next, sizeof(place));
		if (place == walk->count) {
			struct json_mark mark = {.value = value, .is_big = true};
			buf_add(&walk->big->marks, &mark, sizeof(mark));
			walk->next += sizeof(place);
		}
	}
	walk->count++;
}

/* As deep as the parser lets a text be. An object keeps the order of its members. */
static void note_all(struct walk *walk, const json_t *value)
{
	const char *name;
	json_t *member;
	if (json_is_string(value)) {
		note_string(walk, value);
	} else if (json_is_object(value)) {
		json_object_foreach((json_t *)(uintptr_t)value, name, member)
			note_all(walk, member);
	}
	for (size_t i = 0; i < json_array_size(value); i++)
		note_all(walk, json_array_get(value, i));
}

static int by_value(const void *left, const void *right)
{
	uintptr_t a = (uintptr_t)((const struct json_mark *)left)->value;
	uintptr_t b = (uintptr_t)((const struct json_mark *)right)->value;
	return a < b ? -1 : a > b;
}

enum lyc_status json_big_mark(struct json_big *big, const json_t *root, struct lyc_error *error)
{
	struct walk walk = {.big = big};
	note_all(&walk, root);
	if (big->marks.has_failed)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "there is no memory to read the JSON");
	qsort(big->marks.data, big->marks.len / sizeof(struct json_mark), sizeof(struct json_mark),
	      by_value);
	return LYC_OK;
}
