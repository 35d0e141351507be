/*
 * Every text that becomes a header is checked first, then folded or encoded by words of at most 75
 * characters. Boundaries are made from the message's id, so the same mail is the same bytes at each
 * try; they hold "=_", which neither quoted-printable nor base64 ever has.
 */
#include "mime.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE 76
#define MAX_ADDRESS 254
#define MAX_LOCAL 64
#define ID_BYTES 16
/* Bytes of text in one encoded word: with "=?UTF-8?B?" and "?=" it fills a line. */
#define WORD_BYTES 45

/* ---- What may be said ---- */

static enum lyc_status refuse(struct lyc_error *error, const char *field, const char *text)
{
	*error = (struct lyc_error){.status = LYC_INVALID_ARGUMENT};
	snprintf(error->field, sizeof(error->field), "%s", field);
	snprintf(error->text, sizeof(error->text), "%s %s", field, text);
	return LYC_INVALID_ARGUMENT;
}

/* The length of the UTF-8 character at `at`; 0: none is there. */
static size_t character(const unsigned char *at)
{
	static const unsigned char lead[][3] = {
		{0x80, 0x00, 1}, {0xe0, 0xc0, 2}, {0xf0, 0xe0, 3}, {0xf8, 0xf0, 4}};

	for (size_t i = 0; i < 4; i++) {
		if ((at[0] & lead[i][0]) != lead[i][1])
			continue;
		for (size_t k = 1; k < lead[i][2]; k++) {
			if ((at[k] & 0xc0) != 0x80)
				return 0;
		}
		bool is_overlong =
			(lead[i][2] == 2 && at[0] < 0xc2) ||
			(lead[i][2] == 3 && at[0] == 0xe0 && at[1] < 0xa0) ||
			(lead[i][2] == 3 && at[0] == 0xed && at[1] > 0x9f) ||
			(lead[i][2] == 4 && at[0] == 0xf0 && at[1] < 0x90) ||
			(lead[i][2] == 4 && (at[0] > 0xf4 || (at[0] == 0xf4 && at[1] > 0x8f)));
		return is_overlong ? 0 : lead[i][2];
	}
	return 0;
}

static enum lyc_status check_utf8(const char *field, const char *text, struct lyc_error *error)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		size_t len = character(at);
		if (len == 0)
			return refuse(error, field, "is not UTF-8");
		at += len;
	}
	return LYC_OK;
}

/* One line of text: nothing that could end a header. */
static enum lyc_status check_line(const char *field, const char *text, size_t max,
				  struct lyc_error *error)
{
	if (strlen(text) > max)
		return refuse(error, field, "is too long for a mail");
	for (const char *at = text; *at; at++) {
		if (*at == '\r' || *at == '\n')
			return refuse(error, field,
				      "has a line break, which a mail's header must not have");
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return refuse(error, field, "has a control character");
	}
	return check_utf8(field, text, error);
}

static bool is_word(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] >= 0x7f || strchr("<>()[],;:\\\"@", text[i]))
			return false;
	}
	return len > 0;
}

bool mime_is_address(const char *text)
{
	size_t len = text ? strlen(text) : 0;
	const char *at = len ? strchr(text, '@') : NULL;

	return at && len <= MAX_ADDRESS && (size_t)(at - text) <= MAX_LOCAL &&
	       is_word(text, (size_t)(at - text)) && is_word(at + 1, strlen(at + 1));
}

static enum lyc_status check_address(const char *field, const char *text, struct lyc_error *error)
{
	if (!text || !mime_is_address(text))
		return refuse(error, field, "is not a mail address in plain ASCII");
	return LYC_OK;
}

static enum lyc_status check_url(const char *field, const char *text, struct lyc_error *error)
{
	if (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0)
		return refuse(error, field, "is not a web address");
	if (strlen(text) > 900)
		return refuse(error, field, "is too long for a mail");
	for (const char *at = text; *at; at++) {
		if (*at <= ' ' || *at >= 0x7f || *at == '<' || *at == '>')
			return refuse(error, field, "is not a web address");
	}
	return LYC_OK;
}

