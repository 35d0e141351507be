/* Draws the progress line over itself. */
#include "import/progress.h"

#include <time.h>
#include <unistd.h>

#define BAR_LEN 24

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void progress_init(struct progress *progress, FILE *to)
{
	int fd = fileno(to);
	*progress = (struct progress){.to = to, .is_shown = fd >= 0 && isatty(fd)};
	progress->started_ms = now_ms();
}

void progress_show(struct progress *progress, const struct progress_state *state)
{
	if (!progress->is_shown)
		return;
	uint64_t now = now_ms();
	if (progress->is_drawn && now - progress->drawn_ms < 100)
		return;
	progress->is_drawn = true;
	progress->drawn_ms = now;
	char bar[BAR_LEN + 1];
	uint64_t full = state->items_total ? state->items * BAR_LEN / state->items_total : 0;
	for (uint64_t i = 0; i < BAR_LEN; i++)
		bar[i] = i < full ? '#' : '.';
	bar[BAR_LEN] = '\0';
	uint64_t passed = now - progress->started_ms;
	fprintf(progress->to, "\r[%s] %llu rows, %llu of %llu items, %llu refused, %llu a second ",
		bar, (unsigned long long)state->rows, (unsigned long long)state->items,
		(unsigned long long)state->items_total, (unsigned long long)state->refused,
		(unsigned long long)(passed ? state->items * 1000 / passed : 0));
	fflush(progress->to);
}

void progress_clear(struct progress *progress)
{
	if (progress->is_drawn)
		fputs("\r\033[K", progress->to);
	progress->is_drawn = false;
}
