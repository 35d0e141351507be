/* The streams of a configuration: which takes what, what is refused of them, and which a view may
 * follow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lyceum/v1/config.pb-c.h"
#include "stream/retention_rule.h"

static struct span text(const char *chars)
{
	return span_of(chars, strlen(chars));
}

struct bench {
	Lyceum__V1__Config config;
	Lyceum__V1__StreamConfig streams[3];
	Lyceum__V1__StreamConfig *items[3];
	char *subjects[3];
	Lyceum__V1__Acknowledgement acknowledgement;
	struct retention_rules rules;
	struct lyc_error error;
};

/* Streams of one subject each. */
static void add(struct bench *bench, const char *name, const char *subject)
{
	size_t i = bench->config.n_streams++;
	bench->config.streams = bench->items;
	bench->items[i] = &bench->streams[i];
	lyceum__v1__stream_config__init(&bench->streams[i]);
	bench->subjects[i] = (char *)(uintptr_t)subject;
	bench->streams[i].name = (char *)(uintptr_t)name;
	bench->streams[i].subjects = &bench->subjects[i];
	bench->streams[i].n_subjects = 1;
}

static struct bench bench_of_two(void)
{
	struct bench bench = {0};
	lyceum__v1__config__init(&bench.config);
	add(&bench, "urgent", "a.v1.Notice.*.urgent");
	add(&bench, "news", "a.v1.>");
	bench.items[0] = &bench.streams[0];
	return bench;
}

static void settle(struct bench *bench)
{
	bench->config.streams = bench->items;
	for (size_t i = 0; i < bench->config.n_streams; i++) {
		bench->items[i] = &bench->streams[i];
		bench->streams[i].subjects = &bench->subjects[i];
	}
}

static const char *name_of(struct bench *bench, const char *subject)
{
	const struct retention_rule *rule = retention_rule_of(&bench->rules, text(subject));
	return rule ? rule->name : "";
}

static void test_rule_is_the_first_that_matches(void **state)
{
	(void)state;
	struct bench bench = bench_of_two();
	settle(&bench);
	assert_int_equal(retention_rules_read(&bench.config, &bench.rules, NULL), LYC_OK);
	assert_string_equal(name_of(&bench, "a.v1.Notice.wales.urgent"), "urgent");
	assert_string_equal(name_of(&bench, "a.v1.Notice.wales.1"), "news");
	assert_string_equal(name_of(&bench, "b.v1.Notice.wales.1"), "");
	assert_string_equal(name_of(&bench, "lyceum.v1.SchemaVersion.wales.1"), "");
	assert_string_equal(name_of(&bench, "lyceum.v1.Trimmed"), "trimmed");
	retention_rules_fini(&bench.rules);
}

static void test_rule_of_everything_leaves_the_daemons_own(void **state)
{
	(void)state;
	struct bench bench = {0};
	lyceum__v1__config__init(&bench.config);
	add(&bench, "all", ">");
	assert_int_equal(retention_rules_read(&bench.config, &bench.rules, NULL), LYC_OK);
	assert_string_equal(name_of(&bench, "lyceum.v1.SchemaVersion.wales.1"), "");
	assert_string_equal(name_of(&bench, "lyceum.experts.v1.Expert.wales.1"), "all");
	retention_rules_fini(&bench.rules);
}

