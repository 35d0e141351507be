/* One member of each group gets a message of this moment, chosen by its subject. */
#ifndef LYC_STREAM_FAN_OUT_H
#define LYC_STREAM_FAN_OUT_H

#include "base/buf.h"
#include "route/topics.h"

enum fan_out_sent { FAN_OUT_SENT, FAN_OUT_NOT_FOR_THEM, FAN_OUT_NOT_NOW };
typedef enum fan_out_sent (*fan_out_fn)(struct subscription *subscription, void *arg);

/* `members` are the struct subscription * of all groups that match; freed. Where one may not have
 * it or has no credit, the next is tried; one that is slow is told later what it missed. */
void fan_out_groups(struct buf *members, struct span subject, fan_out_fn try_one, void *arg);

#endif
