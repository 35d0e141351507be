/*
 * A hash of mails by their keys. Notes of one mail are in order by tries, time and step, so that
 * one which comes late or twice is known as such.
 */
#include "outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#define MINUTE_MS 60000
#define MAX_DELAY_MS (60 * MINUTE_MS)
#define TWICE_UNHEARD "the relay's answer was not heard twice: it may have arrived"

struct entry {
	struct outbox_mail mail;
	bool is_held;
	UT_hash_handle hh;
};

struct outbox {
	struct entry *entries;
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct outbox *outbox_new(void)
{
	return must(calloc(1, sizeof(struct outbox)));
}

static void drop_strings(struct outbox_mail *mail)
{
	free((void *)(uintptr_t)mail->event);
	free((void *)(uintptr_t)mail->person);
	free((void *)(uintptr_t)mail->kind);
}

void outbox_free(struct outbox *outbox)
{
	struct entry *entry, *next;

	if (!outbox)
		return;
	HASH_ITER (hh, outbox->entries, entry, next) {
		HASH_DEL(outbox->entries, entry);
		drop_strings(&entry->mail);
		free(entry);
	}
	free(outbox);
}

enum lyc_status outbox_key(char to[OUTBOX_KEY_SIZE], const char *event, const char *person,
			   uint32_t sequence, const char *kind)
{
	if (!event[0] || !person[0] || !kind[0])
		return LYC_INVALID_ARGUMENT;
	int len = snprintf(to, OUTBOX_KEY_SIZE, "%s\n%s\n%u\n%s", event, person, (unsigned)sequence,
			   kind);
	return len > 0 && len < OUTBOX_KEY_SIZE ? LYC_OK : LYC_INVALID_ARGUMENT;
}

static struct entry *find(const struct outbox *outbox, const char *key)
{
	struct entry *entry;

	HASH_FIND_STR(outbox->entries, key, entry);
	return entry;
}

const struct outbox_mail *outbox_find(const struct outbox *outbox, const char *key)
{
	const struct entry *entry = find(outbox, key);
	return entry ? &entry->mail : NULL;
}

/* ---- The fold ---- */

static bool is_over(const struct outbox_mail *mail)
{
	return mail->step == OUTBOX_SENT || mail->step == OUTBOX_FAILED ||
	       mail->step == OUTBOX_DROPPED;
}

static int rank(enum outbox_step step)
{
	static const int ranks[] = {0, 0, 1, 2, 3, 3, 3};
	return step >= OUTBOX_QUEUED && step <= OUTBOX_DROPPED ? ranks[step] : 0;
}

static bool is_newer(const struct outbox_mail *note, const struct outbox_mail *held)
{
	if (note->tries != held->tries)
		return note->tries > held->tries;
	if (note->at_ms != held->at_ms)
		return note->at_ms > held->at_ms;
	return rank(note->step) > rank(held->step);
}

static bool changes(const struct outbox_mail *note, const struct outbox_mail *held)
{
	if (held->step == OUTBOX_SENT)
		return false;
	if (note->step == OUTBOX_SENT)
		return true;
	if (is_over(held) && note->step != OUTBOX_QUEUED)
		return false;
	return is_newer(note, held);
}

bool outbox_take(struct outbox *outbox, const struct outbox_mail *note)
{
	struct entry *entry = find(outbox, note->key);

	if (!entry) {
		entry = must(calloc(1, sizeof(*entry)));
		entry->mail = *note;
		entry->mail.event = must(strdup(note->event));
		entry->mail.person = must(strdup(note->person));
		entry->mail.kind = must(strdup(note->kind));
		HASH_ADD_STR(outbox->entries, mail.key, entry);
		return true;
	}
	if (!changes(note, &entry->mail))
		return false;
	struct outbox_mail mail = *note;
	mail.event = entry->mail.event;
	mail.person = entry->mail.person;
	mail.kind = entry->mail.kind;
	entry->mail = mail;
	return true;
}

/* ---- What is due ---- */

/* When it may be begun; false: never by itself. */
static bool due_at(const struct entry *entry, int64_t *ret_ms)
{
	const struct outbox_mail *mail = &entry->mail;

	if (entry->is_held || is_over(mail))
		return false;
	*ret_ms = mail->step == OUTBOX_BEGUN ? mail->at_ms : mail->due_ms;
	return true;
}

static const struct entry *first_due(const struct outbox *outbox, int64_t *ret_ms)
{
	const struct entry *first = NULL;
	int64_t at_ms;

	for (const struct entry *entry = outbox->entries; entry; entry = entry->hh.next) {
		if (!due_at(entry, &at_ms) || (first && at_ms >= *ret_ms))
			continue;
		first = entry;
		*ret_ms = at_ms;
	}
	return first;
}

const struct outbox_mail *outbox_due(const struct outbox *outbox, int64_t now_ms)
{
	int64_t at_ms = 0;
	const struct entry *first = first_due(outbox, &at_ms);

	if (!first || (first->mail.step != OUTBOX_BEGUN && at_ms > now_ms))
		return NULL;
	return &first->mail;
}

int64_t outbox_next_ms(const struct outbox *outbox)
{
	int64_t at_ms = 0;
	return first_due(outbox, &at_ms) ? at_ms : INT64_MAX;
}

bool outbox_hold(struct outbox *outbox, const char *key)
{
	struct entry *entry = find(outbox, key);

	if (!entry || entry->is_held)
		return false;
	entry->is_held = true;
	return true;
}

void outbox_release(struct outbox *outbox, const char *key)
{
	struct entry *entry = find(outbox, key);

	if (entry)
		entry->is_held = false;
}

/* ---- Notes ---- */

enum lyc_status outbox_queue(struct outbox_mail *ret_note, const char *event, const char *person,
			     uint32_t sequence, const char *kind, int64_t due_ms, int64_t now_ms)
{
	struct outbox_mail note = {.event = event,
				   .person = person,
				   .kind = kind,
				   .sequence = sequence,
				   .step = OUTBOX_QUEUED,
				   .queued_ms = due_ms > now_ms ? due_ms : now_ms,
				   .due_ms = due_ms,
				   .at_ms = now_ms};

	enum lyc_status status = outbox_key(note.key, event, person, sequence, kind);
	if (status == LYC_OK)
		*ret_note = note;
	return status;
}

/* The next note of this mail; time does not go back between two. */
static struct outbox_mail follow(const struct outbox_mail *mail, enum outbox_step step,
				 int64_t now_ms)
{
	struct outbox_mail note = *mail;

	note.step = step;
	note.at_ms = now_ms > mail->at_ms ? now_ms : mail->at_ms;
	return note;
}

struct outbox_mail outbox_end(const struct outbox_mail *mail, enum outbox_step step, int64_t now_ms,
			      int code, const char *said)
{
	struct outbox_mail note = follow(mail, step, now_ms);

	note.code = code;
	snprintf(note.said, sizeof(note.said), "%s", said);
	return note;
}

struct outbox_mail outbox_begin(const struct outbox_mail *mail, int64_t now_ms)
{
	bool is_doubtful = mail->step == OUTBOX_BEGUN;

