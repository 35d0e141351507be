/*
 * What a daemon remembers of traced calls and publishes, and of everything that it refused: a ring
 * of bytes for each of the two, so that neither drives out the other. In memory only, the oldest
 * goes first, and never a body or a field of one. Refusals have numbers that do not come again.
 */
#ifndef LYC_ROUTE_JOURNAL_H
#define LYC_ROUTE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "route/env.h"
#include "wire/trace.h"

#define JOURNAL_LEN (2u * 1024 * 1024)
/* Longer texts are cut. */
#define JOURNAL_MAX_TEXT 239

enum journal_event {
	JOURNAL_GIVEN = 1, /* a call, to who should run it */
	JOURNAL_QUEUED,    /* a call, until the log is far enough */
	JOURNAL_ANSWERED,
	JOURNAL_REFUSED,
	JOURNAL_APPENDED, /* a publish became a record */
	JOURNAL_SENT,     /* a publish went to the subscribers of the moment */
};

/* lyceum.v1.Hop.Kind, Rule and Reason, value by value. */
enum journal_kind {
	JOURNAL_CALL = 1,
	JOURNAL_PUBLISH = 2,
	JOURNAL_SUBSCRIPTION = 3,
	JOURNAL_SESSION = 4,
	JOURNAL_REGISTRATION = 5,
};

enum journal_rule {
	RULE_NONE = 0,
	RULE_RIGHT = 1,
	RULE_PRINCIPAL = 2,
	RULE_SCHEMA = 3,
	RULE_LABEL = 4,
	RULE_HOME = 5,
	RULE_EXPECTATION = 6,
	RULE_CREDIT = 7,
	RULE_LIMIT = 8,
	RULE_DEADLINE = 9,
	RULE_POSITION = 10,
	RULE_LINK = 11,
	RULE_NOBODY = 12,
	RULE_GONE = 13,
	RULE_ANSWER = 14,
	RULE_DISK = 15,
};

enum journal_reason {
	REASON_NONE = 0,
	REASON_AT = 1,
	REASON_KEY_HOME = 2,
	REASON_SERVED_HERE = 3,
	REASON_OWN_METHOD = 4,
	REASON_HUB_FINDS = 5,
	REASON_SERVED_THERE = 6,
};

struct journal_entry {
	enum journal_event event;
	enum journal_kind kind;
	uint64_t number;  /* of a refusal */
	uint64_t time_ms; /* since 1970 */
	uint64_t took_ms;
	uint64_t seq; /* of an appended record */
	enum lyc_status status;
	enum journal_rule rule;
	enum journal_reason reason;
	bool from_link;
	bool to_link;
	bool is_traced;
	struct trace trace; /* with this daemon's span */
	uint64_t parent_span;

	struct span from; /* who gave it: the name of its session */
	struct span principal;
	struct span subject; /* or method, or pattern */
	struct span to;
	struct span text;
	struct span field;
};

struct ring {
	uint8_t *bytes;
	size_t cap;
	size_t first;
	size_t next;
	size_t end; /* of what lies before `next` came round; 0: it has not */
	size_t count;
};

struct journal {
	const struct env *env;
	struct ring traced;
	struct ring refused;
	uint64_t next_number;
	uint64_t kept_number; /* what is saved: a later life begins there */
	/* Said by who decides, for the refusal that follows. */
	enum journal_rule rule;
};

/* `max_len` bytes for both; 0: nothing is remembered, refusals have no numbers. */
void journal_init(struct journal *journal, const struct env *env, size_t max_len);
void journal_fini(struct journal *journal);
/* Other bounds; what has no room any more is forgotten, the oldest first. */
void journal_resize(struct journal *journal, size_t max_len);
/* The next refusal is because of this. */
static inline void journal_because(struct journal *journal, enum journal_rule rule)
{
	journal->rule = rule;
}

/* Copies; sets the time, and of a refusal the number, which is returned. */
uint64_t journal_add(struct journal *journal, struct journal_entry *entry);

/* The entry is valid until it returns; false ends the walk. */
typedef bool (*journal_fn)(const struct journal_entry *entry, void *arg);
/* The traced, then the refused, each from the oldest on. */
void journal_each(const struct journal *journal, journal_fn fn, void *arg);

#endif
