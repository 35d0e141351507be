/*
 * A pattern's text as a graph of byte ranges: what nfa.c reads and pattern.c turns into a table.
 * Characters become their UTF-8 bytes here, repetitions become copies.
 */
#ifndef LYC_SCHEMA_NFA_H
#define LYC_SCHEMA_NFA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "base/buf.h"

#define NFA_MAX_NODES 131072
#define NFA_NONE UINT32_MAX

enum nfa_kind { NFA_STEP, NFA_SPLIT, NFA_ACCEPT };

struct nfa_node {
	enum nfa_kind kind;
	/* STEP: a byte from low to high goes on to next. */
	uint8_t low;
	uint8_t high;
	/* SPLIT: to next and to other, each NFA_NONE where there is none. */
	uint32_t next;
	uint32_t other;
};

struct nfa {
	struct nfa_node *nodes;
	size_t count;
	size_t cap;
	uint32_t start;
};

/* INVALID_ARGUMENT: "at character N: " and the reason. Lowers *work by what it took. nfa_fini
 * frees, also after a failure. */
LYC_MUST_USE enum lyc_status nfa_init(struct nfa *nfa, struct span text, uint64_t *work,
				      struct lyc_error *error);
void nfa_fini(struct nfa *nfa);

#endif
