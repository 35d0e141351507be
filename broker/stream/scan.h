/* Reading a stretch of the log for work of the daemon's own, record by record. */
#ifndef LYC_STREAM_SCAN_H
#define LYC_STREAM_SCAN_H

#include "stream/stream.h"

/* A record that could be read, with the number of its bytes. False: go no further than before it.
 */
typedef bool (*scan_record_fn)(uint64_t seq, const struct record *record, size_t len, void *arg);
/* The stretch ends: where to go on. A status that is not OK has been logged, unless the daemon
 * stops. */
typedef void (*scan_done_fn)(enum lyc_status status, uint64_t next_seq, void *arg);

/* One stretch from this sequence on, of the subjects that match; pattern NULL: all. Both functions
 * run later on the loop; `arg` has to stay until then. */
void scan_read(struct stream *stream, uint64_t from, const char *pattern, scan_record_fn on_record,
	       scan_done_fn on_done, void *arg);

#endif
