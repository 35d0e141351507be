/*
 * One call that changes the directory: its items, each with a result, and the persons that they
 * are about. It is taken (wishes.c: what shall be), appended (appends.c) and answered (change.c);
 * changes.c has the order of several.
 */
#ifndef EXPERTS_CHANGE_H
#define EXPERTS_CHANGE_H

#include "changes.h"

enum change_kind { CHANGE_ADD, CHANGE_IMPORT, CHANGE_REMOVE };

/* One person whom the call is about. */
struct person {
	struct change *change;
	char *id;
	/* What there was, NULL for nobody; and what there shall be. */
	Lyceum__Experts__V1__Expert *held;
	Lyceum__Experts__V1__Expert *wanted;
	uint64_t expect_seq;
	bool was_tried_again;
};

struct change {
	struct change *next;
	struct changes *changes;
	struct lyc_call *call;
	enum change_kind kind;
	const ProtobufCMessage *request;
	union {
		Lyceum__Experts__V1__AddReply_Closure add;
		Lyceum__Experts__V1__ImportReply_Closure import;
		Lyceum__Experts__V1__RemoveReply_Closure remove;
	} reply;

	/* One result an item, and the person that it is about, SIZE_MAX for a refused item. */
	Lyceum__Experts__V1__ChangeResult *results;
	size_t *result_person;
	size_t result_count;
	struct person *persons;
	size_t person_count;
	bool is_dry;

	/* Persons are appended in order; so many answers are still due. */
	size_t append_next;
	size_t append_due;
	uint64_t wait_seq;
};

struct change *change_new(struct lyc_call *call, enum change_kind kind,
			  const ProtobufCMessage *request);
/* Accepts NULL. */
void change_free(struct change *change);
/* Room for so many items. */
void change_make_room(struct change *change, size_t count);
/* Replace a string of a result. */
void change_say(char **field, const char *text);
void change_say_refusal(Lyceum__Experts__V1__ChangeResult *result, const struct lyc_error *error);
/* Reply to the call. */
void change_answer(struct change *change);

/* Read the request: results and persons are filled in, nothing is appended. */
void change_take(struct change *change);
/* Append what differs until the credit is used up; goes on by itself when something has come back,
 * and then tells changes_appended. */
void change_append_some(struct change *change);

#endif
