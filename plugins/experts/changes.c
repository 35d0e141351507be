/*
 * The queue: one change at a time, the next begins when the one before is answered. Who may change
 * anything at all is decided here: the people of this node.
 */
#include "change.h"

#include <string.h>

void changes_init(struct changes *changes, struct lyc_plugin_context *context, struct view *view)
{
	*changes = (struct changes){.context = context, .view = view};
}

void changes_fini(struct changes *changes)
{
	change_free(changes->active);
	while (changes->waiting_first) {
		struct change *next = changes->waiting_first->next;
		change_free(changes->waiting_first);
		changes->waiting_first = next;
	}
	*changes = (struct changes){0};
}

static void begin(struct changes *changes, struct change *change)
{
	changes->active = change;
	change_take(change);
	change_append_some(change);
	changes_appended(changes);
}

/* The next whose caller still waits. */
static void begin_next(struct changes *changes)
{
	while (changes->waiting_first && !changes->active) {
		struct change *next = changes->waiting_first;
		changes->waiting_first = next->next;
		if (!changes->waiting_first)
			changes->waiting_last = NULL;
		changes->waiting_count--;
		if (lyc_call_time_left_ms(next->call) > 0) {
			begin(changes, next);
			continue;
		}
		lyc_call_fail(next->call, LYC_DEADLINE_EXCEEDED, "other changes took too long");
		change_free(next);
	}
}

static void answer(struct lyc_call *call, void *arg)
{
	struct change *done = arg;
	struct changes *changes = done->changes;

	(void)call;
	changes->active = NULL;
	change_answer(done);
	change_free(done);
	begin_next(changes);
}

void changes_appended(struct changes *changes)
{
	struct change *change = changes->active;

	if (change->append_due == 0 && change->append_next == change->person_count)
		lyc_call_when_seen(change->call, change->wait_seq, answer, change);
}

/* Does the principal ("ann@wales", "wales", "wales/policy") belong to this node? */
static bool is_of(const char *principal, const char *node)
{
	const char *at = strchr(principal, '@');
	const char *name = at ? at + 1 : principal;
	size_t len = strcspn(name, "/");

	return len == strlen(node) && memcmp(name, node, len) == 0;
}

/* Takes the change. */
static void submit(struct changes *changes, struct change *change)
{
	const char *home = lyc_node_name(changes->context);

	change->changes = changes;
	/* Before anything is looked up: a stranger learns nothing of what is held. */
	if (!is_of(lyc_call_principal(change->call), home)) {
		lyc_call_fail(change->call, LYC_PERMISSION_DENIED,
			      "the experts of %.64s are changed by the people of %.64s only: ask "
			      "them, or keep a record of your own",
			      home, home);
		change_free(change);
		return;
	}
	if (!changes->active) {
		lyc_call_defer(change->call);
		begin(changes, change);
		return;
	}
	if (changes->waiting_count == CHANGES_MAX_WAITING) {
		lyc_call_fail(change->call, LYC_RESOURCE_EXHAUSTED,
			      "too many changes wait for the log: try again later");
		change_free(change);
		return;
	}
	lyc_call_defer(change->call);
	if (changes->waiting_last)
		changes->waiting_last->next = change;
	else
		changes->waiting_first = change;
	changes->waiting_last = change;
	changes->waiting_count++;
}

void changes_add(struct changes *changes, struct lyc_call *call,
		 const Lyceum__Experts__V1__AddRequest *request,
		 Lyceum__Experts__V1__AddReply_Closure closure)
{
	struct change *change = change_new(call, CHANGE_ADD, &request->base);
	change->reply.add = closure;
	submit(changes, change);
}

void changes_import(struct changes *changes, struct lyc_call *call,
		    const Lyceum__Experts__V1__ImportRequest *request,
		    Lyceum__Experts__V1__ImportReply_Closure closure)
{
	struct change *change = change_new(call, CHANGE_IMPORT, &request->base);
	change->reply.import = closure;
	submit(changes, change);
}

void changes_remove(struct changes *changes, struct lyc_call *call,
		    const Lyceum__Experts__V1__RemoveRequest *request,
		    Lyceum__Experts__V1__RemoveReply_Closure closure)
{
	struct change *change = change_new(call, CHANGE_REMOVE, &request->base);
	change->reply.remove = closure;
	submit(changes, change);
}
