/* Notes on subjects, by subject. */
#include "stream/subjects.h"

#include <stdlib.h>

#include <string.h>

#include <xxhash.h>

#include "base/ensure.h"
#include "base/mem.h"

/* The room that a spare one has at least, and at most. */
#define SPARE_LEN 96
#define SPARE_MAX_LEN 256

static void note_free(struct subject_note *note)
{
	buf_fini(&note->label);
	buf_fini(&note->pending_label);
	free(note->home);
	free(note);
}

void subjects_fini(struct subjects *subjects)
{
	struct subject_note *note;
	struct subject_note *next;
	HASH_ITER (by_subject, subjects->by_subject, note, next) {
		HASH_DELETE(by_subject, subjects->by_subject, note);
		note_free(note);
	}
	while (subjects->spare_count > 0)
		note_free(subjects->spare[--subjects->spare_count]);
}

/* Peers choose the subjects, and do not know where this table lies. */
static unsigned hash_of(const struct subjects *subjects, struct span subject)
{
	return (uint32_t)XXH3_64bits_withSeed(subject.data, subject.len, (uintptr_t)subjects);
}

static struct subject_note *note_new(struct subjects *subjects, struct span subject)
{
	struct subject_note *note = NULL;
	if (subjects->spare_count > 0 && subject.len < SPARE_LEN)
		note = subjects->spare[--subjects->spare_count];
	if (!note) {
		size_t cap = subject.len < SPARE_LEN ? SPARE_LEN : subject.len + 1;
		note = mem_get(sizeof(*note) + cap);
		note->cap = cap;
		note->subject = (char *)(note + 1);
	}
	memcpy(note->subject, subject.data, subject.len);
	note->subject[subject.len] = '\0';
	HASH_ADD_KEYPTR_BYHASHVALUE(by_subject, subjects->by_subject, note->subject, subject.len,
				    hash_of(subjects, subject), note);
	return note;
}

/* One with nothing to remember. Its buffers stay with it, unless they are large. */
static void note_remove(struct subjects *subjects, struct subject_note *note)
{
	HASH_DELETE(by_subject, subjects->by_subject, note);
	if (subjects->spare_count == SUBJECTS_MAX_SPARE || note->cap > SPARE_LEN ||
	    note->label.cap + note->pending_label.cap > SPARE_MAX_LEN) {
		note_free(note);
		return;
	}
	buf_clear(&note->pending_label);
	note->pending_origin = 0;
	subjects->spare[subjects->spare_count++] = note;
}

static struct subject_note *find(const struct subjects *subjects, struct span subject)
{
	struct subject_note *note = NULL;
	if (subjects->by_subject)
		HASH_FIND_BYHASHVALUE(by_subject, subjects->by_subject, subject.data, subject.len,
				      hash_of(subjects, subject), note);
	return note;
}

const struct subject_note *subjects_find(const struct subjects *subjects, struct span subject)
{
	return find(subjects, subject);
}

static void free_if_empty(struct subjects *subjects, struct subject_note *note)
{
	if (!note->home && note->label.len == 0 && note->pending == 0)
		note_remove(subjects, note);
}

static void keep(struct subject_note *note, struct span home, struct span label)
{
	if (note->home ? !span_is(home, note->home) : home.len > 0) {
		free(note->home);
		note->home = home.len > 0 ? mem_dup_try((const char *)home.data, home.len) : NULL;
	}
	buf_clear(&note->label);
	buf_add(&note->label, label.data, label.len);
}

void subjects_note(struct subjects *subjects, struct span subject, struct span home,
		   struct span label)
{
	struct subject_note *note = find(subjects, subject);
	if (!note && home.len == 0 && label.len == 0)
		return;
	if (!note)
		note = note_new(subjects, subject);
	keep(note, home, label);
	free_if_empty(subjects, note);
}

struct subject_note *subjects_expect_of(struct subjects *subjects, const struct subject_note *known,
					struct span subject, struct span label)
{
	struct subject_note *note = (struct subject_note *)(uintptr_t)known;
	if (!note)
		note = note_new(subjects, subject);
	if (note->pending++ == 0)
		note->pending_origin = 0;
	buf_clear(&note->pending_label);
	buf_add(&note->pending_label, label.data, label.len);
	return note;
}

struct subject_note *subjects_expect(struct subjects *subjects, struct span subject,
				     struct span label)
{
	return subjects_expect_of(subjects, find(subjects, subject), subject, label);
}

void subjects_settle(struct subjects *subjects, struct subject_note *note)
{
	ensure(note && note->pending > 0);
	note->pending--;
	free_if_empty(subjects, note);
}

void subjects_settle_as(struct subjects *subjects, struct subject_note *note, struct span home,
			struct span label)
{
	keep(note, home, label);
	subjects_settle(subjects, note);
}
