/* The load: a closed loop of calls. */
#include "calls/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/process.h"

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

void load_init(struct load *load, const struct contestant *contestant, const struct workload *work,
	       struct measure *measure)
{
	memset(load, 0, sizeof(*load));
	load->contestant = contestant;
	load->measure = measure;
	load->window = work->outstanding;
	load->body_len = work->size;
	load->bodies = malloc(load->window * load->body_len);
	if (!load->bodies || load->window > LOAD_MAX_WINDOW || load->body_len > LOAD_MAX_BODY)
		abort();
	memset(load->bodies, 'x', load->window * load->body_len);
	for (size_t slot = 0; slot < load->window; slot++) {
		uint8_t *body = load->bodies + slot * load->body_len;
		size_t at = put_head(body, load->body_len);
		char digits[24];
		snprintf(digits, sizeof(digits), "%04zu", slot);
		memcpy(body + at, digits, SLOT_DIGITS);
	}
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

void load_begin(struct load *load, const struct setting *setting)
{
	load->from_ns = now_ns() + (uint64_t)WARM_MS * 1000000;
	load->until_ns = load->from_ns + setting->round_ms * 1000000;
	load->give_up_ns = load->until_ns + (uint64_t)GRACE_MS * 1000000;
}

void load_sent(struct load *load, size_t slot)
{
	load->sent_ns[slot] = now_ns();
	load->outstanding++;
}

static void count(struct load *load, size_t slot, uint64_t now)
{
	if (!load->measured_from_ns) {
		load->measured_from_ns = now;
		load->cpu_from = contest_cpu(load->contestant);
	}
	histogram_add(&load->latencies, now - load->sent_ns[slot]);
}

bool load_received(struct load *load, size_t slot, const uint8_t *body, size_t len)
{
	uint64_t now = now_ns();
	if (slot >= load->window || len < load->body_len ||
	    memcmp(body, load_body(load, slot), load->body_len) != 0) {
		load->wrong++;
		contest_fail(load->measure, "a reply was not what had been asked");
		return false;
	}
	if (now >= load->until_ns) {
		if (!load->measured_until_ns) {
			load->measured_until_ns = now;
			load->cpu_until = contest_cpu(load->contestant);
		}
		load->outstanding--;
		return false;
	}
	if (now >= load->from_ns)
		count(load, slot, now);
	load->sent_ns[slot] = now;
	return true;
}

bool load_is_over(const struct load *load)
{
	return load->measure->fault[0] || (load->measured_until_ns && load->outstanding == 0) ||
	       now_ns() >= load->give_up_ns;
}

void load_end(struct load *load)
{
	struct measure *measure = load->measure;
	free(load->bodies);
	measure->lost = load->outstanding + load->wrong;
	if (!load->measured_until_ns || load->latencies.count == 0) {
		contest_fail(measure, "the replies stopped coming");
		return;
	}
	double seconds = (double)(load->measured_until_ns - load->measured_from_ns) / 1e9;
	measure->value = (double)load->latencies.count / seconds;
	measure->p50_us = histogram_us(&load->latencies, 0.5);
	measure->p99_us = histogram_us(&load->latencies, 0.99);
	contest_cpu_between(load->cpu_from, load->cpu_until, load->latencies.count, measure);
}
