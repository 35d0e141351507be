/*
 * An event of one region, told by the command line and by mail: an expert of another region is
 * invited and the inviter never sees the address; answers by the link in the mail; a seat that
 * becomes free; a change, a cancellation; reminders that fire once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "regions.h"

/* The token of the reply link in the newest mail. */
static void read_token(struct mail_sink *sink, const char *to, char token[32])
{
	char *mail = mail_sink_last(sink, to, "/r/");
	assert_non_null(mail);
	const char *at = strstr(mail, "/r/") + 3;
	snprintf(token, 32, "%.26s", at);
	assert_int_equal(strlen(token), 26);
	free(mail);
}

/* What the web page does; returns the standing's text. */
static void answer_by_link(struct node *node, const char *token, const char *choice,
			   const char *page_says)
{
	char json[120];
	snprintf(json, sizeof(json), "{\"token\":\"%s\",\"choice\":\"%s\"}", token, choice);
	RUN(node, "call", "lyceum.convening.v1.Invitations/AnswerReply", json);
	if (!strstr(result.out, page_says))
		fail_msg("%s", result.out);
}

static void wait_for_answers(const char *event, const char *text)
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	for (;;) {
		RUN(nhsa, "event", "answers", event);
		if (strstr(result.out, text))
			return;
		network_run(network, 20);
		if (network_now_ms() > deadline)
			fail_msg("not '%s' but: %s", text, result.out);
	}
}

static void wait_for_log(const char *kind, const char *text)
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	for (;;) {
		RUN(nhsa, "log", "lyceum.convening.v1.MailNote.nhsa.soon@nhsa.>");
		for (const char *at = strstr(result.out, kind); at; at = strstr(at + 1, kind)) {
			const char *said = strstr(at, text);
			const char *end = strchr(at, '\n');
			if (said && end && said < end)
				return;
		}
		network_run(network, 20);
		if (network_now_ms() > deadline)
			fail_msg("no %s %s in: %s", kind, text, result.out);
	}
}

static void test_event_invites_across_regions_without_telling_an_address(void **state)
{
	char token[32];
	(void)state;
	RUN(wales, "experts", "add", "Ada Okafor", "--id", "P1", "--email", ADA);
	RUN(nhsa, "event", "create", "Cell therapy: who pays?", "--start", "2027-03-02T14:00",
	    "--minutes", "90", "--place", "Leeds, Room 4", "--cap", "1", "--topic", "cell therapy");
	assert_non_null(strstr(result.out, "cell-therapy-who-pays"));
	/* The same again is the same event. */
	RUN(nhsa, "event", "create", "Cell therapy: who pays?", "--start", "2027-03-02 14:00",
	    "--minutes", "90", "--place", "Leeds, Room 4", "--cap", "1", "--topic", "cell therapy");
	assert_non_null(strstr(result.out, "unchanged"));
	node_wait_until_holds(wales, nhsa);
	RUN(wales, "event", "show", "cell-therapy-who-pays");
	assert_non_null(strstr(result.out, "Leeds, Room 4"));

	/* A dry run sends nothing. */
	RUN(nhsa, "event", "invite", "cell-therapy-who-pays", "--expert", "P1@wales", "--dry-run");
	assert_non_null(strstr(result.out, "Tuesday 2 March 2027, 14:00 to 15:30"));
	assert_non_null(strstr(result.out, "METHOD:REQUEST"));
	RUN(nhsa, "event", "invite", "cell-therapy-who-pays", "--expert", "P1@wales", "--email",
	    "Bob Price <" BOB ">");
	assert_non_null(strstr(result.out, "wales"));
	RUN(nhsa, "event", "invite", "cell-therapy-who-pays", "--expert", "P1@wales");
	assert_non_null(strstr(result.out, "unchanged"));

	wait_for_mail(wales_mail, ADA, "METHOD:REQUEST", 1);
	wait_for_mail(nhsa_mail, BOB, "METHOD:REQUEST", 1);
	assert_int_equal(mail_sink_count(nhsa_mail, ADA, NULL), 0);
	/* Neither the inviter nor the hub ever had it. */
	assert_true(network_files_hold(wales->folder, ADA));
	assert_false(network_files_hold(nhsa->folder, ADA));
	assert_false(network_files_hold(hub->folder, ADA));
	assert_false(network_files_hold(wales->folder, BOB));
	assert_false(network_files_hold(hub->folder, BOB));

	/* Opening the link answers nothing; the form does. */
	read_token(wales_mail, ADA, token);
	char json[80];
	snprintf(json, sizeof(json), "{\"token\":\"%s\"}", token);
	RUN(wales, "call", "lyceum.convening.v1.Invitations/OpenReply", json);
	assert_non_null(strstr(result.out, "Will you come?"));
	RUN(nhsa, "event", "answers", "cell-therapy-who-pays");
	if (!strstr(result.out, "Yes: 0"))
		fail_msg("OUT %s ERR %s", result.out, result.err);
	answer_by_link(wales, token, "YES", "You have a seat.");
	wait_for_answers("cell-therapy-who-pays", "P1@wales");
	/* The link is in the mail only: whoever reads the log cannot answer for another. */
	assert_false(network_files_hold(wales->folder, token));
}

