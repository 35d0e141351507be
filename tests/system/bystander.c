/* One call at a time, the next at once. */
#include "bystander.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/ensure.h"
#include "base/mem.h"

#define MAX_SAMPLES 200000

struct bystander {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t called;
	struct lyc_client *client;
	atomic_bool is_ending;
	uint32_t samples_us[MAX_SAMPLES];
	size_t count;
	size_t lost_count;
	char text[240];
};

static uint64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void *run(void *arg)
{
	/* SayRequest{text: "bystander"} */
	static const char body[] = "\x0a\x09"
				   "bystander";
	struct bystander *bystander = arg;
	const struct lyc_call_options options = {.timeout_ms = 5000};
	while (!bystander->is_ending) {
		struct lyc_error error = {0};
		uint8_t *reply = NULL;
		size_t len = 0;
		uint64_t before = now_us();
		enum lyc_status status =
			lyc_client_call(bystander->client, "lyceum.echo.v1.Echo/Say", body,
					sizeof(body) - 1, &options, &reply, &len, &error);
		uint64_t took = now_us() - before;
		free(reply);
		pthread_mutex_lock(&bystander->mutex);
		if (bystander->count < MAX_SAMPLES)
			bystander->samples_us[bystander->count++] =
				took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
		if (status != LYC_OK) {
			bystander->lost_count++;
			snprintf(bystander->text, sizeof(bystander->text), "%s", error.text);
		}
		pthread_cond_signal(&bystander->called);
		pthread_mutex_unlock(&bystander->mutex);
	}
	return NULL;
}

struct bystander *bystander_start(struct node *node, const struct keypair *keys)
{
	struct bystander *bystander = mem_new(struct bystander);
	pthread_mutex_init(&bystander->mutex, NULL);
	pthread_cond_init(&bystander->called, NULL);
	bystander->client = node_open_as(node, keys);
	ensure(pthread_create(&bystander->thread, NULL, run, bystander) == 0);
	return bystander;
}

static int compare(const void *one, const void *other)
{
	const uint32_t *a = one;
	const uint32_t *b = other;
	return (*a > *b) - (*a < *b);
}

struct bystander_view bystander_look(struct bystander *bystander)
{
	struct bystander_view view = {0};
	pthread_mutex_lock(&bystander->mutex);
	view.call_count = bystander->count;
	view.lost_count = bystander->lost_count;
	snprintf(view.text, sizeof(view.text), "%s", bystander->text);
	if (view.call_count > 0) {
		qsort(bystander->samples_us, view.call_count, sizeof(uint32_t), compare);
		view.p50_us = bystander->samples_us[view.call_count / 2];
		view.p99_us = bystander->samples_us[view.call_count * 99 / 100];
	}
	bystander->count = 0;
	bystander->lost_count = 0;
	pthread_mutex_unlock(&bystander->mutex);
	return view;
}

void bystander_wait(struct bystander *bystander, size_t call_count)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 5;
	pthread_mutex_lock(&bystander->mutex);
	size_t target = bystander->count + call_count;
	while (bystander->count < target && bystander->count < MAX_SAMPLES) {
		if (pthread_cond_timedwait(&bystander->called, &bystander->mutex, &until) != 0)
			break;
	}
	pthread_mutex_unlock(&bystander->mutex);
}

void bystander_stop(struct bystander *bystander)
{
	bystander->is_ending = true;
	pthread_join(bystander->thread, NULL);
	lyc_client_close(bystander->client);
	pthread_mutex_destroy(&bystander->mutex);
	pthread_cond_destroy(&bystander->called);
	free(bystander);
}
