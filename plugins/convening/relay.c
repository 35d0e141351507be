/*
 * What the relay says is heard line by line, since libcurl keeps only its codes. A 5xx is for good
 * where it is about this mail (MAIL, RCPT, DATA); where the relay refuses us (greeting, sign-in, no
 * encryption) the operator has to mend something, so the mail waits.
 */
#include "relay.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <curl/curl.h>

#include "mime.h"

#define DEFAULT_TIMEOUT_MS 60000
#define MAX_CONNECT_MS 20000
#define MAX_SIGN_IN 256
/* The relay drops idle connections after minutes; a dead one would cost a mail a try. */
#define MAX_IDLE_S 20L

struct relay {
	CURL *curl;
	char *url, *from, *ca_file;
	char user[MAX_SIGN_IN], password[MAX_SIGN_IN];
	bool is_encrypted;
	uint32_t timeout_ms;

	bool (*is_over)(void *arg);
	void *arg;

	/* Of the try that is under way. */
	const char *bytes;
	size_t len, at;
	bool is_all_read;
	int code;
	char line[600];
};

/* ---- Settings ---- */

static enum lyc_status refuse(struct lyc_error *error, const char *field, const char *text)
{
	*error = (struct lyc_error){.status = LYC_INVALID_ARGUMENT};
	snprintf(error->field, sizeof(error->field), "%s", field);
	snprintf(error->text, sizeof(error->text), "%s", text);
	return LYC_INVALID_ARGUMENT;
}

static bool is_this_machine(const char *host, size_t len)
{
	return (len == 9 && strncasecmp(host, "localhost", 9) == 0) ||
	       (len > 4 && strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == len) ||
	       (len == 5 && strncmp(host, "[::1]", 5) == 0);
}

/* Encrypted from the first byte, or by STARTTLS; not on this machine, unless it is known whom to
 * trust there. */
static enum lyc_status check_url(const struct mail_settings *settings, bool *ret_is_encrypted,
				 struct lyc_error *error)
{
	const char *url = settings->relay ? settings->relay : "";
	bool is_smtps = strncmp(url, "smtps://", 8) == 0;

	if (!is_smtps && strncmp(url, "smtp://", 7) != 0)
		return refuse(error, "relay",
			      "the relay is written like smtp://mail.example.org:587 or "
			      "smtps://mail.example.org:465");
	const char *host = url + (is_smtps ? 8 : 7);
	size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
	if (strchr(host, '@'))
		return refuse(error, "relay",
			      "user and password of the relay belong into the credentials_file");
	if (len == 0 || strspn(host + len, ":0123456789") != strlen(host + len) || len > 253)
		return refuse(error, "relay",
			      "the relay is a host and a port, nothing behind them");
	*ret_is_encrypted = is_smtps || settings->ca_file || !is_this_machine(host, len);
	return LYC_OK;
}

static bool read_line(FILE *file, char to[MAX_SIGN_IN])
{
	if (!fgets(to, MAX_SIGN_IN, file))
		return false;
	to[strcspn(to, "\r\n")] = '\0';
	return to[0] != '\0';
}

static enum lyc_status read_credentials(const char *path, char user[MAX_SIGN_IN],
					char password[MAX_SIGN_IN], struct lyc_error *error)
{
	struct stat found;
	FILE *file = fopen(path, "re");
	enum lyc_status status = LYC_OK;

	if (!file)
		return refuse(error, "credentials_file", "the credentials_file cannot be read");
	if (fstat(fileno(file), &found) != 0 || !S_ISREG(found.st_mode) || (found.st_mode & 077))
		status = refuse(error, "credentials_file",
				"the credentials_file may be read by others: chmod 600");
	else if (!read_line(file, user) || !read_line(file, password))
		status = refuse(error, "credentials_file",
				"the credentials_file has the user in its first line and the "
				"password in its second");
	fclose(file);
	return status;
}

static enum lyc_status check(const struct mail_settings *settings, struct relay *relay,
			     struct lyc_error *error)
{
	enum lyc_status status = check_url(settings, &relay->is_encrypted, error);

