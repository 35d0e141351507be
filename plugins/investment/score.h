/*
 * How well a pair fits that the rules let pass, as one side sees it: ten named parts of whole
 * points, whose sum is the total, each with the values that it came from. A part's points are
 * most * has / of, rounded down, so a receiver can work out every one again. What the log knows
 * about the two (answers, interest, earlier deals) comes in as facts; nothing is learnt here.
 */
#ifndef INVESTMENT_SCORE_H
#define INVESTMENT_SCORE_H

#include "rules.h"

/* The most that a pair can reach. */
#define SCORE_FULL 1000
/* Words that a part names; `has` may count more. */
#define SCORE_MAX_WORDS 4

enum score_side {
	SCORE_FOR_VENTURE = 0,
	SCORE_FOR_INVESTOR = 1,
};

/* Only append: the names travel. */
enum score_name {
	/* has: the venture's sectors that the mandate names, of: its sectors. */
	SCORE_SECTOR = 0,
	/* has: 1 if the mandate names the stage, of: how many stages it names. */
	SCORE_STAGE = 1,
	/* has: 2 for a preferred region, 1 for a named one, of: 2. */
	SCORE_REGION = 2,
	/* has: so much of the ask one ticket can cover, of: the ask. Minor units. */
	SCORE_TICKET = 3,
	/* has: the needs that the investor offers to meet, of: the needs. */
	SCORE_NEED = 4,
	/* has: the priorities that the venture is strong in, of: the priorities. */
	SCORE_STRENGTH = 5,
	/* has: earlier commitments of the investor to ventures like this one, of: has +
	 * SCORE_TRACK_HALF. */
	SCORE_TRACK = 6,
	/* has: introductions that the other side answered + 1, of: those it was asked about + 2. */
	SCORE_RESPONSE = 7,
	/* has: 1 if the investor declared an interest that fits, of: 1. */
	SCORE_INTEREST = 8,
	/* has: this side's own wish for the other, of: 100. */
	SCORE_PREFERENCE = 9,
	SCORE_PART_COUNT = 10,
};

/* So many earlier deals are worth half of SCORE_TRACK. */
#define SCORE_TRACK_HALF 4

/* What the log knows about the pair. All zero is right for two that nobody knows. */
struct score_facts {
	/* Introductions put to the venture, to the investor, and how many each answered, yes or no.
	 */
	uint32_t asked[2];
	uint32_t answered[2];
	/* 0 to 100, by side; 0: not declared. */
	uint32_t preference[2];
	bool is_interested;
	uint32_t earlier_deals;
};

struct score_part {
	enum score_name name;
	int64_t points;
	int64_t most;

	/* of == 0: one side does not say, and there are no points. */
	int64_t has;
	int64_t of;
	/* Borrowed from the venture or the investor. */
	const char *words[SCORE_MAX_WORDS];
	size_t word_count;
};

/* Always all parts, in the order of the enum. */
struct score {
	int64_t total;
	struct score_part parts[SCORE_PART_COUNT];
	size_t part_count;
};

/* What the pair is worth to that side. Only for pairs that rules_check lets pass. Borrows words
 * from the two. */
void score_pair(const struct rules *rules, const struct rules_venture *venture,
		const struct rules_investor *investor, const struct score_facts *facts,
		enum score_side side, struct score *ret_score);
/* Does it add up: known names, each once, points as its values say, and their sum the total? Parts
 * without points may have been left out. */
bool score_adds_up(const struct score *score, enum score_side side);
/* The part's name, "sector"; "unknown" outside the enum. Valid for ever. */
const char *score_name_text(enum score_name name);
/* The most that the part can give to that side. They sum to SCORE_FULL. */
int64_t score_most(enum score_name name, enum score_side side);

#endif
