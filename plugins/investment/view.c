/* A hash by subject and a list for each kind. Subjects are not taken apart: whoever looks for one
 * writes it. */
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "foreign.h"

#define SUBJECT_SIZE 600

struct entry {
	struct held held;
	UT_hash_handle hh;
};

struct shelf {
	struct entry *by_subject;
	struct held *first[KIND_COUNT];
	struct held *last[KIND_COUNT];
};

const ProtobufCMessageDescriptor *view_type(enum kind kind)
{
	static const ProtobufCMessageDescriptor *const types[KIND_COUNT] = {
		[KIND_VENTURE] = &lyceum__investment__v1__venture__descriptor,
		[KIND_INVESTOR] = &lyceum__investment__v1__investor__descriptor,
		[KIND_VENTURE_PROFILE] = &lyceum__investment__v1__venture_profile__descriptor,
		[KIND_INVESTOR_PROFILE] = &lyceum__investment__v1__investor_profile__descriptor,
		[KIND_NODE_KEY] = &lyceum__investment__v1__node_key__descriptor,
		[KIND_BATCH] = &lyceum__investment__v1__batch__descriptor,
		[KIND_PROPOSAL] = &lyceum__investment__v1__proposal__descriptor,
		[KIND_ANSWER] = &lyceum__investment__v1__answer__descriptor,
		[KIND_REVEAL] = &lyceum__investment__v1__reveal__descriptor,
		[KIND_CONFLICT] = &lyceum__investment__v1__conflict__descriptor,
		[KIND_CONFLICT_NOTICE] = &lyceum__investment__v1__conflict_notice__descriptor,
		[KIND_INTEREST] = &lyceum__investment__v1__interest__descriptor,
		[KIND_INTEREST_FIT] = &lyceum__investment__v1__interest_fit__descriptor,
		[KIND_ROUND] = &lyceum__investment__v1__round__descriptor,
		[KIND_COMMITMENT] = &lyceum__investment__v1__commitment__descriptor,
	};

	return types[kind];
}

static void *check(void *block)
{
	if (!block) {
		fputs("investment: out of memory\n", stderr);
		abort();
	}
	return block;
}

void view_init(struct view *view)
{
	*view = (struct view){.shelves = check(calloc(1, sizeof(struct shelf)))};
}

void view_fini(struct view *view)
{
	struct entry *entry, *next;

	if (!view->shelves)
		return;
	HASH_ITER (hh, view->shelves->by_subject, entry, next) {
		HASH_DEL(view->shelves->by_subject, entry);
		if (entry->held.message)
			protobuf_c_message_free_unpacked(entry->held.message, NULL);
		free(entry->held.subject);
		free(entry);
	}
	free(view->shelves);
	*view = (struct view){0};
}

/* Which kind a subject is of: its type is what stands before the key's first dot. */
static bool find_kind(const char *subject, enum kind *ret_kind)
{
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		const char *name = view_type(kind)->name;
		size_t len = strlen(name);
		if (strncmp(subject, name, len) == 0 && subject[len] == '.') {
			*ret_kind = kind;
			return true;
		}
	}
	return false;
}

static struct entry *find(const struct view *view, const char *subject)
{
	struct entry *entry = NULL;

	HASH_FIND_STR(view->shelves->by_subject, subject, entry);
	return entry;
}

static void add_last(struct shelf *shelf, struct held *held)
{
	held->next = NULL;
	held->prev = shelf->last[held->kind];
	if (held->prev)
		held->prev->next = held;
	else
		shelf->first[held->kind] = held;
	shelf->last[held->kind] = held;
}

static void take_out(struct shelf *shelf, struct held *held)
{
	if (held->prev)
		held->prev->next = held->next;
	else
		shelf->first[held->kind] = held->next;
	if (held->next)
		held->next->prev = held->prev;
	else
		shelf->last[held->kind] = held->prev;
}

static struct entry *add(struct view *view, const char *subject, enum kind kind)
{
	struct shelf *shelf = view->shelves;
	struct entry *entry = check(calloc(1, sizeof(*entry)));

	entry->held.subject = check(strdup(subject));
	entry->held.kind = kind;
	HASH_ADD_KEYPTR(hh, shelf->by_subject, entry->held.subject, strlen(subject), entry);
	add_last(shelf, &entry->held);
	return entry;
}

bool view_take(struct view *view, const struct lyc_delivery *record)
{
	ProtobufCMessage *message = NULL;
	enum kind kind;

	if (record->seq > view->seq)
		view->seq = record->seq;
	if (!record->subject || !find_kind(record->subject, &kind)) {
		view->strange++;
		return false;
	}
	const char *keys = record->subject + strlen(view_type(kind)->name) + 1;
	if (!foreign_is_of(keys, record->origin)) {
		view->strange++;
		return false;
	}
	struct entry *entry = find(view, record->subject);
	if (entry && record->seq <= entry->held.seq)
		return false;
	if (!record->removed) {
		message = protobuf_c_message_unpack(view_type(kind), NULL, record->body_len,
						    record->body ? record->body
								 : (const uint8_t *)"");
		if (!message || !foreign_is_whole(kind, keys, message) ||
		    (entry && !foreign_may_replace(kind, entry->held.message, message))) {
			if (message)
				protobuf_c_message_free_unpacked(message, NULL);
			view->strange++;
			return false;
		}
	}
	if (!entry) {
		entry = add(view, record->subject, kind);
	} else {
		take_out(view->shelves, &entry->held);
		add_last(view->shelves, &entry->held);
	}
	if (entry->held.message)
		protobuf_c_message_free_unpacked(entry->held.message, NULL);
	entry->held.message = message;
	entry->held.seq = record->seq;
	entry->held.time_ms = record->time_ms;
	view->changes++;
	view->last = &entry->held;
	return true;
}

const struct held *view_last(const struct view *view)
{
	return view->last;
}

const struct held *view_held(const struct view *view, enum kind kind, const char *home,
			     const char *second, const char *third)
{
	char subject[SUBJECT_SIZE];

	int len = snprintf(subject, sizeof(subject), "%s.%s%s%s%s%s", view_type(kind)->name, home,
			   second ? "." : "", second ? second : "", third ? "." : "",
			   third ? third : "");
	if (len < 0 || (size_t)len >= sizeof(subject))
		return NULL;
	struct entry *entry = find(view, subject);
	return entry ? &entry->held : NULL;
}

void view_note_token(struct view *view, enum kind kind, const char *home, const char *id,
		     const char token[16])
{
	struct held *held = (struct held *)(uintptr_t)view_held(view, kind, home, id, NULL);

	if (held)
		memcpy(held->token, token, sizeof(held->token));
}

const void *view_find(const struct view *view, enum kind kind, const char *home, const char *second,
		      const char *third)
{
	const struct held *held = view_held(view, kind, home, second, third);

	return held ? held->message : NULL;
}

const struct held *view_next(const struct view *view, enum kind kind, const struct held *after)
{
	const struct held *held = after ? after->next : view->shelves->first[kind];

	while (held && !held->message)
		held = held->next;
	return held;
}