static void expect_fault(struct bench *bench, const char *field)
{
	settle(bench);
	assert_int_equal(retention_rules_read(&bench->config, &bench->rules, &bench->error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(bench->error.field, field);
}

static void test_rule_refuses_what_cannot_be(void **state)
{
	(void)state;
	struct bench bench = bench_of_two();
	bench.streams[1].name = (char *)(uintptr_t) "urgent";
	expect_fault(&bench, "streams[1].name");
	bench = bench_of_two();
	bench.subjects[0] = (char *)(uintptr_t) "a..b";
	expect_fault(&bench, "streams[0].subjects");
	bench = bench_of_two();
	bench.subjects[0] = (char *)(uintptr_t) "lyceum.v1.>";
	expect_fault(&bench, "streams[0].subjects");
	bench = bench_of_two();
	lyceum__v1__acknowledgement__init(&bench.acknowledgement);
	bench.streams[1].until_acknowledged = &bench.acknowledgement;
	expect_fault(&bench, "streams[1].until_acknowledged");
	bench.acknowledgement.hub = true;
	expect_fault(&bench, "streams[1].until_acknowledged.hub");
	bench.acknowledgement.hub = false;
	bench.acknowledgement.nodes = true;
	expect_fault(&bench, "streams[1].until_acknowledged.nodes");
	char *durable = (char *)(uintptr_t) "inbox";
	bench.acknowledgement.nodes = false;
	bench.acknowledgement.durable = &durable;
	bench.acknowledgement.n_durable = 1;
	expect_fault(&bench, "streams[1].until_acknowledged.durable");
}

static void test_rule_reads_spans_of_time(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} spans[] = {{"90s", 90000}, {"15min", 900000}, {"12h", 43200000}, {"30d", 2592000000}};
	(void)state;
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		struct bench bench = bench_of_two();
		bench.streams[1].max_age = (char *)(uintptr_t)spans[i].text;
		settle(&bench);
		assert_int_equal(retention_rules_read(&bench.config, &bench.rules, NULL), LYC_OK);
		assert_int_equal(bench.rules.items[1].max_age_ms, spans[i].ms);
		retention_rules_fini(&bench.rules);
	}
}

static enum lyc_status admit(struct bench *bench, const char *pattern)
{
	return retention_rules_admit(&bench->rules, text(pattern), "the plugin 'board'",
				     &bench->error);
}

static void test_rule_that_loses_is_followed_by_no_view(void **state)
{
	(void)state;
	struct bench bench = bench_of_two();
	bench.streams[1].max_age = (char *)(uintptr_t) "1d";
	settle(&bench);
	assert_int_equal(retention_rules_read(&bench.config, &bench.rules, NULL), LYC_OK);
	assert_int_equal(admit(&bench, "a.v1.Notice.>"), LYC_FAILED_PRECONDITION);
	assert_non_null(strstr(bench.error.text, "'news'"));
	assert_non_null(strstr(bench.error.text, "the plugin 'board'"));
	assert_non_null(strstr(bench.error.text, "max_age"));
	assert_int_equal(admit(&bench, ">"), LYC_FAILED_PRECONDITION);
	assert_int_equal(admit(&bench, "b.v1.>"), LYC_OK);
	/* All of it belongs to the stream before. */
	assert_int_equal(admit(&bench, "a.v1.Notice.*.urgent"), LYC_OK);
	retention_rules_fini(&bench.rules);
}

static void test_rule_that_keeps_the_last_may_be_followed(void **state)
{
	(void)state;
	struct bench bench = bench_of_two();
	lyceum__v1__acknowledgement__init(&bench.acknowledgement);
	char *durable = (char *)(uintptr_t) "ann/inbox";
	bench.acknowledgement.durable = &durable;
	bench.acknowledgement.n_durable = 1;
	bench.streams[1].last_per_subject = true;
	bench.streams[1].until_acknowledged = &bench.acknowledgement;
	settle(&bench);
	assert_int_equal(retention_rules_read(&bench.config, &bench.rules, NULL), LYC_OK);
	assert_int_equal(admit(&bench, "a.v1.>"), LYC_OK);
	retention_rules_fini(&bench.rules);
	bench.streams[1].last_per_subject = false;
	assert_int_equal(retention_rules_read(&bench.config, &bench.rules, NULL), LYC_OK);
	assert_int_equal(admit(&bench, "a.v1.>"), LYC_FAILED_PRECONDITION);
	retention_rules_fini(&bench.rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_is_the_first_that_matches),
		cmocka_unit_test(test_rule_of_everything_leaves_the_daemons_own),
		cmocka_unit_test(test_rule_refuses_what_cannot_be),
		cmocka_unit_test(test_rule_reads_spans_of_time),
		cmocka_unit_test(test_rule_that_loses_is_followed_by_no_view),
		cmocka_unit_test(test_rule_that_keeps_the_last_may_be_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
