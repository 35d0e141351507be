/* Positions: links know those of their peers, the rule has those of durable names. */
#include "node/passed.h"

#include <string.h>

static bool has_copy(const struct daemon *daemon, const struct link *link, uint64_t seq,
		     const struct record *record)
{
	bool is_own = record->origin.len == 0;
	if (!link)
		return false; /* it has not been here since the start */
	struct span origin = is_own ? span_of(daemon->name, strlen(daemon->name)) : record->origin;
	if (span_is(origin, link->peer) || (link->is_hub && !is_own))
		return true; /* it came from there */
	const struct origin *theirs = origins_find(&link->theirs, origin);
	uint64_t epoch = is_own ? stream_epoch_of(&daemon->stream, seq) : record->epoch;
	return theirs && !origin_is_new(theirs, epoch, is_own ? seq : record->origin_seq);
}

static bool have_nodes(struct daemon *daemon, uint64_t seq, const struct record *record)
{
	const struct grants *grants;
	const struct grants *next;
	for (grants = daemon->policy.by_name; grants; grants = next) {
		next = grants->by_name.next;
		if (grants->role == ROLE_NODE &&
		    !has_copy(daemon, links_find(&daemon->links, grants->name), seq, record))
			return false;
	}
	return true;
}

bool daemon_has_passed(const struct retention_rule *rule, uint64_t seq, const struct record *record,
		       void *arg)
{
	struct daemon *daemon = arg;
	if (rule->by_hub && !has_copy(daemon, daemon->uplink.link, seq, record))
		return false;
	if (rule->by_nodes && !have_nodes(daemon, seq, record))
		return false;
	for (size_t i = 0; i < rule->durable_count; i++) {
		if (rule->durable_seqs[i] < seq)
			return false;
	}
	return true;
}
