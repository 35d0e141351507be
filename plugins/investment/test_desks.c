/* The least that a log and a link have to do. */
#include "test_desks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conflict.h"
#include "duty.h"
#include "intake.h"
#include "introduction.h"
#include "matchmaker.h"

static void need(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "test_desks: %s\n", what);
	abort();
}

/* The type's key fields are its first ones, as many as its subject has tokens after the type. */
static size_t key_count(const ProtobufCMessageDescriptor *type)
{
	if (type == &lyceum__investment__v1__node_key__descriptor)
		return 1;
	return type == &lyceum__investment__v1__answer__descriptor ||
			       type == &lyceum__investment__v1__reveal__descriptor ||
			       type == &lyceum__investment__v1__conflict_notice__descriptor ||
			       type == &lyceum__investment__v1__interest_fit__descriptor
		       ? 3
		       : 2;
}

static char *subject_of(const ProtobufCMessage *message)
{
	char subject[600];
	size_t len = (size_t)snprintf(subject, sizeof(subject), "%s", message->descriptor->name);

	for (size_t i = 0; i < key_count(message->descriptor); i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		const char *at = (const char *)message + field->offset;
		if (field->type == PROTOBUF_C_TYPE_STRING)
			len += (size_t)snprintf(subject + len, sizeof(subject) - len, ".%s",
						*(char *const *)(const void *)at);
		else
			len += (size_t)snprintf(subject + len, sizeof(subject) - len, ".%d",
						*(const int *)(const void *)at);
	}
	return strdup(subject);
}

static const label_msg *label_of(const ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "label");

	need(field != NULL, "a record without a label");
	return *(label_msg *const *)(const void *)((const char *)message + field->offset);
}

static bool goes_to(const label_msg *label, const char *node)
{
	if (!label || label->visibility == SEEN_BY_HOME ||
	    label->visibility == LYCEUM__V1__VISIBILITY__VISIBILITY_UNSPECIFIED)
		return false;
	for (size_t i = 0; i < label->n_audience; i++) {
		if (strcmp(label->audience[i], node) == 0)
			return true;
	}
	return label->visibility != SEEN_BY_AUDIENCE;
}

static void deliver(struct desks *desks, size_t from, const struct logged *logged, size_t to)
{
	struct node *node = &desks->nodes[to];
	const struct lyc_delivery record = {.subject = logged->subject,
					    .body = logged->body,
					    .body_len = logged->len,
					    .removed = logged->removed,
					    .origin = desks->nodes[from].desk.node,
					    .seq = ++node->seq};

	for (int i = 0; i < (desks->doubles ? 2 : 1); i++)
		desk_take(&node->desk, &record);
	if (from == to)
		return;
	desks->wire = realloc(desks->wire, desks->wire_len + logged->len + strlen(logged->subject));
	need(desks->wire != NULL, "memory");
	memcpy(desks->wire + desks->wire_len, logged->subject, strlen(logged->subject));
	desks->wire_len += strlen(logged->subject);
	if (logged->len > 0)
		memcpy(desks->wire + desks->wire_len, logged->body, logged->len);
	desks->wire_len += logged->len;
}

bool desks_append(struct desks *desks, size_t at, const ProtobufCMessage *message,
		  bool is_withdrawal, bool has_expect, uint64_t expect_seq)
{
	struct node *node = &desks->nodes[at];
	struct logged logged = {.subject = subject_of(message), .removed = is_withdrawal};
	size_t last = node->log_count;

	/* Expectations are of the subject's last sequence in this daemon's log. */
	while (last > 0 && strcmp(node->log[last - 1].subject, logged.subject) != 0)
		last--;
	const struct held *held = NULL;
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		if (view_type(kind) != message->descriptor)
			continue;
		const char *keys = logged.subject + strlen(message->descriptor->name) + 1;
		held = view_held(&node->desk.view, kind, keys, NULL, NULL);
	}
	if (has_expect && (held ? held->seq : 0) != expect_seq) {
		free(logged.subject);
		return false;
	}
	need(strcmp(strchr(logged.subject + strlen("lyceum.investment.v1."), '.') + 1,
		    node->desk.node) >= 0,
	     "a record of another home");
	const label_msg *label = label_of(message);
	for (size_t i = 0; i < desks->count; i++)
		logged.goes_to[i] = i != at && goes_to(label, desks->nodes[i].desk.node);
	if (is_withdrawal) {
		/* Whoever had it gets the withdrawal. */
		for (size_t i = 0; last > 0 && i < desks->count; i++)
			logged.goes_to[i] |= node->log[last - 1].goes_to[i];
	} else {
		logged.len = protobuf_c_message_get_packed_size(message);
		logged.body = malloc(logged.len + 1);
		need(logged.body != NULL, "memory");
		protobuf_c_message_pack(message, logged.body);
	}
	node->log = realloc(node->log, (node->log_count + 1) * sizeof(node->log[0]));
	need(node->log != NULL, "memory");
	node->log[node->log_count++] = logged;
	deliver(desks, at, &logged, at);
	return true;
}

