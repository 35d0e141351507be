/* The daemon's log. One line per event, to stderr. */
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

static struct {
	enum log_format format;
	enum log_level level;
	char daemon[64];
} settings = {LOG_AUTO, LOG_NOTICE, "lyceumd"};

static const char *const level_names[] = {"", "error", "warning", "notice", "info", "debug"};

void log_configure(enum log_format format, enum log_level level, const char *daemon)
{
	settings.format = format;
	if (format == LOG_AUTO)
		settings.format = isatty(STDERR_FILENO) ? LOG_TEXT : LOG_JSON;
	settings.level = level ? level : LOG_NOTICE;
	snprintf(settings.daemon, sizeof(settings.daemon), "%s", daemon);
}

static void add_quoted(struct buf *line, const char *text)
{
	buf_add_byte(line, '"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\') {
			buf_add_byte(line, '\\');
			buf_add_byte(line, c);
		} else if (c < 0x20) {
			buf_add_format(line, "\\u%04x", c);
		} else {
			buf_add_byte(line, c);
		}
	}
	buf_add_byte(line, '"');
}

static void add_time(struct buf *line, bool is_json)
{
	struct timespec now;
	struct tm parts;
	char text[40];
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	strftime(text, sizeof(text), is_json ? "%Y-%m-%dT%H:%M:%S" : "%H:%M:%S", &parts);
	buf_add_format(line, is_json ? "%s.%03ldZ" : "%s.%03ld", text, now.tv_nsec / 1000000);
}

void log_write(enum log_level level, const char *topic, const char *sentence, ...)
{
	if (level > settings.level)
		return;
	bool is_json = settings.format == LOG_JSON;
	struct buf line = {0};
	if (is_json) {
		buf_add_text(&line, "{\"time\":\"");
		add_time(&line, true);
		buf_add_format(&line,
			       "\",\"level\":\"%s\",\"daemon\":\"%s\",\"topic\":\"%s\",\"text\":",
			       level_names[level], settings.daemon, topic);
		add_quoted(&line, sentence);
	} else {
		add_time(&line, false);
		buf_add_format(&line, " %s %-7s %s: %s", settings.daemon, level_names[level], topic,
			       sentence);
	}
	va_list args;
	va_start(args, sentence);
	for (;;) {
		const char *name = va_arg(args, const char *);
		if (!name)
			break;
		const char *value = va_arg(args, const char *);
		buf_add_format(&line, is_json ? ",\"%s\":" : " %s=", name);
		add_quoted(&line, value ? value : "");
	}
	va_end(args);
	buf_add_text(&line, is_json ? "}\n" : "\n");
	if (!line.has_failed)
		fwrite(line.data, 1, line.len, stderr);
	buf_fini(&line);
}

const char *log_number(unsigned long long value)
{
	static char texts[8][24];
	static unsigned next;
	char *text = texts[next++ % 8];
	snprintf(text, sizeof(texts[0]), "%llu", value);
	return text;
}
