/*
 * Every allocation of lib/ fails once: each scenario is run again and again, with the first, the
 * second, the third ... allocation refused, alone and with all after it, until it comes through
 * untouched. Each time it has to end with OK or RESOURCE_EXHAUSTED, to leave no block behind, and
 * what it says is OK has to be right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/schema/random_body.h"
#include "../unit/schema/text_types.h"
#include "base/error.h"
#include "client/plugin_config.h"
#include "io/keyfile.h"
#include "schema/core.h"
#include "schema/diff.h"
#include "schema/embed.h"
#include "schema/json_schema.h"
#include "schema/strip.h"
#include "short_memory.h"
#include "wire/packet.h"

#define MOST_ALLOCATIONS 200000
#define SEEDS 3

/* Made before memory becomes short. */
static struct {
	struct buf set;
	struct schema *schema;
	struct schema *core;
	struct buf body[SEEDS];
	struct buf json[SEEDS];
	char folder[32];
	char config[64];
	char key_file[64];
	char prefix[64];
} ready;

static const struct schema_message *everything(void)
{
	return schema_find_message(ready.schema, "lyceum.texttest.v1.Everything");
}

/* A scenario's result is in `to` (may stay empty): equal each time that it says OK. */
typedef enum lyc_status (*scenario_fn)(unsigned seed, struct buf *to, struct lyc_error *error);

static enum lyc_status of_buf(enum lyc_status status, const struct buf *to)
{
	return status == LYC_OK && to->has_failed ? LYC_RESOURCE_EXHAUSTED : status;
}

static struct span body_of(unsigned seed)
{
	return span_of(ready.body[seed].data, ready.body[seed].len);
}

static enum lyc_status compile(unsigned seed, struct buf *to, struct lyc_error *error)
{
	struct schema *schema = NULL;
	(void)seed;
	enum lyc_status status = schema_new(ready.set.data, ready.set.len, &schema, error);
	if (status == LYC_OK)
		buf_add_format(to, "%zu %" PRIx64, schema_message_count(schema), schema_id(schema));
	schema_unref(schema);
	return of_buf(status, to);
}

static enum lyc_status write_json(unsigned seed, struct buf *to, struct lyc_error *error)
{
	const struct json_options options = {.is_pretty = seed == 1, .with_defaults = seed == 2};
	return of_buf(json_write(everything(), body_of(seed), &options, to, error), to);
}

static enum lyc_status read_json(unsigned seed, struct buf *to, struct lyc_error *error)
{
	const struct buf *json = &ready.json[seed];
	return of_buf(json_read(everything(), (const char *)json->data, json->len, to, error), to);
}

static enum lyc_status read_yaml(unsigned seed, struct buf *to, struct lyc_error *error)
{
	const struct buf *json = &ready.json[seed];
	return of_buf(yaml_read(everything(), (const char *)json->data, json->len, to, error), to);
}

static enum lyc_status find_yaml_line(unsigned seed, struct buf *to, struct lyc_error *error)
{
	const struct buf *json = &ready.json[seed];
	(void)to;
	(void)error;
	/* Without memory it is the first line. */
	(void)yaml_line(everything(), (const char *)json->data, json->len, "scalars.text");
	return LYC_OK;
}

static enum lyc_status check_body(unsigned seed, struct buf *to, struct lyc_error *error)
{
	(void)to;
	return schema_check(everything(), body_of(seed), false, error);
}

static enum lyc_status describe(unsigned seed, struct buf *to, struct lyc_error *error)
{
	static const char *const names[] = {"lyceum.texttest.v1.Everything",
					    "lyceum.texttest.v1.People",
					    "lyceum.texttest.v1.People/Find"};
	(void)error;
	return of_buf(describe_write(ready.schema, names[seed], true, to), to);
}

static enum lyc_status write_json_schema(unsigned seed, struct buf *to, struct lyc_error *error)
{
	const struct schema_message *type = everything();
	(void)seed;
	return of_buf(json_schema_write(&type, 1, "#/", to, error), to);
}

