/*
 * The mail of the plugin without the plugin, for test_mail.py: a journal file stands for the log,
 * everything else is the real code. It queues the persons that it is given, sends until nothing is
 * due any more, and prints each mail as a line of JSON. Its clock jumps to the next due time, so
 * that nobody waits for minutes. --die POINT ends the process there, as a cut of power would.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "letter.h"
#include "mime.h"
#include "post.h"

#define MAX_PERSONS 2000
#define DEADLINE_MS 50000

struct person {
	const char *id, *name, *address;
};

struct trial {
	struct outbox *outbox;
	struct post *post;
	FILE *journal;
	const char *die, *from, *title, *until, *languages;
	const char *person_name;
	int64_t ahead_ms;
	struct person persons[MAX_PERSONS];
	size_t person_count;
	size_t to_ack_count;
	uint64_t to_ack[64];
	bool is_stopped;
};

static int64_t clock_ms(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t now_ms(void *arg)
{
	const struct trial *trial = arg;
	return clock_ms(CLOCK_REALTIME) + trial->ahead_ms;
}

static void die_at(const struct trial *trial, const char *point)
{
	if (trial->die && strcmp(trial->die, point) == 0)
		raise(SIGKILL);
}

/* ---- The journal ---- */

static void append(struct trial *trial, const struct outbox_mail *note)
{
	fprintf(trial->journal, "%s\t%s\t%u\t%s\t%d\t%lld\t%lld\t%lld\t%u\t%d\t%d\t%s\n",
		note->event, note->person, (unsigned)note->sequence, note->kind, (int)note->step,
		(long long)note->queued_ms, (long long)note->due_ms, (long long)note->at_ms,
		(unsigned)note->tries, note->may_be_double, note->code, note->said);
	fflush(trial->journal);
	fdatasync(fileno(trial->journal));
}

static void replay(struct trial *trial, const char *path)
{
	char line[2000];
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file)) {
		struct outbox_mail note = {0};
		char event[200], person[200], kind[100];
		long long queued, due, at;
		unsigned sequence, tries;
		int step, is_double, used = 0;
		if (sscanf(line,
			   "%199[^\t]\t%199[^\t]\t%u\t%99[^\t]\t%d\t%lld\t%lld\t%lld\t%u\t%d\t%d\t%"
			   "n",
			   event, person, &sequence, kind, &step, &queued, &due, &at, &tries,
			   &is_double, &note.code, &used) < 11)
			continue; /* the end was cut off */
		note.event = event;
		note.person = person;
		note.kind = kind;
		note.sequence = sequence;
		note.step = (enum outbox_step)step;
		note.queued_ms = queued;
		note.due_ms = due;
		note.at_ms = at;
		note.tries = tries;
		note.may_be_double = is_double != 0;
		snprintf(note.said, sizeof(note.said), "%.*s", (int)strcspn(line + used, "\n"),
			 line + used);
		if (outbox_key(note.key, event, person, sequence, kind) == LYC_OK)
			outbox_take(trial->outbox, &note);
		if (at > now_ms(trial))
			trial->ahead_ms += at - now_ms(trial);
	}
	if (file)
		fclose(file);
}

/* ---- Hooks ---- */

static enum lyc_status on_note(void *arg, const struct outbox_mail *note, uint64_t ticket)
{
	struct trial *trial = arg;

	if (note->step == OUTBOX_SENT)
		die_at(trial, "accepted");
	append(trial, note);
	if (note->step == OUTBOX_BEGUN)
		die_at(trial, "begun");
	if (note->step == OUTBOX_SENT)
		die_at(trial, "sent");
	if (trial->until && strcmp(trial->until, "put-off") == 0 && note->step == OUTBOX_PUT_OFF)
		trial->is_stopped = true;
	/* The log answers later, never within the call. */
	trial->to_ack[trial->to_ack_count++] = ticket;
	return LYC_OK;
}

