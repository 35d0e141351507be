/* What the daemons say goes to the trace, beside the history, and nowhere else. */
#include "spoken.h"

#include <stdarg.h>
#include <stdio.h>

#include "log.h"
#include "sim_node.h"

static const struct sim *speaking;

void spoken_set(const struct sim *sim)
{
	speaking = sim;
}

void __wrap_log_write(enum log_level level, const char *topic, const char *sentence, ...);
void __wrap_log_write(enum log_level level, const char *topic, const char *sentence, ...)
{
	va_list args;
	const char *name;
	if (!speaking || !speaking->is_tracing)
		return;
	fprintf(stderr, "%8llu.%03llu   %s %d %s: %s", (unsigned long long)sim_ms(speaking),
		(unsigned long long)(speaking->now_us % 1000),
		speaking->current ? speaking->current->name : "", (int)level, topic, sentence);
	va_start(args, sentence);
	while ((name = va_arg(args, const char *))) {
		const char *value = va_arg(args, const char *);
		fprintf(stderr, " %s=%s", name, value ? value : "");
	}
	va_end(args);
	fprintf(stderr, "\n");
}