	if (status != LYC_OK)
		return status;
	if (!mime_is_address(settings->from))
		return refuse(error, "from", "from is not a mail address");
	FILE *file = settings->ca_file ? fopen(settings->ca_file, "re") : NULL;
	if (settings->ca_file && !file)
		return refuse(error, "ca_file", "the ca_file cannot be read");
	if (file)
		fclose(file);
	if (!settings->credentials_file)
		return LYC_OK;
	return read_credentials(settings->credentials_file, relay->user, relay->password, error);
}

/* ---- What is said and heard ---- */

static size_t on_read(char *to, size_t size, size_t count, void *arg)
{
	struct relay *relay = arg;
	size_t len = relay->len - relay->at;

	if (len > size * count)
		len = size * count;
	memcpy(to, relay->bytes + relay->at, len);
	relay->at += len;
	relay->is_all_read |= len == 0;
	return len;
}

/* The last answer but the one to QUIT. */
static size_t on_line(char *line, size_t size, size_t count, void *arg)
{
	struct relay *relay = arg;
	size_t len = size * count;

	if (len >= 4 && isdigit((unsigned char)line[0]) && strncmp(line, "221", 3) != 0) {
		relay->code = (int)strtol(line, NULL, 10);
		snprintf(relay->line, sizeof(relay->line), "%.*s", (int)len, line);
	}
	return len;
}

static int on_progress(void *arg, curl_off_t to_read, curl_off_t was_read, curl_off_t to_write,
		       curl_off_t was_written)
{
	const struct relay *relay = arg;

	(void)to_read;
	(void)was_read;
	(void)to_write;
	(void)was_written;
	return relay->is_over(relay->arg);
}

static bool is_local_part(const char *at, const char *to, size_t len)
{
	return len >= 3 && strncasecmp(at, to, len) == 0 && !isalnum((unsigned char)at[len]);
}

void relay_plain(char said[MAIL_SAID_SIZE], const char *text, const char *to)
{
	size_t local = strcspn(to, "@"), used = 0;

	while (*text && used < MAIL_SAID_SIZE - 12) {
		size_t len = strcspn(text, " \t\r\n");
		bool has_address = memchr(text, '@', len) != NULL;
		for (size_t i = 0; i < len && !has_address; i++)
			has_address = (i == 0 || !isalnum((unsigned char)text[i - 1])) &&
				      is_local_part(text + i, to, local);
		if (has_address)
			used += (size_t)snprintf(said + used, MAIL_SAID_SIZE - used, "(address)");
		for (size_t i = 0; i < len && !has_address && used < MAIL_SAID_SIZE - 12; i++)
			said[used++] = (char)(text[i] > ' ' && text[i] < 0x7f ? text[i] : '?');
		text += len;
		text += strspn(text, " \t\r\n");
		if (*text && used > 0)
			said[used++] = ' ';
	}
	said[used] = '\0';
}

/* ---- A try ---- */

/* What a 5xx is about: not the mail, but that we may not send here, or not in this way. */
static bool is_about_us(int code)
{
	static const int codes[] = {500, 502, 503, 521, 530, 534, 535, 538};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i] == code)
			return true;
	}
	return false;
}

static enum mail_outcome judge(const struct relay *relay, CURLcode result)
{
	/* To MAIL, RCPT or DATA, or to what followed it; a greeting is none. */
	bool is_answer = result == CURLE_SEND_ERROR || result == CURLE_RECV_ERROR ||
			 (result == CURLE_WEIRD_SERVER_REPLY && relay->at > 0);

	if (result == CURLE_OK)
		return MAIL_SENT;
	if (relay->is_all_read && relay->code == 354)
		return MAIL_DOUBTFUL;
	return is_answer && relay->code >= 500 && !is_about_us(relay->code) ? MAIL_REFUSED
									    : MAIL_LATER;
}

