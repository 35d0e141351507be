/* What the recorder writes and the replay reads: events, each followed by its paths and data. */
#ifndef LYC_TEST_TRACE_H
#define LYC_TEST_TRACE_H

#include <stdint.h>

enum trace_kind {
	TRACE_OPEN = 1, /* offset: the flags */
	TRACE_CLOSE,
	TRACE_WRITE,
	TRACE_SYNC,
	TRACE_TRUNCATE, /* offset: the new length */
	TRACE_EXTEND,   /* offset: at least this length */
	TRACE_RENAME,
	TRACE_UNLINK,
	TRACE_MKDIR,
	TRACE_NOTE
};

struct trace_event {
	uint32_t kind;
	int32_t fd;
	uint64_t offset;
	uint32_t path_len;
	uint32_t other_path_len;
	uint32_t data_len;
	uint32_t unused;
};

/* The recorder's hook: puts what the program says at this moment into the trace. */
void recorder_note(const char *text);

#endif
