/* Two patterns and a subject, a line each: what a pattern covers it matches, too. */
#include <string.h>

#include "base/ensure.h"
#include "wire/subject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct span next_line(struct span *rest)
{
	const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
	struct span line = span_of(rest->data, end ? (size_t)(end - rest->data) : rest->len);
	size_t used = end ? line.len + 1 : line.len;
	*rest = span_of(rest->data + used, rest->len - used);
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct span rest = span_of(data, len);
	struct span outer = next_line(&rest);
	struct span inner = next_line(&rest);
	struct span subject = next_line(&rest);
	bool is_good = subject_pattern_is_valid(outer) && subject_pattern_is_valid(inner);
	bool covers = subject_pattern_covers(outer, inner);
	bool by_inner = subject_matches(inner, subject);
	bool by_outer = subject_matches(outer, subject);
	if (!is_good || !subject_is_valid(subject))
		return 0;
	ensure(subject_pattern_is_valid(subject) && subject_matches(subject, subject));
	ensure(subject_pattern_covers(outer, outer));
	ensure(by_outer == subject_pattern_covers(outer, subject));
	if (covers && by_inner)
		ensure(by_outer);
	return 0;
}
