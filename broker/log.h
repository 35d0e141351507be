/*
 * The daemon's log: a constant lower-case sentence, then pairs of strings. Text on a terminal, JSON
 * lines otherwise. Never payloads, never anything personal. Loop thread only.
 */
#ifndef LYC_BROKER_LOG_H
#define LYC_BROKER_LOG_H

enum log_level { LOG_ERROR = 1, LOG_WARNING = 2, LOG_NOTICE = 3, LOG_INFO = 4, LOG_DEBUG = 5 };
enum log_format { LOG_AUTO = 0, LOG_TEXT = 1, LOG_JSON = 2 };

/* Set once at start; without it: AUTO, NOTICE. */
void log_configure(enum log_format format, enum log_level level, const char *daemon);
/* Pairs of name and value, ended by NULL. A NULL value prints as "". */
void log_write(enum log_level level, const char *topic, const char *sentence, ...)
	__attribute__((sentinel));

#define log_error(...) log_write(LOG_ERROR, LOG_TOPIC, __VA_ARGS__, NULL)
#define log_warning(...) log_write(LOG_WARNING, LOG_TOPIC, __VA_ARGS__, NULL)
#define log_notice(...) log_write(LOG_NOTICE, LOG_TOPIC, __VA_ARGS__, NULL)
#define log_info(...) log_write(LOG_INFO, LOG_TOPIC, __VA_ARGS__, NULL)

/* A number as text for a log pair; one of eight static buffers, so use it at once. */
const char *log_number(unsigned long long value);

#endif