static const char *explain(const struct relay *relay, CURLcode result, enum mail_outcome outcome)
{
	if (outcome == MAIL_DOUBTFUL)
		return "the relay took the mail and its answer was not heard";
	if (relay->code >= 400 || result == CURLE_OK)
		return relay->line;
	switch (result) {
	case CURLE_OPERATION_TIMEDOUT:
		return "the relay did not answer in time";
	case CURLE_SSL_CONNECT_ERROR:
		return "no encrypted connection: the relay's certificate or its encryption is not "
		       "right";
	case CURLE_PEER_FAILED_VERIFICATION:
		return "the relay's certificate is not trusted, or is for another name";
	case CURLE_USE_SSL_FAILED:
		return "the relay does not offer encryption, and without it nothing is sent";
	case CURLE_LOGIN_DENIED:
		return "the relay does not take the user or the password";
	case CURLE_ABORTED_BY_CALLBACK:
		return "the node was stopped";
	default:
		return curl_easy_strerror(result);
	}
}

void relay_try(struct relay *relay, const char *to, const char *bytes, size_t len,
	       struct mail_result *result)
{
	struct curl_slist *list = NULL;
	char recipient[300];

	relay->bytes = bytes;
	relay->len = len;
	relay->at = 0;
	relay->is_all_read = false;
	relay->code = 0;
	relay->line[0] = '\0';
	snprintf(recipient, sizeof(recipient), "<%s>", to);
	list = curl_slist_append(NULL, recipient);
	curl_easy_setopt(relay->curl, CURLOPT_MAIL_RCPT, list);
	curl_easy_setopt(relay->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)len);
	CURLcode code = list ? curl_easy_perform(relay->curl) : CURLE_OUT_OF_MEMORY;
	curl_easy_setopt(relay->curl, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(list);
	result->outcome = judge(relay, code);
	result->code = result->outcome == MAIL_DOUBTFUL ? 0 : relay->code;
	relay_plain(result->said, explain(relay, code, result->outcome), to);
}

static void set_options(struct relay *relay)
{
	CURL *curl = relay->curl;
	long timeout_ms = (long)relay->timeout_ms;

	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_URL, relay->url);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, relay->from);
	curl_easy_setopt(curl, CURLOPT_USE_SSL,
			 relay->is_encrypted ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_NONE);
	if (relay->ca_file) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, relay->ca_file);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	if (relay->user[0]) {
		curl_easy_setopt(curl, CURLOPT_USERNAME, relay->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, relay->password);
	}
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
			 timeout_ms < MAX_CONNECT_MS ? timeout_ms : MAX_CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, timeout_ms / 1000 + 1);
	curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, MAX_IDLE_S);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(curl, CURLOPT_READDATA, relay);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_line);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, relay);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, relay);
}

enum lyc_status relay_new(const struct mail_settings *settings, bool (*is_over)(void *arg),
			  void *arg, struct relay **ret_relay, struct lyc_error *error)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	enum lyc_status status = LYC_RESOURCE_EXHAUSTED;

	if (relay)
		status = check(settings, relay, error);
	if (status == LYC_OK) {
		relay->is_over = is_over;
		relay->arg = arg;
		relay->timeout_ms =
			settings->timeout_ms ? settings->timeout_ms : DEFAULT_TIMEOUT_MS;
		relay->url = strdup(settings->relay);
		relay->ca_file = settings->ca_file ? strdup(settings->ca_file) : NULL;
		if (asprintf(&relay->from, "<%s>", settings->from) < 0)
			relay->from = NULL;
		relay->curl =
			curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
		if (!relay->url || !relay->from || !relay->curl ||
		    (settings->ca_file && !relay->ca_file))
			status = LYC_RESOURCE_EXHAUSTED;
	}
	if (status != LYC_OK) {
		if (status == LYC_RESOURCE_EXHAUSTED)
			*error = (struct lyc_error){.status = status,
						    .text = "there is no memory for sending mail"};
		relay_free(relay);
		return status;
	}
	set_options(relay);
	*ret_relay = relay;
	return LYC_OK;
}

void relay_free(struct relay *relay)
{
	if (!relay)
		return;
	curl_easy_cleanup(relay->curl);
	free(relay->url);
	free(relay->from);
	free(relay->ca_file);
	explicit_bzero(relay->password, sizeof(relay->password));
	free(relay);
}
