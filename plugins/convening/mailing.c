/* The words are letter.c's, the calendar ics.c's, the message mime.c's: here they meet. */
#include "mailing.h"

#include <stdio.h>

#include "hold.h"
#include "mime.h"

#define URL_SIZE 300

struct texts {
	char when[MEETING_WORDS_SIZE];
	char when_cy[MEETING_WORDS_SIZE];
	char url[URL_SIZE];
	char from[256];
	char name[256];
	struct letter letter;
	char *calendar;
};

enum letter_kind mailing_kind(const char *kind_name)
{
	if (strcmp(kind_name, "change") == 0)
		return LETTER_CHANGE;
	if (strcmp(kind_name, "cancel") == 0)
		return LETTER_CANCEL;
	if (strncmp(kind_name, "seat-", 5) == 0)
		return LETTER_SEAT;
	if (strncmp(kind_name, "wait-", 5) == 0)
		return LETTER_WAIT;
	return strncmp(kind_name, "reminder-", 9) == 0 ? LETTER_REMINDER : LETTER_INVITE;
}

static const Lyceum__Convening__V1__Relay *relay_of(const struct mailing *mailing)
{
	return mailing->config ? mailing->config->relay : NULL;
}

static void write_when(const struct mailing *mailing, struct texts *texts)
{
	event_msg event = *mailing->event;
	char start[MEETING_TIME_SIZE], end[MEETING_TIME_SIZE];

	if (mailing->meeting) {
		meeting_write(mailing->meeting->start, start);
		meeting_write(mailing->meeting->end, end);
		event.start = start;
		event.end = end;
	}
	meeting_words(&event, false, texts->when);
	meeting_words(&event, true, texts->when_cy);
}

static const char *method_of(const struct mailing *mailing)
{
	if (mailing->kind == LETTER_CANCEL)
		return "CANCEL";
	return mailing->kind == LETTER_INVITE || mailing->kind == LETTER_CHANGE ? "REQUEST" : NULL;
}

static enum lyc_status write_calendar(const struct mailing *mailing, const struct texts *texts,
				      struct zones *zones, char **ret_text, struct lyc_error *error)
{
	struct meeting_ics ics;
	size_t len;
	struct ics_person person = {.address = mailing->address,
				    .name = mailing->name[0] ? mailing->name : NULL,
				    .asks_answer = mailing->kind != LETTER_CANCEL};

	*ret_text = NULL;
	if (!method_of(mailing))
		return LYC_OK;
	if (!meeting_to_ics(mailing->event, mailing->now_s, &ics)) {
		*error = (struct lyc_error){.status = LYC_INTERNAL};
		snprintf(error->text, sizeof(error->text), "the event's times cannot be read");
		return LYC_INTERNAL;
	}
	ics.event.organizer = (struct ics_person){.address = texts->from, .name = texts->name};
	ics.event.people = mailing->address[0] ? &person : NULL;
	ics.event.person_count = mailing->address[0] ? 1 : 0;
	struct ics_calendar calendar = {.method = mailing->kind == LETTER_CANCEL ? ICS_CANCEL
										 : ICS_REQUEST,
					.events = &ics.event,
					.event_count = 1};
	enum lyc_status status = ics_write(&calendar, zones, ret_text, &len, error);
	meeting_ics_fini(&ics);
	return status;
}

static enum lyc_status prepare(const struct mailing *mailing, struct zones *zones,
			       struct texts *texts, struct lyc_error *error)
{
	const Lyceum__Convening__V1__Relay *relay = relay_of(mailing);
	const event_msg *event = mailing->event;
	bool is_cancelled = mailing->kind == LETTER_CANCEL;
	const char *about = is_cancelled          ? event->cancel_reason
			    : mailing->message[0] ? mailing->message
						  : event->description;

	write_when(mailing, texts);
	if (relay)
		snprintf(texts->from, sizeof(texts->from), "%s", relay->from);
	else
		snprintf(texts->from, sizeof(texts->from), "events@%.60s.invalid", mailing->node);
	snprintf(texts->name, sizeof(texts->name), "%s",
		 relay && relay->from_name[0] ? relay->from_name : mailing->node);
	snprintf(texts->url, sizeof(texts->url), "%s/r/%s",
		 mailing->config ? mailing->config->web_address : "", mailing->token);
	bool has_url = mailing->config && mailing->config->web_address[0] && mailing->token[0];
	const struct letter_facts facts = {
		.person = mailing->name,
		.title = event->title,
		.when = texts->when,
		.when_cy = texts->when_cy,
		.place = event->place[0] ? event->place
			 : event->url[0] ? event->url
					 : NULL,
		.organiser = texts->name,
		.invited_by = strcmp(event->home, mailing->node) != 0 ? event->home : NULL,
		.about = about[0] ? about : NULL,
		.reply_url = has_url && !is_cancelled ? texts->url : NULL,
		.leave_address = texts->from,
		.has_calendar = method_of(mailing) != NULL,
	};
	enum lyc_status status =
		letter_write(mailing->kind, relay && relay->languages[0] ? relay->languages : "en",
			     &facts, &texts->letter);
	if (status != LYC_OK) {
		*error = (struct lyc_error){.status = status};
		snprintf(error->text, sizeof(error->text), "the letter cannot be written");
		return status;
	}
	return write_calendar(mailing, texts, zones, &texts->calendar, error);
}

static void texts_fini(struct texts *texts)
{
	letter_fini(&texts->letter);
	free(texts->calendar);
}

enum lyc_status mailing_write(const struct mailing *mailing, struct zones *zones, char **ret_bytes,
			      size_t *ret_len, struct lyc_error *error)
{
	struct texts texts = {0};
	char id[MIME_ID_SIZE], event[240];
	enum lyc_status status = prepare(mailing, zones, &texts, error);

	if (status == LYC_OK) {
		snprintf(event, sizeof(event), "%s@%s", mailing->event->id, mailing->event->home);
		mime_id(id, event, mailing->invitation, mailing->sequence, mailing->kind_name,
			texts.from);
		struct mime_mail mail = {
			.id = id,
			.at_s = mailing->now_s,
			.from = {texts.name, texts.from},
			.to = {mailing->name, mailing->address},
			.subject = texts.letter.subject,
			.language = texts.letter.language,
			.text = texts.letter.text,
			.calendar = texts.calendar,
			.method = method_of(mailing),
		};
		status = mime_write(&mail, ret_bytes, ret_len, error);
	}
	texts_fini(&texts);
	return status;
}

char *mailing_preview(const struct mailing *mailing, const char *to, struct zones *zones)
{
	struct texts texts = {0};
	struct lyc_error error = {0};
	char *preview = NULL;

	if (prepare(mailing, zones, &texts, &error) != LYC_OK ||
	    asprintf(&preview, "From: %s <%s>\nTo: %s\nSubject: %s\n\n%s\n-- invite.ics --\n%s",
		     texts.name, texts.from, to, texts.letter.subject, texts.letter.text,
		     texts.calendar ? texts.calendar : "") < 0)
		preview = hold_text(error.text);
	texts_fini(&texts);
	return preview;
}
