/* The load: a closed loop of calls. */
#include "calls/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls/process.h"

#define WARM_MS 200
/* For the last replies. */
#define GRACE_MS 3000
#define SLOT_DIGITS 4

/* Field 1, a text of the rest: returns where it starts. */
static size_t put_head(uint8_t *to, size_t body_len)
{
	size_t text_len = body_len - (body_len - 2 < 128 ? 2 : 3);
	to[0] = 1 << 3 | 2;
	if (text_len < 128) {
		to[1] = (uint8_t)text_len;
		return 2;
	}
	to[1] = (uint8_t)(text_len | 0x80);
	to[2] = (uint8_t)(text_len >> 7);
	return 3;
}

void load_init(struct load *load, size_t window, size_t body_len)
{
	memset(load, 0, sizeof(*load));
	load->window = window;
	load->body_len = body_len;
	load->bodies = malloc(window * body_len);
	if (!load->bodies)
		abort();
	memset(load->bodies, 'x', window * body_len);
	for (size_t slot = 0; slot < window; slot++) {
		uint8_t *body = load->bodies + slot * body_len;
		size_t at = put_head(body, body_len);
		char digits[24];
		snprintf(digits, sizeof(digits), "%04zu", slot);
		memcpy(body + at, digits, SLOT_DIGITS);
	}
}

void load_fini(struct load *load)
{
	free(load->bodies);
	load->bodies = NULL;
}

size_t load_slot_of(const struct load *load, const uint8_t *body, size_t len)
{
	size_t at = load->body_len - 2 < 128 ? 2 : 3;
	size_t slot = 0;
	if (len < at + SLOT_DIGITS)
		return load->window;
	for (size_t i = 0; i < SLOT_DIGITS; i++)
		slot = slot * 10 + (size_t)(body[at + i] - '0');
	return slot < load->window ? slot : load->window;
}

void load_begin(struct load *load, uint64_t measure_ms)
{
	load->from_ns = now_ns() + (uint64_t)WARM_MS * 1000000;
	load->until_ns = load->from_ns + measure_ms * 1000000;
	load->give_up_ns = load->until_ns + (uint64_t)GRACE_MS * 1000000;
}

void load_sent(struct load *load, size_t slot)
{
	load->sent_ns[slot] = now_ns();
	load->outstanding++;
}

static size_t bucket_of(uint64_t ns)
{
	unsigned bits = 63 - (unsigned)__builtin_clzll(ns | LOAD_STEPS);
	size_t bucket = (bits - 6) * LOAD_STEPS + (size_t)(ns >> (bits - 6));
	return bucket < LOAD_BUCKETS ? bucket : LOAD_BUCKETS - 1;
}

/* In the middle of a bucket. */
static double bucket_us(size_t bucket)
{
	if (bucket < 2 * (size_t)LOAD_STEPS)
		return (double)bucket / 1e3;
	size_t shift = bucket / LOAD_STEPS - 1;
	double step = (double)((uint64_t)1 << shift);
	return ((double)(LOAD_STEPS + bucket % LOAD_STEPS) + 0.5) * step / 1e3;
}

/* Of each process, the client's own last. */
static void read_cpu(const struct load *load, double *to)
{
	for (size_t i = 0; i < LOAD_MAX_PROCESSES; i++)
		to[i] = load->processes[i] > 0 ? process_cpu_s(load->processes[i]) : 0;
	to[LOAD_MAX_PROCESSES] = process_cpu_s(getpid());
}

static void measure(struct load *load, size_t slot, uint64_t now)
{
	if (!load->measured_from_ns) {
		load->measured_from_ns = now;
		read_cpu(load, load->cpu_from_s);
	}
	load->counted++;
	load->buckets[bucket_of(now - load->sent_ns[slot])]++;
}

bool load_received(struct load *load, size_t slot, const uint8_t *body, size_t len)
{
	uint64_t now = now_ns();
	if (slot >= load->window || len < load->body_len ||
	    memcmp(body, load_body(load, slot), load->body_len) != 0) {
		load->wrong++;
		load_fail(load, "a reply was not what had been asked");
		return false;
	}
	if (now >= load->until_ns) {
		if (!load->measured_until_ns) {
			load->measured_until_ns = now;
			read_cpu(load, load->cpu_until_s);
		}
		load->outstanding--;
		return false;
	}
	if (now >= load->from_ns)
		measure(load, slot, now);
	load->sent_ns[slot] = now;
	return true;
}

bool load_is_over(const struct load *load)
{
	return load->fault[0] || (load->measured_until_ns && load->outstanding == 0) ||
	       now_ns() >= load->give_up_ns;
}

void load_fail(struct load *load, const char *text)
{
	if (!load->fault[0])
		snprintf(load->fault, sizeof(load->fault), "%s", text);
}

static double percentile(const struct load *load, double part)
{
	uint64_t wanted = (uint64_t)((double)load->counted * part);
	uint64_t passed = 0;
	for (size_t i = 0; i < LOAD_BUCKETS; i++) {
		passed += load->buckets[i];
		if (passed > wanted)
			return bucket_us(i);
	}
	return 0;
}

void load_result(const struct load *load, struct result *ret_result)
{
	memset(ret_result, 0, sizeof(*ret_result));
	memcpy(ret_result->fault, load->fault, sizeof(load->fault));
	ret_result->lost = load->outstanding + load->wrong;
	if (!load->measured_until_ns || load->counted == 0) {
		if (!load->fault[0])
			snprintf(ret_result->fault, sizeof(ret_result->fault),
				 "the replies stopped coming");
		return;
	}
	double seconds = (double)(load->measured_until_ns - load->measured_from_ns) / 1e9;
	ret_result->rate = (double)load->counted / seconds;
	ret_result->p50_us = percentile(load, 0.5);
	ret_result->p99_us = percentile(load, 0.99);
	double calls = (double)load->counted / 1e6;
	ret_result->broker_cpu_s = (load->cpu_until_s[0] - load->cpu_from_s[0]) / calls;
	for (size_t i = 0; i <= LOAD_MAX_PROCESSES; i++)
		ret_result->all_cpu_s += (load->cpu_until_s[i] - load->cpu_from_s[i]) / calls;
}
