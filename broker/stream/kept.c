/* Records that wait to be tried again. Appends are answered in order, and what is queued behind a
 * failed one fails with it. */
#include "stream/kept.h"

#include <stdlib.h>

#include "base/mem.h"

struct kept {
	struct list node;
	struct stream *stream;
	struct buf subject;
	struct buf body;
};

static void kept_free(struct kept *kept)
{
	list_remove(&kept->node);
	buf_fini(&kept->subject);
	buf_fini(&kept->body);
	free(kept);
}

static void done(enum lyc_status status, uint64_t seq, const char *text, void *arg)
{
	struct kept *kept = arg;
	(void)seq;
	(void)text;
	if (status == LYC_OK || status == LYC_INVALID_ARGUMENT)
		kept_free(kept);
	else
		list_add_last(&kept->stream->unkept, &kept->node);
}

static void append(struct kept *kept)
{
	stream_append_own(kept->stream, span_of(kept->subject.data, kept->subject.len),
			  span_of(kept->body.data, kept->body.len), done, kept);
}

void kept_append(struct stream *stream, struct span subject, struct span body)
{
	struct kept *kept = mem_new(struct kept);
	kept->stream = stream;
	list_init(&kept->node);
	buf_add(&kept->subject, subject.data, subject.len);
	buf_add(&kept->body, body.data, body.len);
	append(kept);
}

void kept_again(struct stream *stream)
{
	size_t count = 0;
	list_each (node, &stream->unkept)
		count++;
	for (; count > 0; count--) {
		struct kept *kept = list_entry(stream->unkept.next, struct kept, node);
		list_remove(&kept->node);
		append(kept);
	}
}

void kept_fini(struct stream *stream)
{
	list_each_safe (node, &stream->unkept)
		kept_free(list_entry(node, struct kept, node));
}
