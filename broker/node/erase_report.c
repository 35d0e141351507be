/* What is said of one erasure: who has confirmed it, and who is waited for. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lyceum/v1/node.pb-c.h"
#include "node/erase.h"

struct names {
	char **items;
	size_t count;
};

static void add_name(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->items[i], name) == 0)
			return;
	}
	names->items = realloc(names->items, (names->count + 1) * sizeof(char *));
	if (!names->items)
		abort();
	names->items[names->count++] = mem_dup(name);
}

static void add_daemon(const char *name, void *arg)
{
	add_name(arg, name);
}

/* All that may hold copies of what is at home here. */
static struct names list_daemons(const struct daemon *daemon)
{
	struct names names = {0};
	const struct grants *grants = daemon->policy.by_name;
	if (daemon->router.hub_name[0])
		add_name(&names, daemon->router.hub_name);
	for (; grants; grants = grants->by_name.next) {
		if (grants->role == ROLE_NODE)
			add_name(&names, grants->name);
	}
	erasures_each_daemon(daemon->stream.erasures, add_daemon, &names);
	for (size_t i = 0; i < daemon->stream.origins.count; i++) {
		const char *origin = daemon->stream.origins.items[i].name;
		if (strcmp(origin, daemon->name) != 0)
			add_name(&names, origin);
	}
	return names;
}

static bool reaches(const struct daemon *daemon, struct span bytes, const char *node)
{
	struct label label = policy_members_label();
	struct readers readers = {.node = node, .person = ""};
	if (bytes.len > 0 && label_read(bytes, &label) != LYC_OK)
		return true;
	return policy_outgoing(&daemon->policy, NULL, span_of(NULL, 0), &label, daemon->name,
			       &readers, strcmp(node, daemon->router.hub_name) == 0,
			       NULL) != EGRESS_NOTHING;
}

void erase_report(struct daemon *daemon, const struct erasure_state *state, Lyceum__V1__Erasure *to)
{
	struct names names = list_daemons(daemon);
	lyceum__v1__erasure__init(to);
	to->subject = mem_dup(state->subject);
	to->seq = state->seq;
	to->time_ms = state->time_ms;
	to->is_done = state->is_done;
	to->confirmed = mem_get((names.count + 1) * sizeof(char *));
	to->waiting = mem_get((names.count + 1) * sizeof(char *));
	for (size_t i = 0; i < names.count; i++) {
		if (!reaches(daemon, state->label, names.items[i]))
			free(names.items[i]);
		else if (erasures_is_confirmed(daemon->stream.erasures, names.items[i], state->seq))
			to->confirmed[to->n_confirmed++] = names.items[i];
		else
			to->waiting[to->n_waiting++] = names.items[i];
	}
	free(names.items);
}

static void clear(Lyceum__V1__Erasure *erasure)
{
	for (size_t i = 0; i < erasure->n_confirmed; i++)
		free(erasure->confirmed[i]);
	for (size_t i = 0; i < erasure->n_waiting; i++)
		free(erasure->waiting[i]);
	free(erasure->confirmed);
	free(erasure->waiting);
	free(erasure->subject);
}

void erase_free_list(Lyceum__V1__Erasure *erasures, size_t count)
{
	for (size_t i = 0; i < count; i++)
		clear(&erasures[i]);
}
