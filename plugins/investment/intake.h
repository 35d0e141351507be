/*
 * Lists and single entries alike: each item becomes a record, or is refused by itself; several
 * items of one id are laid over each other; what says nothing new appends nothing.
 */
#ifndef INVESTMENT_INTAKE_H
#define INVESTMENT_INTAKE_H

#include "desk.h"

enum intake_kind { INTAKE_VENTURE, INTAKE_INVESTOR, INTAKE_ROUND, INTAKE_COMMITMENT };

/* Prepare a task from entries of this kind. */
void intake_prepare(struct task *task, enum intake_kind kind, ProtobufCMessage *const *entries,
		    size_t count, bool is_dry);
/* Answer with an ImportReply, or with a ChangeReply for the only entry. */
void intake_answer_all(struct task *task);
void intake_answer_one(struct task *task);
/* How many other profiles of this node look just like this one. */
uint32_t intake_look_alikes(const struct desk *desk, const ProtobufCMessage *blind,
			    const char *token);

#endif
