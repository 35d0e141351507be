/* Attempts to reach the hub. */
#include "node/uplink.h"

#include <stdio.h>
#include <string.h>

#include "log.h"

#define LOG_TOPIC "uplink"
#define FIRST_BACKOFF_MS 100u
#define LAST_BACKOFF_MS 5000u
#define ATTEMPT_MS 3000u

void uplink_start(struct uplink *uplink, struct link *link)
{
	uplink->link = link;
	uplink->state = UPLINK_WAITING;
	uplink->backoff_ms = FIRST_BACKOFF_MS;
	link->retry_at_ms = uplink->env->now_ms(uplink->env->world);
	snprintf(link->text, sizeof(link->text), "trying");
}

static void say_hello(struct uplink *uplink)
{
	struct packet packet = {.kind = PACKET_HELLO};
	const char *software = "lyceumd " LYCEUM_VERSION;
	packet.hello = (struct packet_hello){.version = WIRE_VERSION,
					     .software = span_of(software, strlen(software)),
					     .call_credit = uplink->call_credit,
					     .epoch = uplink->epoch};
	struct buf frame = {0};
	packet_write(&frame, &packet);
	/* Refused until the transport is connected: the next tick tries again. */
	uplink->has_said_hello = uplink->env->send(uplink->env->world, PORT_UPLINK, span_of("", 0),
						   &frame) == LYC_OK;
	buf_fini(&frame);
}

static void begin(struct uplink *uplink)
{
	struct lyc_error error = {0};
	uint64_t now = uplink->env->now_ms(uplink->env->world);
	uplink->state = UPLINK_GREETING;
	uplink->has_said_hello = false;
	uplink->attempt_ends_ms = now + ATTEMPT_MS;
	if (uplink->env->uplink_open(uplink->env->world, &error) != LYC_OK)
		uplink_lost(uplink, error.text);
	else
		say_hello(uplink);
}

/* The attempt ends when the transport knows that it failed, or when its time is over. */
static void greet(struct uplink *uplink, uint64_t now)
{
	char text[160];
	bool has_failed = uplink->env->uplink_failed(uplink->env->world, text, sizeof(text));
	if (has_failed || now >= uplink->attempt_ends_ms)
		uplink_lost(uplink, text);
	else if (!uplink->has_said_hello)
		say_hello(uplink);
}

void uplink_tick(struct uplink *uplink)
{
	uint64_t now = uplink->env->now_ms(uplink->env->world);
	switch (uplink->state) {
	case UPLINK_WAITING:
		if (now >= uplink->link->retry_at_ms)
			begin(uplink);
		break;
	case UPLINK_GREETING:
		greet(uplink, now);
		break;
	case UPLINK_NONE:
	case UPLINK_UP:
	default:
		break;
	}
}

void uplink_welcomed(struct uplink *uplink)
{
	uplink->state = UPLINK_UP;
	uplink->backoff_ms = FIRST_BACKOFF_MS;
	uplink->logged[0] = '\0';
}

/* The first failure and each new reason, not each attempt. */
static void log_failure(struct uplink *uplink, const char *text)
{
	if (strcmp(uplink->logged, text) == 0)
		return;
	snprintf(uplink->logged, sizeof(uplink->logged), "%s", text);
	log_warning("the hub is not reached", "hub", uplink->link->peer, "reason", text);
}

void uplink_lost(struct uplink *uplink, const char *text)
{
	struct link *link = uplink->link;
	uint64_t now = uplink->env->now_ms(uplink->env->world);
	uint64_t half = uplink->backoff_ms / 2;
	uplink->env->uplink_close(uplink->env->world);
	/* The end of a session is logged by the link. */
	if (uplink->state == UPLINK_GREETING)
		log_failure(uplink, text);
	uplink->state = UPLINK_WAITING;
	link->retry_at_ms = now + half + uplink->env->random(uplink->env->world) % (half + 1);
	snprintf(link->text, sizeof(link->text), "%s", text);
	if (uplink->backoff_ms < LAST_BACKOFF_MS)
		uplink->backoff_ms *= 2;
}
