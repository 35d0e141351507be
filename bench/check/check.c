/*
 * What the check at the door costs, beside protobuf-c's unpack and free of the same body: with the
 * schema's rules, as every body is checked, and its structure alone. Counts what is allocated: a
 * check that takes memory fails the round.
 */
#include <stdlib.h>
#include <string.h>

#include "bodies_schema.h"
#include "check/bodies.h"
#include "kit/contest.h"
#include "kit/process.h"
#include "schema/schema.h"

#define TIMES 1000
#define WARM_MS 20

/* ---- who allocates ---- */

/* The C library's own, by the names it has for those who put theirs in front. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

/* There is one thread; and what is compared with allocates, so counting has to cost nothing. */
static unsigned long long allocations;

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
	allocations++;
	return __libc_realloc(block, size);
}

/* ---- what is compared ---- */

struct body {
	const struct body_shape *shape;
	const struct schema_message *message;
	struct span bytes;
	bool has_rules;
};

/* TIMES of them. */
typedef bool (*times_fn)(const struct body *body);

static bool check_times(const struct body *body)
{
	for (int i = 0; i < TIMES; i++) {
		if (schema_check(body->message, body->bytes, body->has_rules, NULL) != LYC_OK)
			return false;
	}
	return true;
}

static bool unpack_times(const struct body *body)
{
	for (int i = 0; i < TIMES; i++) {
		ProtobufCMessage *message = protobuf_c_message_unpack(
			body->shape->type, NULL, body->bytes.len, body->bytes.data);
		if (!message)
			return false;
		protobuf_c_message_free_unpacked(message, NULL);
	}
	return true;
}

static bool run_for(const struct body *body, times_fn times, uint64_t ms, double *ret_ns)
{
	uint64_t from_ns = now_ns();
	uint64_t until_ns = from_ns + ms * 1000000;
	uint64_t count = 0;
	do {
		if (!times(body))
			return false;
		count += TIMES;
	} while (now_ns() < until_ns);
	*ret_ns = (double)(now_ns() - from_ns) / (double)count;
	return true;
}

static bool make_body(struct body *body, const struct workload *work, struct measure *measure)
{
	static uint8_t bytes[BODIES_MAX_LEN];
	struct schema *schema;
	struct lyc_error error = {0};
	body->shape = work->kind;
	body->bytes = span_of(bytes, body->shape->write(bytes));
	if (schema_new(bodies_schema, bodies_schema_len, &schema, &error) != LYC_OK) {
		contest_fail(measure, "%s", error.text);
		return false;
	}
	body->message = schema_find_message(schema, body->shape->type->name);
	if (!body->message || schema_check(body->message, body->bytes, true, &error) != LYC_OK) {
		contest_fail(measure, "%s", error.text);
		return false;
	}
	return true;
}

/* ---- rounds ---- */

static const bool with_rules = true;
static const bool without_rules = false;

static void check_round(const struct contestant *self, const struct setting *setting,
			const struct workload *work, struct measure *ret_measure)
{
	struct body body = {.has_rules = *(const bool *)self->kind};
	double ns = 0;
	if (!make_body(&body, work, ret_measure))
		return;
	bool is_fine = run_for(&body, check_times, WARM_MS, &ns);
	unsigned long long before = allocations;
	is_fine = is_fine && run_for(&body, check_times, setting->round_ms, &ns);
	if (!is_fine)
		contest_fail(ret_measure, "a body that is right was refused");
	if (allocations != before)
		contest_fail(ret_measure, "it allocated %llu times", allocations - before);
	ret_measure->value = ns;
}

static void unpack_round(const struct contestant *self, const struct setting *setting,
			 const struct workload *work, struct measure *ret_measure)
{
	struct body body = {0};
	double ns = 0;
	(void)self;
	if (!make_body(&body, work, ret_measure))
		return;
	if (!run_for(&body, unpack_times, WARM_MS, &ns) ||
	    !run_for(&body, unpack_times, setting->round_ms, &ns))
		contest_fail(ret_measure, "a body that is right was refused");
	ret_measure->value = ns;
}

enum who { UNPACK, RULES, STRUCTURE, CONTESTANTS };

static struct contestant contestants[CONTESTANTS] = {
	[UNPACK] = {.who = "protobuf-c, unpack and free",
		    .meaning = "the structure is checked on the way; no UTF-8, no rules",
		    .round = unpack_round},
	[RULES] = {.who = "Lyceum, check with rules",
		   .meaning = "structure, UTF-8 and the schema's rules, as each body at the door; "
			      "a round that allocates is a fault",
		   .kind = &with_rules,
		   .round = check_round},
	[STRUCTURE] = {.who = "Lyceum, structure only",
		       .meaning = "structure and UTF-8",
		       .kind = &without_rules,
		       .round = check_round},
};

int main(int argc, char **argv)
{
	static struct workload workloads[BODY_SHAPES];
	static uint8_t bytes[BODIES_MAX_LEN];
	static const struct contest contest = {
		.name = "check",
		.title = "The check of a body",
		.contestants = contestants,
		.contestant_count = CONTESTANTS,
		.reference = UNPACK,
		.workloads = workloads,
		.workload_count = BODY_SHAPES,
		.round_ms = 200,
	};
	for (size_t i = 0; i < BODY_SHAPES; i++)
		workloads[i] = (struct workload){.name = "check",
						 .title = body_shapes[i].title,
						 .unit = "ns a body",
						 .is_less_better = true,
						 .size = body_shapes[i].write(bytes),
						 .kind = &body_shapes[i]};
	workloads[BODY_TWENTY].target = "floor 3x faster than protobuf-c (0.33) and no allocation, "
					"aim 5x (0.20)";
	return contest_main(&contest, argc, argv);
}
