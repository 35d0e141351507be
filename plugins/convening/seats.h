/*
 * The seats of one event: a fold over its rules, invitations, answers and the pages of its book.
 * Who is next is computed, never remembered: seats_decide writes the next page from what the fold
 * holds, seats_take_page folds a page that has become a record. Page N counts only once and only
 * after N-1, and only under the rules it was written under, so whatever crashes, is repeated or
 * comes twice, no page gives a seat that is not there. Knows no log, no clock and no daemon.
 */
#ifndef CONVENING_SEATS_H
#define CONVENING_SEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Values of lyceum.convening.v1.Choice, Place.State and Place.Reason. */
enum seats_choice { SEATS_UNANSWERED = 0, SEATS_YES = 1, SEATS_NO = 2, SEATS_MAYBE = 3 };
enum seats_state {
	SEATS_UNDECIDED = 0,
	SEATS_SEATED = 1,
	SEATS_WAITING = 2,
	SEATS_NOT_COMING = 3,
	SEATS_REFUSED = 4,
};
enum seats_reason {
	SEATS_NONE = 0,
	SEATS_CAP_REACHED = 1,
	SEATS_GROUP_FULL = 2,
	SEATS_NOT_INVITED = 3,
	SEATS_CANCELLED = 4,
	SEATS_SAID_NO = 5,
	SEATS_SAID_MAYBE = 6,
};

struct seats_quota {
	const char *group;
	uint32_t max;
};

struct seats_rules {
	uint32_t sequence;
	uint32_t cap; /* 0: as many as come */
	const struct seats_quota *quotas;
	size_t quota_count;
	bool is_cancelled;
	bool invited_only;
};

struct seats_decision {
	const char *node;
	const char *person;
	const char *group;
	uint64_t number; /* of the answer that is decided */
	enum seats_state state;
	enum seats_reason reason;
};

/* How one person stands. `reason` is what holds now, also where the last page said another. */
struct seats_standing {
	const char *node;
	const char *person;
	const char *group;
	bool is_invited;
	enum seats_choice choice;
	uint64_t number;         /* of the last answer */
	uint64_t decided_number; /* of the last one that was decided */
	enum seats_state state;
	enum seats_reason reason;
	uint32_t position; /* among those who wait, from 1; 0: does not wait. Costs a walk. */
};

struct seats;

struct seats *seats_new(void);
/* Accepts NULL. */
void seats_free(struct seats *seats);

/* ---- The fold ---- */

/* The event as it is from here on. Copies. */
void seats_set_rules(struct seats *seats, const struct seats_rules *rules);
/* An invitation of this person, whose answer comes from this node. */
void seats_invite(struct seats *seats, const char *node, const char *person, const char *group);
/* An answer; one with a number that is not above the last is passed over. `person` is "ann@wales"
 * or the id of an invitation. A person of one node cannot be answered for by another. */
void seats_answer(struct seats *seats, const char *node, const char *person, uint64_t number,
		  enum seats_choice choice, const char *group);
/* A page that is in the log. False: it is void, because it is not the next one or the rules have
 * changed since it was written; a number that is the next one is used up all the same. */
bool seats_take_page(struct seats *seats, uint64_t page, uint32_t sequence,
		     const struct seats_decision *decisions, size_t count);

/* ---- The next page ---- */

uint64_t seats_next_page(const struct seats *seats);
/* Write the next page: at most `max` decisions; returns how many, 0: there is nothing to decide.
 * Texts are valid until the next change of the fold. Changes nothing that counts: asked again
 * after the same fold in another process it says the same. */
size_t seats_decide(struct seats *seats, struct seats_decision *to, size_t max);
/* What was decided last has not become a page: decide it anew. */
void seats_reconsider(struct seats *seats);

/* ---- What it says ---- */

uint32_t seats_taken(const struct seats *seats);
uint32_t seats_group_taken(const struct seats *seats, const char *group);
size_t seats_waiting(const struct seats *seats);
size_t seats_invited(const struct seats *seats);
bool seats_find(const struct seats *seats, const char *node, const char *person,
		struct seats_standing *ret_standing);
/* Everybody, in the order in which they were first heard of; `position` is left 0. */
typedef void (*seats_fn)(const struct seats_standing *standing, void *arg);
void seats_each(const struct seats *seats, seats_fn fn, void *arg);

#endif
