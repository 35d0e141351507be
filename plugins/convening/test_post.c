/*
 * The order of a try, with a log that refuses: nothing reaches the relay before its begin is
 * synced, a result is noted until it is, and what was dropped is not sent. The relay is a port that
 * nobody accepts at, or none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "post.h"

struct desk {
	struct outbox *outbox;
	struct post *post;
	int listener; /* -1: nobody listens at the port */
	char url[60];
	int64_t now_ms;

	struct outbox_mail notes[20];
	uint64_t tickets[20];
	size_t note_count;
	size_t write_count;
	enum lyc_status note_status;
};

static enum lyc_status on_note(void *arg, const struct outbox_mail *note, uint64_t ticket)
{
	struct desk *desk = arg;

	assert_true(desk->note_count < 20);
	desk->notes[desk->note_count] = *note;
	desk->tickets[desk->note_count++] = ticket;
	return desk->note_status;
}

static void on_write(void *arg, const struct outbox_mail *mail)
{
	struct desk *desk = arg;

	(void)mail;
	desk->write_count++;
}

static int64_t now_ms(void *arg)
{
	const struct desk *desk = arg;
	return desk->now_ms;
}

static const struct post_hooks hooks = {on_note, on_write, now_ms};

static struct desk *open_desk(bool listens)
{
	static struct desk desk;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	struct outbox_mail note;
	struct lyc_error error = {0};

	desk = (struct desk){.outbox = outbox_new(), .now_ms = 1000000};
	desk.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(desk.listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(desk.listener, (struct sockaddr *)&address, &len), 0);
	if (listens)
		assert_int_equal(listen(desk.listener, 5), 0);
	snprintf(desk.url, sizeof(desk.url), "smtp://127.0.0.1:%d", ntohs(address.sin_port));
	struct post_settings settings = {.mail = {.relay = desk.url,
						  .from = "events@wales.example",
						  .timeout_ms = 5000,
						  .per_minute = 100000}};
	assert_int_equal(post_start(&settings, &hooks, &desk, desk.outbox, &desk.post, &error),
			 LYC_OK);
	assert_int_equal(outbox_queue(&note, "e@wales", "p1", 0, "invite", 0, desk.now_ms), LYC_OK);
	assert_true(outbox_take(desk.outbox, &note));
	return &desk;
}

static void close_desk(struct desk *desk)
{
	post_stop(desk->post);
	outbox_free(desk->outbox);
	close(desk->listener);
}

static const char *key(void)
{
	static char name[OUTBOX_KEY_SIZE];

	assert_int_equal(outbox_key(name, "e@wales", "p1", 0, "invite"), LYC_OK);
	return name;
}

static void write_it(struct desk *desk)
{
	static const char bytes[] = "Subject: x\r\n\r\nx\r\n";
	post_written(desk->post, key(), "ada@one.example", bytes, sizeof(bytes) - 1);
}

static bool is_called(const struct desk *desk, int timeout_ms)
{
	struct pollfd item = {.fd = desk->listener, .events = POLLIN};
	return poll(&item, 1, timeout_ms) > 0;
}

static void await_result(struct desk *desk)
{
	struct pollfd item = {.fd = post_descriptor(desk->post), .events = POLLIN};
	assert_int_equal(poll(&item, 1, 10000), 1);
	post_run(desk->post);
}

static void test_post_begin_is_synced_before_the_relay_hears(void **state)
{
	struct desk *desk = open_desk(true);

	(void)state;
	post_run(desk->post);
	post_run(desk->post);
	assert_int_equal(desk->write_count, 1);
	write_it(desk);
	write_it(desk);
	assert_int_equal(desk->note_count, 1);
	assert_int_equal(desk->notes[0].step, OUTBOX_BEGUN);
	assert_false(is_called(desk, 50));
	/* The log refuses: let go for a moment, then all over. */
	post_noted(desk->post, desk->tickets[0], false);
	post_run(desk->post);
	assert_false(is_called(desk, 50));
	assert_int_equal(desk->write_count, 1);
	desk->now_ms += 6000;
	post_run(desk->post);
	assert_int_equal(desk->write_count, 2);
	/* Not even taken. */
	desk->note_status = LYC_RESOURCE_EXHAUSTED;
	write_it(desk);
	desk->note_status = LYC_OK;
	desk->now_ms += 6000;
	post_run(desk->post);
	write_it(desk);
	assert_false(is_called(desk, 50));
	assert_int_equal(desk->notes[desk->note_count - 1].tries, 1);
	post_noted(desk->post, desk->tickets[desk->note_count - 1], true);
	assert_true(is_called(desk, 10000));
	close_desk(desk);
}

