/* Each language has a table of sentences; one that has a %s gets the fact that it is about. */
#include "letter.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS 6

struct sentences {
	const char *tag;
	const char *subjects[KINDS];
	const char *leads[KINDS];
	const char *greeting, *greeting_by_name;
	const char *when, *where, *organiser, *invited_by;
	const char *reply, *calendar, *leave_by_link, *leave_by_mail;
};

/* The titles stand after a colon in Welsh, so that no word of them mutates. */
static const struct sentences english = {
	.tag = "en",
	.subjects = {"Invitation", "Changed", "Cancelled", "A seat for you", "On the waiting list",
		     "Reminder"},
	.leads = {"You are invited to this event:", "This event has changed:",
		  "This event will not take place:", "A seat has become free, and it is yours:",
		  "All seats are taken. You are on the waiting list of this event:",
		  "This event is soon:"},
	.greeting = "Hello,",
	.greeting_by_name = "Dear %s,",
	.when = "When: %s",
	.where = "Where: %s",
	.organiser = "Organised by: %s",
	.invited_by = "%s asked us to pass this on to you. They do not have your address.",
	.reply = "Please say here whether you are coming; no account is needed:\n%s",
	.calendar = "The attached file keeps your calendar right.",
	.leave_by_link = "If you would rather not get such mails, follow this link:\n%s",
	.leave_by_mail =
		"If you would rather not get such mails, write to %s and you will be taken "
		"off the list.",
};

static const struct sentences welsh = {
	.tag = "cy",
	.subjects = {"Gwahoddiad", "Newidiwyd", "Canslwyd", "Sedd i chi", "Ar y rhestr aros",
		     "Nodyn atgoffa"},
	.leads = {"Fe'ch gwahoddir i'r digwyddiad hwn:", "Mae'r digwyddiad hwn wedi newid:",
		  "Ni chynhelir y digwyddiad hwn:",
		  "Mae sedd wedi dod yn rhydd, a chi sydd piau hi:",
		  "Mae pob sedd wedi'i chymryd. Rydych ar restr aros y digwyddiad hwn:",
		  "Cynhelir y digwyddiad hwn yn fuan:"},
	.greeting = "Helô,",
	.greeting_by_name = "Annwyl %s,",
	.when = "Pryd: %s",
	.where = "Ble: %s",
	.organiser = "Trefnir gan: %s",
	.invited_by = "Gofynnodd %s i ni anfon hwn atoch. Nid yw eich cyfeiriad ganddynt.",
	.reply = "Dywedwch yma a ydych yn dod; nid oes angen cyfrif:\n%s",
	.calendar = "Mae'r ffeil sydd ynghlwm yn cadw eich calendr yn gywir.",
	.leave_by_link =
		"Os byddai'n well gennych beidio â chael negeseuon fel hyn, dilynwch y ddolen "
		"hon:\n%s",
	.leave_by_mail =
		"Os byddai'n well gennych beidio â chael negeseuon fel hyn, ysgrifennwch at %s "
		"a chewch eich tynnu oddi ar y rhestr.",
};

/* A sentence with its fact, `after` behind it; nothing without the fact. */
static void say(FILE *to, const char *sentence, const char *fact, const char *after)
{
	if (!fact || !fact[0])
		return;
	const char *gap = strstr(sentence, "%s");
	fprintf(to, "%.*s%s%s%s", (int)(gap - sentence), sentence, fact, gap + 2, after);
}

static void write_in(FILE *to, const struct sentences *in, enum letter_kind kind,
		     const struct letter_facts *facts)
{
	bool has_name = facts->person && facts->person[0];
	bool is_welsh = in == &welsh;
	/* Also with a seat and on the waiting list: who cannot come gives it back. */
	bool is_asked = kind != LETTER_CANCEL;

	if (has_name)
		say(to, in->greeting_by_name, facts->person, "\n\n");
	else
		fprintf(to, "%s\n\n", in->greeting);
	fprintf(to, "%s\n\n%s\n", in->leads[kind], facts->title);
	say(to, in->when, is_welsh && facts->when_cy ? facts->when_cy : facts->when, "\n");
	say(to, in->where, facts->place, "\n");
	say(to, in->organiser, facts->organiser, "\n");
	fputs("\n", to);
	if (facts->about && facts->about[0])
		fprintf(to, "%s\n\n", facts->about);
	say(to, in->invited_by, facts->invited_by, "\n\n");
	if (is_asked)
		say(to, in->reply, facts->reply_url, "\n\n");
	if (facts->has_calendar)
		fprintf(to, "%s\n\n", in->calendar);
	if (facts->leave_url && facts->leave_url[0])
		say(to, in->leave_by_link, facts->leave_url, "\n");
	else
		say(to, in->leave_by_mail, facts->leave_address, "\n");
}

enum lyc_status letter_write(enum letter_kind kind, const char *languages,
			     const struct letter_facts *facts, struct letter *ret_letter)
{
	bool has_welsh = strncmp(languages, "cy", 2) == 0;
	bool has_english = !has_welsh || strcmp(languages, "cy en") == 0;
	struct letter letter = {0};
	size_t len;

	if (has_welsh && has_english) {
		if (asprintf(&letter.subject, "%s / %s: %s", welsh.subjects[kind],
			     english.subjects[kind], facts->title) < 0)
			letter.subject = NULL;
	} else if (asprintf(&letter.subject, "%s: %s",
			    (has_welsh ? &welsh : &english)->subjects[kind], facts->title) < 0) {
		letter.subject = NULL;
	}
	FILE *to = open_memstream(&letter.text, &len);
	if (to) {
		if (has_welsh)
			write_in(to, &welsh, kind, facts);
		if (has_welsh && has_english)
			fputs("\n--------\n\n", to);
		if (has_english)
			write_in(to, &english, kind, facts);
	}
	if (!to || (ferror(to) | fclose(to)) != 0 || !letter.subject) {
		letter_fini(&letter);
		return LYC_RESOURCE_EXHAUSTED;
	}
	snprintf(letter.language, sizeof(letter.language), "%s%s%s", has_welsh ? "cy" : "",
		 has_welsh && has_english ? ", " : "", has_english ? "en" : "");
	*ret_letter = letter;
	return LYC_OK;
}

void letter_fini(struct letter *letter)
{
	free(letter->subject);
	free(letter->text);
	*letter = (struct letter){0};
}
