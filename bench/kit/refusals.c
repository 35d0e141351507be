/* Refused is what ends with the status that says so; anything else is a fault. */
#include "kit/refusals.h"

#include <stdlib.h>
#include <time.h>

#include "kit/process.h"
#include "topic/reading.h"

#define BODY_LEN 256
#define WAIT_NS ((uint64_t)20 * 1000000000)

static bool expect(enum lyc_status status, enum lyc_status wanted, const char *what,
		   struct measure *measure)
{
	if (status == wanted)
		return true;
	contest_fail(measure, "%s ended with %s, not with %s", what, lyc_status_name(status),
		     lyc_status_name(wanted));
	return false;
}

static enum lyc_status call(struct lyc_client *client, const char *method)
{
	uint8_t *reply;
	size_t len;
	/* The text is required, so no body is a wrong one. */
	enum lyc_status status = lyc_client_call(client, method, "", 0, NULL, &reply, &len, NULL);
	if (status == LYC_OK)
		free(reply);
	return status;
}

bool refusals_of_calls(struct lyc_client *client, struct measure *measure)
{
	return expect(call(client, "lyceum.echo.v1.Echo/Say"), LYC_INVALID_ARGUMENT,
		      "a call with a wrong body", measure) &&
	       expect(call(client, "lyceum.other.v1.Other/Say"), LYC_PERMISSION_DENIED,
		      "a call without a right", measure);
}

static enum lyc_status publish(struct lyc_client *client, const char *subject, const uint8_t *body,
			       size_t len)
{
	return lyc_client_publish(client, subject, body, len, NULL, NULL, NULL);
}

/* A plugin brings the topic's type: it may still be starting. */
static enum lyc_status publish_when_known(struct lyc_client *client, const char *subject,
					  const uint8_t *body, size_t len)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	uint64_t until_ns = now_ns() + WAIT_NS;
	enum lyc_status status = publish(client, subject, body, len);
	while (status == LYC_NOT_FOUND && now_ns() < until_ns) {
		nanosleep(&pause, NULL);
		status = publish(client, subject, body, len);
	}
	return status;
}

bool refusals_of_publishes(struct lyc_client *client, struct measure *measure)
{
	uint8_t body[BODY_LEN];
	char subject[80];
	reading_subject(subject, sizeof(subject), 1, 0, '.');
	reading_write_hidden(body, sizeof(body), 1, 0, READING_HIDDEN);
	if (!expect(publish_when_known(client, subject, body, sizeof(body)), LYC_OK,
		    "a publish that nobody may see", measure))
		return false;
	reading_write(body, sizeof(body), 1, 0, 0);
	return expect(publish(client, subject, body, sizeof(body) - 1), LYC_INVALID_ARGUMENT,
		      "a publish with a wrong body", measure) &&
	       expect(publish(client, "lyceum.other.v1.Other.a", body, sizeof(body)),
		      LYC_PERMISSION_DENIED, "a publish without a right", measure);
}
