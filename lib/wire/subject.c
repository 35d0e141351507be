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

/* A dot, a wildcard, or what no token may hold: control bytes and spaces. A bit for each of the
 * first 64. */
static bool is_special(uint8_t byte)
{
	const uint64_t special = UINT64_C(0x1ffffffff) | UINT64_C(1) << '*' | UINT64_C(1) << '.' |
				 UINT64_C(1) << '>';
	return byte < 64 ? (special >> byte & 1) != 0 : byte == 0x7f;
}

/* Is the byte at `i` a wildcard, and a token of its own: `*` anywhere, `>` at the end? */
static bool is_wildcard_at(struct span subject, size_t i)
{
	bool begins = i == 0 || subject.data[i - 1] == '.';
	bool ends = i + 1 == subject.len;
	if (subject.data[i] == '*')
		return begins && (ends || subject.data[i + 1] == '.');
	return subject.data[i] == '>' && begins && ends;
}

static bool is_valid(struct span subject, bool may_have_wildcards)
{
	size_t count = 1;
	size_t token = 0; /* where it begins */
	if (subject.len == 0 || subject.len > SUBJECT_MAX_LEN)
		return false;
	if (!utf8_check(subject.data, subject.len, NULL))
		return false;
	for (size_t i = 0; i < subject.len; i++) {
		uint8_t byte = subject.data[i];
		if (!is_special(byte))
			continue;
		if (byte == '.') {
			if (i == token || ++count > SUBJECT_MAX_TOKENS)
				return false;
			token = i + 1;
		} else if (!may_have_wildcards || !is_wildcard_at(subject, i)) {
			return false;
		}
	}
	return token < subject.len;
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

/* What a pattern names before its first wildcard, all that it covers begins with. */
static bool begins_alike(struct span outer, struct span inner, bool *ret_is_rest_tail)
{
	bool is_tail = outer.len > 0 && outer.data[outer.len - 1] == '>' &&
		       (outer.len == 1 || outer.data[outer.len - 2] == '.');
	size_t len = outer.len - (is_tail ? 1 : 0);
	const uint8_t *star = len > 0 ? memchr(outer.data, '*', len) : NULL;
	size_t literal_len = star ? (size_t)(star - outer.data) : len;
	*ret_is_rest_tail = is_tail && !star && inner.len > 0;
	return inner.len >= literal_len &&
	       (literal_len == 0 || memcmp(outer.data, inner.data, literal_len) == 0);
}

bool subject_pattern_covers(struct span outer, struct span inner)
{
	struct span wide;
	struct span narrow;
	bool is_rest_tail;
	/* Most patterns are a name and all that comes behind it. */
	if (!begins_alike(outer, inner, &is_rest_tail))
		return false;
	if (is_rest_tail)
		return true;
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
