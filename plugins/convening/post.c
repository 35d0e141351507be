/*
 * What is in hand is a short list; each entry waits for one thing: to be written, for its begin to
 * be synced, for the relay, for its end to be synced, or for a moment when something did not go. A
 * note that is synced is folded in at once: the log's own delivery of it comes later and changes
 * nothing, and in between the mail must not look due.
 */
#include "post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_IN_HAND 20
#define DEFAULT_GIVE_UP_MS (3LL * 24 * 3600 * 1000)
#define PAUSE_MS 5000

enum stage {
	WRITING,
	BEGINNING, /* its BEGUN is on the way to the log */
	SENDING,
	TO_END, /* its end could not be appended: once more at pause_ms */
	ENDING, /* its end is on the way to the log */
	PAUSED, /* to be let go at pause_ms */
};

struct in_hand {
	struct in_hand *next;
	enum stage stage;
	struct outbox_mail note; /* the last one that was meant or synced */
	uint64_t ticket;
	int64_t pause_ms;
	char to[256];
	char *bytes;
	size_t len;
};

struct post {
	const struct post_hooks *hooks;
	void *arg;
	struct outbox *outbox;
	struct mail *mail;
	int64_t give_up_ms;
	uint32_t max_in_hand, count;
	uint64_t last_ticket;
	struct in_hand *first;
	bool is_running;
};

static int64_t now_ms(const struct post *post)
{
	return post->hooks->now_ms(post->arg);
}

static struct in_hand *find(const struct post *post, const char *key)
{
	struct in_hand *entry = post->first;

	while (entry && strcmp(entry->note.key, key) != 0)
		entry = entry->next;
	return entry;
}

/* The outbox decides again what becomes of it. */
static void let_go(struct post *post, struct in_hand *entry)
{
	struct in_hand **at = &post->first;

	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	post->count--;
	outbox_release(post->outbox, entry->note.key);
	free(entry->bytes);
	free(entry);
}

static void pause_until(struct post *post, struct in_hand *entry, enum stage stage)
{
	entry->stage = stage;
	entry->pause_ms = now_ms(post) + PAUSE_MS;
}

/* ---- Steps ---- */

static void end(struct post *post, struct in_hand *entry)
{
	entry->stage = ENDING;
	entry->ticket = ++post->last_ticket;
	if (post->hooks->note(post->arg, &entry->note, entry->ticket) != LYC_OK)
		pause_until(post, entry, TO_END);
}

/* Dropped while it was in hand: nothing is sent. */
static bool is_unwanted(const struct post *post, const struct in_hand *entry)
{
	const struct outbox_mail *mail = outbox_find(post->outbox, entry->note.key);

	return mail && (mail->step == OUTBOX_DROPPED || mail->step == OUTBOX_SENT);
}

static void begin(struct post *post, struct in_hand *entry)
{
	if (is_unwanted(post, entry)) {
		let_go(post, entry);
		return;
	}
	entry->note = outbox_begin(&entry->note, now_ms(post));
	if (entry->note.step != OUTBOX_BEGUN) {
		end(post, entry);
		return;
	}
	entry->stage = BEGINNING;
	entry->ticket = ++post->last_ticket;
	if (post->hooks->note(post->arg, &entry->note, entry->ticket) != LYC_OK)
		pause_until(post, entry, PAUSED);
}

static void hand_over(struct post *post, struct in_hand *entry)
{
	if (is_unwanted(post, entry)) {
		let_go(post, entry);
		return;
	}
	entry->stage = SENDING;
	enum lyc_status status =
		mail_send(post->mail, entry->note.key, entry->to, entry->bytes, entry->len);
	free(entry->bytes);
	entry->bytes = NULL;
	if (status == LYC_OK)
		return;
	if (status == LYC_INVALID_ARGUMENT)
		entry->note = outbox_end(&entry->note, OUTBOX_FAILED, now_ms(post), 0,
					 "the address that is held is not one");
	else
		entry->note = outbox_put_off(&entry->note, now_ms(post), post->give_up_ms, false, 0,
					     "there is no room for more mails now");
	end(post, entry);
}

static void take_result(struct post *post, const struct mail_result *result)
{
	struct in_hand *entry = find(post, result->key);

	if (!entry || entry->stage != SENDING)
		return;
	switch (result->outcome) {
	case MAIL_SENT:
	case MAIL_REFUSED:
		entry->note = outbox_end(&entry->note,
					 result->outcome == MAIL_SENT ? OUTBOX_SENT : OUTBOX_FAILED,
					 now_ms(post), result->code, result->said);
		break;
	case MAIL_LATER:
	case MAIL_DOUBTFUL:
		entry->note = outbox_put_off(&entry->note, now_ms(post), post->give_up_ms,
					     result->outcome == MAIL_DOUBTFUL, result->code,
					     result->said);
		break;
	}
	end(post, entry);
}

