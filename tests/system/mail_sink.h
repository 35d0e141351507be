/*
 * A small SMTP server of the story's own, on a thread: takes every mail and keeps it. That mail
 * goes through a real server is shown elsewhere; here it is counted and read.
 */
#ifndef LYC_SYSTEM_MAIL_SINK_H
#define LYC_SYSTEM_MAIL_SINK_H

#include <stddef.h>

struct mail_sink;

struct mail_sink *mail_sink_new(void);
void mail_sink_free(struct mail_sink *sink);
/* "smtp://127.0.0.1:12345" */
const char *mail_sink_url(const struct mail_sink *sink);
/* How many mails have come to this address whose text holds this (decoded;
 * NULL: any). */
size_t mail_sink_count(struct mail_sink *sink, const char *to, const char *text);
/* A copy of the newest such mail; NULL. The caller frees. */
char *mail_sink_last(struct mail_sink *sink, const char *to, const char *text);

#endif
