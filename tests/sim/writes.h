/*
 * What was published: by whom, who may see it, and what became of it. Each text says in clear who
 * may ever see it, so that every byte on every line can be judged without asking the daemon's own
 * code: `~~`, the readers' bits in eight hexadecimal digits, `#`, the number of the write, `;`.
 */
#ifndef LYC_TESTS_SIM_WRITES_H
#define LYC_TESTS_SIM_WRITES_H

#include "simulation.h"

enum write_state { WRITE_SENT = 0, WRITE_ACKED, WRITE_REFUSED, WRITE_UNKNOWN };

#define WRITE_PART_BASE 1000000000u

struct write {
	uint64_t number; /* from 1 */
	size_t home;
	char subject[80];
	uint32_t readers;
	bool removed;
	bool has_parts;
	bool has_expect;
	uint64_t expect_seq;
	uint64_t known_seq; /* the subject's last sequence that the writer had been told */

	enum write_state state;
	uint64_t seq;
	uint64_t epoch;
	/* Gone with a restore, as it may be. */
	bool is_forgiven;
	uint64_t token; /* of the call that asked for it; 0 */
	struct buf body;
};

struct writes {
	struct write *items;
	size_t count;
	size_t cap;
};

/* The four kinds of readers at a daemon: the daemon itself over its link, its operators, its person
 * ann, its plugins. */
static inline uint32_t writes_link_bit(size_t node)
{
	return 1u << node;
}
static inline uint32_t writes_operator_bit(size_t node)
{
	return 1u << (8 + node);
}
static inline uint32_t writes_person_bit(size_t node)
{
	return 1u << (16 + node);
}
static inline uint32_t writes_plugin_bit(size_t node)
{
	return 1u << (24 + node);
}

struct writes *writes_new(void);
void writes_free(struct writes *writes);
/* Valid until the next. */
struct write *writes_add(struct writes *writes, size_t home);
struct write *writes_get(const struct writes *writes, uint64_t number);

struct audience {
	int visibility;
	char name[24]; /* "": none */
	uint32_t readers;
};
/* An audience by chance for something of that home. */
struct audience audience_by_luck(struct sim *sim, size_t home);
void audience_write(struct buf *to, uint32_t field, const struct audience *audience);

/* The text that says its readers. */
void writes_text(char *to, size_t size, uint32_t readers, uint64_t number);
/* The number in the first text of these bytes; 0: none. */
uint64_t writes_number_in(struct span bytes);
/* Every text in these bytes is one for this reader. */
void writes_check_private(struct sim *sim, struct span bytes, uint32_t bit, const char *from,
			  const char *to);
/* What came after that sequence may be lost with a restore. */
void writes_forgive(struct sim *sim, size_t home, uint64_t after_seq);
/* What was acknowledged is in the log that has just been opened. */
void writes_check_kept(struct sim *sim, struct sim_node *node);

#endif