static void test_event_gives_a_freed_seat_to_the_next_at_once(void **state)
{
	char adas[32], bobs[32];
	(void)state;
	read_token(wales_mail, ADA, adas);
	read_token(nhsa_mail, BOB, bobs);
	answer_by_link(nhsa, bobs, "YES", "all 1 seats are taken; number 1 of those who wait");
	wait_for_mail(nhsa_mail, BOB, "/r/", 2);
	/* With the link to wales down, the answer waits and is not lost. */
	node_stop(hub);
	answer_by_link(wales, adas, "NO", "It is recorded.");
	node_start(hub);
	network_settle(network);
	wait_for_answers("cell-therapy-who-pays", "has a seat");
	wait_for_mail(nhsa_mail, BOB, "/r/", 3);
	RUN(nhsa, "event", "answers", "cell-therapy-who-pays", "--state", "seated");
	assert_non_null(strstr(result.out, "Bob Price"));
	assert_null(strstr(result.out, "P1@wales"));
}

static void test_event_tells_changes_and_the_end(void **state)
{
	(void)state;
	RUN(nhsa, "event", "update", "cell-therapy-who-pays", "--start", "2027-03-03T15:00");
	wait_for_mail(wales_mail, ADA, "SEQUENCE:1", 1);
	wait_for_mail(nhsa_mail, BOB, "SEQUENCE:1", 1);
	RUN(nhsa, "event", "cancel", "cell-therapy-who-pays", "--reason", "the speaker is ill");
	wait_for_mail(wales_mail, ADA, "METHOD:CANCEL", 1);
	wait_for_mail(nhsa_mail, BOB, "METHOD:CANCEL", 1);
	RUN(wales, "event", "list", "--from", "2027-01-01");
	assert_null(strstr(result.out, "cell-therapy"));
}