static void test_post_result_is_noted_until_it_is_synced(void **state)
{
	struct desk *desk = open_desk(false);

	(void)state;
	post_run(desk->post);
	write_it(desk);
	post_noted(desk->post, desk->tickets[0], true);
	await_result(desk);
	assert_int_equal(desk->note_count, 2);
	assert_int_equal(desk->notes[1].step, OUTBOX_PUT_OFF);
	assert_int_equal(desk->notes[1].tries, 1);
	assert_true(desk->notes[1].said[0] != '\0');
	post_noted(desk->post, desk->tickets[1], false);
	/* However late it gets: it is in hand, and nobody begins it anew. */
	for (size_t i = 2; i < 6; i++) {
		desk->now_ms += 3600000;
		post_run(desk->post);
		assert_int_equal(desk->note_count, i + 1);
		assert_int_equal(desk->notes[i].step, OUTBOX_PUT_OFF);
		assert_int_equal(desk->notes[i].at_ms, desk->notes[1].at_ms);
		post_noted(desk->post, desk->tickets[i], false);
	}
	assert_int_equal(desk->write_count, 1);
	desk->now_ms += 6000;
	post_run(desk->post);
	post_noted(desk->post, desk->tickets[6], true);
	assert_int_equal(outbox_find(desk->outbox, key())->step, OUTBOX_PUT_OFF);
	/* An answer that comes twice. */
	post_noted(desk->post, desk->tickets[6], true);
	post_run(desk->post);
	assert_int_equal(desk->write_count, 2);
	close_desk(desk);
}

static void test_post_sends_nothing_that_was_dropped_meanwhile(void **state)
{
	(void)state;
	for (int when = 0; when < 2; when++) {
		struct desk *desk = open_desk(true);
		post_run(desk->post);
		if (when == 1)
			write_it(desk);
		struct outbox_mail dropped =
			outbox_end(outbox_find(desk->outbox, key()), OUTBOX_DROPPED,
				   desk->now_ms + 1, 0, "withdrawn");
		assert_true(outbox_take(desk->outbox, &dropped));
		if (when == 0)
			write_it(desk);
		else
			post_noted(desk->post, desk->tickets[0], true);
		assert_false(is_called(desk, 50));
		assert_int_equal(desk->note_count, when);
		assert_int_equal(post_count(desk->post), 0);
		post_run(desk->post);
		assert_int_equal(desk->write_count, 1);
		close_desk(desk);
	}
}

static void test_post_says_why_a_mail_was_not_written(void **state)
{
	static const enum outbox_step steps[] = {OUTBOX_PUT_OFF, OUTBOX_FAILED, OUTBOX_DROPPED};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct desk *desk = open_desk(true);
		post_run(desk->post);
		post_not_written(desk->post, key(), steps[i], "no address is held");
		post_noted(desk->post, desk->tickets[0], true);
		const struct outbox_mail *mail = outbox_find(desk->outbox, key());
		assert_int_equal(mail->step, steps[i]);
		assert_int_equal(mail->tries, 0);
		assert_string_equal(mail->said, "no address is held");
		assert_false(is_called(desk, 0));
		close_desk(desk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_post_begin_is_synced_before_the_relay_hears),
		cmocka_unit_test(test_post_result_is_noted_until_it_is_synced),
		cmocka_unit_test(test_post_sends_nothing_that_was_dropped_meanwhile),
		cmocka_unit_test(test_post_says_why_a_mail_was_not_written),
	};
	return cmocka_run_group_tests_name("post", tests, NULL, NULL);
}