static const char invitation[] =
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Lyceum//try_mail//EN\r\n"
	"METHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:e@wales\r\n"
	"DTSTAMP:20260301T120000Z\r\nDTSTART:20260303T140000Z\r\n"
	"SUMMARY:Therapi celloedd yng Nghaerdydd \xc5\xb5\xc5\xb7\r\n"
	"END:VEVENT\r\nEND:VCALENDAR\r\n";

static enum lyc_status compose(struct trial *trial, const struct outbox_mail *mail,
			       const struct person *person, char **ret_bytes, size_t *ret_len,
			       struct lyc_error *error)
{
	struct letter letter;
	char id[MIME_ID_SIZE];
	const struct letter_facts facts = {
		.person = person->name,
		.title = trial->title,
		.when = "Tuesday 3 March 2026, 14:00 (Europe/London)",
		.when_cy = "Dydd Mawrth 3 Mawrth 2026, 14:00 (Europe/London)",
		.place = "Ystafell 1\n.A line that begins with a dot",
		.invited_by = "MedCity",
		.reply_url = "https://wales.example/r/abc",
		.leave_url = "https://wales.example/leave/abc",
		.has_calendar = true};

	enum lyc_status status = letter_write(LETTER_INVITE, trial->languages, &facts, &letter);
	if (status != LYC_OK)
		return status;
	mime_id(id, mail->event, mail->person, mail->sequence, mail->kind, trial->from);
	const struct mime_mail message = {.id = id,
					  .at_s = mail->queued_ms / 1000,
					  .from = {"Canolbwynt Gwyddorau Bywyd Cymru", trial->from},
					  .to = {person->name, person->address},
					  .reply_to = trial->from,
					  .subject = letter.subject,
					  .language = letter.language,
					  .text = letter.text,
					  .calendar = invitation,
					  .method = "REQUEST",
					  .leave_url = facts.leave_url};
	status = mime_write(&message, ret_bytes, ret_len, error);
	letter_fini(&letter);
	return status;
}

static void on_write(void *arg, const struct outbox_mail *mail)
{
	struct trial *trial = arg;
	const struct person *person = NULL;
	struct lyc_error error = {0};
	char *bytes = NULL;
	size_t len = 0;

	for (size_t i = 0; i < trial->person_count; i++) {
		if (strcmp(trial->persons[i].id, mail->person) == 0)
			person = &trial->persons[i];
	}
	if (!person)
		post_not_written(trial->post, mail->key, OUTBOX_FAILED, "no address is held");
	else if (compose(trial, mail, person, &bytes, &len, &error) != LYC_OK)
		post_not_written(trial->post, mail->key, OUTBOX_FAILED, error.text);
	else
		post_written(trial->post, mail->key, person->address, bytes, len);
	free(bytes);
}

/* ---- The round ---- */

static void acknowledge(struct trial *trial)
{
	while (trial->to_ack_count > 0) {
		uint64_t tickets[64];
		size_t count = trial->to_ack_count;
		memcpy(tickets, trial->to_ack, count * sizeof(tickets[0]));
		trial->to_ack_count = 0;
		for (size_t i = 0; i < count; i++)
			post_noted(trial->post, tickets[i], true);
	}
}

static bool run(struct trial *trial)
{
	int64_t deadline = clock_ms(CLOCK_MONOTONIC) + DEADLINE_MS;

	for (;;) {
		post_run(trial->post);
		acknowledge(trial);
		if (trial->is_stopped || clock_ms(CLOCK_MONOTONIC) > deadline)
			return trial->is_stopped;
		struct pollfd item = {.fd = post_descriptor(trial->post), .events = POLLIN};
		if (poll(&item, 1, 0) > 0 || outbox_due(trial->outbox, now_ms(trial)))
			continue;
		if (post_count(trial->post) > 0) {
			poll(&item, 1, 1000);
			continue;
		}
		int64_t next_ms = outbox_next_ms(trial->outbox);
		if (next_ms == INT64_MAX)
			return true;
		if (next_ms > now_ms(trial))
			trial->ahead_ms += next_ms - now_ms(trial);
	}
}

