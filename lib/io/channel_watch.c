/* The loop looks whether there is something to read, and to write only while the channel is full;
 * both by level, so that nothing is left lying. */
#include "io/channel_watch.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/error.h"
#include "base/mem.h"

/* A frame with much work in it. */
#define LONG_LEN (16u * 1024)
/* What the system may hold, and more than that. */
#define MAX_LAST_READS 64

struct channel_watch {
	struct channel *channel;
	struct channel_watch_options options;
	uv_poll_t poll;
	uv_prepare_t prepare;
	int events;
	int open_handles;
	bool is_closing;
	/* In a callback, for which the channel stays. */
	bool is_used;
};

static void end_if_unused(struct channel_watch *watch)
{
	if (watch->open_handles > 0 || watch->is_used)
		return;
	channel_free(watch->channel);
	free(watch);
}

static void take_turn(struct channel_watch *watch)
{
	if (watch->options.on_turn && !watch->is_closing)
		watch->options.on_turn(watch->options.arg);
}

static bool read_once(struct channel_watch *watch)
{
	struct span frame;
	if (!channel_read(watch->channel))
		return false;
	while (!watch->is_closing && channel_next(watch->channel, &frame)) {
		/* What has been answered does not wait for the work that a long one brings. */
		if (frame.len > LONG_LEN)
			take_turn(watch);
		if (!watch->is_closing)
			watch->options.on_frame(frame, watch->options.arg);
	}
	return !watch->is_closing;
}

static void look(struct channel_watch *watch);

static void poll_ready(uv_poll_t *handle, int status, int events)
{
	struct channel_watch *watch = handle->data;
	watch->is_used = true;
	if (status < 0 || (events & UV_READABLE))
		(void)read_once(watch);
	watch->is_used = false;
	if (watch->is_closing) {
		end_if_unused(watch);
		return;
	}
	if (events & UV_WRITABLE)
		(void)channel_flush(watch->channel);
	look(watch);
}

/* At its end there is nothing to look for any more. */
static void look(struct channel_watch *watch)
{
	bool is_lost = channel_is_lost(watch->channel);
	int events = is_lost ? 0 : UV_READABLE;
	if (!is_lost && channel_is_full(watch->channel))
		events |= UV_WRITABLE;
	if (events == watch->events)
		return;
	watch->events = events;
	if (events == 0)
		uv_poll_stop(&watch->poll);
	else
		ensure(uv_poll_start(&watch->poll, events, poll_ready) == 0);
}

static void prepare_turn(uv_prepare_t *handle)
{
	struct channel_watch *watch = handle->data;
	watch->is_used = true;
	take_turn(watch);
	watch->is_used = false;
	if (watch->is_closing)
		end_if_unused(watch);
	else
		look(watch);
}

enum lyc_status channel_watch_open(uv_loop_t *loop, int fd,
				   const struct channel_watch_options *options,
				   struct channel_watch **ret_watch, struct lyc_error *error)
{
	struct channel_watch *watch = mem_try(sizeof(*watch));
	if (!watch) {
		close(fd);
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for a channel.");
	}
	watch->channel = channel_new(fd);
	if (!watch->channel || uv_poll_init(loop, &watch->poll, fd) != 0) {
		channel_free(watch->channel);
		free(watch);
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "No memory for a channel, or the loop cannot watch it.");
	}
	uv_prepare_init(loop, &watch->prepare);
	watch->options = *options;
	watch->open_handles = 2;
	watch->poll.data = watch;
	watch->prepare.data = watch;
	uv_prepare_start(&watch->prepare, prepare_turn);
	look(watch);
	*ret_watch = watch;
	return LYC_OK;
}

enum lyc_status channel_watch_send(struct channel_watch *watch, struct buf *frame)
{
	if (watch->is_closing || channel_is_lost(watch->channel))
		return LYC_UNAVAILABLE;
	bool is_sent = channel_send(watch->channel, span_of(frame->data, frame->len));
	look(watch);
	if (!is_sent)
		return LYC_RESOURCE_EXHAUSTED;
	buf_clear(frame);
	return LYC_OK;
}

void channel_watch_drain(struct channel_watch *watch)
{
	if (!watch)
		return;
	watch->is_used = true;
	for (int i = 0; i < MAX_LAST_READS && !watch->is_closing && read_once(watch); i++)
		continue;
	watch->is_used = false;
	if (watch->is_closing)
		end_if_unused(watch);
}

static void handle_closed(uv_handle_t *handle)
{
	struct channel_watch *watch = handle->data;
	watch->open_handles--;
	end_if_unused(watch);
}

void channel_watch_close(struct channel_watch *watch)
{
	if (!watch || watch->is_closing)
		return;
	watch->is_closing = true;
	uv_close((uv_handle_t *)&watch->poll, handle_closed);
	uv_close((uv_handle_t *)&watch->prepare, handle_closed);
}
