/*
 * Subjects and patterns. Tokens are compared where they stand: nothing is copied or split. A
 * pattern without wildcards is a subject.
 */
#include "wire/subject.h"

#include <string.h>

#include "base/utf8.h"

/* Cut the first token off `rest`; false when there is none left. A subject that ends in a dot has
 * an empty last token. */
static bool next_token(struct span *rest, struct span *ret_token)
{
	if (!rest->data)
		return false;
	const uint8_t *dot = rest->len ? memchr(rest->data, '.', rest->len) : NULL;
	if (!dot) {
		*ret_token = *rest;
		*rest = (struct span){0};
		return true;
	}
	size_t len = (size_t)(dot - rest->data);
	*ret_token = span_of(rest->data, len);
	*rest = span_of(dot + 1, rest->len - len - 1);
	return true;
}

static bool is_wildcard(struct span token, char wildcard)
{
	return token.len == 1 && token.data[0] == (uint8_t)wildcard;
}

static bool has_forbidden_byte(struct span token)
{
	for (size_t i = 0; i < token.len; i++) {
		uint8_t byte = token.data[i];
		if (byte <= ' ' || byte == 0x7f || byte == '*' || byte == '>')
			return true;
	}
	return false;
}

static bool is_valid(struct span subject, bool may_have_wildcards)
{
	if (subject.len == 0 || subject.len > SUBJECT_MAX_LEN)
		return false;
	if (!utf8_check(subject.data, subject.len, NULL))
		return false;
	struct span rest = subject;
	struct span token;
	size_t count = 0;
	while (next_token(&rest, &token)) {
		if (token.len == 0 || ++count > SUBJECT_MAX_TOKENS)
			return false;
		if (may_have_wildcards && is_wildcard(token, '*'))
			continue;
		if (may_have_wildcards && is_wildcard(token, '>') && !rest.data)
			continue;
		if (has_forbidden_byte(token))
			return false;
	}
	return true;
}

bool subject_is_valid(struct span subject)
{
	return is_valid(subject, false);
}

bool subject_pattern_is_valid(struct span pattern)
{
	return is_valid(pattern, true);
}

bool subject_matches(struct span pattern, struct span subject)
{
	struct span wanted;
	struct span token;
	while (next_token(&pattern, &wanted)) {
		if (!next_token(&subject, &token))
			return false;
		if (is_wildcard(wanted, '>') && !pattern.data)
			return true;
		if (!is_wildcard(wanted, '*') && !span_equal(wanted, token))
			return false;
	}
	return !subject.data;
}

bool subject_pattern_covers(struct span outer, struct span inner)
{
	struct span wide;
	struct span narrow;
	while (next_token(&outer, &wide)) {
		if (!next_token(&inner, &narrow))
			return false;
		if (is_wildcard(wide, '>') && !outer.data)
			return true;
		/* One token never covers a tail. */
		if (is_wildcard(narrow, '>') && !inner.data)
			return false;
		if (!is_wildcard(wide, '*') && !span_equal(wide, narrow))
			return false;
	}
	return !inner.data;
}

bool subject_patterns_meet(struct span one, struct span other)
{
	struct span left;
	struct span right;
	while (next_token(&one, &left)) {
		if (!next_token(&other, &right))
			return false;
		if ((is_wildcard(left, '>') && !one.data) ||
		    (is_wildcard(right, '>') && !other.data))
			return true;
		if (!is_wildcard(left, '*') && !is_wildcard(right, '*') && !span_equal(left, right))
			return false;
	}
	return !other.data;
}
