/*
 * Many peers in one process of their own, at full speed: publishers whose messages nobody keeps,
 * others whose records are acknowledged, and subscribers who read nothing.
 */
#ifndef LYC_SYSTEM_THRONG_H
#define LYC_SYSTEM_THRONG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct throng;

struct throng_parts {
	const char *endpoint; /* a listener without keys */
	unsigned transient_count;
	unsigned durable_count;
	unsigned deaf_count;
	size_t frame_len;
	/* Bytes that all publishers send in the end, and of these those to be kept. */
	uint64_t transient_len;
	uint64_t durable_len;
};

/* What it has come to so far. */
struct throng_view {
	uint64_t connected;
	uint64_t sent_len;
	uint64_t acked;   /* records */
	uint64_t refused; /* records, with RESOURCE_EXHAUSTED */
	uint64_t faults;  /* anything else that should not have come */
	bool is_done;     /* all was sent, and each record was acknowledged or refused */
};

/* The process ends with this one. */
struct throng *throng_start(const struct throng_parts *parts);
struct throng_view throng_look(const struct throng *throng);
void throng_end(struct throng *throng);

#endif
