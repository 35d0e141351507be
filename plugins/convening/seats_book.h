/* What seats.c folds and seats_page.c decides upon; nobody else's business. */
#ifndef CONVENING_SEATS_BOOK_H
#define CONVENING_SEATS_BOOK_H

#include <uthash.h>

#include "seats.h"

struct group {
	char *name;
	bool has_max;
	uint32_t max;
	uint32_t taken;

	/* While a page is written. */
	uint64_t plan;
	uint32_t plan_taken;

	UT_hash_handle hh;
};

struct guest {
	char *key;
	char *node;
	char *person;
	struct group *group;
	bool is_invited;

	enum seats_choice choice;
	uint64_t number;
	uint64_t ticket; /* in the queue of those to be decided */
	bool is_due;

	enum seats_state state;
	enum seats_reason reason;
	uint64_t decided_number;
	struct group *seat_group;
	uint64_t wait_ticket;

	/* While a page is written. */
	uint64_t plan;
	uint64_t plan_answer;
	enum seats_state plan_state;
	struct group *plan_group;

	UT_hash_handle hh;
};

struct ticket {
	struct guest *guest;
	uint64_t number;
};

struct line {
	struct ticket *items;
	size_t first;
	size_t count;
	size_t capacity;
};

struct seats {
	uint32_t sequence;
	uint32_t cap;
	bool is_cancelled;
	bool invited_only;

	struct guest *guests;
	struct group *groups;
	struct line queue; /* to be decided, by arrival */
	struct line wait;
	uint64_t ticket_count;
	uint64_t next_page;
	uint32_t taken;
	size_t waiting_count;
	size_t invited_count;

	/* Only to save work: whether those who wait have been looked at since something became
	 * free. Lost with the process, and then they are looked at once more. */
	uint64_t change_count;
	uint64_t reviewed_count;
	bool is_all_due; /* their reasons, too */
	uint64_t plan_count;
};

/* Made when there is none. */
struct group *seats_group(struct seats *seats, const char *name);

static inline bool seats_is_due(const struct ticket *ticket)
{
	return ticket->guest->is_due && ticket->guest->ticket == ticket->number;
}

static inline bool seats_is_waiting(const struct ticket *ticket)
{
	return ticket->guest->state == SEATS_WAITING &&
	       ticket->guest->wait_ticket == ticket->number;
}

/* Why this person would not get a seat with so many taken, also of the person's group; SEATS_NONE:
 * would get one. */
enum seats_reason seats_why_not(const struct seats *seats, const struct guest *guest,
				uint32_t taken, uint32_t group_taken);

#endif