static void show(const struct outbox_mail *mail, void *arg)
{
	static const char *const steps[] = {"",     "QUEUED", "BEGUN",  "PUT_OFF",
					    "SENT", "FAILED", "DROPPED"};

	(void)arg;
	printf("{\"person\": \"%s\", \"step\": \"%s\", \"tries\": %u, \"double\": %s, \"code\": "
	       "%d, "
	       "\"said\": \"",
	       mail->person, steps[mail->step], (unsigned)mail->tries,
	       mail->may_be_double ? "true" : "false", mail->code);
	for (const char *at = mail->said; *at; at++)
		printf("%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
	printf("\"}\n");
}

static bool set(struct trial *trial, struct post_settings *settings, const char **journal,
		const char *name, const char *value)
{
	if (strcmp(name, "--relay") == 0)
		settings->mail.relay = value;
	else if (strcmp(name, "--from") == 0)
		settings->mail.from = trial->from = value;
	else if (strcmp(name, "--ca") == 0)
		settings->mail.ca_file = value;
	else if (strcmp(name, "--credentials") == 0)
		settings->mail.credentials_file = value;
	else if (strcmp(name, "--timeout-ms") == 0)
		settings->mail.timeout_ms = (uint32_t)strtoul(value, NULL, 10);
	else if (strcmp(name, "--per-minute") == 0)
		settings->mail.per_minute = (uint32_t)strtoul(value, NULL, 10);
	else if (strcmp(name, "--journal") == 0)
		*journal = value;
	else if (strcmp(name, "--die") == 0)
		trial->die = value;
	else if (strcmp(name, "--until") == 0)
		trial->until = value;
	else if (strcmp(name, "--title") == 0)
		trial->title = value;
	else if (strcmp(name, "--name") == 0)
		trial->person_name = value;
	else if (strcmp(name, "--languages") == 0)
		trial->languages = value;
	else
		return false;
	return true;
}

static void queue(struct trial *trial)
{
	struct outbox_mail note;

	for (size_t i = 0; i < trial->person_count; i++) {
		if (outbox_queue(&note, "e@wales", trial->persons[i].id, 0, "invite", 0,
				 now_ms(trial)) == LYC_OK &&
		    !outbox_find(trial->outbox, note.key)) {
			append(trial, &note);
			outbox_take(trial->outbox, &note);
		}
	}
	die_at(trial, "queued");
}

int main(int argc, char **argv)
{
	static struct trial trial;
	static const struct post_hooks hooks = {on_note, on_write, now_ms};
	struct post_settings settings = {.mail = {.per_minute = 100000}};
	const char *journal = NULL;
	struct lyc_error error = {0};
	int at = 1;

	trial.title = "Therapi celloedd";
	trial.languages = "cy en";
	trial.person_name = "\xc5\xb4yn ap Rhys";
	for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
		if (!set(&trial, &settings, &journal, argv[at], argv[at + 1]))
			return 2;
	}
	for (; at < argc && trial.person_count < MAX_PERSONS; at++)
		trial.persons[trial.person_count++] =
			(struct person){argv[at], trial.person_name, argv[at]};
	for (size_t i = 0; i < trial.person_count; i++) {
		char *id = strdup(trial.persons[i].id);
		id[strcspn(id, "@")] = '\0';
		trial.persons[i].id = id;
	}
	trial.outbox = outbox_new();
	replay(&trial, journal);
	trial.journal = fopen(journal, "ae");
	if (!trial.journal)
		return 2;
	queue(&trial);
	if (post_start(&settings, &hooks, &trial, trial.outbox, &trial.post, &error) != LYC_OK) {
		printf("{\"refused\": \"%s\", \"field\": \"%s\"}\n", error.text, error.field);
		return 3;
	}
	bool is_done = run(&trial);
	post_stop(trial.post);
	outbox_each(trial.outbox, show, NULL);
	outbox_free(trial.outbox);
	for (size_t i = 0; i < trial.person_count; i++)
		free((void *)(uintptr_t)trial.persons[i].id);
	fclose(trial.journal);
	return is_done ? 0 : 1;
}