	if (is_doubtful && mail->may_be_double)
		return outbox_end(mail, OUTBOX_FAILED, now_ms, 0, TWICE_UNHEARD);
	struct outbox_mail note = follow(mail, OUTBOX_BEGUN, now_ms);
	note.tries++;
	note.may_be_double |= is_doubtful;
	return note;
}

struct outbox_mail outbox_put_off(const struct outbox_mail *mail, int64_t now_ms,
				  int64_t give_up_ms, bool is_doubtful, int code, const char *said)
{
	int64_t delay_ms = MINUTE_MS;

	if (is_doubtful && mail->may_be_double)
		return outbox_end(mail, OUTBOX_FAILED, now_ms, code, TWICE_UNHEARD);
	for (uint32_t i = 1; i < mail->tries && delay_ms < MAX_DELAY_MS; i++)
		delay_ms *= 2;
	if (delay_ms > MAX_DELAY_MS)
		delay_ms = MAX_DELAY_MS;
	bool is_too_late = now_ms + delay_ms > mail->queued_ms + give_up_ms;
	struct outbox_mail note =
		outbox_end(mail, is_too_late ? OUTBOX_FAILED : OUTBOX_PUT_OFF, now_ms, code, said);
	note.due_ms = now_ms + delay_ms;
	note.may_be_double |= is_doubtful;
	return note;
}

struct outbox_mail outbox_again(const struct outbox_mail *mail, int64_t now_ms)
{
	struct outbox_mail note = follow(mail, OUTBOX_QUEUED, now_ms);

	if (note.at_ms == mail->at_ms)
		note.at_ms++;
	note.queued_ms = now_ms;
	note.due_ms = now_ms;
	note.may_be_double = false;
	return note;
}

/* ---- Lists ---- */

static int newest_first(const void *one, const void *two)
{
	const struct outbox_mail *a = *(const struct outbox_mail *const *)one;
	const struct outbox_mail *b = *(const struct outbox_mail *const *)two;

	if (a->at_ms != b->at_ms)
		return a->at_ms > b->at_ms ? -1 : 1;
	return strcmp(a->key, b->key);
}

size_t outbox_each(const struct outbox *outbox, outbox_fn fn, void *arg)
{
	size_t count = HASH_COUNT(outbox->entries), at = 0;
	const struct outbox_mail **list =
		must(calloc(count + 1, sizeof(const struct outbox_mail *)));

	for (const struct entry *entry = outbox->entries; entry; entry = entry->hh.next)
		list[at++] = &entry->mail;
	qsort(list, count, sizeof(const struct outbox_mail *), newest_first);
	for (size_t i = 0; i < count; i++)
		fn(list[i], arg);
	free(list);
	return count;
}

size_t outbox_count(const struct outbox *outbox, enum outbox_step step)
{
	size_t count = 0;

	for (const struct entry *entry = outbox->entries; entry; entry = entry->hh.next)
		count += entry->mail.step == step;
	return count;
}