/* A calendar whose METHOD is another than the header's is not understood by the programs of the
 * invited. */
static enum lyc_status check_calendar(const struct mime_mail *mail, struct lyc_error *error)
{
	char line[40];

	if (strlen(mail->calendar) > MIME_MAX_CALENDAR)
		return refuse(error, "calendar", "is too long for a mail");
	size_t len = mail->method ? strlen(mail->method) : 0;
	if (len == 0 || len > 20 || strspn(mail->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != len)
		return refuse(error, "method", "is not a method of a calendar, like REQUEST");
	snprintf(line, sizeof(line), "\nMETHOD:%s\r\n", mail->method);
	if (!strstr(mail->calendar, line))
		return refuse(error, "method", "is not the one that the calendar names");
	return check_utf8("calendar", mail->calendar, error);
}

static enum lyc_status check(const struct mime_mail *mail, struct lyc_error *error)
{
	const char *from = mail->from.name ? mail->from.name : "";
	const char *to = mail->to.name ? mail->to.name : "";
	const char *language = mail->language ? mail->language : "";
	enum lyc_status status;

	if ((status = check_line("id", mail->id, MIME_ID_SIZE, error)) != LYC_OK ||
	    (status = check_line("from", from, MIME_MAX_NAME, error)) != LYC_OK ||
	    (status = check_address("from", mail->from.address, error)) != LYC_OK ||
	    (status = check_line("to", to, MIME_MAX_NAME, error)) != LYC_OK ||
	    (status = check_address("to", mail->to.address, error)) != LYC_OK ||
	    (status = check_line("subject", mail->subject, MIME_MAX_SUBJECT, error)) != LYC_OK ||
	    (status = check_line("language", language, 40, error)) != LYC_OK ||
	    (status = check_utf8("text", mail->text, error)) != LYC_OK)
		return status;
	if (strlen(mail->text) > MIME_MAX_TEXT)
		return refuse(error, "text", "is too long for a mail");
	if (mail->reply_to && (status = check_address("reply_to", mail->reply_to, error)) != LYC_OK)
		return status;
	if (mail->leave_url && (status = check_url("leave_url", mail->leave_url, error)) != LYC_OK)
		return status;
	return mail->calendar ? check_calendar(mail, error) : LYC_OK;
}

/* ---- Encodings ---- */

static size_t base64(char *to, const unsigned char *bytes, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *start = to;

	for (size_t i = 0; i < len; i += 3) {
		unsigned group = (unsigned)bytes[i] << 16;
		group |= i + 1 < len ? (unsigned)bytes[i + 1] << 8 : 0;
		group |= i + 2 < len ? bytes[i + 2] : 0;
		*to++ = digits[group >> 18];
		*to++ = digits[group >> 12 & 63];
		*to++ = i + 1 < len ? digits[group >> 6 & 63] : '=';
		*to++ = i + 2 < len ? digits[group & 63] : '=';
	}
	*to = '\0';
	return (size_t)(to - start);
}

static void write_base64(FILE *to, const char *bytes)
{
	char line[LINE + 1];
	size_t len = strlen(bytes);

	for (size_t at = 0; at < len; at += LINE / 4 * 3) {
		size_t part = len - at < LINE / 4 * 3 ? len - at : LINE / 4 * 3;
		base64(line, (const unsigned char *)bytes + at, part);
		fprintf(to, "%s\r\n", line);
	}
}

/* Quoted-printable; a line ends with \n or \r\n. */
static void write_quoted(FILE *to, const char *text)
{
	size_t used = 0;

	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if (*at == '\n' || (*at == '\r' && at[1] == '\n')) {
			at += *at == '\r';
			fputs("\r\n", to);
			used = 0;
			continue;
		}
		bool ends_line = at[1] == '\n' || at[1] == '\r' || at[1] == '\0';
		bool is_blank = *at == ' ' || *at == '\t';
		bool is_plain = (*at > ' ' && *at < 0x7f && *at != '=') || (is_blank && !ends_line);
		size_t need = is_plain ? 1 : 3;
		/* The last place of a line is for the "=" of a soft break. */
		if (used + need > LINE - 1) {
			fputs("=\r\n", to);
			used = 0;
		}
		if (is_plain)
			fputc(*at, to);
		else
			fprintf(to, "=%02X", *at);
		used += need;
	}
	if (used > 0)
		fputs("\r\n", to);
}