static size_t append_wishes(struct desks *desks, size_t node, struct task *task)
{
	size_t count = 0;

	for (size_t i = 0; i < task->wish_count; i++) {
		struct wish *wish = task->wishes[i];
		bool is_in = desks_append(desks, node, wish->message, wish->is_withdrawal,
					  wish->has_expect, wish->expect_seq);
		wish->status = is_in ? LYC_OK : LYC_FAILED_PRECONDITION;
		count += is_in;
	}
	return count;
}

size_t desks_run(struct desks *desks, size_t node)
{
	size_t whole = 0, count;

	do {
		struct task task = {.desk = &desks->nodes[node].desk};
		duty_collect(&task);
		count = append_wishes(desks, node, &task);
		pad_fini(&task.pad);
		whole += count;
		need(whole < 10000, "duties that never end");
	} while (count > 0);
	return whole;
}

bool desks_pass(struct desks *desks, size_t from, size_t to)
{
	struct node *origin = &desks->nodes[from];
	size_t *at = &desks->nodes[to].held[from];

	while (from != to && *at < origin->log_count) {
		const struct logged *logged = &origin->log[(*at)++];
		if (!logged->goes_to[to])
			continue;
		deliver(desks, from, logged, to);
		return true;
	}
	return false;
}

void desks_settle(struct desks *desks)
{
	for (bool has_moved = true; has_moved;) {
		has_moved = false;
		for (size_t from = 0; from < desks->count; from++) {
			for (size_t to = 0; to < desks->count; to++) {
				while (desks_pass(desks, from, to))
					has_moved = true;
			}
		}
		for (size_t i = 0; i < desks->count; i++)
			has_moved |= desks_run(desks, i) > 0;
	}
}

static void open_desk(struct node *node, const char *name)
{
	node->desk = (struct desk){.node = name, .secret = node->secret};
	node->seq = 0;
	view_init(&node->desk.view);
}

static void close_desk(struct node *node)
{
	conflict_fini(&node->desk);
	view_fini(&node->desk.view);
}

void desks_init(struct desks *desks, const char *const *names, size_t count)
{
	*desks = (struct desks){.count = count};
	need(secret_start() && count <= DESKS_MAX, "no libsodium");
	for (size_t i = 0; i < count; i++) {
		secret_make(&desks->nodes[i].secret);
		open_desk(&desks->nodes[i], names[i]);
	}
	desks_settle(desks);
}

void desks_fini(struct desks *desks)
{
	for (size_t i = 0; i < desks->count; i++) {
		struct node *node = &desks->nodes[i];
		close_desk(node);
		for (size_t j = 0; j < node->log_count; j++) {
			free(node->log[j].subject);
			free(node->log[j].body);
		}
		free(node->log);
	}
	free(desks->wire);
}

void desks_restart(struct desks *desks, size_t at)
{
	struct node *node = &desks->nodes[at];
	const char *name = node->desk.node;
	char *const *neighbours = node->desk.neighbours;
	size_t neighbour_count = node->desk.neighbour_count;

	close_desk(node);
	open_desk(node, name);
	node->desk.neighbours = neighbours;
	node->desk.neighbour_count = neighbour_count;
	for (size_t i = 0; i < node->log_count; i++)
		deliver(desks, at, &node->log[i], at);
	for (size_t from = 0; from < desks->count; from++)
		node->held[from] = 0;
}

bool desks_travelled(const struct desks *desks, const char *text)
{
	return desks->wire && memmem(desks->wire, desks->wire_len, text, strlen(text)) != NULL;
}

size_t desks_logged(const struct desks *desks, size_t at, const char *type)
{
	const struct node *node = &desks->nodes[at];
	size_t count = 0;
	char prefix[100];

	snprintf(prefix, sizeof(prefix), "lyceum.investment.v1.%s.", type);
	for (size_t i = 0; i < node->log_count; i++)
		count += !node->log[i].removed &&
			 strncmp(node->log[i].subject, prefix, strlen(prefix)) == 0;
	return count;
}

/* ---- What people do ---- */

