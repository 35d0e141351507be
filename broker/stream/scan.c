/* A stretch is what one read of the log brings. */
#include "stream/scan.h"

#include <stdlib.h>

#include "base/mem.h"
#include "log.h"
#include "route/log_read.h"

#define LOG_TOPIC "scan"
#define READ_MAX_LEN (256u * 1024)

struct scan {
	struct log_read base;
	scan_record_fn on_record;
	scan_done_fn on_done;
	void *arg;
};

static uint64_t go_through(struct scan *scan)
{
	struct span at = log_read_begin(&scan->base.records);
	struct span bytes;
	struct record record;
	uint64_t seq;
	while (log_read_next(&at, &seq, &bytes)) {
		if (record_read(bytes, &record) == LYC_OK &&
		    !scan->on_record(seq, &record, (uint32_t)bytes.len, scan->arg))
			return seq;
	}
	return scan->base.next_seq;
}

static void read_done(struct log_read *base)
{
	struct scan *scan = (struct scan *)base;
	uint64_t next_seq = base->from;
	if (base->status == LYC_OK)
		next_seq = go_through(scan);
	else if (base->status != LYC_UNAVAILABLE)
		log_error("the log cannot be read", "reason", base->text);
	scan->on_done(base->status, next_seq, scan->arg);
	buf_fini(&base->records);
	free(base->pattern);
	free(scan);
}

void scan_read(struct stream *stream, uint64_t from, const char *pattern, scan_record_fn on_record,
	       scan_done_fn on_done, void *arg)
{
	struct scan *scan = mem_new(struct scan);
	scan->base.from = from;
	scan->base.max_bytes = READ_MAX_LEN;
	scan->base.pattern = mem_dup(pattern);
	scan->base.on_done = read_done;
	scan->on_record = on_record;
	scan->on_done = on_done;
	scan->arg = arg;
	stream->env->read(stream->env->world, &scan->base);
}
