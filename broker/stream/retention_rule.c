/* Reading `streams` and the one definition of what belongs where. */
#include "stream/retention_rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "lyceum/v1/config.pb-c.h"
#include "stream/durable.h"
#include "wire/subject.h"

#define OWN_PREFIX "lyceum.v1."
#define MINUTE_MS 60000u
#define DAY_MS 86400000u
/* Who was away longer starts anew. */
#define TRIMMED_AGE_MS (7u * DAY_MS)

typedef Lyceum__V1__StreamConfig config_stream;

static enum lyc_status fault(struct lyc_error *error, size_t index, const char *name,
			     const char *format, ...) LYC_PRINTF(4, 5);
static enum lyc_status fault(struct lyc_error *error, size_t index, const char *name,
			     const char *format, ...)
{
	char field[64];
	char text[200];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(field, sizeof(field), "streams[%zu].%s", index, name);
	return error_set_field(error, LYC_INVALID_ARGUMENT, field, "%s: %s", field, text);
}

/* "15min"; the schema's rule has seen to its form. 0 when empty. */
static uint64_t milliseconds(const char *text)
{
	char *unit;
	uint64_t value = strtoull(text, &unit, 10);
	switch (unit[0]) {
	case 'd':
		return value * DAY_MS;
	case 'h':
		return value * 60 * MINUTE_MS;
	case 'm':
		return value * MINUTE_MS;
	default:
		return value * 1000;
	}
}

static bool has_node(const Lyceum__V1__Config *config)
{
	for (size_t i = 0; i < config->n_keys; i++) {
		if (config->keys[i]->role == LYCEUM__V1__ROLE__NODE)
			return true;
	}
	return false;
}

static enum lyc_status read_acknowledgement(const Lyceum__V1__Config *config, size_t index,
					    struct retention_rule *rule, struct lyc_error *error)
{
	const Lyceum__V1__Acknowledgement *from = config->streams[index]->until_acknowledged;
	if (!from)
		return LYC_OK;
	if (!from->hub && !from->nodes && from->n_durable == 0)
		return fault(error, index, "until_acknowledged",
			     "names nobody: say hub, nodes or durable");
	if (from->hub && !config->uplink)
		return fault(error, index, "until_acknowledged.hub",
			     "this daemon has no hub (`uplink`)");
	if (from->nodes && !has_node(config))
		return fault(error, index, "until_acknowledged.nodes",
			     "`keys` has no node (role: NODE)");
	rule->is_acknowledged = true;
	rule->by_hub = from->hub;
	rule->by_nodes = from->nodes;
	rule->durables = mem_get((from->n_durable + 1) * sizeof(char *));
	rule->durable_seqs = mem_get((from->n_durable + 1) * sizeof(uint64_t));
	for (size_t i = 0; i < from->n_durable; i++) {
		const char *slash = strchr(from->durable[i], '/');
		if (!slash || slash == from->durable[i] || !slash[1])
			return fault(error, index, "until_acknowledged.durable",
				     "'%s' is not a peer and a name: \"ann/inbox\"",
				     from->durable[i]);
		char *peer = mem_dup(from->durable[i]);
		peer[slash - from->durable[i]] = '\0';
		rule->durables[rule->durable_count++] =
			durable_key(peer, span_of(slash + 1, strlen(slash + 1)));
		free(peer);
	}
	return LYC_OK;
}

static uint64_t default_every(const struct retention_rule *rule)
{
	uint64_t every = MINUTE_MS;
	if (rule->max_age_ms && rule->max_age_ms / 10 < every)
		every = rule->max_age_ms / 10;
	return every < 1000 ? 1000 : every;
}

static enum lyc_status read_rule(const Lyceum__V1__Config *config, size_t index,
				 struct retention_rule *rule, struct lyc_error *error)
{
	const config_stream *from = config->streams[index];
	for (size_t i = 0; i < index; i++) {
		if (strcmp(config->streams[i]->name, from->name) == 0)
			return fault(error, index, "name", "'%s' is listed twice", from->name);
	}
	rule->name = mem_dup(from->name);
	rule->subjects = mem_get(from->n_subjects * sizeof(char *));
	for (size_t i = 0; i < from->n_subjects; i++) {
		const char *pattern = from->subjects[i];
		if (!subject_pattern_is_valid(span_of(pattern, strlen(pattern))))
			return fault(error, index, "subjects",
				     "'%s' is no pattern: tokens joined with dots, `*` for one, a "
				     "final `>` for the rest",
				     pattern);
		if (strncmp(pattern, OWN_PREFIX, sizeof(OWN_PREFIX) - 1) == 0)
			return fault(error, index, "subjects", "'%s' is the daemons' own, and kept",
				     pattern);
		rule->subjects[rule->subject_count++] = mem_dup(pattern);
	}
	rule->max_age_ms = milliseconds(from->max_age);
	rule->max_bytes = from->max_bytes;
	rule->last_per_subject = from->last_per_subject;
	rule->every_ms = milliseconds(from->check_every);
	if (rule->every_ms == 0)
		rule->every_ms = default_every(rule);
	return read_acknowledgement(config, index, rule, error);
}

