/*
 * Reads the log for a group: what comes next for all of it, and again what waited for the credit of
 * one member. One read at a time; the group lives until it has ended.
 */
#ifndef LYC_STREAM_GROUP_READER_H
#define LYC_STREAM_GROUP_READER_H

#include "stream/group_members.h"

/* Read on, where something is there to read and somebody has credit for it. */
void group_reader_pump(struct group *group);
/* Members that have been sent all that there is for them learn how far the log is. */
void group_reader_tell_end(struct group *group);

#endif
