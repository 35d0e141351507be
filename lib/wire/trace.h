/*
 * W3C trace context: which chain of calls and records something belongs to. On the wire it is a
 * `traceparent`, 00-<32 hex: trace>-<16 hex: span>-<2 hex: flags>. Each hop keeps the trace and
 * makes a span of its own; what is malformed counts as no trace. Source: w3.org/TR/trace-context.
 */
#ifndef LYC_WIRE_TRACE_H
#define LYC_WIRE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/rng.h"

#define TRACE_ID_LEN 32
#define TRACE_TEXT_LEN 55
#define TRACE_SAMPLED 1

struct trace {
	uint64_t high;
	uint64_t low;
	uint64_t span;
	uint8_t flags;
};

/* A traceparent; of a later version the part that this one knows. False when it is malformed, or
 * its trace or span is zero. */
bool trace_read(struct span text, struct trace *ret_trace);
/* The text where it is a traceparent, else nothing: of what others have stored. */
struct span trace_checked(struct span text);
/* The 32 digits of the trace alone. */
bool trace_read_id(struct span text, struct trace *ret_trace);
/* Writes version 00, with a NUL; returns `to` as a span. */
struct span trace_write(const struct trace *trace, char to[TRACE_TEXT_LEN + 1]);
void trace_write_id(const struct trace *trace, char to[TRACE_ID_LEN + 1]);
/* A new one, sampled: journals keep it. */
struct trace trace_begin(struct rng *rng);
/* The next hop's: the same trace with this span, which is random; 0 counts as 1. */
struct trace trace_next(const struct trace *trace, uint64_t random);
bool trace_is_same(const struct trace *one, const struct trace *other);

#endif
