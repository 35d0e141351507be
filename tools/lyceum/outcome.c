/* Exit codes and error sentences: everything that the command says on stderr when it fails goes
 * through here, so that all of it looks the same. */
#include "outcome.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell.h"
#include "paint.h"

static bool is_painted = true;

void outcome_set_colour(bool is_on)
{
	is_painted = is_on;
}

static bool has_colour(void)
{
	const char *no_color = getenv("NO_COLOR");
	return is_painted && (!no_color || !*no_color) && isatty(STDERR_FILENO);
}

int outcome_of(enum lyc_status status)
{
	switch (status) {
	case LYC_OK:
		return OUTCOME_OK;
	case LYC_NOT_FOUND:
	case LYC_UNIMPLEMENTED:
		return OUTCOME_NOT_FOUND;
	case LYC_DEADLINE_EXCEEDED:
		return OUTCOME_DEADLINE;
	case LYC_UNAVAILABLE:
	case LYC_UNAUTHENTICATED:
		return OUTCOME_UNREACHABLE;
	default:
		return OUTCOME_REFUSED;
	}
}

static void write_safely(const char *text)
{
	struct buf clean = {0};
	cell_clean(&clean, text, strlen(text));
	fputs(buf_text(&clean), stderr);
	buf_fini(&clean);
}

static void write_sentence(const struct lyc_error *error)
{
	size_t len = strlen(error->field);
	fputs("lyceum: ", stderr);
	/* Many sentences begin with their field. */
	if (len > 0 && strncmp(error->text, error->field, len) != 0) {
		write_safely(error->field);
		fputs(": ", stderr);
	}
	write_safely(*error->text ? error->text : "no reason was given");
}

int outcome_error(const struct lyc_error *error)
{
	bool is_on = has_colour();
	write_sentence(error);
	fprintf(stderr, " %s(%s)%s\n", paint(is_on, PAINT_DIM), lyc_status_name(error->status),
		paint(is_on, PAINT_PLAIN));
	return outcome_of(error->status);
}

int outcome_fault(enum outcome code, const struct lyc_error *error)
{
	write_sentence(error);
	fputc('\n', stderr);
	return code;
}

int outcome_say(enum outcome code, const char *format, ...)
{
	va_list args;
	fputs("lyceum: ", stderr);
	va_start(args, format);
	char *text = NULL;
	if (vasprintf(&text, format, args) >= 0)
		write_safely(text);
	va_end(args);
	free(text);
	fputc('\n', stderr);
	return code;
}