static void enter(struct desks *desks, size_t node, enum intake_kind kind, ProtobufCMessage *entry)
{
	struct task task = {.desk = &desks->nodes[node].desk};

	intake_prepare(&task, kind, &entry, 1, false);
	need(append_wishes(desks, node, &task) == 1, "an entry that is not taken");
	pad_fini(&task.pad);
	desks_run(desks, node);
}

void desks_add_venture(struct desks *desks, size_t node, const char *name)
{
	venture_entry_msg entry = LYCEUM__INVESTMENT__V1__VENTURE_ENTRY__INIT;
	char *sectors[] = {"diagnostics/sepsis in newborns"};

	entry.name = (char *)(uintptr_t)name;
	entry.contact = "mark-contact@venture.example";
	entry.summary = "Mark-summary of a venture.";
	entry.stage = LYCEUM__INVESTMENT__V1__STAGE__SEED;
	entry.sector = sectors;
	entry.n_sector = 1;
	entry.region = "Wales";
	entry.ask_min = "123456";
	entry.ask_max = "345678";
	enter(desks, node, INTAKE_VENTURE, &entry.base);
}

void desks_add_investor(struct desks *desks, size_t node, const char *name)
{
	investor_entry_msg entry = LYCEUM__INVESTMENT__V1__INVESTOR_ENTRY__INIT;

	entry.name = (char *)(uintptr_t)name;
	entry.contact = "mark-contact@investor.example";
	entry.ticket_min = "98765";
	entry.ticket_max = "234567";
	entry.co_invests = true;
	entry.exempt = true;
	enter(desks, node, INTAKE_INVESTOR, &entry.base);
}

void desks_remove(struct desks *desks, size_t node, const char *id)
{
	struct party party;

	need(desk_party(&desks->nodes[node].desk, SIDE_NONE, id, &party), "nobody to remove");
	struct pad pad = {0};
	const ProtobufCMessage *record =
		party.venture ? &party.venture->base : &party.investor->base;
	desks_append(desks, node, pad_copy_message(&pad, record), true, false, 0);
	pad_fini(&pad);
	desks_run(desks, node);
}

size_t desks_propose(struct desks *desks, size_t node, uint32_t seconds)
{
	Lyceum__Investment__V1__ProposeRequest request =
		LYCEUM__INVESTMENT__V1__PROPOSE_REQUEST__INIT;
	struct task task = {.desk = &desks->nodes[node].desk, .request = &request.base};

	request.seconds = seconds;
	matchmaker_prepare(&task);
	size_t count = append_wishes(desks, node, &task);
	pad_fini(&task.pad);
	desks_run(desks, node);
	return count > 0 ? count - 1 : 0;
}

void desks_declare(struct desks *desks, size_t node, side_value side, const char *ours,
		   const char *other)
{
	struct desk *desk = &desks->nodes[node].desk;
	struct pad pad = {0};
	conflict_msg *conflict = PAD_NEW(&pad, conflict);

	conflict->home = (char *)(uintptr_t)desk->node;
	conflict->id = secret_name(&pad);
	conflict->ours = (char *)(uintptr_t)ours;
	conflict->side = side;
	conflict->other = (char *)(uintptr_t)other;
	conflict->label = desk_label_private(desk, &pad);
	need(desks_append(desks, node, &conflict->base, false, false, 0), "a conflict");
	pad_fini(&pad);
	desks_run(desks, node);
}

bool desks_answer(struct desks *desks, size_t node, const proposal_msg *proposal, side_value side,
		  answer_state state)
{
	struct desk *desk = &desks->nodes[node].desk;
	const struct held *held;
	struct pad pad = {0};
	answer_msg *answer = introduction_new_answer(desk, &pad, proposal, side);
	answer_state said = introduction_answer(&desk->view, proposal, side, &held);

	/* What the Matching service refuses. */
	bool may = said != ANSWER_AGREED && said != ANSWER_NOT_POSSIBLE &&
		   !introduction_is_usurped(held, proposal);
	struct party party;
	if (state == ANSWER_YES &&
	    desk_party_by_token(desk, side, introduction_token(proposal, side), &party))
		may = may && duty_has_told(desk, &party,
					   introduction_home(proposal, introduction_other(side)));
	answer->state = state;
	may = may && desks_append(desks, node, &answer->base, false, true, held ? held->seq : 0);
	pad_fini(&pad);
	return may;
}

const proposal_msg *desks_proposal(const struct desks *desks, size_t node)
{
	const struct held *held = view_next(&desks->nodes[node].desk.view, KIND_PROPOSAL, NULL);

	return held ? (const void *)held->message : NULL;
}
