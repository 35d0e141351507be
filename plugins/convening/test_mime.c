/* A mail's bytes: what is written, and what is refused. How others read it is test_mail.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "letter.h"
#include "mime.h"

#define CALENDAR "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"

static struct mime_mail sample(void)
{
	return (struct mime_mail){.id = "<abc@wales.example>",
				  .at_s = 1772546400,
				  .from = {"Life Sciences Hub Wales", "events@wales.example"},
				  .to = {"Ada Okafor", "ada@one.example"},
				  .subject = "Invitation: Cell therapy",
				  .text = "Hello,\n"};
}

/* The caller frees. */
static char *written(const struct mime_mail *mail)
{
	struct lyc_error error = {0};
	char *bytes = NULL;
	size_t len = 0;

	if (mime_write(mail, &bytes, &len, &error) != LYC_OK)
		fail_msg("%s", error.text);
	assert_int_equal(strlen(bytes), len);
	return bytes;
}

static void check_refused(const struct mime_mail *mail, const char *field)
{
	struct lyc_error error = {0};
	char *bytes = NULL;
	size_t len = 0;

	assert_int_equal(mime_write(mail, &bytes, &len, &error), LYC_INVALID_ARGUMENT);
	assert_null(bytes);
	assert_string_equal(error.field, field);
	assert_true(strlen(error.text) > strlen(field) + 5);
}

/* A line break, alone or as CRLF, would begin a header of the sender's choice. */
static void test_mime_refuses_what_would_become_a_header(void **state)
{
	static const char *const attacks[] = {"A\r\nBcc: eve@evil.example",
					      "A\nBcc: eve@evil.example",
					      "A\rBcc: eve@evil.example", "A\tB", "A\x7f"};

	(void)state;
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		struct mime_mail mail = sample();
		mail.subject = attacks[i];
		check_refused(&mail, "subject");
		mail = sample();
		mail.to.name = attacks[i];
		check_refused(&mail, "to");
		mail = sample();
		mail.from.name = attacks[i];
		check_refused(&mail, "from");
		mail = sample();
		mail.to.address = attacks[i];
		check_refused(&mail, "to");
		mail = sample();
		mail.id = attacks[i];
		check_refused(&mail, "id");
		mail = sample();
		mail.language = attacks[i];
		check_refused(&mail, "language");
		mail = sample();
		mail.reply_to = attacks[i];
		check_refused(&mail, "reply_to");
		mail = sample();
		mail.leave_url = attacks[i];
		check_refused(&mail, "leave_url");
		mail = sample();
		mail.calendar = CALENDAR;
		mail.method = attacks[i];
		check_refused(&mail, "method");
	}
}

static void test_mime_knows_addresses(void **state)
{
	static const char *const right[] = {"ada@one.example", "a.b+c@localhost", "o'neil@x.org"};
	static const char *const wrong[] = {"",
					    "ada",
					    "@one.example",
					    "ada@",
					    "a@b@c",
					    "ada@one .example",
					    "<a@b.c>",
					    "a@b.c, d@e.f",
					    "ada@caf\xc3\xa9.example",
					    "a@b\r\n",
					    "\"a b\"@one.example"};
	char longest[300];

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		assert_true(mime_is_address(right[i]));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(mime_is_address(wrong[i]));
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "b@", 2);
	longest[254] = '\0';
	assert_true(mime_is_address(longest));
	longest[254] = 'a';
	longest[255] = '\0';
	assert_false(mime_is_address(longest));
}

static void test_mime_refuses_text_that_is_not_utf8(void **state)
{
	static const char *const wrong[] = {
		"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\x80"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct mime_mail mail = sample();
		mail.text = wrong[i];
		check_refused(&mail, "text");
		mail = sample();
		mail.subject = wrong[i];
		check_refused(&mail, "subject");
	}
}

/* No line of headers or body is longer than 78, all end with CRLF, whatever is in them. */
static void test_mime_lines_are_short_and_end_rightly(void **state)
{
	struct mime_mail mail = sample();
	char subject[401], text[3000];

	(void)state;
	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < 400; i += 2)
			memcpy(subject + i, round == 0 ? "ab" : round == 1 ? "a " : "\xc5\xb5", 2);
		subject[400] = '\0';
		if (round == 0)
			for (size_t i = 20; i < 400; i += 20)
				subject[i] = ' ';
		for (size_t i = 0; i < sizeof(text) - 1; i++)
			text[i] = round == 3 && i % 501 == 500 ? '\n' : " =.a\xc3"[i % 4];
		text[sizeof(text) - 1] = '\0';
		mail.subject = subject;
		mail.to.name = round == 2 ? "\xc5\xb4yn ap \"Rhys\"" : "Wyn \"ap\" Rhys";
		mail.from.name =
			round == 3 ? "A name so long that a line of a mail would not hold it and "
				     "would be as long as this one is"
				   : "";
		mail.text = text;
		mail.calendar = CALENDAR;
		mail.method = "REQUEST";
		char *bytes = written(&mail);
		size_t from = 0, len = strlen(bytes);
		for (size_t i = 0; i < len; i++) {
			if (bytes[i] != '\n') {
				assert_true((unsigned char)bytes[i] < 0x80);
				continue;
			}
			assert_true(i > 0 && bytes[i - 1] == '\r');
			assert_true(i - from <= 79);
			from = i + 1;
		}
		assert_int_equal(from, len);
		free(bytes);
	}
}