static void add_own(struct retention_rules *rules, const char *name, const char *subject,
		    uint64_t max_age_ms)
{
	struct retention_rule *rule = &rules->items[rules->count++];
	rule->name = mem_dup(name);
	rule->subjects = mem_get(sizeof(char *));
	rule->subjects[rule->subject_count++] = mem_dup(subject);
	rule->max_age_ms = max_age_ms;
	rule->last_per_subject = max_age_ms == 0;
	rule->every_ms = 10 * MINUTE_MS;
	rule->is_own = true;
}

enum lyc_status retention_rules_read(const Lyceum__V1__Config *config,
				     struct retention_rules *ret_rules, struct lyc_error *error)
{
	struct retention_rules rules = {0};
	enum lyc_status status = LYC_OK;
	rules.items = mem_get((config->n_streams + 3) * sizeof(*rules.items));
	for (size_t i = 0; i < config->n_streams && status == LYC_OK; i++)
		status = read_rule(config, i, &rules.items[rules.count++], error);
	if (status != LYC_OK) {
		retention_rules_fini(&rules);
		return status;
	}
	add_own(&rules, "trimmed", TRIMMED_SUBJECT, TRIMMED_AGE_MS);
	add_own(&rules, "erased", "lyceum.v1.Erased.>", 0);
	uint64_t keyed_s = config->limits ? config->limits->idempotency_s : 0;
	add_own(&rules, "keyed-calls", "lyceum.v1.KeyedCall.>",
		1000 * (keyed_s ? keyed_s : 24 * 60 * 60));
	*ret_rules = rules;
	return LYC_OK;
}

static void free_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void retention_rules_fini(struct retention_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		struct retention_rule *rule = &rules->items[i];
		free_texts(rule->subjects, rule->subject_count);
		free_texts(rule->durables, rule->durable_count);
		free(rule->durable_seqs);
		free(rule->name);
	}
	free(rules->items);
	*rules = (struct retention_rules){0};
}

struct retention_rule *retention_rule_of(const struct retention_rules *rules, struct span subject)
{
	size_t own_len = sizeof(OWN_PREFIX) - 1;
	bool is_own = subject.len > own_len && memcmp(subject.data, OWN_PREFIX, own_len) == 0;
	for (size_t i = 0; i < rules->count; i++) {
		struct retention_rule *rule = &rules->items[i];
		if (rule->is_own != is_own)
			continue;
		for (size_t k = 0; k < rule->subject_count; k++) {
			const char *pattern = rule->subjects[k];
			if (subject_matches(span_of(pattern, strlen(pattern)), subject))
				return rule;
		}
	}
	return NULL;
}

bool retention_rule_loses(const struct retention_rule *rule)
{
	return rule->max_age_ms > 0 || rule->max_bytes > 0 ||
	       (rule->is_acknowledged && !rule->last_per_subject);
}

/* Does a stream before this one take all of the pattern? Then this one has nothing of it. */
static bool is_covered_before(const struct retention_rules *rules, size_t index,
			      struct span pattern)
{
	for (size_t i = 0; i < index; i++) {
		const struct retention_rule *rule = &rules->items[i];
		for (size_t k = 0; k < rule->subject_count; k++) {
			const char *outer = rule->subjects[k];
			if (subject_pattern_covers(span_of(outer, strlen(outer)), pattern))
				return true;
		}
	}
	return false;
}

static const char *losing_part(const struct retention_rule *rule)
{
	return rule->max_age_ms > 0  ? "max_age"
	       : rule->max_bytes > 0 ? "max_bytes"
				     : "until_acknowledged";
}

enum lyc_status retention_rules_admit(const struct retention_rules *rules, struct span pattern,
				      const char *who, struct lyc_error *error)
{
	char field[40];
	for (size_t i = 0; i < rules->count; i++) {
		const struct retention_rule *rule = &rules->items[i];
		if (rule->is_own || !retention_rule_loses(rule))
			continue;
		for (size_t k = 0; k < rule->subject_count; k++) {
			const char *subjects = rule->subjects[k];
			struct span narrower =
				subject_pattern_covers(pattern, span_of(subjects, strlen(subjects)))
					? span_of(subjects, strlen(subjects))
					: pattern;
			if (!subject_patterns_meet(span_of(subjects, strlen(subjects)), pattern) ||
			    is_covered_before(rules, i, narrower))
				continue;
			snprintf(field, sizeof(field), "streams[%zu].subjects", i);
			return error_set_field(
				error, LYC_FAILED_PRECONDITION, field,
				"%s keeps a view of %.*s, of which the stream '%s' would lose "
				"state (%s): give it last_per_subject alone, or other subjects",
				who, (int)(pattern.len < 60 ? pattern.len : 60),
				(const char *)pattern.data, rule->name, losing_part(rule));
		}
	}
	return LYC_OK;
}