static void test_event_reminds_once_whatever_crashes(void **state)
{
	char start_text[40], token[32];
	time_t soon = time(NULL) + 3600;
	struct tm utc;
	(void)state;
	gmtime_r(&soon, &utc);
	strftime(start_text, sizeof(start_text), "%Y-%m-%dT%H:%M:%S", &utc);
	RUN(nhsa, "event", "create", "Soon", "--start", start_text, "--zone", "UTC", "--remind",
	    "120", "--remind", "1");
	RUN(nhsa, "event", "invite", "soon", "--email", "eve@x.example", "--expert", "P1@wales");
	wait_for_mail(nhsa_mail, "eve@x.example", "METHOD:REQUEST", 1);
	wait_for_mail(wales_mail, ADA, "UID:soon@nhsa.lyceum", 1);
	read_token(nhsa_mail, "eve@x.example", token);
	answer_by_link(nhsa, token, "YES", "You have a seat.");
	/* The invitation and the reminder. */
	wait_for_mail(nhsa_mail, "eve@x.example", NULL, 2);
	/* A crash between the relay's word and the note of it may double a mail, and says so; this
	 * one is after both. */
	wait_for_log("\"kind\":\"reminder-", "\"SENT\"");
	for (int i = 0; i < 2; i++) {
		node_kill(nhsa);
		node_start(nhsa);
		node_wait_for_plugin(nhsa, "convening", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	}
	/* Something that comes after whatever else was due. */
	RUN(nhsa, "event", "update", "soon", "--place", "Here");
	wait_for_mail(nhsa_mail, "eve@x.example", "SEQUENCE:1", 1);
	assert_int_equal(mail_sink_count(nhsa_mail, "eve@x.example", NULL), 3);
	RUN(nhsa, "log", "lyceum.convening.v1.ReminderSent.>");
	const char *first = strstr(result.out, "ReminderSent.nhsa");
	assert_non_null(first);
	assert_null(strstr(first + 1, "ReminderSent.nhsa"));
}

/* Without the file of the secret other links are made, and they are the ones that open. */
static void test_event_links_end_with_the_secret(void **state)
{
	char old[32], new[32], json[80], path[600];
	(void)state;
	RUN(nhsa, "event", "create", "Locks", "--start", "2027-09-01T10:00");
	RUN(nhsa, "event", "invite", "locks", "--email", "lil@x.example");
	wait_for_mail(nhsa_mail, "lil@x.example", "METHOD:REQUEST", 1);
	read_token(nhsa_mail, "lil@x.example", old);
	node_stop(nhsa);
	snprintf(path, sizeof(path), "%s/plugins/convening/secret", nhsa->folder);
	assert_int_equal(unlink(path), 0);
	node_start(nhsa);
	node_wait_for_plugin(nhsa, "convening", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	RUN(nhsa, "event", "update", "locks", "--start", "2027-09-02T10:00");
	wait_for_mail(nhsa_mail, "lil@x.example", "SEQUENCE:1", 1);
	read_token(nhsa_mail, "lil@x.example", new);
	assert_string_not_equal(old, new);
	answer_by_link(nhsa, new, "YES", "You have a seat.");
	snprintf(json, sizeof(json), "{\"token\":\"%s\"}", old);
	struct shell_result ended =
		shell_run(nhsa, "call", "lyceum.convening.v1.Invitations/OpenReply", json, NULL);
	assert_int_not_equal(ended.code, 0);
	shell_result_fini(&ended);
}

/* ---- By the web, as people's mail and calendar programs come ---- */

#ifdef HAS_HTTP
/* What nhsa's web server answers; the caller frees. */
static char *http_ask(const char *method, const char *path, const char *form)
{
	char file[120], address[80] = "", request[600];
	char *text = calloc(1, 70000);
	struct sockaddr_in to = {.sin_family = AF_INET};
	unsigned port = 0;
	size_t len = 0;
	snprintf(file, sizeof(file), "%s/plugins/http/address", nhsa->folder);
	FILE *in = fopen(file, "re");
	if (!in || !fgets(address, sizeof(address), in))
		fail_msg("%s is not there", file);
	fclose(in);
	address[strcspn(address, "\n")] = '\0';
	assert_non_null(strrchr(address, ':'));
	port = (unsigned)atoi(strrchr(address, ':') + 1);
	to.sin_port = htons((uint16_t)port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	int size = snprintf(request, sizeof(request),
			    "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n"
			    "Content-Type: application/x-www-form-urlencoded\r\n"
			    "Content-Length: %zu\r\n\r\n%s",
			    method, path, port, strlen(form), form);
	assert_int_equal(send(fd, request, (size_t)size, MSG_NOSIGNAL), size);
	for (ssize_t got = 1; got > 0 && len<69000; len += got> 0 ? (size_t)got : 0)
		got = recv(fd, text + len, 69000 - len, 0);
	close(fd);
	return text;
}

static void test_event_is_answered_by_the_link_of_the_mail(void **state)
{
	char token[32], path[60];
	(void)state;
	RUN(nhsa, "event", "create", "By the link", "--start", "2027-06-01T10:00", "--cap", "1");
	RUN(nhsa, "event", "invite", "by-the-link", "--email", "kim@x.example");
	wait_for_mail(nhsa_mail, "kim@x.example", "METHOD:REQUEST", 1);
	read_token(nhsa_mail, "kim@x.example", token);
	snprintf(path, sizeof(path), "/r/%s", token);
	/* The daemon was restarted: its web server comes to know the plugins one by one. */
	node_wait_for_plugin(nhsa, "http", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	char *page = http_ask("GET", path, "");
	while (!strstr(page, " 200 ")) {
		if (network_now_ms() > deadline)
			fail_msg("%s", page);
		network_run(network, 50);
		free(page);
		page = http_ask("GET", path, "");
	}
	assert_non_null(strstr(page, "text/html; charset=utf-8"));
	assert_non_null(strstr(page, "Will you come?"));
	free(page);
	/* A program that follows links, and tries what it finds in the form, answers nothing. */
	strcat(path, "?choice=YES");
	free(http_ask("GET", path, ""));
	wait_for_answers("by-the-link", "Yes: 0");
	*strchr(path, '?') = '\0';
	page = http_ask("POST", path, "choice=YES");
	if (!strstr(page, "You have a seat."))
		fail_msg("%s", page);
	free(page);
	wait_for_answers("by-the-link", "Yes: 1");
	page = http_ask("GET", "/r/nobodyhasthistokenofmine", "");
	assert_non_null(strstr(page, " 404 "));
	free(page);

	RUN(nhsa, "event", "feed");
	const char *at = strstr(result.out, "/calendar/");
	assert_non_null(at);
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(at, "\r\n"), at);
	page = http_ask("GET", path, "");
	assert_non_null(strstr(page, "text/calendar; charset=utf-8"));
	assert_non_null(strstr(page, "UID:by-the-link@nhsa.lyceum"));
	assert_null(strstr(page, "kim@x.example"));
	free(page);
}
#endif

static void test_event_calendar_and_blackout(void **state)
{
	char token[64];
	(void)state;
	RUN(nhsa, "event", "create", "Monthly table", "--start", "2027-01-07T09:00", "--rrule",
	    "FREQ=MONTHLY;BYDAY=1TH;COUNT=6", "--exdate", "2027-03-04T09:00");
	RUN(nhsa, "event", "list", "table", "--from", "2027-01-01", "--until", "2027-12-31");
	assert_non_null(strstr(result.out, "Meetings: 5."));
	assert_null(strstr(result.out, "2027-03-04"));
	assert_non_null(strstr(result.out, "2027-06-03T09:00:00"));
	RUN(nhsa, "event", "ics", "monthly-table");
	assert_non_null(strstr(result.out, "RRULE:FREQ=MONTHLY"));
	RUN(nhsa, "event", "feed");
	const char *at = strstr(result.out, "/calendar/");
	assert_non_null(at);
	snprintf(token, sizeof(token), "{\"token\":\"%.26s\"}", at + 10);
	RUN(nhsa, "call", "lyceum.convening.v1.Calendar/Feed", token);
	assert_non_null(strstr(result.out, "UID:monthly-table@nhsa.lyceum"));
	char clear[27];
	snprintf(clear, sizeof(clear), "%.26s", token + 10);
	assert_false(network_files_hold(nhsa->folder, clear));
	/* Asked for again it is the same; ended by the operator it is nothing, and then another. */
	RUN(nhsa, "event", "feed");
	assert_non_null(strstr(result.out, clear));
	RUN(nhsa, "event", "end-feed", "nhsa");
	struct shell_result ended =
		shell_run(nhsa, "call", "lyceum.convening.v1.Calendar/Feed", token, NULL);
	assert_int_not_equal(ended.code, 0);
	shell_result_fini(&ended);
	RUN(nhsa, "event", "feed");
	assert_null(strstr(result.out, clear));
	assert_non_null(strstr(result.out, "/calendar/"));

	RUN(nhsa, "event", "blackout", "2027-05-01", "2027-05-31", "election", "--for-all");
	node_wait_until_holds(wales, nhsa);
	struct shell_result refused =
		shell_run(wales, "event", "create", "Rally", "--start", "2027-05-12T10:00", NULL);
	assert_int_not_equal(refused.code, 0);
	assert_non_null(strstr(refused.err, "2027-05-01 to 2027-05-31"));
	shell_result_fini(&refused);
	RUN(wales, "event", "create", "Rally", "--start", "2027-05-12T10:00", "--override",
	    "not about the election");
	RUN(nhsa, "event", "blackouts");
	assert_non_null(strstr(result.out, "election"));

	/* Its home takes it back, nobody else. */
	REFUSED(wales, "whose own people take it back", "event", "remove-blackout",
		"2027-05-01-2027-05-31");
	REFUSED(nhsa, "there is no such period", "event", "remove-blackout",
		"2027-05-01-2027-05-30");
	RUN(nhsa, "event", "remove-blackout", "2027-05-01-2027-05-31");
	RUN(nhsa, "event", "blackouts");
	assert_null(strstr(result.out, "election"));
	node_wait_until_holds(wales, nhsa);
	RUN(wales, "event", "create", "Fair", "--start", "2027-05-13T10:00");
	/* And may declare it anew. */
	RUN(nhsa, "event", "blackout", "2027-05-01", "2027-05-31", "election", "--for-all");
	RUN(nhsa, "event", "remove-blackout", "2027-05-01-2027-05-31");
}

static void test_event_fills_nobodys_list(void **state)
{
	(void)state;
	REFUSED(nhsa, "once a day at most", "event", "create", "Tick", "--start",
		"2028-01-03T10:00", "--rrule", "FREQ=SECONDLY");
	RUN(nhsa, "event", "create", "Stand-up", "--start", "2028-01-03T10:00", "--cap", "7",
	    "--place", "Room 4", "--rrule", "FREQ=DAILY");
	RUN(nhsa, "event", "list", "stand-up", "--from", "2028-01-01", "--until", "2028-12-31");
	assert_null(strstr(result.err, "only the first"));
	RUN(nhsa, "event", "list", "stand-up", "--from", "2028-01-01", "--until", "2030-12-31");
	assert_non_null(strstr(result.out, "Meetings: 400."));
	if (!strstr(result.err, "Of Stand-up only the first 400 meetings are listed"))
		fail_msg("%s", result.err);

	RUN(nhsa, "event", "update", "stand-up", "--clear", "rrule", "--clear", "cap", "--clear",
	    "place");
	RUN(nhsa, "event", "list", "stand-up", "--from", "2028-01-01", "--until", "2030-12-31");
	assert_non_null(strstr(result.out, "Meetings: 1."));
	RUN(nhsa, "event", "show", "stand-up");
	assert_null(strstr(result.out, "Room 4"));
	REFUSED(nhsa, "cap, place, url, description and rrule can", "event", "update", "stand-up",
		"--clear", "title");
}

static void test_event_invites_nobody_of_a_node_that_is_not_known(void **state)
{
	(void)state;
	RUN(nhsa, "event", "create", "Open day", "--start", "2028-02-01T10:00");
	REFUSED(nhsa, "nobody of 2 was invited; zz@mars: no node mars was ever heard of here",
		"event", "invite", "open-day", "--expert", "zz@mars", "--member", "ann@mars");
	REFUSED(nhsa, "this is no e-mail address", "event", "invite", "open-day", "--email", "ann");
	/* One of two is invited; the other is told. */
	RUN(nhsa, "event", "invite", "open-day", "--expert", "zz@mars", "--member", "ann@hub");
	assert_non_null(strstr(result.out, "no node mars"));
	assert_non_null(strstr(result.out, "added"));
	RUN(nhsa, "event", "answers", "open-day");
	assert_non_null(strstr(result.out, "Invited: 1."));
	assert_null(strstr(result.out, "mars"));
	RUN(nhsa, "event", "invite", "open-day", "--member", "bo@wales");
}

static void test_event_says_how_many_to_invite(void **state)
{
	(void)state;
	RUN(nhsa, "event", "create", "Large", "--start", "2027-07-01T10:00", "--cap", "120");
	RUN(nhsa, "event", "plan", "large", "--accept", "0.3", "--show-up", "0.8", "--least", "80");
	assert_non_null(strstr(result.out, "335"));
	assert_non_null(strstr(result.out, "no number keeps both risks"));
	RUN(nhsa, "event", "invite", "large", "--member", "ann@nhsa");
	RUN(nhsa, "event", "plan", "large", "--accept", "0.5");
	assert_non_null(strstr(result.out, "206"));
}

static void test_event_answers_an_enquiry(void **state)
{
	(void)state;
	RUN(wales, "call", "lyceum.convening.v1.Enquiries/AnswerEnquiry",
	    "{\"text\":\"Who knows about cell therapy?\"}");
	assert_non_null(strstr(result.out, "Cell therapy: who pays?"));
	assert_non_null(strstr(result.out, "cancelled"));
}

/* The last of the stories of this network: from here on wales keeps still. */
static void test_event_mails_no_foreign_invitation_in_a_blackout(void **state)
{
	char from[20], until[20];
	time_t now = time(NULL), days[] = {now - 86400, now + 86400};
	struct tm utc;
	(void)state;
	gmtime_r(&days[0], &utc);
	strftime(from, sizeof(from), "%Y-%m-%d", &utc);
	gmtime_r(&days[1], &utc);
	strftime(until, sizeof(until), "%Y-%m-%d", &utc);
	RUN(wales, "experts", "add", "Ivy Rees", "--id", "P7", "--email", "ivy@x.example");
	/* nhsa does not know of it and need not know why. */
	RUN(wales, "event", "blackout", from, until, "our own election");
	RUN(nhsa, "event", "create", "Quiet", "--start", "2027-08-02T10:00");
	RUN(nhsa, "event", "invite", "quiet", "--expert", "P1@wales");
	wait_for_answers("quiet", "waits: it is a blackout period there");
	assert_false(network_files_hold(nhsa->folder, "our own election"));
	RUN(nhsa, "event", "invite", "quiet", "--expert", "P7@wales", "--override", "it is urgent");
	wait_for_mail(wales_mail, "ivy@x.example", "UID:quiet@nhsa.lyceum", 1);
	assert_int_equal(mail_sink_count(wales_mail, ADA, "UID:quiet@nhsa.lyceum"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_invites_across_regions_without_telling_an_address),
		cmocka_unit_test(test_event_gives_a_freed_seat_to_the_next_at_once),
		cmocka_unit_test(test_event_tells_changes_and_the_end),
		cmocka_unit_test(test_event_reminds_once_whatever_crashes),
		cmocka_unit_test(test_event_links_end_with_the_secret),
		cmocka_unit_test(test_event_calendar_and_blackout),
		cmocka_unit_test(test_event_fills_nobodys_list),
		cmocka_unit_test(test_event_invites_nobody_of_a_node_that_is_not_known),
		cmocka_unit_test(test_event_says_how_many_to_invite),
		cmocka_unit_test(test_event_answers_an_enquiry),
#ifdef HAS_HTTP
		cmocka_unit_test(test_event_is_answered_by_the_link_of_the_mail),
#endif
		cmocka_unit_test(test_event_mails_no_foreign_invitation_in_a_blackout),
	};
	return cmocka_run_group_tests(tests, regions_start, regions_stop);
}
