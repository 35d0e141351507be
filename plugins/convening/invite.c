/*
 * One record an invited person. The id is made from whom it is for, so inviting twice is inviting
 * once. An expert of another node is named by id and home only; the address is that node's to know.
 */
#include "invite.h"

#include <ctype.h>

#include "blackouts.h"
#include "errand.h"
#include "hold.h"
#include "mime.h"
#include "nodes.h"
#include "postroom.h"

typedef Lyceum__Convening__V1__InviteReply__Result result_msg;

#define ID_SIZE 20
#define NAME_SIZE 260

struct target {
	char id[ID_SIZE];
	char who[470];
	char expert[124];
	char home[68]; /* of the expert or the member; "": an outsider */
	char member[140];
	char email[260];
	char name[NAME_SIZE];
	const char *refusal;
	char text[160]; /* what the refusal may point to */
	Lyceum__Convening__V1__Change change;
};

struct invite {
	struct entry *entry;
	struct target *targets;
	size_t count;
	char *preview;
};

static void release(void *data)
{
	struct invite *invite = data;

	free(invite->targets);
	free(invite->preview);
	free(invite);
}

static void make_id(const char *kind, const char *text, char to[ID_SIZE])
{
	uint64_t hash = 14695981039346656037u;

	for (const char *at = kind; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 1099511628211u;
	for (const char *at = text; *at; at++)
		hash = (hash ^ (unsigned char)tolower((unsigned char)*at)) * 1099511628211u;
	snprintf(to, ID_SIZE, "i%016llx", (unsigned long long)hash);
}

/* ---- Whom ---- */

static void read_expert(const struct convening *state, const char *text, struct target *to)
{
	const char *at = strrchr(text, '@');

	snprintf(to->expert, sizeof(to->expert), "%.*s", (int)(at ? at - text : 120), text);
	snprintf(to->home, sizeof(to->home), "%.64s", at ? at + 1 : state->view.node);
	snprintf(to->who, sizeof(to->who), "%s@%s", to->expert, to->home);
	make_id("expert ", to->who, to->id);
	if (!to->expert[0] || !to->home[0])
		to->refusal = "an expert is named by id and home: P1@wales";
}

static void read_member(const char *text, struct target *to)
{
	snprintf(to->member, sizeof(to->member), "%s", text);
	snprintf(to->home, sizeof(to->home), "%.64s", strrchr(text, '@') + 1);
	snprintf(to->who, sizeof(to->who), "%s", text);
	make_id("member ", text, to->id);
}

/* "Ada Okafor <ada@example.org>" or the address alone. */
static void read_email(const char *text, struct target *to)
{
	const char *open = strchr(text, '<'), *close = open ? strchr(open, '>') : NULL;
	const char *begin = open && close ? open + 1 : text;
	size_t len = open && close ? (size_t)(close - begin) : strlen(text);
	int name_len = open && close ? (int)(open - text) : 0;

	while (name_len > 0 && isspace((unsigned char)text[name_len - 1]))
		name_len--;
	snprintf(to->email, sizeof(to->email), "%.*s", (int)(len < 255 ? len : 255), begin);
	snprintf(to->name, sizeof(to->name), "%.*s", name_len < 200 ? name_len : 200, text);
	snprintf(to->who, sizeof(to->who), "%s", to->name[0] ? to->name : to->email);
	make_id("mailto:", to->email, to->id);
	if (!mime_is_address(to->email))
		to->refusal = "this is no e-mail address";
}

static bool names_node(const char *audience, const char *node)
{
	const char *at = strchr(audience, '@');
	const char *name = at ? at + 1 : audience;
	size_t len = strcspn(name, "/");

	return len == strlen(node) && strncmp(name, node, len) == 0;
}

/* Does the event's record get to this node? */
static bool reaches(const event_msg *event, const char *node)
{
	const label_msg *label = event->label;

	if (strcmp(node, event->home) == 0)
		return true;
	if (!label || label->visibility == LYCEUM__V1__VISIBILITY__PRIVATE)
		return false;
	if (label->visibility != LYCEUM__V1__VISIBILITY__AUDIENCE)
		return true;
	for (size_t i = 0; i < label->n_audience; i++) {
		if (names_node(label->audience[i], node))
			return true;
	}
	return false;
}

static void judge(const struct invite *invite, const struct nodes *nodes, struct target *target)
{
	const struct entry *entry = invite->entry;
	const struct invited *held = view_invited(entry, target->id);

	if (target->refusal)
		return;
	if (target->home[0] && nodes && !nodes_has(nodes, target->home)) {
		snprintf(target->text, sizeof(target->text),
			 "no node %.64s was ever heard of here: `lyceum status` lists those that "
			 "are",
			 target->home);
		target->refusal = target->text;
		return;
	}
	if (target->home[0] && !reaches(entry->event, target->home)) {
		target->refusal = "that node may not know of the event: add it to the audience";
		return;
	}
	target->change = held && held->msg->home[0] ? LYCEUM__CONVENING__V1__CHANGE__UNCHANGED
						    : LYCEUM__CONVENING__V1__CHANGE__ADDED;
}

static void read_targets(struct convening *state,
			 const Lyceum__Convening__V1__InviteRequest *request, struct invite *invite)
{
	invite->targets = hold_new(request->n_expert + request->n_email + request->n_member,
				   sizeof(*invite->targets));
	for (size_t i = 0; i < request->n_expert; i++)
		read_expert(state, request->expert[i], &invite->targets[invite->count++]);
	for (size_t i = 0; i < request->n_member; i++)
		read_member(request->member[i], &invite->targets[invite->count++]);
	for (size_t i = 0; i < request->n_email; i++)
		read_email(request->email[i], &invite->targets[invite->count++]);
}

static bool has_foreign_target(const struct convening *state, const struct invite *invite)
{
	for (size_t i = 0; i < invite->count; i++) {
		const char *home = invite->targets[i].home;
		if (home[0] && strcmp(home, state->view.node) != 0)
			return true;
	}
	return false;
}

/* ---- Records ---- */

static void append(struct errand *errand, struct target *target)
{
	struct convening *state = errand->state;
	const struct invite *invite = errand->data;
	const Lyceum__Convening__V1__InviteRequest *request = errand->request;
	label_msg label = LYCEUM__V1__LABEL__INIT;
	invitation_msg invitation = LYCEUM__CONVENING__V1__INVITATION__INIT;
	char *audience = target->home;

	convening_private_label(state, &label);
	if (target->home[0] && strcmp(target->home, state->view.node) != 0) {
		label.visibility = LYCEUM__V1__VISIBILITY__AUDIENCE;
		label.audience = &audience;
		label.n_audience = 1;
	}
	invitation.home = state->view.node;
	invitation.event = invite->entry->id;
	invitation.id = target->id;
	invitation.expert = target->expert;
	if (target->expert[0])
		invitation.expert_home = target->home;
	invitation.member = target->member;
	invitation.email = target->email;
	invitation.name = target->name;
	invitation.group = request->group;
	invitation.message = request->message;
	invitation.override_reason = request->override;
	invitation.label = &label;
	errand_append(errand, &invitation.base, 0, false);
}

/* Nobody was taken: then the call has failed. */
static bool fail_when_all_are_refused(struct errand *errand)
{
	const struct invite *invite = errand->data;

	for (size_t i = 0; i < invite->count; i++) {
		if (!invite->targets[i].refusal)
			return false;
	}
	const struct target *first = &invite->targets[0];
	const char *field = first->email[0] ? "email" : first->member[0] ? "member" : "expert";
	if (invite->count > 1)
		lyc_call_fail_field(errand->call, LYC_INVALID_ARGUMENT, field,
				    "nobody of %zu was invited; %.100s: %s", invite->count,
				    first->who, first->refusal);
	else
		lyc_call_fail_field(errand->call, LYC_INVALID_ARGUMENT, field, "%.200s: %s",
				    first->who, first->refusal);
	return true;
}

static void reply(struct errand *errand)
{
	const struct convening *state = errand->state;
	const struct invite *invite = errand->data;
	Lyceum__Convening__V1__InviteReply reply = LYCEUM__CONVENING__V1__INVITE_REPLY__INIT;

	if (fail_when_all_are_refused(errand))
		return;
	result_msg *results = hold_new(invite->count, sizeof(*results));
	reply.result = hold_new(invite->count, sizeof(*reply.result));
	for (size_t i = 0; i < invite->count; i++) {
		struct target *target = &invite->targets[i];
		lyceum__convening__v1__invite_reply__result__init(&results[i]);
		results[i].who = target->who;
		results[i].change = target->change;
		results[i].id = target->id;
		if (target->refusal)
			results[i].text = (char *)(uintptr_t)target->refusal;
		else if (target->member[0])
			results[i].text = "no mail: sees it in the list of events";
		else
			results[i].sent_by = target->home[0] ? target->home : state->view.node;
		reply.result[reply.n_result++] = &results[i];
	}
	if (invite->preview)
		reply.preview = invite->preview;
	((Lyceum__Convening__V1__InviteReply_Closure)errand->closure)(&reply, errand->call);
	free(reply.result);
	free(results);
}

/* nodes NULL: all targets are this node's. */
static void invite_them(struct errand *errand, const struct nodes *nodes)
{
	struct convening *state = errand->state;
	struct invite *invite = errand->data;
	const Lyceum__Convening__V1__InviteRequest *request = errand->request;
	struct target *targets = invite->targets;

	for (size_t i = 0; i < invite->count; i++)
		judge(invite, nodes, &targets[i]);
	if (request->dry_run)
		invite->preview = postroom_preview(state, invite->entry, targets[0].name,
						   targets[0].home[0] ? "" : targets[0].email,
						   request->message);
	for (size_t i = 0; i < invite->count && !request->dry_run; i++) {
		if (!targets[i].refusal &&
		    targets[i].change == LYCEUM__CONVENING__V1__CHANGE__ADDED)
			append(errand, &targets[i]);
	}
	errand_seal(errand);
}

static void on_nodes(const struct nodes *nodes, void *arg)
{
	struct errand *errand = arg;
	const struct invite *invite = errand->data;
	const event_msg *event = invite->entry->event;

	/* Both may have changed while the daemon was asked. */
	if (!nodes)
		errand_fail(errand, LYC_UNAVAILABLE,
			    "the daemon does not say which nodes it knows: try again");
	else if (!event || event->status == LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED)
		errand_fail(errand, LYC_FAILED_PRECONDITION, "the event is cancelled");
	else
		invite_them(errand, nodes);
}

void invite_start(struct convening *state, struct lyc_call *call,
		  const Lyceum__Convening__V1__InviteRequest *request,
		  Lyceum__Convening__V1__InviteReply_Closure closure)
{
	struct entry *entry = convening_own_event(state, call, request->event);
	char text[240];

	if (!entry)
		return;
	if (entry->event->status == LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED) {
		lyc_call_fail(call, LYC_FAILED_PRECONDITION, "the event is cancelled");
		return;
	}
	if (request->n_expert + request->n_email + request->n_member == 0) {
		lyc_call_fail_field(
			call, LYC_INVALID_ARGUMENT, "expert",
			"say whom: --expert ID@home, --member NAME@node or --email ADDRESS");
		return;
	}
	if (!request->override[0] &&
	    blackouts_is_on(state, convening_now_ms(), text, sizeof(text))) {
		lyc_call_fail(call, LYC_FAILED_PRECONDITION, "%s", text);
		return;
	}
	struct errand *errand = errand_new(state, call, request, (void (*)(void))closure, reply);
	struct invite *invite = hold_new(1, sizeof(*invite));
	invite->entry = entry;
	errand->data = invite;
	errand->release = release;
	errand->may_exist = true;
	read_targets(state, request, invite);
	if (!has_foreign_target(state, invite))
		invite_them(errand, NULL);
	else if (nodes_ask(state, on_nodes, errand) != LYC_OK)
		on_nodes(NULL, errand);
}
