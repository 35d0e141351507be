/* What a hostile peer may try, each a function: it does its worst, looks at the answer, and says
 * whether that is the right one. */
#ifndef LYC_SYSTEM_ATTACK_H
#define LYC_SYSTEM_ATTACK_H

#include "network.h"

struct target {
	struct node *node;
	char plain[64]; /* a listener without keys */
	bool is_short;  /* a tenth of the load */
};

struct verdict {
	bool is_right;
	char text[160];
};

typedef void (*attack_fn)(const struct target *target, struct verdict *ret_verdict);

struct attack {
	const char *name;
	attack_fn run;
};

/* Ended by a NULL name. attack_bytes.c: below the packets; attack_packets.c: with them. */
extern const struct attack attacks_of_bytes[];
extern const struct attack attacks_of_packets[];

void verdict_set(struct verdict *verdict, bool is_right, const char *format, ...) LYC_PRINTF(3, 4);

#endif
