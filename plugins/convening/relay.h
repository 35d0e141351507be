/*
 * One try of one mail: the SMTP dialogue, by libcurl, and what its end means. Blocking; for the
 * thread of mail.c.
 */
#ifndef CONVENING_RELAY_H
#define CONVENING_RELAY_H

#include "mail.h"

struct relay;

/* Refuses settings that are wrong, the credentials' file included; error names the field.
 * `is_over` is asked now and then while a try is under way: true breaks it off. */
LYC_MUST_USE enum lyc_status relay_new(const struct mail_settings *settings,
				       bool (*is_over)(void *arg), void *arg,
				       struct relay **ret_relay, struct lyc_error *error);
/* Accepts NULL. */
void relay_free(struct relay *relay);
/* Fills outcome, code and said. The connection stays open for the next one, for a while. */
void relay_try(struct relay *relay, const char *to, const char *bytes, size_t len,
	       struct mail_result *result);
/* `text` as it may be kept and shown: one printable line without addresses, without the part of
 * `to` before its @. */
void relay_plain(char said[MAIL_SAID_SIZE], const char *text, const char *to);

#endif
