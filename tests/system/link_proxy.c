/* One thread, poll, and a mutex around what the story asks for. */
#include "link_proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ensure.h"
#include "base/mem.h"

#define MAX_PAIRS 16
#define MAX_KEPT (32u * 1024 * 1024)

struct link_proxy {
	pthread_t thread;
	pthread_mutex_t mutex;
	int listener;
	int wake[2];
	struct sockaddr_in target;
	char endpoint[64];
	int ends[MAX_PAIRS][2]; /* -1: none */
	bool is_cut;
	bool is_ending;
	struct buf passed;
};

static void drop(struct link_proxy *proxy, int i)
{
	for (int side = 0; side < 2; side++) {
		if (proxy->ends[i][side] >= 0)
			close(proxy->ends[i][side]);
		proxy->ends[i][side] = -1;
	}
}

static void take(struct link_proxy *proxy)
{
	int in = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
	int at = 0;
	if (in < 0)
		return;
	while (at < MAX_PAIRS && proxy->ends[at][0] >= 0)
		at++;
	int out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (proxy->is_cut || at == MAX_PAIRS || out < 0 ||
	    connect(out, (struct sockaddr *)&proxy->target, sizeof(proxy->target)) != 0) {
		close(in);
		if (out >= 0)
			close(out);
		return;
	}
	proxy->ends[at][0] = in;
	proxy->ends[at][1] = out;
}

static bool write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t done = send(fd, bytes, len, MSG_NOSIGNAL);
		if (done <= 0)
			return false;
		bytes += done;
		len -= (size_t)done;
	}
	return true;
}

static void pass(struct link_proxy *proxy, int i, int side)
{
	uint8_t bytes[16384];
	ssize_t got = recv(proxy->ends[i][side], bytes, sizeof(bytes), 0);
	if (got > 0 && proxy->passed.len < MAX_KEPT)
		buf_add(&proxy->passed, bytes, (size_t)got);
	if (got <= 0 || !write_all(proxy->ends[i][1 - side], bytes, (size_t)got))
		drop(proxy, i);
}

static void *run(void *arg)
{
	struct link_proxy *proxy = arg;
	struct pollfd items[2 + 2 * MAX_PAIRS];
	for (;;) {
		items[0] = (struct pollfd){.fd = proxy->wake[0], .events = POLLIN};
		items[1] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
		pthread_mutex_lock(&proxy->mutex);
		for (int i = 0; i < 2 * MAX_PAIRS; i++)
			items[2 + i] =
				(struct pollfd){.fd = proxy->ends[i / 2][i % 2], .events = POLLIN};
		pthread_mutex_unlock(&proxy->mutex);
		if (poll(items, 2 + 2 * MAX_PAIRS, -1) < 0)
			continue;
		pthread_mutex_lock(&proxy->mutex);
		char byte;
		if (items[0].revents && read(proxy->wake[0], &byte, 1) < 0)
			abort();
		bool is_ending = proxy->is_ending;
		if (items[1].revents)
			take(proxy);
		for (int i = 0; i < 2 * MAX_PAIRS; i++) {
			if (items[2 + i].revents && proxy->ends[i / 2][i % 2] == items[2 + i].fd &&
			    items[2 + i].fd >= 0)
				pass(proxy, i / 2, i % 2);
		}
		pthread_mutex_unlock(&proxy->mutex);
		if (is_ending)
			return NULL;
	}
}

struct link_proxy *link_proxy_new(const char *target)
{
	struct link_proxy *proxy = mem_new(struct link_proxy);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	const char *port = strrchr(target, ':');
	ensure(port);
	proxy->target = address;
	proxy->target.sin_port = htons((uint16_t)atoi(port + 1));
	memset(proxy->ends, -1, sizeof(proxy->ends));
	proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ensure(proxy->listener >= 0 &&
	       bind(proxy->listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	       listen(proxy->listener, 16) == 0 &&
	       getsockname(proxy->listener, (struct sockaddr *)&address, &len) == 0);
	snprintf(proxy->endpoint, sizeof(proxy->endpoint), "tcp://127.0.0.1:%d",
		 ntohs(address.sin_port));
	ensure(pipe(proxy->wake) == 0);
	pthread_mutex_init(&proxy->mutex, NULL);
	ensure(pthread_create(&proxy->thread, NULL, run, proxy) == 0);
	return proxy;
}

static void wake(struct link_proxy *proxy)
{
	ensure(write(proxy->wake[1], "", 1) == 1);
}

void link_proxy_free(struct link_proxy *proxy)
{
	if (!proxy)
		return;
	pthread_mutex_lock(&proxy->mutex);
	proxy->is_ending = true;
	pthread_mutex_unlock(&proxy->mutex);
	wake(proxy);
	pthread_join(proxy->thread, NULL);
	for (int i = 0; i < MAX_PAIRS; i++)
		drop(proxy, i);
	close(proxy->listener);
	close(proxy->wake[0]);
	close(proxy->wake[1]);
	pthread_mutex_destroy(&proxy->mutex);
	buf_fini(&proxy->passed);
	free(proxy);
}

const char *link_proxy_endpoint(const struct link_proxy *proxy)
{
	return proxy->endpoint;
}

static void set_cut(struct link_proxy *proxy, bool is_cut)
{
	pthread_mutex_lock(&proxy->mutex);
	proxy->is_cut = is_cut;
	for (int i = 0; is_cut && i < MAX_PAIRS; i++)
		drop(proxy, i);
	pthread_mutex_unlock(&proxy->mutex);
	wake(proxy);
}

void link_proxy_cut(struct link_proxy *proxy)
{
	set_cut(proxy, true);
}

void link_proxy_mend(struct link_proxy *proxy)
{
	set_cut(proxy, false);
}

bool link_proxy_saw(struct link_proxy *proxy, const void *bytes, size_t len)
{
	pthread_mutex_lock(&proxy->mutex);
	bool was_seen = memmem(proxy->passed.data, proxy->passed.len, bytes, len) != NULL;
	pthread_mutex_unlock(&proxy->mutex);
	return was_seen;
}

size_t link_proxy_passed(struct link_proxy *proxy)
{
	pthread_mutex_lock(&proxy->mutex);
	size_t len = proxy->passed.len;
	pthread_mutex_unlock(&proxy->mutex);
	return len;
}
