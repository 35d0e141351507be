/* What was published, and the words by which its readers can be told. */
#include "writes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "base/pb.h"
#include "erased.h"
#include "sim_node.h"
#include "stream/record.h"

enum { PUBLIC = 1, MEMBERS = 2, AUDIENCE = 3, PRIVATE = 4 };

struct writes *writes_new(void)
{
	return mem_new(struct writes);
}

void writes_free(struct writes *writes)
{
	for (size_t i = 0; i < writes->count; i++)
		buf_fini(&writes->items[i].body);
	free(writes->items);
	free(writes);
}

struct write *writes_add(struct writes *writes, size_t home)
{
	if (writes->count == writes->cap) {
		writes->cap = writes->cap ? 2 * writes->cap : 256;
		writes->items = realloc(writes->items, writes->cap * sizeof(*writes->items));
		ensure(writes->items != NULL);
	}
	struct write *write = &writes->items[writes->count++];
	*write = (struct write){.number = writes->count, .home = home};
	return write;
}

struct write *writes_get(const struct writes *writes, uint64_t number)
{
	return number > 0 && number <= writes->count ? &writes->items[number - 1] : NULL;
}

static uint32_t all_of(size_t node)
{
	return writes_link_bit(node) | writes_operator_bit(node) | writes_person_bit(node) |
	       writes_plugin_bit(node);
}

struct audience audience_by_luck(struct sim *sim, size_t home)
{
	struct audience audience = {.visibility = 1 + (int)sim_below(sim, 4)};
	if (audience.visibility == PUBLIC || audience.visibility == MEMBERS) {
		audience.readers = UINT32_MAX;
		return audience;
	}
	audience.readers = all_of(home);
	if (audience.visibility == PRIVATE)
		return audience;
	/* The hub carries it. */
	size_t to = sim_below(sim, SIM_NODES);
	const char *name = sim_node_names[to];
	audience.readers |= writes_link_bit(0) | writes_link_bit(to) | writes_plugin_bit(to);
	switch (sim_below(sim, 4)) {
	case 0:
		snprintf(audience.name, sizeof(audience.name), "eve@%s", name);
		break;
	case 1:
		snprintf(audience.name, sizeof(audience.name), "ann@%s", name);
		audience.readers |= writes_person_bit(to);
		break;
	case 2:
		snprintf(audience.name, sizeof(audience.name), "%s/policy", name);
		audience.readers |= writes_person_bit(to);
		break;
	default:
		snprintf(audience.name, sizeof(audience.name), "%s", name);
		audience.readers |= all_of(to);
	}
	return audience;
}

void audience_write(struct buf *to, uint32_t field, const struct audience *audience)
{
	size_t label = pb_begin(to, field);
	pb_write_uint(to, 2, (uint64_t)audience->visibility);
	pb_write_text(to, 3, audience->name);
	pb_end(to, label);
}

void writes_text(char *to, size_t size, uint32_t readers, uint64_t number)
{
	snprintf(to, size, "~~%08x#%llu;", readers, (unsigned long long)number);
}

/* The next text from `at` on: its readers and number; NULL when there is none. */
static const uint8_t *next_text(const uint8_t *at, const uint8_t *end, uint32_t *ret_readers,
				uint64_t *ret_number)
{
	while (end - at > 12 && (at = memchr(at, '~', (size_t)(end - at))) && end - at > 12) {
		char digits[9] = "";
		memcpy(digits, at + 2, 8);
		/* A length in front of it may look like its first half, a seal like most of it. */
		if (at[1] != '~' || at[10] != '#' || strspn(digits, "0123456789abcdef") != 8) {
			at++;
			continue;
		}
		at += 2;
		*ret_readers = (uint32_t)strtoul(digits, NULL, 16);
		*ret_number = 0;
		for (at += 9; at < end && *at >= '0' && *at <= '9'; at++)
			*ret_number = 10 * *ret_number + (uint64_t)(*at - '0');
		return at;
	}
	return NULL;
}

uint64_t writes_number_in(struct span bytes)
{
	uint32_t readers;
	uint64_t number = 0;
	return bytes.len > 0 && next_text(bytes.data, span_end(bytes), &readers, &number) ? number
											  : 0;
}

void writes_check_private(struct sim *sim, struct span bytes, uint32_t bit, const char *from,
			  const char *to)
{
	uint32_t readers;
	uint64_t number;
	const uint8_t *at = bytes.data;
	while (bytes.len > 0 && (at = next_text(at, span_end(bytes), &readers, &number))) {
		sim->counts.private_scans++;
		if (readers & bit)
			continue;
		const struct write *write = writes_get(sim->writes, number % WRITE_PART_BASE);
		sim_broken(sim, PROMISE_PRIVATE, "%s sent %s%s of %s to '%s', which may not see it",
			   from, number > WRITE_PART_BASE ? "a part " : "",
			   write ? write->subject : "a message",
			   write ? sim_node_names[write->home] : "somebody", to);
		return;
	}
}

static bool is_as_written(const struct write *write, struct span bytes)
{
	struct record record;
	return record_read(bytes, &record) == LYC_OK && record.removed == write->removed &&
	       record.origin.len == 0 &&
	       span_equal(record.body, span_of(write->body.data, write->body.len));
}

void writes_forgive(struct sim *sim, size_t home, uint64_t after_seq)
{
	for (size_t i = 0; i < sim->writes->count; i++) {
		struct write *write = &sim->writes->items[i];
		if (write->home == home && (write->seq > after_seq || write->state != WRITE_ACKED))
			write->is_forgiven = true;
	}
}

void writes_check_kept(struct sim *sim, struct sim_node *node)
{
	struct store_stats stats;
	struct erased_table erased;
	store_stats(node->store, &stats);
	erased_read(node, &erased);
	for (size_t i = 0; i < sim->writes->count && !sim->broken; i++) {
		const struct write *write = &sim->writes->items[i];
		if (write->home != node->index || write->state != WRITE_ACKED ||
		    write->is_forgiven || write->seq == 0)
			continue;
		struct buf record = {0};
		struct lyc_error error = {0};
		/* What retention takes: all but the last of a subject, and remarks. */
		bool may_go =
			sim->has_retention &&
			(strstr(write->subject, ".Remark.") ||
			 store_last_of(node->store, span_of(write->subject,
							    strlen(write->subject))) > write->seq);
		if (may_go || erased_has(&erased, write->subject, write->seq))
			continue;
		enum lyc_status status = store_read_one(node->store, write->seq, &record, &error);
		/* What is damaged says so. */
		bool is_told = sim->has_damage && status == LYC_DATA_LOSS;
		if (!is_told &&
		    ((node->restore_count == 0 && write->epoch != stats.epoch) ||
		     status != LYC_OK || !is_as_written(write, span_of(record.data, record.len))))
			sim_broken(sim, PROMISE_DURABLE,
				   "%s acknowledged write %llu of %s as sequence %llu and does not "
				   "have it",
				   node->name, (unsigned long long)write->number, write->subject,
				   (unsigned long long)write->seq);
		buf_fini(&record);
	}
}
