/* The log's record of a call with an idempotency key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/keyed_call.h"
#include "lyceum/v1/keyed_call.pb-c.h"

static const uint8_t key[KEYED_CALL_HASH_LEN] = "0123456789abcde";
static const uint8_t digest[KEYED_CALL_HASH_LEN] = "fedcba987654321";

static struct keyed_call sample(void)
{
	return (struct keyed_call){
		.key = span_of(key, sizeof(key)),
		.call = span_of(digest, sizeof(digest)),
		.principal = span_of("ann@hub", 7),
		.method = span_of("lyceum.notice.v1.Board/Read", 27),
		.state = LYCEUM__V1__KEYED_CALL__STATE__ANSWERED,
		.reply = span_of("reply", 5),
	};
}

static void test_keyed_call_is_the_message_that_the_schema_says(void **state)
{
	(void)state;
	struct buf body = {0};
	struct keyed_call call = sample();
	struct keyed_call read;
	keyed_call_write(&call, "hub", &body);
	Lyceum__V1__KeyedCall *message = lyceum__v1__keyed_call__unpack(NULL, body.len, body.data);
	assert_non_null(message);
	assert_string_equal(message->home, "hub");
	assert_string_equal(message->principal, "ann@hub");
	assert_string_equal(message->method, "lyceum.notice.v1.Board/Read");
	assert_int_equal(message->state, LYCEUM__V1__KEYED_CALL__STATE__ANSWERED);
	assert_int_equal(message->key_hash.len, KEYED_CALL_HASH_LEN);
	assert_memory_equal(message->key_hash.data, key, KEYED_CALL_HASH_LEN);
	assert_memory_equal(message->call_hash.data, digest, KEYED_CALL_HASH_LEN);
	assert_int_equal(message->reply.len, 5);
	lyceum__v1__keyed_call__free_unpacked(message, NULL);

	assert_true(keyed_call_read(span_of(body.data, body.len), &read));
	assert_true(span_equal(read.key, call.key));
	assert_true(span_equal(read.call, call.call));
	assert_true(span_equal(read.principal, call.principal));
	assert_true(span_equal(read.method, call.method));
	assert_true(span_equal(read.reply, call.reply));
	assert_int_equal(read.state, call.state);
	buf_fini(&body);
}

static void expect_refused(const struct keyed_call *call)
{
	struct buf body = {0};
	struct keyed_call read = {.state = 77};
	keyed_call_write(call, "hub", &body);
	assert_false(keyed_call_read(span_of(body.data, body.len), &read));
	assert_int_equal(read.state, 77);
	buf_fini(&body);
}

static void test_keyed_call_refuses_what_cannot_be_one(void **state)
{
	(void)state;
	char wide[200];
	struct keyed_call call = sample();
	memset(wide, 'p', sizeof(wide));
	call.key.len--;
	expect_refused(&call);
	call = sample();
	call.call.len--;
	expect_refused(&call);
	call = sample();
	call.principal = span_of(wide, sizeof(wide));
	expect_refused(&call);

	struct buf body = {0};
	struct keyed_call read;
	call = sample();
	keyed_call_write(&call, "hub", &body);
	assert_false(keyed_call_read(span_of(body.data, body.len - 1), &read));
	buf_fini(&body);
}

static void test_keyed_call_is_known_by_its_subject(void **state)
{
	(void)state;
	struct buf subject = {0};
	struct record record = {0};
	keyed_call_write_subject("hub", &subject);
	record.subject = span_of(subject.data, subject.len);
	assert_true(span_is(record.subject, "lyceum.v1.KeyedCall.hub"));
	assert_true(keyed_call_is(&record));
	record.subject = span_of("lyceum.v1.KeyedCall.", 20);
	assert_false(keyed_call_is(&record));
	record.subject = span_of("lyceum.v1.KeyedCalls.hub", 24);
	assert_false(keyed_call_is(&record));
	buf_fini(&subject);
}

/* What lies between the two texts counts, too. */
static void test_keyed_call_hash_tells_where_one_text_ends(void **state)
{
	(void)state;
	uint8_t first[KEYED_CALL_HASH_LEN];
	uint8_t second[KEYED_CALL_HASH_LEN];
	keyed_call_hash(span_of("ann", 3), span_of("key", 3), first);
	keyed_call_hash(span_of("ann", 3), span_of("key", 3), second);
	assert_memory_equal(first, second, KEYED_CALL_HASH_LEN);
	keyed_call_hash(span_of("annk", 4), span_of("ey", 2), second);
	assert_memory_not_equal(first, second, KEYED_CALL_HASH_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keyed_call_is_the_message_that_the_schema_says),
		cmocka_unit_test(test_keyed_call_refuses_what_cannot_be_one),
		cmocka_unit_test(test_keyed_call_is_known_by_its_subject),
		cmocka_unit_test(test_keyed_call_hash_tells_where_one_text_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
