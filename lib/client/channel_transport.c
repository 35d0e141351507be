/* The pair stays the same over sessions: whoever says Hello again does it behind what was sent
 * before, as after Goodbye(NO_SESSION). */
#include "client/channel_transport.h"

#include <errno.h>
#include <poll.h>

static bool open_channel(void *arg)
{
	return !channel_is_lost(arg);
}

static void close_channel(void *arg)
{
	(void)arg;
}

static bool send_frame(void *arg, struct span frame)
{
	return channel_send(arg, frame);
}

static bool receive_frame(void *arg, struct buf *ret_frame)
{
	struct span frame;
	if (channel_is_full(arg))
		(void)channel_flush(arg);
	if (!channel_read(arg) || !channel_next(arg, &frame))
		return false;
	buf_add(ret_frame, frame.data, frame.len);
	if (!ret_frame->has_failed)
		return true;
	/* Without one frame the others are worth nothing. */
	channel_lose(arg);
	return false;
}

static bool is_lost(void *arg)
{
	return channel_is_lost(arg) && !channel_has_next(arg);
}

static bool wait_for_frame(void *arg, bool is_reading, int wait_fd, int timeout_ms)
{
	struct pollfd items[2] = {{.fd = wait_fd, .events = POLLIN},
				  {.fd = channel_fd(arg), .events = is_reading ? POLLIN : 0}};
	if (channel_is_full(arg))
		items[1].events |= POLLOUT;
	if (channel_is_lost(arg))
		items[1].fd = -1;
	if (is_reading && channel_has_next(arg))
		timeout_ms = 0;
	return poll(items, 2, timeout_ms) > 0 && items[0].revents != 0;
}

struct transport channel_transport(struct channel *channel)
{
	return (struct transport){.open = open_channel,
				  .close = close_channel,
				  .send = send_frame,
				  .receive = receive_frame,
				  .is_lost = is_lost,
				  .wait = wait_for_frame,
				  .arg = channel};
}

void channel_transport_linger(struct channel *channel, int timeout_ms)
{
	struct pollfd item = {.fd = channel_fd(channel), .events = POLLOUT};
	while (channel_is_full(channel) && !channel_flush(channel)) {
		int count = poll(&item, 1, timeout_ms);
		/* A second signal to stop does not take its last words. */
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0 || (item.revents & (POLLERR | POLLHUP)))
			return;
	}
}
