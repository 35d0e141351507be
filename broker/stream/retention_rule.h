/*
 * The streams of the configuration: which records belong to which, and what is kept of each. Behind
 * the configured ones stand some of the daemon's own.
 */
#ifndef LYC_STREAM_RETENTION_RULE_H
#define LYC_STREAM_RETENTION_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "base/buf.h"

#define TRIMMED_SUBJECT "lyceum.v1.Trimmed"

struct retention_rule {
	char *name;
	char **subjects;
	size_t subject_count;
	uint64_t max_age_ms; /* 0: no bound */
	uint64_t max_bytes;  /* the same */
	bool last_per_subject;
	uint64_t every_ms;

	/* Of until_acknowledged. */
	bool is_acknowledged; /* the rule is there */
	bool by_hub;
	bool by_nodes;
	char **durables;        /* keys of saved positions */
	uint64_t *durable_seqs; /* where they were when a pass began */
	size_t durable_count;

	bool is_own; /* of the daemon itself: nobody is refused for it */
};

struct retention_rules {
	struct retention_rule *items;
	size_t count;
};

struct Lyceum__V1__Config;

/* INVALID_ARGUMENT with the field at fault. */
LYC_MUST_USE enum lyc_status retention_rules_read(const struct Lyceum__V1__Config *config,
						  struct retention_rules *ret_rules,
						  struct lyc_error *error);
void retention_rules_fini(struct retention_rules *rules);
/* The first that the subject belongs to; NULL: it is kept. */
struct retention_rule *retention_rule_of(const struct retention_rules *rules, struct span subject);
/* Does it let the last record of a subject go? */
bool retention_rule_loses(const struct retention_rule *rule);
/* May a view follow this pattern? FAILED_PRECONDITION has the field, and names the stream, `who`
 * follows ("the plugin 'experts'") and what to change. */
LYC_MUST_USE enum lyc_status retention_rules_admit(const struct retention_rules *rules,
						   struct span pattern, const char *who,
						   struct lyc_error *error);

#endif
