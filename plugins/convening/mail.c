/*
 * A list of mails to be tried and a list of results, one lock, one eventfd. What is in either list
 * counts towards the limit, so neither grows. The rate is a bucket that refills evenly and holds a
 * tenth of a minute's mails.
 */
#include "mail.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "mime.h"
#include "relay.h"

#define DEFAULT_PER_MINUTE 60
#define DEFAULT_WAITING 100

struct item {
	struct item *next;
	struct mail_result result;
	char to[256];
	size_t len;
	char bytes[];
};

struct list {
	struct item *first, *last;
};

struct mail {
	struct relay *relay;
	int descriptor;
	uint32_t per_minute, max_waiting;
	pthread_t thread;

	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct list waiting, done;
	uint32_t count;
	bool is_over;

	/* The thread's own. */
	double tokens;
	int64_t filled_ms;
};

static void put(struct list *list, struct item *item)
{
	item->next = NULL;
	if (list->last)
		list->last->next = item;
	else
		list->first = item;
	list->last = item;
}

static struct item *take(struct list *list)
{
	struct item *item = list->first;

	if (!item)
		return NULL;
	list->first = item->next;
	if (!list->first)
		list->last = NULL;
	return item;
}

/* ---- The thread ---- */

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wait_ms(struct mail *mail, int64_t delay_ms)
{
	int64_t until_ms = clock_ms() + delay_ms;
	struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
				 .tv_nsec = (long)(until_ms % 1000) * 1000000};

	pthread_cond_timedwait(&mail->changed, &mail->lock, &until);
}

/* Milliseconds until the rate allows the next mail; 0: now, and it is counted. */
static int64_t take_token(struct mail *mail)
{
	double per_ms = mail->per_minute / 60000.0;
	double most = mail->per_minute < 10 ? 1 : mail->per_minute / 10.0;
	int64_t now_ms = clock_ms();

	mail->tokens += (double)(now_ms - mail->filled_ms) * per_ms;
	mail->filled_ms = now_ms;
	if (mail->tokens > most)
		mail->tokens = most;
	if (mail->tokens < 1)
		return (int64_t)((1 - mail->tokens) / per_ms) + 1;
	mail->tokens--;
	return 0;
}

static bool is_over(void *arg)
{
	struct mail *mail = arg;

	pthread_mutex_lock(&mail->lock);
	bool over = mail->is_over;
	pthread_mutex_unlock(&mail->lock);
	return over;
}

/* The next mail when its time has come; NULL: the end. With the lock held. */
static struct item *await(struct mail *mail)
{
	while (!mail->is_over) {
		if (!mail->waiting.first) {
			pthread_cond_wait(&mail->changed, &mail->lock);
			continue;
		}
		int64_t delay_ms = take_token(mail);
		if (delay_ms == 0)
			return take(&mail->waiting);
		wait_ms(mail, delay_ms);
	}
	return NULL;
}

static void wake(struct mail *mail)
{
	uint64_t one = 1;
	ssize_t written;

	do
		written = write(mail->descriptor, &one, sizeof(one));
	while (written < 0 && errno == EINTR);
}

static void *run(void *arg)
{
	struct mail *mail = arg;
	struct item *item;

	pthread_mutex_lock(&mail->lock);
	while ((item = await(mail))) {
		pthread_mutex_unlock(&mail->lock);
		relay_try(mail->relay, item->to, item->bytes, item->len, &item->result);
		pthread_mutex_lock(&mail->lock);
		put(&mail->done, item);
		wake(mail);
	}
	pthread_mutex_unlock(&mail->lock);
	return NULL;
}

/* ---- The owner's side ---- */

static bool start_thread(struct mail *mail)
{
	pthread_condattr_t clock;

	if (pthread_condattr_init(&clock) != 0)
		return false;
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_mutex_init(&mail->lock, NULL);
	pthread_cond_init(&mail->changed, &clock);
	pthread_condattr_destroy(&clock);
	return pthread_create(&mail->thread, NULL, run, mail) == 0;
}

enum lyc_status mail_start(const struct mail_settings *settings, struct mail **ret_mail,
			   struct lyc_error *error)
{
	struct mail *mail = calloc(1, sizeof(*mail));
	struct lyc_error ours = {.status = LYC_RESOURCE_EXHAUSTED,
				 .text = "the thread that sends mail cannot be started"};

	if (!mail) {
		*error = ours;
		return LYC_RESOURCE_EXHAUSTED;
	}
	mail->per_minute = settings->per_minute ? settings->per_minute : DEFAULT_PER_MINUTE;
	mail->max_waiting = settings->max_waiting ? settings->max_waiting : DEFAULT_WAITING;
	mail->tokens = 1;
	mail->filled_ms = clock_ms();
	mail->descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	enum lyc_status status = relay_new(settings, is_over, mail, &mail->relay, &ours);
	if (status == LYC_OK && (mail->descriptor < 0 || !start_thread(mail)))
		status = LYC_RESOURCE_EXHAUSTED;
	if (status != LYC_OK) {
		*error = ours;
		relay_free(mail->relay);
		if (mail->descriptor >= 0)
			close(mail->descriptor);
		free(mail);
		return status;
	}
	*ret_mail = mail;
	return LYC_OK;
}

void mail_stop(struct mail *mail)
{
	struct item *item;

	if (!mail)
		return;
	pthread_mutex_lock(&mail->lock);
	mail->is_over = true;
	pthread_cond_signal(&mail->changed);
	pthread_mutex_unlock(&mail->lock);
	pthread_join(mail->thread, NULL);
	while ((item = take(&mail->waiting)) || (item = take(&mail->done)))
		free(item);
	pthread_cond_destroy(&mail->changed);
	pthread_mutex_destroy(&mail->lock);
	relay_free(mail->relay);
	close(mail->descriptor);
	free(mail);
}

int mail_descriptor(const struct mail *mail)
{
	return mail->descriptor;
}

enum lyc_status mail_send(struct mail *mail, const char *key, const char *to, const char *bytes,
			  size_t len)
{
	enum lyc_status status = LYC_RESOURCE_EXHAUSTED;

	if (strlen(key) >= MAIL_KEY_SIZE || !mime_is_address(to))
		return LYC_INVALID_ARGUMENT;
	struct item *item = calloc(1, sizeof(*item) + len);
	if (!item)
		return LYC_RESOURCE_EXHAUSTED;
	snprintf(item->result.key, sizeof(item->result.key), "%s", key);
	snprintf(item->to, sizeof(item->to), "%s", to);
	memcpy(item->bytes, bytes, len);
	item->len = len;
	pthread_mutex_lock(&mail->lock);
	if (mail->count < mail->max_waiting) {
		mail->count++;
		put(&mail->waiting, item);
		pthread_cond_signal(&mail->changed);
		item = NULL;
		status = LYC_OK;
	}
	pthread_mutex_unlock(&mail->lock);
	free(item);
	return status;
}

bool mail_next_result(struct mail *mail, struct mail_result *ret_result)
{
	uint64_t count;

	pthread_mutex_lock(&mail->lock);
	struct item *item = take(&mail->done);
	if (item)
		mail->count--;
	if (!mail->done.first && read(mail->descriptor, &count, sizeof(count)) < 0)
		count = 0; /* nothing had been said */
	pthread_mutex_unlock(&mail->lock);
	if (!item)
		return false;
	*ret_result = item->result;
	free(item);
	return true;
}
