/*
 * What the check at the door costs: schema_check with rules beside protobuf-c's unpack and free of
 * the same body, in turns in one run, so that both meet the same machine. Prints the best round of
 * each, which noise touches least, and the median.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench_schema.h"
#include "schema/schema.h"
#include "twenty.pb-c.h"

#define ROUNDS 61
#define TIMES 20000

static double now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static struct span make_body(void)
{
	static uint8_t hash[32] = {1, 2, 3};
	static uint32_t scores[] = {3, 200, 70000};
	static char *tags[] = {"genomics", "proteins"};
	static uint8_t bytes[1024];
	Lyceum__Bench__V1__Place place = LYCEUM__BENCH__V1__PLACE__INIT;
	place.city = "Cardiff";
	place.zip = 10;
	Lyceum__Bench__V1__Twenty twenty = LYCEUM__BENCH__V1__TWENTY__INIT;
	twenty.home = "wales";
	twenty.id = "0193c1f2-77aa";
	twenty.name = "Ann Example";
	twenty.country = "GB";
	twenty.mail = "ann@example.org";
	twenty.text = "Works on enzymes that take plastics apart.";
	twenty.year = 2024;
	twenty.seq = 123456;
	twenty.shift = -3;
	twenty.time_ms = 1732233600000;
	twenty.is_member = 1;
	twenty.kind = LYCEUM__BENCH__V1__KIND__PERSON;
	twenty.weight = 0.5;
	twenty.share = 0.25f;
	twenty.schema = 0x1234567890abcdef;
	twenty.crc = 0xdeadbeef;
	twenty.hash = (ProtobufCBinaryData){.len = sizeof(hash), .data = hash};
	twenty.place = &place;
	twenty.n_scores = 3;
	twenty.scores = scores;
	twenty.n_tags = 2;
	twenty.tags = tags;
	size_t len = lyceum__bench__v1__twenty__pack(&twenty, bytes);
	return (struct span){.data = bytes, .len = len};
}

static double time_check(const struct schema_message *message, struct span body, bool with_rules)
{
	double start = now_ns();
	for (int i = 0; i < TIMES; i++) {
		if (schema_check(message, body, with_rules, NULL) != LYC_OK)
			abort();
	}
	return (now_ns() - start) / TIMES;
}

static double time_unpack(struct span body)
{
	double start = now_ns();
	for (int i = 0; i < TIMES; i++) {
		Lyceum__Bench__V1__Twenty *twenty =
			lyceum__bench__v1__twenty__unpack(NULL, body.len, body.data);
		if (!twenty)
			abort();
		lyceum__bench__v1__twenty__free_unpacked(twenty, NULL);
	}
	return (now_ns() - start) / TIMES;
}

static int compare(const void *a, const void *b)
{
	double one = *(const double *)a;
	double two = *(const double *)b;
	return (one > two) - (one < two);
}

int main(void)
{
	static double with_rules[ROUNDS];
	static double without_rules[ROUNDS];
	static double unpack[ROUNDS];
	struct schema *schema = NULL;
	struct lyc_error error = {0};
	if (schema_new(bench_schema, bench_schema_len, &schema, &error) != LYC_OK) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	const struct schema_message *message =
		schema_find_message(schema, "lyceum.bench.v1.Twenty");
	struct span body = make_body();
	if (!message || schema_check(message, body, true, &error) != LYC_OK) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	for (int i = 0; i < ROUNDS; i++) {
		with_rules[i] = time_check(message, body, true);
		unpack[i] = time_unpack(body);
		without_rules[i] = time_check(message, body, false);
	}
	qsort(with_rules, ROUNDS, sizeof(double), compare);
	qsort(without_rules, ROUNDS, sizeof(double), compare);
	qsort(unpack, ROUNDS, sizeof(double), compare);
	int middle = ROUNDS / 2;
	printf("body of 20 fields, %zu bytes              best   median  (ns)\n", body.len);
	printf("protobuf-c unpack + free           %9.0f%9.0f\n", unpack[0], unpack[middle]);
	printf("schema_check with rules            %9.0f%9.0f   %.1fx and %.1fx faster\n",
	       with_rules[0], with_rules[middle], unpack[0] / with_rules[0],
	       unpack[middle] / with_rules[middle]);
	printf("schema_check, structure only       %9.0f%9.0f   %.1fx and %.1fx faster\n",
	       without_rules[0], without_rules[middle], unpack[0] / without_rules[0],
	       unpack[middle] / without_rules[middle]);
	schema_unref(schema);
	return 0;
}
