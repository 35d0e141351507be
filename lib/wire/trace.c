/* W3C trace context, read and written by hand. */
#include "wire/trace.h"

#include <string.h>

/* Lower-case digits only, as the specification has it. */
static bool read_hex(const uint8_t *at, size_t count, uint64_t *ret_value)
{
	uint64_t value = 0;
	for (size_t i = 0; i < count; i++) {
		if (at[i] >= '0' && at[i] <= '9')
			value = value << 4 | (uint64_t)(at[i] - '0');
		else if (at[i] >= 'a' && at[i] <= 'f')
			value = value << 4 | (uint64_t)(at[i] - 'a' + 10);
		else
			return false;
	}
	*ret_value = value;
	return true;
}

static void write_hex(uint64_t value, size_t count, char *to)
{
	while (count-- > 0) {
		to[count] = "0123456789abcdef"[value & 15];
		value >>= 4;
	}
}

bool trace_read_id(struct span text, struct trace *ret_trace)
{
	uint64_t high, low;
	if (text.len != TRACE_ID_LEN || !read_hex(text.data, 16, &high) ||
	    !read_hex(text.data + 16, 16, &low) || (high | low) == 0)
		return false;
	*ret_trace = (struct trace){.high = high, .low = low};
	return true;
}

bool trace_read(struct span text, struct trace *ret_trace)
{
	struct trace trace;
	uint64_t version, span, flags;
	const uint8_t *at = text.data;
	if (text.len < TRACE_TEXT_LEN || at[2] != '-' || at[35] != '-' || at[52] != '-' ||
	    !read_hex(at, 2, &version) || version == 0xff ||
	    !trace_read_id(span_of(at + 3, TRACE_ID_LEN), &trace) ||
	    !read_hex(at + 36, 16, &span) || !read_hex(at + 53, 2, &flags) || span == 0)
		return false;
	/* What a later version adds comes behind a dash. */
	if (text.len > TRACE_TEXT_LEN && (version == 0 || at[TRACE_TEXT_LEN] != '-'))
		return false;
	trace.span = span;
	trace.flags = (uint8_t)flags;
	*ret_trace = trace;
	return true;
}

struct span trace_checked(struct span text)
{
	struct trace trace;
	return text.len == TRACE_TEXT_LEN && trace_read(text, &trace) ? text : span_of(NULL, 0);
}

void trace_write_id(const struct trace *trace, char to[TRACE_ID_LEN + 1])
{
	write_hex(trace->high, 16, to);
	write_hex(trace->low, 16, to + 16);
	to[TRACE_ID_LEN] = '\0';
}

struct span trace_write(const struct trace *trace, char to[TRACE_TEXT_LEN + 1])
{
	memcpy(to, "00-", 3);
	trace_write_id(trace, to + 3);
	to[35] = '-';
	write_hex(trace->span, 16, to + 36);
	to[52] = '-';
	write_hex(trace->flags, 2, to + 53);
	to[TRACE_TEXT_LEN] = '\0';
	return span_of(to, TRACE_TEXT_LEN);
}

struct trace trace_begin(struct rng *rng)
{
	struct trace trace = {.high = rng_next(rng), .low = rng_next(rng), .flags = TRACE_SAMPLED};
	trace.low |= 1;
	return trace_next(&trace, rng_next(rng));
}

struct trace trace_next(const struct trace *trace, uint64_t random)
{
	struct trace next = *trace;
	next.span = random ? random : 1;
	return next;
}

bool trace_is_same(const struct trace *one, const struct trace *other)
{
	return one->high == other->high && one->low == other->low;
}
