/* Spans of time, written for people and read from them. */
#include "age.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

void age_write(struct buf *to, uint64_t ms)
{
	uint64_t seconds = ms / 1000;
	uint64_t minutes = seconds / 60;
	uint64_t hours = minutes / 60;
	if (ms < 1000)
		buf_add_format(to, "%llu ms", (unsigned long long)ms);
	else if (seconds < 60)
		buf_add_format(to, "%llu s", (unsigned long long)seconds);
	else if (minutes < 60)
		buf_add_format(to, "%llu min", (unsigned long long)minutes);
	else if (hours < 24 && minutes % 60)
		buf_add_format(to, "%llu h %llu min", (unsigned long long)hours,
			       (unsigned long long)(minutes % 60));
	else if (hours < 24)
		buf_add_format(to, "%llu h", (unsigned long long)hours);
	else if (hours % 24)
		buf_add_format(to, "%llu d %llu h", (unsigned long long)(hours / 24),
			       (unsigned long long)(hours % 24));
	else
		buf_add_format(to, "%llu d", (unsigned long long)(hours / 24));
}

void age_write_ago(struct buf *to, uint64_t ms)
{
	if (ms < 1000) {
		buf_add_text(to, "now");
		return;
	}
	age_write(to, ms);
	buf_add_text(to, " ago");
}

bool age_read(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {{"ms", 1},     {"s", 1000},   {"", 1000},    {"m", 60e3},
		     {"min", 60e3}, {"h", 3600e3}, {"d", 86400e3}};
	char *end = NULL;
	if (*text < '0' || *text > '9')
		return false;
	double number = strtod(text, &end);
	while (*end == ' ')
		end++;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		double ms = number * units[i].ms;
		if (!(ms >= 0 && ms < 9e15))
			return false;
		*ret_ms = (uint64_t)ms;
		return true;
	}
	return false;
}

void age_write_moment(struct buf *to, uint64_t unix_ms)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm parts;
	char text[40];
	if (unix_ms / 1000 > 253402300799ULL || !gmtime_r(&seconds, &parts) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts))
		buf_add_format(to, "%llu", (unsigned long long)unix_ms);
	else
		buf_add_text(to, text);
}
