/* Notes on subjects, by subject. */
#include "stream/subjects.h"

#include <stdlib.h>

#include "base/ensure.h"
#include "base/mem.h"

static void note_free(struct subjects *subjects, struct subject_note *note)
{
	HASH_DELETE(by_subject, subjects->by_subject, note);
	buf_fini(&note->label);
	buf_fini(&note->pending_label);
	free(note->home);
	free(note->subject);
	free(note);
}

void subjects_fini(struct subjects *subjects)
{
	struct subject_note *note;
	struct subject_note *next;
	HASH_ITER (by_subject, subjects->by_subject, note, next)
		note_free(subjects, note);
}

static struct subject_note *find(const struct subjects *subjects, struct span subject)
{
	struct subject_note *note;
	HASH_FIND(by_subject, subjects->by_subject, subject.data, subject.len, note);
	return note;
}

const struct subject_note *subjects_find(const struct subjects *subjects, struct span subject)
{
	return find(subjects, subject);
}

static struct subject_note *made(struct subjects *subjects, struct span subject)
{
	struct subject_note *note = find(subjects, subject);
	if (note)
		return note;
	note = mem_new(struct subject_note);
	note->subject = mem_dup_try((const char *)subject.data, subject.len);
	ensure(note->subject != NULL);
	HASH_ADD_KEYPTR(by_subject, subjects->by_subject, note->subject, subject.len, note);
	return note;
}

static void free_if_empty(struct subjects *subjects, struct subject_note *note)
{
	if (!note->home && note->label.len == 0 && note->pending == 0)
		note_free(subjects, note);
}

void subjects_note(struct subjects *subjects, struct span subject, struct span home,
		   struct span label)
{
	if (home.len == 0 && label.len == 0 && !find(subjects, subject))
		return;
	struct subject_note *note = made(subjects, subject);
	if (!note->home || !span_is(home, note->home)) {
		free(note->home);
		note->home = home.len > 0 ? mem_dup_try((const char *)home.data, home.len) : NULL;
	}
	buf_clear(&note->label);
	buf_add(&note->label, label.data, label.len);
	free_if_empty(subjects, note);
}

void subjects_expect(struct subjects *subjects, struct span subject, struct span label)
{
	struct subject_note *note = made(subjects, subject);
	note->pending++;
	buf_clear(&note->pending_label);
	buf_add(&note->pending_label, label.data, label.len);
}

void subjects_settle(struct subjects *subjects, struct span subject)
{
	struct subject_note *note = find(subjects, subject);
	ensure(note && note->pending > 0);
	note->pending--;
	free_if_empty(subjects, note);
}
