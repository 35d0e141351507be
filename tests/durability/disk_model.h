/*
 * A disk that forgets. Follows a trace and knows, at every event, what a power cut would leave: a
 * file's content as of its last sync, a folder's names as of that folder's last sync, and of what
 * came since either nothing or, where asked, any part that a seed chooses.
 */
#ifndef LYC_TEST_DISK_MODEL_H
#define LYC_TEST_DISK_MODEL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/rng.h"
#include "trace.h"

struct disk_model;

struct disk_model *disk_model_new(void);
void disk_model_free(struct disk_model *model);
void disk_model_apply(struct disk_model *model, const struct trace_event *event, const char *path,
		      const char *other_path, struct span data);
/* Write what a power cut would leave now into the empty folder. rng NULL: nothing unsynced stays.
 */
void disk_model_write(const struct disk_model *model, const char *folder, struct rng *rng);

#endif
