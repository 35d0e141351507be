/*
 * A channel on a libuv loop, beside zsock.h: frames come by callback, as much each turn as was read
 * at once; sends never wait. Everything runs on the loop's thread.
 */
#ifndef LYC_IO_CHANNEL_WATCH_H
#define LYC_IO_CHANNEL_WATCH_H

#include <uv.h>

#include "io/channel.h"

struct channel_watch;

/* Valid until return. */
typedef void (*channel_frame_fn)(struct span frame, void *arg);
/* Just before the loop blocks, and before a long frame is handed over: flush what was gathered. */
typedef void (*channel_turn_fn)(void *arg);

struct channel_watch_options {
	channel_frame_fn on_frame;
	/* May be NULL. */
	channel_turn_fn on_turn;
	void *arg;
};

/* Takes one end of a pair, also in a failure. ret_watch is the caller's: channel_watch_close. */
LYC_MUST_USE enum lyc_status channel_watch_open(uv_loop_t *loop, int fd,
						const struct channel_watch_options *options,
						struct channel_watch **ret_watch,
						struct lyc_error *error);
/* Send one frame without waiting. After LYC_OK the frame is empty, its memory still the caller's.
 * RESOURCE_EXHAUSTED when there is no room: on_turn runs as soon as there is. */
LYC_MUST_USE enum lyc_status channel_watch_send(struct channel_watch *watch, struct buf *frame);
/* Hand over what the other side, which has ended, has left. Accepts NULL. */
void channel_watch_drain(struct channel_watch *watch);
/* No more callbacks. Accepts NULL. May be called within a callback. */
void channel_watch_close(struct channel_watch *watch);

#endif
