/* A daemon's log as it lies on its disk, read when all is over. */
#ifndef LYC_TESTS_SIM_BOOK_H
#define LYC_TESTS_SIM_BOOK_H

#include "sim_node.h"
#include "stream/record.h"

/* Item 0 is sequence 1; one that is not there has no bytes. */
struct book {
	struct buf *bytes;
	struct record *records;
	size_t count;
	uint64_t epoch;
	bool has_lost; /* some of it, which is named */
};

/* False when it cannot be read, or lacks what it may not: a promise is broken then. */
bool book_read(struct sim *sim, struct sim_node *node, struct book *book);
void book_free(struct book *book);

#endif
