/* Numbered records. */
#include "replay/tape.h"

#include <string.h>

#include "kit/process.h"
#include "topic/reading.h"

static uint8_t bodies[TAPE_SUBJECTS][READING_MAX_LEN];
static char subjects[TAPE_SUBJECTS][80];

void tape_init(struct tape *tape, const struct workload *work)
{
	*tape = (struct tape){.count = work->count, .len = work->size};
	for (unsigned i = 0; i < TAPE_SUBJECTS; i++) {
		reading_write(bodies[i], work->size, 1, i, 0);
		reading_subject(subjects[i], sizeof(subjects[i]), 1, i, '.');
	}
}

bool tape_next(struct tape *tape, const uint8_t **ret_body, const char **ret_subject)
{
	size_t at = tape->written % TAPE_SUBJECTS;
	if (tape->written == tape->count)
		return false;
	reading_set_number(bodies[at], tape->written++);
	*ret_body = bodies[at];
	*ret_subject = subjects[at];
	return true;
}

void tape_begin(struct tape *tape, const struct contestant *contestant)
{
	tape->cpu_from = contest_cpu(contestant);
	tape->from_ns = now_ns();
}

void tape_read(struct tape *tape, const uint8_t *body, size_t len)
{
	if (reading_number(body, len) != tape->read)
		tape->wrong++;
	tape->read++;
}

bool tape_is_read(const struct tape *tape)
{
	return tape->read >= tape->count;
}

void tape_end(struct tape *tape, const struct contestant *contestant, struct measure *ret_measure)
{
	double seconds = (double)(now_ns() - tape->from_ns) / 1e9;
	ret_measure->lost = tape->count - tape->read + tape->wrong;
	ret_measure->value = (double)tape->read / seconds;
	contest_cpu_between(tape->cpu_from, contest_cpu(contestant), tape->read, ret_measure);
}