static enum lyc_status compare(unsigned seed, struct buf *to, struct lyc_error *error)
{
	struct diff diff = {0};
	/* Much breaks between two schemas that have nothing in common. */
	enum lyc_status status =
		diff_new(seed ? ready.core : ready.schema, seed == 1 ? ready.schema : ready.core,
			 NULL, &diff, error);
	for (size_t i = 0; status == LYC_OK && i < diff.count; i++)
		diff_write(&diff.breaks[i], to);
	if (status == LYC_OK)
		diff_fini(&diff);
	return of_buf(status, to);
}

static enum lyc_status cut(unsigned seed, struct buf *to, struct lyc_error *error)
{
	const struct readers readers = {.node = "leeds", .person = ""};
	size_t count = 0;
	(void)error;
	return of_buf(label_cut(everything(), NULL, body_of(seed), "wales", &readers, to, &count),
		      to);
}

static enum lyc_status key(unsigned seed, struct buf *to, struct lyc_error *error)
{
	struct buf body = {0};
	(void)seed;
	pb_write_bytes(&body, 1, "ann of .wales. * and far beyond", 31);
	enum lyc_status status =
		of_buf(LYC_OK, &body) == LYC_OK
			? schema_key(schema_find_message(ready.schema, "lyceum.texttest.v1.Person"),
				     span_of(body.data, body.len), to, error)
			: LYC_RESOURCE_EXHAUSTED;
	buf_fini(&body);
	return of_buf(status, to);
}

static enum lyc_status read_config(unsigned seed, struct buf *to, struct lyc_error *error)
{
	const struct schema_message *type = schema_find_message(ready.core, "lyceum.v1.Config");
	(void)seed;
	return of_buf(plugin_config_read(type, ready.config, to, error), to);
}

static enum lyc_status embed(unsigned seed, struct buf *to, struct lyc_error *error)
{
	(void)seed;
	(void)to;
	return embed_write(ready.set.data, 2000, "some_bytes", ready.prefix, error);
}

static enum lyc_status read_key(unsigned seed, struct buf *to, struct lyc_error *error)
{
	struct keypair keys;
	(void)seed;
	enum lyc_status status = keyfile_read(ready.key_file, &keys, error);
	if (status == LYC_OK)
		buf_add(to, keys.public_key, 40);
	return of_buf(status, to);
}

static enum lyc_status write_key(unsigned seed, struct buf *to, struct lyc_error *error)
{
	struct keypair keys;
	char path[80];
	(void)seed;
	(void)to;
	snprintf(path, sizeof(path), "%s/again.key", ready.folder);
	enum lyc_status status = keyfile_make(&keys, error);
	if (status == LYC_OK)
		status = keyfile_write(path, &keys, error);
	unlink(path);
	return status;
}

static enum lyc_status write_packet(unsigned seed, struct buf *to, struct lyc_error *error)
{
	(void)error;
	const struct packet packet = {.kind = PACKET_CALL,
				      .call = {.id = 1 + seed,
					       .method = span_of("a.B/C", 5),
					       .body = span_of(ready.set.data, 5000 * seed)}};
	packet_write(to, &packet);
	return of_buf(LYC_OK, to);
}

static const struct {
	const char *name;
	scenario_fn run;
} scenarios[] = {
	{"compile a schema", compile},
	{"write JSON", write_json},
	{"read JSON", read_json},
	{"read YAML", read_yaml},
	{"find a line of YAML", find_yaml_line},
	{"check a body", check_body},
	{"describe", describe},
	{"write a JSON Schema", write_json_schema},
	{"compare two schemas", compare},
	{"cut by labels", cut},
	{"make a key", key},
	{"read a configuration", read_config},
	{"embed a file", embed},
	{"read a key file", read_key},
	{"make a key file", write_key},
	{"write a packet", write_packet},
};

