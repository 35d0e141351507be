/*
 * A call that needs records: it is kept until all of them are in the log and the view has come as
 * far, and is then answered; or it fails with why the first of them was refused.
 */
#ifndef CONVENING_ERRAND_H
#define CONVENING_ERRAND_H

#include "convening.h"

struct errand;

/* Answers the call: lyc_call_fail, or its closure. */
typedef void (*errand_fn)(struct errand *errand);

struct errand {
	struct convening *state;
	struct lyc_call *call;
	const void *request;
	void (*closure)(void); /* of the method; cast back by `finish` */
	errand_fn finish;

	/* Whatever `finish` needs; freed with the errand by `release`, which may be NULL. */
	void *data;
	void (*release)(void *data);

	unsigned due;
	bool is_sealed;
	uint64_t wait_seq;
	/* Refusals with this status are no failure of the call: ALREADY there. */
	bool may_exist;
	/* Whatever is there is replaced: what expect_seq says does not matter. */
	bool may_replace;
	enum lyc_status failed;
	char text[240];
	const ProtobufCMessageDescriptor *type;
};

/* Keeps the call. */
struct errand *errand_new(struct convening *state, struct lyc_call *call, const void *request,
			  void (*closure)(void), errand_fn finish);
/* Append, in the name of the call's principal or, with anonymous, of nobody but the node. */
void errand_append(struct errand *errand, const ProtobufCMessage *message, uint64_t expect_seq,
		   bool is_anonymous);
/* Withdraw the record of these keys, which has this sequence. */
void errand_withdraw(struct errand *errand, const ProtobufCMessage *with_keys, uint64_t expect_seq);
/* Nothing more is appended: from now on it may be answered. */
void errand_seal(struct errand *errand);
/* Seals it, with why nothing was appended. */
void errand_fail(struct errand *errand, enum lyc_status status, const char *text);
#endif