/* ---- Headers ---- */

static bool is_plain(const char *text)
{
	for (const char *at = text; *at; at++) {
		if (*at < ' ' || *at > '~' || (at[0] == '=' && at[1] == '?'))
			return false;
	}
	return true;
}

/* Encoded words, cut between characters; `used` is what the line has already. */
static void write_words(FILE *to, const char *text, size_t used)
{
	const unsigned char *at = (const unsigned char *)text;
	char coded[WORD_BYTES / 3 * 4 + 5];

	for (bool is_first = true; *at; is_first = false) {
		size_t room = (LINE - 12 - used) / 4 * 3;
		size_t len = 0;
		while (at[len] && len + character(at + len) <= room)
			len += character(at + len);
		base64(coded, at, len);
		fprintf(to, "%s=?UTF-8?B?%s?=", is_first ? "" : "\r\n ", coded);
		at += len;
		used = 1;
	}
}

/* Folded before a word that would go beyond the line; one space between words. */
static void write_folded(FILE *to, const char *text, size_t used)
{
	const char *at = text + strspn(text, " ");

	for (bool is_first = true; *at; is_first = false) {
		size_t len = strcspn(at, " ");
		bool is_folded = !is_first && used + 1 + len > LINE;
		fprintf(to, "%s%.*s", is_folded ? "\r\n " : is_first ? "" : " ", (int)len, at);
		used = is_folded ? 1 + len : used + !is_first + len;
		at += len;
		at += strspn(at, " ");
	}
}

static void write_person(FILE *to, const char *header, const struct mime_person *person)
{
	const char *name = person->name ? person->name : "";
	size_t used = strlen(header) + 2;

	fprintf(to, "%s: ", header);
	if (!name[0]) {
		fprintf(to, "%s\r\n", person->address);
		return;
	}
	if (!is_plain(name) || strlen(name) > LINE / 2) {
		write_words(to, name, used);
	} else {
		fputc('"', to);
		for (const char *at = name; *at; at++)
			fprintf(to, "%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
		fputc('"', to);
	}
	fprintf(to, "\r\n <%s>\r\n", person->address);
}

static void write_date(FILE *to, int64_t at_s)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t at = (time_t)at_s;
	struct tm tm = {0};

	gmtime_r(&at, &tm);
	fprintf(to, "Date: %.3s, %d %.3s %d %02d:%02d:%02d +0000\r\n", days + 3 * tm.tm_wday,
		tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		tm.tm_sec);
}

static void write_headers(FILE *to, const struct mime_mail *mail)
{
	write_date(to, mail->at_s);
	write_person(to, "From", &mail->from);
	write_person(to, "To", &mail->to);
	if (mail->reply_to)
		fprintf(to, "Reply-To: %s\r\n", mail->reply_to);
	fputs("Subject: ", to);
	if (is_plain(mail->subject))
		write_folded(to, mail->subject, strlen("Subject: "));
	else
		write_words(to, mail->subject, strlen("Subject: "));
	fprintf(to, "\r\nMessage-ID: %s\r\n", mail->id);
	if (mail->leave_url)
		fprintf(to, "List-Unsubscribe: <%s>\r\n", mail->leave_url);
	fputs("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n", to);
}

