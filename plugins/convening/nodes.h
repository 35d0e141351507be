/*
 * Which nodes this daemon has ever heard of: itself, its links, the origins of its records and who
 * offers services. Asked of the daemon each time; nothing is kept.
 */
#ifndef CONVENING_NODES_H
#define CONVENING_NODES_H

#include "convening.h"

struct nodes {
	char (*names)[68];
	size_t count, capacity;
};

/* Runs once; NULL: the daemon did not say. Valid until it returns. */
typedef void (*nodes_fn)(const struct nodes *nodes, void *arg);

/* Not LYC_OK: on_known does not run. */
LYC_MUST_USE enum lyc_status nodes_ask(struct convening *state, nodes_fn on_known, void *arg);
bool nodes_has(const struct nodes *nodes, const char *name);

#endif