void post_noted(struct post *post, uint64_t ticket, bool is_synced)
{
	struct in_hand *entry = post->first;

	while (entry && entry->ticket != ticket)
		entry = entry->next;
	if (!entry || (entry->stage != BEGINNING && entry->stage != ENDING))
		return;
	bool is_begin = entry->stage == BEGINNING;
	if (is_synced)
		outbox_take(post->outbox, &entry->note);
	if (is_synced && is_begin)
		hand_over(post, entry);
	else if (is_synced)
		let_go(post, entry);
	else
		pause_until(post, entry, is_begin ? PAUSED : TO_END);
}

void post_written(struct post *post, const char *key, const char *to, const char *bytes, size_t len)
{
	struct in_hand *entry = find(post, key);

	if (!entry || entry->stage != WRITING)
		return;
	entry->bytes = malloc(len + 1);
	if (!entry->bytes) {
		pause_until(post, entry, PAUSED);
		return;
	}
	memcpy(entry->bytes, bytes, len);
	entry->len = len;
	snprintf(entry->to, sizeof(entry->to), "%s", to);
	begin(post, entry);
}

void post_not_written(struct post *post, const char *key, enum outbox_step step, const char *said)
{
	struct in_hand *entry = find(post, key);

	if (!entry || entry->stage != WRITING)
		return;
	if (step == OUTBOX_PUT_OFF)
		entry->note = outbox_put_off(&entry->note, now_ms(post), post->give_up_ms, false, 0,
					     said);
	else
		entry->note = outbox_end(&entry->note, step, now_ms(post), 0, said);
	end(post, entry);
}

/* ---- The round ---- */

static void go_on(struct post *post)
{
	struct in_hand *next;

	for (struct in_hand *entry = post->first; entry; entry = next) {
		next = entry->next;
		if (now_ms(post) < entry->pause_ms)
			continue;
		if (entry->stage == TO_END)
			end(post, entry);
		else if (entry->stage == PAUSED)
			let_go(post, entry);
	}
}

static bool take_due(struct post *post)
{
	const struct outbox_mail *due = outbox_due(post->outbox, now_ms(post));
	struct in_hand *entry = due ? calloc(1, sizeof(*entry)) : NULL;

	if (!entry)
		return false;
	entry->note = *due;
	entry->next = post->first;
	post->first = entry;
	post->count++;
	outbox_hold(post->outbox, due->key);
	post->hooks->write(post->arg, due);
	return true;
}

void post_run(struct post *post)
{
	struct mail_result result;

	if (post->is_running)
		return;
	post->is_running = true;
	while (mail_next_result(post->mail, &result))
		take_result(post, &result);
	go_on(post);
	while (post->count < post->max_in_hand && take_due(post))
		continue;
	post->is_running = false;
}

enum lyc_status post_start(const struct post_settings *settings, const struct post_hooks *hooks,
			   void *arg, struct outbox *outbox, struct post **ret_post,
			   struct lyc_error *error)
{
	struct mail_settings mail = settings->mail;
	struct post *post = calloc(1, sizeof(*post));

	if (!post) {
		*error = (struct lyc_error){.status = LYC_RESOURCE_EXHAUSTED,
					    .text = "there is no memory for sending mail"};
		return LYC_RESOURCE_EXHAUSTED;
	}
	post->hooks = hooks;
	post->arg = arg;
	post->outbox = outbox;
	post->give_up_ms = settings->give_up_ms ? settings->give_up_ms : DEFAULT_GIVE_UP_MS;
	post->max_in_hand = settings->max_in_hand ? settings->max_in_hand : DEFAULT_IN_HAND;
	mail.max_waiting = post->max_in_hand;
	enum lyc_status status = mail_start(&mail, &post->mail, error);
	if (status != LYC_OK)
		free(post);
	else
		*ret_post = post;
	return status;
}

void post_stop(struct post *post)
{
	if (!post)
		return;
	mail_stop(post->mail);
	while (post->first)
		let_go(post, post->first);
	free(post);
}

size_t post_count(const struct post *post)
{
	return post->count;
}

int post_descriptor(const struct post *post)
{
	return mail_descriptor(post->mail);
}
