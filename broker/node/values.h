/*
 * The small values beside the log that were found damaged: what the loss of each means, for the
 * daemon's log and for the operator's status. What is done about it is done where each is read.
 */
#ifndef LYC_NODE_VALUES_H
#define LYC_NODE_VALUES_H

#include <stddef.h>

struct daemon;

struct damaged_value {
	char file[220]; /* below the folder of the log: the mark that stands for it */
	char text[200]; /* what it means */
};

/* One line each in the daemon's log. */
void values_tell(struct daemon *daemon);
/* As far as there is room; how many. */
size_t values_list(struct daemon *daemon, struct damaged_value *items, size_t max);

#endif