/* One run; true when no allocation was refused. */
static bool run_short(size_t scenario, unsigned seed, size_t nth, bool is_for_good,
		      const struct buf *expected)
{
	struct buf result = {0};
	struct lyc_error error = {0};
	short_memory_arm(nth, is_for_good);
	enum lyc_status status = scenarios[scenario].run(seed, &result, &error);
	bool has_failed = short_memory_disarm();
	bool is_right = status == LYC_OK
				? !result.has_failed && result.len == expected->len &&
					  (result.len == 0 ||
					   memcmp(result.data, expected->data, result.len) == 0)
				: status == LYC_RESOURCE_EXHAUSTED && has_failed;
	buf_fini(&result);
	long blocks = short_memory_blocks();
	if (!is_right || blocks != 0)
		fail_msg("%s, seed %u: without allocation %zu%s: %s, \"%s\", %ld blocks left",
			 scenarios[scenario].name, seed, nth,
			 is_for_good ? " and all after it" : "", lyc_status_name(status),
			 error.text, blocks);
	return !has_failed;
}

static void sweep(size_t scenario, unsigned seed)
{
	struct buf expected = {0};
	struct lyc_error error = {0};
	size_t nth = 0;
	enum lyc_status status = scenarios[scenario].run(seed, &expected, &error);
	if (status != LYC_OK)
		fail_msg("%s, seed %u: %s", scenarios[scenario].name, seed, error.text);
	for (int mode = 0; mode < 2; mode++) {
		nth = 0;
		while (!run_short(scenario, seed, nth, mode, &expected)) {
			nth++;
			assert_true(nth < MOST_ALLOCATIONS);
		}
	}
	if (seed == 0)
		print_message("%s: %zu allocations\n", scenarios[scenario].name, nth);
	buf_fini(&expected);
}

static void test_short_memory_is_told_and_nothing_is_left(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		for (unsigned seed = 0; seed < SEEDS; seed++)
			sweep(i, seed);
	}
}

/* The replacement of malloc is in place, and counts. */
static void test_short_memory_refuses_and_counts(void **state)
{
	(void)state;
	struct buf buf = {0};
	short_memory_arm(0, true);
	buf_add(&buf, "text", 4);
	assert_true(short_memory_disarm());
	assert_true(buf.has_failed);
	buf_fini(&buf);
	short_memory_arm(1, false);
	buf_add(&buf, "text", 4);
	assert_false(short_memory_disarm());
	assert_int_equal(short_memory_blocks(), 1);
	buf_fini(&buf);
	assert_int_equal(short_memory_blocks(), 0);
}

static int set_up(void **state)
{
	(void)state;
	struct lyc_error error;
	struct keypair keys;
	ready.set = text_types_file(TEXT_TYPES_SET);
	ready.schema = text_types_schema(TEXT_TYPES_SET);
	if (core_schema_get(&ready.core) != LYC_OK)
		return -1;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct rng rng;
		rng_init(&rng, 11 + seed);
		while (ready.body[seed].len < 300) {
			buf_clear(&ready.body[seed]);
			random_body(&rng, everything(), 0, &ready.body[seed]);
		}
		if (json_write(everything(), body_of(seed), NULL, &ready.json[seed], &error) !=
		    LYC_OK)
			return -1;
	}
	snprintf(ready.folder, sizeof(ready.folder), "/tmp/lyc-memory-XXXXXX");
	if (!mkdtemp(ready.folder))
		return -1;
	snprintf(ready.config, sizeof(ready.config), "%s/lyceum.yaml", ready.folder);
	snprintf(ready.key_file, sizeof(ready.key_file), "%s/ann.key", ready.folder);
	snprintf(ready.prefix, sizeof(ready.prefix), "%s/bytes", ready.folder);
	FILE *config = fopen(ready.config, "w");
	if (!config)
		return -1;
	fputs("name: wales\ndata: data\nlisten:\n  - endpoint: tcp://127.0.0.1:7701\n", config);
	fclose(config);
	return keyfile_make(&keys, &error) == LYC_OK &&
			       keyfile_write(ready.key_file, &keys, &error) == LYC_OK
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	(void)state;
	char command[64];
	buf_fini(&ready.set);
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		buf_fini(&ready.body[seed]);
		buf_fini(&ready.json[seed]);
	}
	schema_unref(ready.schema);
	schema_unref(ready.core);
	snprintf(command, sizeof(command), "rm -r %s", ready.folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_memory_refuses_and_counts),
		cmocka_unit_test(test_short_memory_is_told_and_nothing_is_left),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
