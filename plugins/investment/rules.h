/*
 * The hard rules: may this venture be introduced to this investor at this moment? Plain structs in,
 * and out comes every rule that refuses, with the values that decided, so that "why was this not
 * proposed?" has an answer without asking again. Makes no sentences and keeps no state; how well a
 * pair fits that may be introduced is score.c's.
 */
#ifndef INVESTMENT_RULES_H
#define INVESTMENT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

/* In the order in which they are told. The numbers are the bits of a certificate: only append. */
enum rule {
	RULE_OPEN = 0,
	RULE_CERTIFICATION = 1,
	RULE_CONFLICT = 2,
	RULE_EXCLUSION = 3,
	RULE_STAGE = 4,
	RULE_TICKET = 5,
	RULE_SECTOR = 6,
	RULE_REGION = 7,
	RULE_INSTRUMENT = 8,
	RULE_COUNT = 9,
};

/* What went against the rule, and which fields of the refusal then say so. */
enum rule_reason {
	/* OPEN: venture_word or investor_word is the id of who left, the other one is NULL. */
	RULE_WITHDRAWN = 1,
	/* OPEN, CERTIFICATION: the same, or the certificate's type; numbers {until, asked}. */
	RULE_EXPIRED = 2,
	/* CERTIFICATION: there is none. */
	RULE_MISSING = 3,
	/* CERTIFICATION: investor_word is its type; numbers {from, asked}. */
	RULE_NOT_YET = 4,
	/* CERTIFICATION: investor_word is its type. */
	RULE_REVOKED = 5,
	/* CONFLICT: the two parties; nature is the declared one; numbers {until or 0, asked}. */
	RULE_DECLARED = 6,
	/* CONFLICT: one party stands behind both. */
	RULE_SAME_PARTY = 7,
	/* EXCLUSION: investor_word excludes venture_word (a sector, trait or id). */
	RULE_INVESTOR_EXCLUDES = 8,
	/* EXCLUSION: venture_word excludes investor_word (a trait or id). */
	RULE_VENTURE_EXCLUDES = 9,
	/* STAGE: numbers {stage, mandate's stages}. SECTOR, REGION, INSTRUMENT: venture_word is the
	 * venture's first one, investor_word the mandate's first one. */
	RULE_OUTSIDE = 10,
	/* STAGE, TICKET, SECTOR, REGION, INSTRUMENT: the venture does not say what the mandate
	 * asks for; investor_word is the mandate's first one. */
	RULE_NOT_SAID = 11,
	/* TICKET: the two currencies. */
	RULE_CURRENCY = 12,
	/* TICKET: numbers {ask_min, ask_max, ticket_min, ticket_max}. */
	RULE_TICKET_TOO_SMALL = 13,
	RULE_TICKET_TOO_LARGE = 14,
};

/* Words are borrowed from the venture, the investor or the conflict. */
struct refusal {
	enum rule rule;
	enum rule_reason reason;

	const char *venture_word;
	const char *investor_word;
	const char *nature;
	int64_t numbers[4];
};

/* A list of texts as protobuf-c has it. All are borrowed, none is NULL. */
struct rules_words {
	char *const *words;
	size_t count;
};

/* An empty text or list means "not said" of a venture and "any" of a mandate. Times are UTC
 * milliseconds, 0 for none. Amounts are minor units, never negative. */
struct rules_venture {
	const char *id;
	/* Further ids behind it: founders, owners, a group. A conflict with one is one with all. */
	struct rules_words parties;
	bool is_withdrawn;
	int64_t open_until_ms;

	/* 1 to RULES_MAX_STAGE, 0 for not said. */
	uint32_t stage;
	struct rules_words sectors;
	struct rules_words instruments;
	const char *region;
	int64_t ask_min;
	int64_t ask_max;
	const char *currency;

	/* What a mandate may exclude ("animal testing"). */
	struct rules_words traits;
	/* Ids or traits of investors that it does not want to meet. */
	struct rules_words exclusions;

	/* Only the score looks at these: what it needs beside money, and what it is good at. */
	struct rules_words needs;
	struct rules_words strengths;
};

#define RULES_MAX_STAGE 31

struct rules_certification {
	/* A professional or an institution, who needs none. */
	bool is_exempt;
	bool is_revoked;
	/* Empty: there is none. */
	const char *type;
	int64_t from_ms;
	/* The first millisecond at which it is no longer valid. 0: it has no date, and counts as
	 * missing. */
	int64_t expires_ms;
};

struct rules_investor {
	const char *id;
	struct rules_words parties;
	bool is_withdrawn;
	int64_t open_until_ms;
	struct rules_certification certification;

	/* Bit n set: stage n is wanted. */
	uint32_t stages;
	struct rules_words sectors;
	struct rules_words instruments;
	struct rules_words regions;
	int64_t ticket_min;
	int64_t ticket_max;
	const char *currency;
	/* A ticket below the ask is welcome, because others fill the round. */
	bool co_invests;

	struct rules_words traits;
	/* Sectors, traits or ids of ventures. */
	struct rules_words exclusions;

	/* Only the score looks at these. */
	struct rules_words prefers_regions;
	struct rules_words offers;
	struct rules_words priorities;
};

/* Declared by anybody about two parties, in either order. */
struct conflict {
	const char *a;
	const char *b;
	const char *nature;
	/* From then on it holds no more; 0: for good. */
	int64_t until_ms;
};

/* What a whole batch is judged by. */
struct rules {
	int64_t at_ms;
	/* Ordered by rules_order_conflicts. */
	const struct conflict *conflicts;
	size_t conflict_count;
	/* Is the region what is wanted or a part of it? NULL: as rules_covers says. */
	bool (*is_within)(const char *region, const char *wanted);
};

/* Put the conflicts into the order in which rules_check looks them up: a <= b in each, then by a,
 * b. */
void rules_order_conflicts(struct conflict *conflicts, size_t count);
/* Every rule that refuses the pair, each once, in the order of the enum; 0: it may be introduced.
 * What is returned borrows from the arguments. */
size_t rules_check(const struct rules *rules, const struct rules_venture *venture,
		   const struct rules_investor *investor, struct refusal ret_refusals[RULE_COUNT]);
/* The refusals as a certificate keeps them: bit 1 << rule for each. */
uint16_t rules_mask(const struct refusal *refusals, size_t count);
/* The rule's name, "certification"; "unknown" outside the enum. Valid for ever. */
const char *rules_name(enum rule rule);
/* Is `has` the same as `wanted`, whatever the case, or below it: "E02" covers "E02.095", "biotech"
 * covers "biotech/cell therapy", "GB" covers "GB-WLS"? */
bool rules_covers(const char *wanted, const char *has);

#endif
