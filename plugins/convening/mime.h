/*
 * A mail as bytes: headers by RFC 5322 and 2047, a plain text, and where there is one the calendar
 * part (iTIP) with the same .ics as an attachment. Pure code. A line break or other control
 * character in anything that becomes a header is refused, so nobody writes headers into a name.
 */
#ifndef CONVENING_MIME_H
#define CONVENING_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#define MIME_ID_SIZE 320
#define MIME_MAX_SUBJECT 500
#define MIME_MAX_NAME 200
#define MIME_MAX_TEXT (64 * 1024)
#define MIME_MAX_CALENDAR (512 * 1024)

struct mime_person {
	const char *name; /* UTF-8; "" or NULL: none */
	const char *address;
};

struct mime_mail {
	const char *id; /* as mime_id wrote it */
	int64_t at_s;   /* Date: seconds since 1970, UTC */
	struct mime_person from;
	struct mime_person to;
	const char *reply_to; /* an address; NULL: none */

	const char *subject;  /* UTF-8, one line */
	const char *language; /* "en", "cy", "cy, en"; NULL: not said */
	const char *text;     /* UTF-8, lines ended by \n */

	/* What part `calendar` wrote; NULL: no invitation in it. */
	const char *calendar;
	const char *method; /* "REQUEST", "CANCEL": equal to the calendar's METHOD */

	/* Where one leaves the list with a click; NULL: no header, the text should say how. */
	const char *leave_url;
};

/* "<0a1b...@wales.example>": the same for the same mail however often it is tried, and it names
 * nobody. `kind` tells mails of one event, person and sequence apart: "invite", "reminder-1440". */
void mime_id(char to[MIME_ID_SIZE], const char *event, const char *person, uint32_t sequence,
	     const char *kind, const char *from_address);
/* "ada@example.org", not longer than 254, one @, printable ASCII without <>()[],;:\" and spaces. */
bool mime_is_address(const char *text);
/* The whole message with CRLF line ends; the caller frees. INVALID_ARGUMENT: error names the field
 * ("subject") and says what is wrong with it, without repeating it. */
LYC_MUST_USE enum lyc_status mime_write(const struct mime_mail *mail, char **ret_bytes,
					size_t *ret_len, struct lyc_error *error);

#endif
