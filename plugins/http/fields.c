/* Paths, queries and forms. */
#include "fields.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text, size_t len)
{
	char *to = malloc(len + 1);
	if (to) {
		memcpy(to, text, len);
		to[len] = '\0';
	}
	return to;
}

bool fields_add(struct fields *fields, const char *name, size_t name_len, const char *value,
		size_t value_len)
{
	if (fields->count == FIELDS_MAX || memchr(value, '\0', value_len) ||
	    memchr(name, '\0', name_len))
		return false;
	char *own_name = copy(name, name_len);
	char *own_value = copy(value, value_len);
	if (!own_name || !own_value) {
		free(own_name);
		free(own_value);
		return false;
	}
	fields->items[fields->count++] = (struct lyc_pair){own_name, own_value};
	return true;
}

const char *fields_find(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++) {
		if (strcmp(fields->items[i].name, name) == 0)
			return fields->items[i].value;
	}
	return NULL;
}

void fields_fini(struct fields *fields)
{
	for (size_t i = 0; i < fields->count; i++) {
		free((char *)(uintptr_t)fields->items[i].name);
		free((char *)(uintptr_t)fields->items[i].value);
	}
	fields->count = 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; false for a broken escape. */
static bool unescape(char *text, size_t *len)
{
	size_t to = 0;
	for (size_t i = 0; i < *len; i++) {
		char c = text[i];
		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			if (i + 2 >= *len || hex_digit(text[i + 1]) < 0 ||
			    hex_digit(text[i + 2]) < 0)
				return false;
			c = (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
			i += 2;
		}
		text[to++] = c;
	}
	*len = to;
	return true;
}

static bool add_escaped(struct fields *fields, const char *name, size_t name_len, const char *value,
			size_t value_len)
{
	char *own_name = copy(name, name_len);
	char *own_value = copy(value, value_len);
	bool is_good = own_name && own_value && unescape(own_name, &name_len) &&
		       unescape(own_value, &value_len) &&
		       fields_add(fields, own_name, name_len, own_value, value_len);
	free(own_name);
	free(own_value);
	return is_good;
}

bool fields_read_form(struct fields *fields, const char *body, size_t len)
{
	const char *at = body;
	const char *end = body + len;
	while (at < end) {
		const char *next = memchr(at, '&', (size_t)(end - at));
		size_t part = next ? (size_t)(next - at) : (size_t)(end - at);
		const char *equals = memchr(at, '=', part);
		size_t name_len = equals ? (size_t)(equals - at) : part;
		const char *value = equals ? equals + 1 : at + part;
		if (part > 0 && (name_len == 0 || !add_escaped(fields, at, name_len, value,
							       (size_t)(at + part - value))))
			return false;
		at += part + 1;
	}
	return true;
}

bool fields_match_path(struct fields *fields, const char *route, const char *path)
{
	while (*route && *route != '?') {
		if (*route != '{') {
			if (*route++ != *path++)
				return false;
			continue;
		}
		const char *close = strchr(route, '}');
		if (!close)
			return false;
		char stop = close[1] == '?' ? '\0' : close[1];
		size_t len = 0;
		while (path[len] && path[len] != stop && path[len] != '/')
			len++;
		/* ".ics" ends a path whose word may have dots itself: the last one counts. */
		if (stop && stop != '/' && path[len] == stop) {
			size_t rest = strcspn(close + 1, "{?");
			size_t left = strlen(path);
			bool is_last = close[1 + rest] == '\0' || close[1 + rest] == '?';
			if (is_last && left > rest && !memchr(path, '/', left - rest))
				len = left - rest;
		}
		if (len == 0 ||
		    !fields_add(fields, route + 1, (size_t)(close - route - 1), path, len))
			return false;
		path += len;
		route = close + 1;
	}
	return *path == '\0';
}