static void test_mime_is_the_same_at_each_try(void **state)
{
	struct mime_mail mail = sample();
	char one[MIME_ID_SIZE], two[MIME_ID_SIZE];

	(void)state;
	mail.calendar = CALENDAR;
	mail.method = "REQUEST";
	char *first = written(&mail);
	char *second = written(&mail);
	assert_string_equal(first, second);
	free(first);
	free(second);

	mime_id(one, "e@wales", "p1", 0, "invite", "events@wales.example");
	mime_id(two, "e@wales", "p1", 0, "invite", "events@wales.example");
	assert_string_equal(one, two);
	assert_non_null(strstr(one, "@wales.example>"));
	assert_null(strstr(one, "p1"));
	mime_id(two, "e@wales", "p1", 1, "invite", "events@wales.example");
	assert_string_not_equal(one, two);
	mime_id(two, "e@wales", "p1", 0, "cancel", "events@wales.example");
	assert_string_not_equal(one, two);
	/* The parts are not run together. */
	mime_id(one, "ab", "c", 0, "k", "e@x.org");
	mime_id(two, "a", "bc", 0, "k", "e@x.org");
	assert_string_not_equal(one, two);
}

static void test_mime_calendar_names_its_method(void **state)
{
	struct mime_mail mail = sample();

	(void)state;
	mail.calendar = CALENDAR;
	mail.method = "CANCEL";
	check_refused(&mail, "method");
	mail.method = NULL;
	check_refused(&mail, "method");
	mail.method = "REQUEST";
	char *bytes = written(&mail);
	assert_non_null(
		strstr(bytes, "Content-Type: text/calendar; charset=UTF-8; method=REQUEST\r\n"));
	assert_non_null(strstr(bytes, "filename=\"event.ics\""));
	free(bytes);
}

static void test_letter_speaks_the_languages_asked_for(void **state)
{
	static const char *const tags[][4] = {
		{"en", "Invitation: Therapi", "en", NULL},
		{"cy", "Gwahoddiad: Therapi", "cy", NULL},
		{"cy en", "Gwahoddiad / Invitation: Therapi", "cy, en", NULL},
		{"fr", "Invitation: Therapi", "en", NULL}};
	const struct letter_facts facts = {.person = "Ada Okafor",
					   .title = "Therapi",
					   .when = "3 March 2026, 14:00",
					   .when_cy = "3 Mawrth 2026, 14:00",
					   .place = "Caerdydd",
					   .reply_url = "https://wales.example/r/1",
					   .leave_address = "events@wales.example"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct letter letter;
		bool is_welsh = strncmp(tags[i][0], "cy", 2) == 0;
		bool is_english = strcmp(tags[i][0], "cy") != 0;
		assert_int_equal(letter_write(LETTER_INVITE, tags[i][0], &facts, &letter), LYC_OK);
		assert_string_equal(letter.subject, tags[i][1]);
		assert_string_equal(letter.language, tags[i][2]);
		assert_int_equal(strstr(letter.text, "Annwyl Ada Okafor") != NULL, is_welsh);
		assert_int_equal(strstr(letter.text, "3 Mawrth") != NULL, is_welsh);
		assert_int_equal(strstr(letter.text, "Dear Ada Okafor") != NULL, is_english);
		assert_int_equal(strstr(letter.text, "3 March") != NULL, is_english);
		assert_non_null(strstr(letter.text, "https://wales.example/r/1"));
		/* How to get off the list is always said. */
		assert_non_null(strstr(letter.text, "events@wales.example"));
		assert_null(strstr(letter.text, "%s"));
		letter_fini(&letter);
	}
}

/* Only what can be answered asks for an answer. */
static void test_letter_asks_where_an_answer_is_wanted(void **state)
{
	static const bool asks[] = {true, true, false, true, true, true};
	const struct letter_facts facts = {.title = "T",
					   .reply_url = "https://wales.example/r/1",
					   .leave_url = "https://wales.example/l/1",
					   .leave_address = "events@wales.example"};

	(void)state;
	for (int kind = LETTER_INVITE; kind <= LETTER_REMINDER; kind++) {
		struct letter letter;
		assert_int_equal(letter_write((enum letter_kind)kind, "cy en", &facts, &letter),
				 LYC_OK);
		assert_int_equal(strstr(letter.text, "/r/1") != NULL, asks[kind]);
		assert_non_null(strstr(letter.text, "/l/1"));
		assert_null(strstr(letter.text, "events@wales.example"));
		letter_fini(&letter);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mime_refuses_what_would_become_a_header),
		cmocka_unit_test(test_mime_knows_addresses),
		cmocka_unit_test(test_mime_refuses_text_that_is_not_utf8),
		cmocka_unit_test(test_mime_lines_are_short_and_end_rightly),
		cmocka_unit_test(test_mime_is_the_same_at_each_try),
		cmocka_unit_test(test_mime_calendar_names_its_method),
		cmocka_unit_test(test_letter_speaks_the_languages_asked_for),
		cmocka_unit_test(test_letter_asks_where_an_answer_is_wanted),
	};
	return cmocka_run_group_tests_name("mime", tests, NULL, NULL);
}
