/*
 * Records that were found damaged: named for the operator, and asked for of the daemons that may
 * hold copies, over the link (Want, Found), one after the other. Only what was asked for is taken,
 * only from whom it was asked of, late too, and only if identity, checksums and what is left of the
 * damaged record fit; whoever gives something else is named and asked no more in this round.
 */
#ifndef LYC_NODE_HEALING_H
#define LYC_NODE_HEALING_H

#include "route/env.h"
#include "wire/packet.h"

struct daemon;
struct link;

/* One record that is lost here. */
struct want {
	uint64_t seq;
	char origin[64]; /* as far as is known */
	uint64_t epoch;
	uint64_t origin_seq;
	uint64_t turn;         /* of the last link that was asked */
	uint64_t refused_turn; /* and of the last that gave something else */
	uint64_t due_ms;       /* when the next may be asked */
	uint64_t round_ms;     /* and when the first again */
	bool is_healing;       /* on its way to the log */
	char liar[64];         /* who gave something else */
	char text[200];        /* what became of asking */
};

struct healing {
	struct want *items;
	size_t count;
	uint64_t told_count; /* lost records that the daemon's log has named */
};

/* Damage was found, or something came back: look at what is lost now. */
void daemon_damaged(struct daemon *daemon);
void healing_fini(struct daemon *daemon);
/* Ask on. */
void healing_tick(struct daemon *daemon);
/* Of stream.is_sought: is a lost record of this origin still asked for in this round? */
bool healing_seeks(struct span origin, void *daemon);
/* What is lost, for the operator, as far as there is room; how many. */
struct lost_line {
	uint64_t first_seq;
	uint64_t last_seq;
	char subject[200];
	char file[64];
	uint64_t offset;
	uint64_t found_ms;
	const char *text; /* what became of asking; valid until the next turn */
};
size_t healing_list(const struct daemon *daemon, struct lost_line *items, size_t max);

/* wanted.c: look for what this peer has lost. */
void healing_wanted(struct daemon *daemon, struct link *link, const struct packet_want *want);
void healing_found(struct daemon *daemon, struct link *link, const struct packet_copy *found);

#endif
