/*
 * Descriptors that a plugin watches: an epoll of their own inside the client's, so that its waiting
 * ends when one of them stirs. They are told between packets, never within a waiting call.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/context.h"

#define TURN_EVENTS 64

struct watch {
	struct list of_context;
	/* Never used again: an event of a watch that has ended finds nothing. */
	uint64_t id;
	int fd;
	int events;
	lyc_watch_fn fn;
	void *arg;
};

void watches_init(struct watches *watches)
{
	watches->epoll_fd = -1;
	list_init(&watches->all);
}

static struct watch *find_fd(const struct watches *watches, int fd)
{
	list_each (node, &watches->all) {
		struct watch *watch = list_entry(node, struct watch, of_context);
		if (watch->fd == fd)
			return watch;
	}
	return NULL;
}

static struct watch *find_id(const struct watches *watches, uint64_t id)
{
	list_each (node, &watches->all) {
		struct watch *watch = list_entry(node, struct watch, of_context);
		if (watch->id == id)
			return watch;
	}
	return NULL;
}

static bool open_epoll(struct lyc_plugin_context *context)
{
	struct watches *watches = &context->watches;
	if (watches->epoll_fd >= 0)
		return true;
	int fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd >= 0 && client_stir_on(context->client, fd)) {
		watches->epoll_fd = fd;
		return true;
	}
	if (fd >= 0)
		close(fd);
	return false;
}

static void end(struct watches *watches, struct watch *watch)
{
	/* Fails where the descriptor was closed first: then epoll has forgotten it already. */
	epoll_ctl(watches->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	list_remove(&watch->of_context);
	free(watch);
}

enum lyc_status lyc_watch(struct lyc_plugin_context *context, int fd, int events, lyc_watch_fn fn,
			  void *arg)
{
	struct watches *watches = &context->watches;
	struct watch *watch = find_fd(watches, fd);
	if (events == 0) {
		if (watch)
			end(watches, watch);
		return LYC_OK;
	}
	if (fd < 0 || !fn || (events & ~(LYC_READABLE | LYC_WRITABLE)) != 0)
		return LYC_INVALID_ARGUMENT;
	if (!open_epoll(context))
		return LYC_RESOURCE_EXHAUSTED;
	struct watch *made = watch ? NULL : mem_try(sizeof(*made));
	if (!watch && !made)
		return LYC_RESOURCE_EXHAUSTED;
	uint64_t id = ++watches->last_id;
	struct epoll_event event = {.events = (events & LYC_READABLE ? (uint32_t)EPOLLIN : 0) |
					      (events & LYC_WRITABLE ? (uint32_t)EPOLLOUT : 0),
				    .data.u64 = id};
	if (epoll_ctl(watches->epoll_fd, watch ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0 &&
	    /* Closed and opened again without a word to us. */
	    (!watch || epoll_ctl(watches->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)) {
		free(made);
		return errno == ENOMEM || errno == ENOSPC ? LYC_RESOURCE_EXHAUSTED
							  : LYC_INVALID_ARGUMENT;
	}
	if (made) {
		watch = made;
		list_add_last(&watches->all, &watch->of_context);
	}
	watch->id = id;
	watch->fd = fd;
	watch->events = events;
	watch->fn = fn;
	watch->arg = arg;
	return LYC_OK;
}

void watches_run(struct lyc_plugin_context *context)
{
	struct watches *watches = &context->watches;
	struct epoll_event events[TURN_EVENTS];
	if (watches->epoll_fd < 0)
		return;
	int count = epoll_wait(watches->epoll_fd, events, TURN_EVENTS, 0);
	for (int i = 0; i < count; i++) {
		const struct watch *watch = find_id(watches, events[i].data.u64);
		if (!watch)
			continue;
		int told = 0;
		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			told |= watch->events & LYC_READABLE;
		if (events[i].events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
			told |= watch->events & LYC_WRITABLE;
		if (told)
			watch->fn(context->state, watch->fd, told, watch->arg);
	}
	/* What is still readable now, or from now on, ends the next waiting. */
	client_rearm(context->client);
}

void watches_fini(struct watches *watches)
{
	list_each_safe (node, &watches->all)
		free(list_entry(node, struct watch, of_context));
	list_init(&watches->all);
	if (watches->epoll_fd >= 0)
		close(watches->epoll_fd);
	watches->epoll_fd = -1;
}