/* ---- The whole ---- */

static void hash(char to[2 * ID_BYTES + 1], const char *text, size_t len)
{
	unsigned char bytes[ID_BYTES];

	crypto_generichash(bytes, sizeof(bytes), (const unsigned char *)text, len, NULL, 0);
	sodium_bin2hex(to, 2 * ID_BYTES + 1, bytes, sizeof(bytes));
}

void mime_id(char to[MIME_ID_SIZE], const char *event, const char *person, uint32_t sequence,
	     const char *kind, const char *from_address)
{
	const char *at = strchr(from_address, '@');
	crypto_generichash_state state;
	unsigned char bytes[ID_BYTES];
	char hex[2 * ID_BYTES + 1], number[16];
	const char *const parts[] = {event, person, number, kind};

	snprintf(number, sizeof(number), "%u", (unsigned)sequence);
	crypto_generichash_init(&state, NULL, 0, sizeof(bytes));
	for (size_t i = 0; i < 4; i++)
		crypto_generichash_update(&state, (const unsigned char *)parts[i],
					  strlen(parts[i]) + 1);
	crypto_generichash_final(&state, bytes, sizeof(bytes));
	sodium_bin2hex(hex, sizeof(hex), bytes, sizeof(bytes));
	snprintf(to, MIME_ID_SIZE, "<%s@%.*s>", hex, MAX_ADDRESS, at ? at + 1 : "localhost");
}

static void write_text(FILE *to, const struct mime_mail *mail)
{
	fputs("Content-Type: text/plain; charset=UTF-8\r\n"
	      "Content-Transfer-Encoding: quoted-printable\r\n",
	      to);
	if (mail->language && mail->language[0])
		fprintf(to, "Content-Language: %s\r\n", mail->language);
	fputs("\r\n", to);
	write_quoted(to, mail->text);
}

static void write_parts(FILE *to, const struct mime_mail *mail)
{
	char mark[2 * ID_BYTES + 1];

	if (!mail->calendar) {
		write_text(to, mail);
		return;
	}
	hash(mark, mail->id, strlen(mail->id));
	fprintf(to,
		"Content-Type: multipart/mixed;\r\n boundary=\"=_m%s\"\r\n\r\n"
		"--=_m%s\r\n"
		"Content-Type: multipart/alternative;\r\n boundary=\"=_a%s\"\r\n\r\n"
		"--=_a%s\r\n",
		mark, mark, mark, mark);
	write_text(to, mail);
	fprintf(to,
		"\r\n--=_a%s\r\n"
		"Content-Type: text/calendar; charset=UTF-8; method=%s\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n",
		mark, mail->method);
	write_base64(to, mail->calendar);
	fprintf(to,
		"\r\n--=_a%s--\r\n\r\n--=_m%s\r\n"
		"Content-Type: application/ics; name=\"event.ics\"\r\n"
		"Content-Disposition: attachment; filename=\"event.ics\"\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n",
		mark, mark);
	write_base64(to, mail->calendar);
	fprintf(to, "\r\n--=_m%s--\r\n", mark);
}

enum lyc_status mime_write(const struct mime_mail *mail, char **ret_bytes, size_t *ret_len,
			   struct lyc_error *error)
{
	char *bytes = NULL;
	size_t len = 0;
	enum lyc_status status = check(mail, error);

	if (status != LYC_OK)
		return status;
	FILE *to = open_memstream(&bytes, &len);
	if (to) {
		write_headers(to, mail);
		write_parts(to, mail);
	}
	if (!to || (ferror(to) | fclose(to)) != 0) {
		free(bytes);
		*error = (struct lyc_error){.status = LYC_RESOURCE_EXHAUSTED,
					    .text = "there is no memory for the mail"};
		return LYC_RESOURCE_EXHAUSTED;
	}
	*ret_bytes = bytes;
	*ret_len = len;
	return LYC_OK;
}
