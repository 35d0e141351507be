/* A closed loop: the next leaves when one has been acknowledged. */
#include "flat/subjects.h"

#include <string.h>

#include <lyceum/client.h>

#include "kit/daemon.h"
#include "kit/process.h"
#include "topic/reading.h"

#define OUTSTANDING 256
#define WARM_MS 200
#define GRACE_MS 5000
/* Odd and no divisor of 10 or 2: every subject has its turn. */
#define STRIDE 7919

struct publisher {
	struct lyc_client *client;
	size_t subjects;
	size_t size;
	uint64_t sent;
	uint64_t acked;
	/* None is sent from here on, by the clock or by the count. */
	uint64_t until_ns;
	uint64_t last;
	bool has_failed;
	struct measure *measure;
};

static void publish(struct publisher *publisher);

static bool is_over(const struct publisher *publisher)
{
	return publisher->has_failed || publisher->sent >= publisher->last ||
	       now_ns() >= publisher->until_ns;
}

static void on_ack(const struct lyc_ack *ack, void *arg)
{
	struct publisher *publisher = arg;
	publisher->acked++;
	if (ack->status != LYC_OK) {
		contest_fail(publisher->measure, "%s", ack->text);
		publisher->has_failed = true;
	}
	if (!is_over(publisher))
		publish(publisher);
}

static void publish(struct publisher *publisher)
{
	static const struct lyc_publish_options options = {.durable = true};
	uint8_t body[READING_MAX_LEN];
	char subject[80];
	size_t at = publisher->sent * STRIDE % publisher->subjects;
	unsigned region = (unsigned)(at / 1000);
	unsigned device = (unsigned)(at % 1000);
	reading_write(body, publisher->size, region, device, publisher->sent);
	reading_subject(subject, sizeof(subject), region, device, '.');
	enum lyc_status status = lyc_client_publish_start(
		publisher->client, subject, body, publisher->size, &options, on_ack, publisher);
	if (status == LYC_OK) {
		publisher->sent++;
		return;
	}
	contest_fail(publisher->measure, "%s", lyc_status_name(status));
	publisher->has_failed = true;
}

static void begin(struct publisher *publisher)
{
	for (int i = 0; i < OUTSTANDING && !is_over(publisher); i++)
		publish(publisher);
}

/* What is outstanding at the end has to come, too. */
static void run_until(struct publisher *publisher, uint64_t at_ns)
{
	while (!publisher->has_failed && now_ns() < at_ns &&
	       (!is_over(publisher) || publisher->acked < publisher->sent))
		(void)lyc_client_run(publisher->client, 20);
}

bool subjects_fill(const struct contestant *self, size_t subjects, size_t size,
		   struct measure *measure)
{
	struct publisher publisher = {.subjects = subjects,
				      .size = size,
				      .last = subjects,
				      .until_ns = UINT64_MAX,
				      .measure = measure};
	if (!daemon_open(self, &publisher.client, measure))
		return false;
	begin(&publisher);
	run_until(&publisher, now_ns() + 60000 * (uint64_t)1000000);
	lyc_client_close(publisher.client);
	return publisher.acked == subjects && !publisher.has_failed;
}

void subjects_round(const struct contestant *self, const struct setting *setting, size_t subjects,
		    size_t size, struct measure *ret_measure)
{
	struct publisher publisher = {
		.subjects = subjects, .size = size, .last = UINT64_MAX, .measure = ret_measure};
	if (!daemon_open(self, &publisher.client, ret_measure))
		return;
	uint64_t from_ns = now_ns() + (uint64_t)WARM_MS * 1000000;
	publisher.until_ns = from_ns + setting->round_ms * 1000000;
	begin(&publisher);
	run_until(&publisher, from_ns);
	uint64_t acked = publisher.acked;
	struct cpu cpu = contest_cpu(self);
	run_until(&publisher, publisher.until_ns);
	contest_cpu_between(cpu, contest_cpu(self), publisher.acked - acked, ret_measure);
	run_until(&publisher, publisher.until_ns + (uint64_t)GRACE_MS * 1000000);
	ret_measure->lost = publisher.sent - publisher.acked;
	lyc_client_close(publisher.client);
}
