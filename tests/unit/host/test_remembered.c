/* What is remembered by idempotency key: whose it is, how long, how much, and from the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "host/remembered.h"
#include "lyceum/v1/keyed_call.pb-c.h"

#define DAY_MS (24u * 60 * 60 * 1000)

static int setup(void **state)
{
	struct remembered *remembered = mem_new(struct remembered);
	remembered->limits = (struct remembered_limits){
		.keep_ms = DAY_MS, .max_keys = 4, .max_keys_of_one = 2, .max_len = 1000};
	*state = remembered;
	return 0;
}

static int teardown(void **state)
{
	struct remembered *remembered = *state;
	while (remembered->calls)
		remembered_remove(remembered, remembered->calls);
	assert_null(remembered->owners);
	assert_int_equal(remembered->count, 0);
	assert_int_equal(remembered->len, 0);
	free(remembered);
	return 0;
}

static const uint8_t *hash_of(const char *text)
{
	static uint8_t hash[KEYED_CALL_HASH_LEN];
	keyed_call_hash(span_of(text, strlen(text)), span_of(NULL, 0), hash);
	return hash;
}

static struct remembered_call *find(struct remembered *remembered, const char *key)
{
	return remembered_find(remembered, hash_of(key));
}

static struct remembered_call *add(struct remembered *remembered, const char *key,
				   const char *principal, uint64_t time_ms)
{
	uint8_t hash[KEYED_CALL_HASH_LEN];
	memcpy(hash, hash_of(key), sizeof(hash));
	return remembered_add(remembered, hash, hash, principal, time_ms);
}

static void expect_no_room(struct remembered *remembered, const char *principal, const char *limit)
{
	struct lyc_error error;
	error_clear(&error);
	assert_int_equal(remembered_check_room(remembered, principal, &error),
			 LYC_RESOURCE_EXHAUSTED);
	assert_string_equal(error.field, "idempotency_key");
	assert_non_null(strstr(error.text, limit));
}

static void test_remembered_has_room_for_all_and_for_one(void **state)
{
	struct remembered *remembered = *state;
	struct lyc_error error;
	add(remembered, "a", "ann@hub", 1);
	assert_int_equal(remembered_check_room(remembered, "ann@hub", &error), LYC_OK);
	struct remembered_call *second = add(remembered, "b", "ann@hub", 2);
	expect_no_room(remembered, "ann@hub", "one principal");
	assert_int_equal(remembered_check_room(remembered, "joe@hub", &error), LYC_OK);
	remembered_grow(remembered, second, 1000);
	expect_no_room(remembered, "joe@hub", "limits.idempotency_bytes");
	remembered_remove(remembered, second);
	assert_int_equal(remembered_check_room(remembered, "ann@hub", &error), LYC_OK);
	add(remembered, "c", "joe@hub", 3);
	add(remembered, "d", "joe@hub", 4);
	add(remembered, "e", "root@hub", 5);
	expect_no_room(remembered, "zoe@hub", "limits.idempotency_keys");
}

static void test_remembered_forgets_after_its_time_but_not_what_runs(void **state)
{
	struct remembered *remembered = *state;
	int anything = 0;
	add(remembered, "a", "ann@hub", 1000);
	struct remembered_call *running = add(remembered, "b", "ann@hub", 1000);
	add(remembered, "c", "ann@hub", 2000);
	running->run = (struct once_run *)&anything;
	remembered_prune(remembered, 999 + DAY_MS);
	assert_int_equal(remembered->count, 3);
	remembered_prune(remembered, 1000 + DAY_MS);
	assert_null(find(remembered, "a"));
	/* The oldest holds up the others: it runs for no longer than an hour. */
	remembered_prune(remembered, 2000 + DAY_MS);
	assert_int_equal(remembered->count, 2);
	running->run = NULL;
	remembered_prune(remembered, 2000 + DAY_MS);
	assert_int_equal(remembered->count, 0);
}

static void replay(struct remembered *remembered, uint64_t seq, uint64_t time_ms, const char *key,
		   Lyceum__V1__KeyedCall__State kept)
{
	struct buf body = {0};
	uint8_t hash[KEYED_CALL_HASH_LEN];
	memcpy(hash, hash_of(key), sizeof(hash));
	const struct keyed_call call = {.key = span_of(hash, sizeof(hash)),
					.call = span_of(hash, sizeof(hash)),
					.principal = span_of("ann@hub", 7),
					.state = (uint64_t)kept};
	keyed_call_write(&call, "hub", &body);
	const struct record record = {.subject = span_of("lyceum.v1.KeyedCall.hub", 23),
				      .time_ms = time_ms,
				      .body = span_of(body.data, body.len)};
	remembered_replay(remembered, 2 * DAY_MS, seq, &record);
	buf_fini(&body);
}

static void test_remembered_is_what_the_log_says(void **state)
{
	struct remembered *remembered = *state;
	replay(remembered, 1, DAY_MS, "old", LYCEUM__V1__KEYED_CALL__STATE__STARTED);
	assert_int_equal(remembered->count, 0);
	replay(remembered, 2, DAY_MS + 1, "a", LYCEUM__V1__KEYED_CALL__STATE__STARTED);
	replay(remembered, 3, DAY_MS + 2, "b", LYCEUM__V1__KEYED_CALL__STATE__STARTED);
	replay(remembered, 4, DAY_MS + 3, "a", LYCEUM__V1__KEYED_CALL__STATE__ANSWERED);
	struct remembered_call *answered = find(remembered, "a");
	assert_int_equal(answered->seq, 4);
	assert_int_equal(answered->time_ms, DAY_MS + 1);
	assert_string_equal(answered->owner->principal, "ann@hub");
	assert_int_equal(answered->owner->count, 2);
	assert_int_equal(find(remembered, "b")->seq, 0);
	assert_true(answered->len > find(remembered, "b")->len);
	assert_int_equal(remembered->len, answered->len + find(remembered, "b")->len);
	replay(remembered, 5, DAY_MS + 4, "b", LYCEUM__V1__KEYED_CALL__STATE__NOT_RUN);
	assert_null(find(remembered, "b"));
	replay(remembered, 6, DAY_MS + 5, "never", LYCEUM__V1__KEYED_CALL__STATE__NOT_RUN);
	assert_int_equal(remembered->count, 1);
}

static void test_remembered_takes_nothing_from_other_records(void **state)
{
	struct remembered *remembered = *state;
	const struct record other = {.subject = span_of("lyceum.v1.SchemaVersion.hub.1", 29),
				     .time_ms = 2 * DAY_MS};
	const struct record removed = {.subject = span_of("lyceum.v1.KeyedCall.hub", 23),
				       .time_ms = 2 * DAY_MS,
				       .removed = true};
	const struct record malformed = {.subject = span_of("lyceum.v1.KeyedCall.hub", 23),
					 .time_ms = 2 * DAY_MS,
					 .body = span_of("\x12\x7f", 2)};
	remembered_replay(remembered, 2 * DAY_MS, 1, &other);
	remembered_replay(remembered, 2 * DAY_MS, 2, &removed);
	remembered_replay(remembered, 2 * DAY_MS, 3, &malformed);
	assert_int_equal(remembered->count, 0);
}

int main(void)
{
#define REMEMBERED_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		REMEMBERED_TEST(test_remembered_has_room_for_all_and_for_one),
		REMEMBERED_TEST(test_remembered_forgets_after_its_time_but_not_what_runs),
		REMEMBERED_TEST(test_remembered_is_what_the_log_says),
		REMEMBERED_TEST(test_remembered_takes_nothing_from_other_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
