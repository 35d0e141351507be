/* One buffer for what was read, kept; frames are handed over where they lie in it. */
#include "io/channel.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

#define HEAD_LEN 4
/* Some frames of the usual length. */
#define ROOM_LEN (128u * 1024)
/* What the system holds each way, where it may be as much. */
#define SYSTEM_LEN (512 * 1024)

struct channel {
	int fd;
	bool is_lost;

	uint8_t *room;
	size_t room_len;
	size_t from;
	size_t to;

	/* The system has taken less than it was given. */
	bool is_full;
	/* Of a frame that has left in part. */
	struct buf rest;
	size_t rest_sent;
};

enum lyc_status channel_pair(int ret_fds[2], struct lyc_error *error)
{
	const int len = SYSTEM_LEN;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_fds) != 0)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "A pair of sockets cannot be opened: %s.", strerror(errno));
	for (int i = 0; i < 2; i++)
		(void)setsockopt(ret_fds[i], SOL_SOCKET, SO_SNDBUF, &len, sizeof(len));
	return LYC_OK;
}

struct channel *channel_new(int fd)
{
	struct channel *channel = mem_try(sizeof(*channel));
	uint8_t *room = channel ? malloc(ROOM_LEN) : NULL;
	if (!room) {
		free(channel);
		close(fd);
		return NULL;
	}
	channel->fd = fd;
	channel->room = room;
	channel->room_len = ROOM_LEN;
	return channel;
}

void channel_free(struct channel *channel)
{
	if (!channel)
		return;
	close(channel->fd);
	buf_fini(&channel->rest);
	free(channel->room);
	free(channel);
}

int channel_fd(const struct channel *channel)
{
	return channel->fd;
}

bool channel_is_full(const struct channel *channel)
{
	return channel->is_full;
}

bool channel_is_lost(const struct channel *channel)
{
	return channel->is_lost;
}

void channel_lose(struct channel *channel)
{
	channel->is_lost = true;
	channel->from = channel->to;
}

/* How much of this the system takes. */
static size_t give(struct channel *channel, struct iovec *parts, size_t count, size_t whole_len)
{
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
	ssize_t len;
	do {
		len = sendmsg(channel->fd, &message, MSG_NOSIGNAL);
	} while (len < 0 && errno == EINTR);
	/* Whoever is gone may have left something to be read: that ends with the loss. */
	size_t sent = len > 0 ? (size_t)len : 0;
	channel->is_full = sent < whole_len;
	return sent;
}

bool channel_flush(struct channel *channel)
{
	struct buf *rest = &channel->rest;
	if (rest->len == 0)
		return true;
	struct iovec part = {.iov_base = rest->data + channel->rest_sent,
			     .iov_len = rest->len - channel->rest_sent};
	channel->rest_sent += give(channel, &part, 1, part.iov_len);
	if (channel->rest_sent < rest->len)
		return false;
	buf_clear(rest);
	channel->rest_sent = 0;
	return true;
}

bool channel_send(struct channel *channel, struct span frame)
{
	if (frame.len > CHANNEL_MAX_FRAME || !channel_flush(channel))
		return false;
	const uint32_t frame_len = (uint32_t)frame.len;
	uint8_t head[HEAD_LEN];
	for (int i = 0; i < HEAD_LEN; i++)
		head[i] = (uint8_t)(frame_len >> (8 * i));
	struct iovec parts[2] = {{.iov_base = head, .iov_len = HEAD_LEN},
				 {.iov_base = (void *)frame.data, .iov_len = frame.len}};
	struct buf *rest = &channel->rest;
	size_t sent = give(channel, parts, 2, HEAD_LEN + frame.len);
	if (sent == 0)
		return false;
	if (sent < HEAD_LEN)
		buf_add(rest, head + sent, HEAD_LEN - sent);
	size_t body_sent = sent > HEAD_LEN ? sent - HEAD_LEN : 0;
	if (body_sent < frame.len)
		buf_add(rest, frame.data + body_sent, frame.len - body_sent);
	/* Half a frame cannot be taken back. */
	channel->is_lost |= rest->has_failed;
	return true;
}

/* Of the frame that is read: its length, once its head is there. */
static bool frame_len(const struct channel *channel, size_t *ret_len)
{
	const uint8_t *at = channel->room + channel->from;
	if (channel->to - channel->from < HEAD_LEN)
		return false;
	*ret_len = (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
	return true;
}

bool channel_has_next(const struct channel *channel)
{
	size_t len;
	return frame_len(channel, &len) && channel->to - channel->from - HEAD_LEN >= len;
}

bool channel_next(struct channel *channel, struct span *ret_frame)
{
	size_t len;
	if (!channel_has_next(channel) || !frame_len(channel, &len))
		return false;
	*ret_frame = span_of(channel->room + channel->from + HEAD_LEN, len);
	channel->from += HEAD_LEN + len;
	return true;
}

/* For the frame that has begun; false: it cannot be read. One long frame does not make the room
 * long for ever. */
static bool make_room(struct channel *channel)
{
	size_t len = 0;
	if (frame_len(channel, &len) && len > CHANNEL_MAX_FRAME)
		return false;
	memmove(channel->room, channel->room + channel->from, channel->to - channel->from);
	channel->to -= channel->from;
	channel->from = 0;
	size_t wanted = len + HEAD_LEN > ROOM_LEN ? len + HEAD_LEN : ROOM_LEN;
	if (wanted == channel->room_len)
		return true;
	uint8_t *room = realloc(channel->room, wanted);
	if (!room)
		return false;
	channel->room = room;
	channel->room_len = wanted;
	return true;
}

bool channel_read(struct channel *channel)
{
	ssize_t len;
	if (channel_has_next(channel))
		return true;
	if (channel->is_lost)
		return false;
	if (!make_room(channel)) {
		channel->is_lost = true;
		return false;
	}
	do {
		len = recv(channel->fd, channel->room + channel->to,
			   channel->room_len - channel->to, 0);
	} while (len < 0 && errno == EINTR);
	if (len == 0 || (len < 0 && errno != EAGAIN))
		channel->is_lost = true;
	if (len <= 0)
		return false;
	channel->to += (size_t)len;
	return true;
}
