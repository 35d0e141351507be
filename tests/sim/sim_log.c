/*
 * The part of struct env that is the log: the real store, called when its threads would call it. A
 * group is judged and written at one moment and answered at a later one, so that a crash finds
 * every place between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "damage.h"
#include "node/summary.h"
#include "route/log_read.h"
#include "sim_node.h"
#include "wire/subject.h"
#include "writes.h"

#define MAX_GROUP 16
#define MAX_TRIES 8
#define READ_COUNT 64
#define SEGMENT_LEN (6u * 1024)

/* ---- the writer ---- */

static void write_group(void *arg, uint64_t life);
static void answer_group(void *arg, uint64_t life);

static void start_writing(struct sim_node *node)
{
	if (node->is_writing || !node->appends)
		return;
	node->is_writing = true;
	sim_in(node->sim, sim_around(node->sim, node->sim->disk_us), write_group, node, node->life);
}

static void append_add(struct append **to, struct append *append)
{
	while (*to)
		to = &(*to)->next;
	append->next = NULL;
	*to = append;
}

static void env_append(void *arg, struct append *append)
{
	struct sim_node *node = arg;
	struct sim *sim = node->sim;
	if (!node->store) {
		append->status = LYC_UNAVAILABLE;
		append->on_done(append);
		return;
	}
	if (sim->mutation == MUTATION_IGNORE_EXPECT)
		append->has_expect = false;
	append_add(&node->appends, append);
	start_writing(node);
}

static void fill_items(struct append *const *group, size_t count, struct store_item *items)
{
	for (size_t i = 0; i < count; i++)
		items[i] = (struct store_item){
			.subject = span_of(group[i]->subject.data, group[i]->subject.len),
			.record = span_of(group[i]->record.data, group[i]->record.len),
			.has_expect = group[i]->has_expect,
			.expect_seq = group[i]->expect_seq,
			.is_vital = group[i]->is_vital,
		};
}

/* The fault that appends to a key of another home: the record as that home would have it. */
static void trespass(struct sim_node *node, struct store_item *item, struct buf *subject,
		     struct buf *bytes)
{
	static const char type[] = "lyceum.notice.v1.Notice.";
	struct record record;
	if (item->subject.len < sizeof(type) ||
	    memcmp(item->subject.data, type, sizeof(type) - 1) != 0 ||
	    record_read(item->record, &record) != LYC_OK || record.origin.len > 0)
		return;
	buf_add_format(subject, "%s%s.1", type, sim_node_names[(node->index + 1) % SIM_NODES]);
	record.subject = span_of(subject->data, subject->len);
	record_write(bytes, &record);
	item->subject = record.subject;
	item->record = span_of(bytes->data, bytes->len);
	item->has_expect = false;
}

static void write_group(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	struct sim *sim = node->sim;
	struct append *group[MAX_GROUP];
	struct store_item items[MAX_GROUP];
	struct lyc_error error = {0};
	if (node->life != life || !node->store || !node->appends)
		return;
	size_t most = 1 + sim_below(sim, MAX_GROUP);
	size_t count = 0;
	bool is_vital = node->appends->is_vital;
	while (node->appends && count < most && node->appends->is_vital == is_vital) {
		group[count++] = node->appends;
		node->appends = node->appends->next;
	}
	fill_items(group, count, items);
	sim->current = node;
	enum lyc_status status = LYC_UNAVAILABLE;
	struct buf subject = {0};
	struct buf bytes = {0};
	if (sim->mutation == MUTATION_FOREIGN_APPEND && sim_chance(sim, 20))
		trespass(node, &items[0], &subject, &bytes);
	/* A withdrawal may find room in the reserve where others found none. */
	if (!node->is_failing || is_vital)
		status = store_append(node->store, items, count, &error);
	buf_fini(&subject);
	buf_fini(&bytes);
	for (size_t i = 0; i < count; i++) {
		group[i]->status = status == LYC_OK ? items[i].ret_status : status;
		group[i]->seq = items[i].ret_seq;
		if (group[i]->status == LYC_OK)
			damage_taken(node, items[i].ret_seq, items[i].record);
		if (group[i]->status != LYC_OK)
			snprintf(group[i]->text, sizeof(group[i]->text), "the log says no");
		append_add(&node->appended, group[i]);
	}
	node->is_failing = node->is_failing || status != LYC_OK;
	node->is_writing = false;
	if (memory_disk_is_dead(node->disk)) {
		/* The machine stopped in the middle of that. */
		sim_node_crash(node, sim_chance(sim, 700));
		return;
	}
	sim_in(sim, sim_around(sim, 200), answer_group, node, life);
	start_writing(node);
}

static void answer_group(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	if (node->life != life || !node->is_running)
		return;
	node->sim->current = node;
	while (node->appended) {
		struct append *append = node->appended;
		node->appended = append->next;
		append->on_done(append);
	}
	if (!node->appends)
		node->is_failing = false;
	sim_node_turn(node);
}

/* ---- the reader ---- */

struct reading {
	struct log_read *read;
	struct sim_node *node;
};

/* A private record as a link would see it if somebody had forgotten its label. */
static void add_public(struct buf *to, struct span bytes)
{
	struct record record;
	static const uint8_t everybody[] = {0x10, 1};
	ensure(record_read(bytes, &record) == LYC_OK);
	if (record.origin.len == 0)
		record.label = span_of(everybody, sizeof(everybody));
	record_write(to, &record);
}

/* The record with another last byte of its body. */
static void add_wrong(struct buf *to, struct span bytes)
{
	struct record record;
	struct buf body = {0};
	ensure(record_read(bytes, &record) == LYC_OK);
	buf_add(&body, record.body.data, record.body.len);
	if (body.len > 0)
		body.data[body.len - 1] ^= 1;
	record.body = span_of(body.data, body.len);
	record_write(to, &record);
	buf_fini(&body);
}

static bool take_record(uint64_t seq, struct span subject, struct span record, void *arg)
{
	struct reading *reading = arg;
	struct log_read *read = reading->read;
	struct buf *to = &read->records;
	struct buf changed = {0};
	bool is_also = read->also && span_is(subject, read->also);
	if (read->pattern && !is_also &&
	    !subject_matches(span_of(read->pattern, strlen(read->pattern)), subject))
		return true;
	if (seq <= read->only_last_to && store_last_of(reading->node->store, subject) != seq)
		return true;
	if (read->pattern && reading->node->sim->mutation == MUTATION_WRONG_BYTES &&
	    sim_chance(reading->node->sim, 20)) {
		add_wrong(&changed, record);
		record = span_of(changed.data, changed.len);
	}
	if (!read->pattern && reading->node->sim->mutation == MUTATION_FORWARD_PRIVATE) {
		add_public(&changed, record);
		record = span_of(changed.data, changed.len);
	}
	log_read_add(to, seq, record);
	buf_fini(&changed);
	return to->len < read->max_bytes;
}

static bool take_lost(uint64_t seq, struct span subject, struct span details, void *arg)
{
	struct reading *reading = arg;
	struct log_read *read = reading->read;
	uint32_t len = (uint32_t)details.len;
	if (subject.len > 0 && read->pattern &&
	    !subject_matches(span_of(read->pattern, strlen(read->pattern)), subject))
		return true;
	buf_add(&read->records, &seq, sizeof(seq));
	buf_add(&read->records, &len, sizeof(len));
	buf_add(&read->records, details.data, details.len);
	return read->records.len < read->max_bytes;
}

static void serve_read(void *arg, uint64_t life);

static void start_reading(struct sim_node *node)
{
	if (node->is_reading || !node->reads)
		return;
	node->is_reading = true;
	sim_in(node->sim, sim_around(node->sim, node->sim->disk_us / 2 + 1), serve_read, node,
	       node->life);
}

static void read_add(struct sim_node *node, struct log_read *read)
{
	struct log_read **to = &node->reads;
	while (*to)
		to = &(*to)->next;
	read->next = NULL;
	*to = read;
}

static void serve_read(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	struct lyc_error error = {0};
	if (node->life != life || !node->store)
		return;
	node->is_reading = false;
	struct log_read *read = node->reads;
	if (!read)
		return;
	node->reads = read->next;
	struct reading reading = {.read = read, .node = node};
	uint64_t next = read->from;
	node->sim->current = node;
	for (int tries = 0; tries < MAX_TRIES; tries++) {
		read->status = store_read_all(node->store, read->from, READ_COUNT, read->max_bytes,
					      take_record, take_lost, &reading, &next, &error);
		if (read->status != LYC_DATA_LOSS || !damage_mend(node, next))
			break;
		buf_clear(&read->records);
		next = read->from;
	}
	if (memory_disk_is_dead(node->disk)) {
		read_add(node, read);
		sim_node_crash(node, sim_chance(node->sim, 700));
		return;
	}
	bool is_at_end = read->status != LYC_OK || next <= read->from;
	if (read->status == LYC_OK && next > read->from)
		read->from = next;
	read->next_seq = read->from;
	if (read->status != LYC_OK)
		snprintf(read->text, sizeof(read->text), "%.190s", error.text);
	/* What was searched without a find goes on behind the others. */
	if (is_at_end || read->records.len > 0)
		read->on_done(read);
	else
		read_add(node, read);
	start_reading(node);
	sim_node_turn(node);
}

static void env_read(void *arg, struct log_read *read)
{
	struct sim_node *node = arg;
	if (!node->store) {
		read->status = LYC_UNAVAILABLE;
		read->on_done(read);
		return;
	}
	read_add(node, read);
	start_reading(node);
}

/* ---- the keeper ---- */

static void answer_removal(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	if (node->life != life || !node->is_running || !node->removal)
		return;
	struct log_removal *removal = node->removal;
	node->removal = NULL;
	node->sim->current = node;
	removal->on_done(removal);
	sim_node_turn(node);
}

static void serve_removal(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	struct lyc_error error = {0};
	if (node->life != life || !node->store || !node->removal)
		return;
	struct log_removal *removal = node->removal;
	node->sim->current = node;
	removal->status = LYC_OK;
	if (removal->key)
		removal->status = store_put_meta(node->store, removal->key, removal->value, &error);
	if (removal->status == LYC_OK && node->sim->mutation != MUTATION_KEEP_ERASED)
		removal->status =
			store_remove(node->store, removal->seqs, removal->seq_count, &error);
	if (removal->status == LYC_OK && removal->forgets_damaged)
		removal->status = store_forget_damaged(node->store, &error);
	if (removal->status != LYC_OK)
		snprintf(removal->text, sizeof(removal->text), "%.190s", error.text);
	else
		node->sim->counts.removed += removal->seq_count;
	if (memory_disk_is_dead(node->disk)) {
		sim_node_crash(node, sim_chance(node->sim, 700));
		return;
	}
	sim_in(node->sim, sim_around(node->sim, 200), answer_removal, node, life);
}

static void env_remove(void *arg, struct log_removal *removal)
{
	struct sim_node *node = arg;
	if (!node->store) {
		removal->status = LYC_UNAVAILABLE;
		removal->on_done(removal);
		return;
	}
	ensure(!node->removal);
	node->removal = removal;
	sim_in(node->sim, sim_around(node->sim, 4 * node->sim->disk_us), serve_removal, node,
	       node->life);
}

static uint64_t env_last_of(void *arg, struct span subject)
{
	const struct sim_node *node = arg;
	return node->store ? store_last_of(node->store, subject) : 0;
}

void sim_log_env(struct env *env)
{
	env->append = env_append;
	env->read = env_read;
	env->remove = env_remove;
	env->last_of = env_last_of;
	sim_values_env(env);
	damage_env(env);
}

/* ---- open and close ---- */

bool sim_log_open(struct sim_node *node)
{
	char folder[80];
	struct lyc_error error = {0};
	snprintf(folder, sizeof(folder), MEMORY_DISK_ROOT "%s/log", node->name);
	struct store_options options = {
		.folder = folder,
		.segment_len = SEGMENT_LEN,
		.without_sync = node->sim->mutation == MUTATION_ACK_BEFORE_SYNC,
	};
	node->sim->current = node;
	if (store_open(&options, &node->store, &error) == LYC_OK)
		return true;
	node->store = NULL;
	if (!memory_disk_is_dead(node->disk))
		sim_broken(node->sim, PROMISE_DURABLE, "the log of %s does not open: %s",
			   node->name, error.text);
	return false;
}

static bool replay(uint64_t seq, struct span subject, struct span record, void *arg)
{
	(void)subject;
	struct sim_node *node = arg;
	struct record read;
	/* The fault that forgets some copies that it holds, in a later life. */
	bool is_forgotten = node->sim->mutation == MUTATION_FORGET_COPIES && node->life > 1 &&
			    seq > 60 && record_read(record, &read) == LYC_OK && read.origin.len > 0;
	if (!is_forgotten)
		daemon_replay(&node->daemon, seq, record);
	return true;
}

struct stretch {
	summary_record_fn on_record;
	void *arg;
};

static bool pass_on(uint64_t seq, struct span subject, struct span record, void *arg)
{
	const struct stretch *stretch = arg;
	(void)subject;
	return stretch->on_record(seq, record, stretch->arg);
}

static void read_stretch(uint64_t from, summary_record_fn on_record, void *on_arg, void *arg)
{
	struct sim_node *node = arg;
	struct stretch stretch = {on_record, on_arg};
	uint64_t next = from;
	struct lyc_error error = {0};
	enum lyc_status status;
	do {
		from = next;
		status = store_read(node->store, from, 65536, 1u << 24, pass_on, &stretch, &next,
				    &error);
	} while (status == LYC_DATA_LOSS && damage_mend(node, next));
	if (status != LYC_OK && !node->sim->has_damage)
		sim_broken(node->sim, PROMISE_DURABLE, "the log of %s cannot be read: %s",
			   node->name, error.text);
}

bool sim_log_replay(struct sim_node *node)
{
	struct store_stats stats;
	struct lyc_error error = {0};
	store_stats(node->store, &stats);
	uint64_t from = summary_restore(&node->daemon, stats.last_seq, read_stretch, node);
	node->sim->counts.summaries += from > 1;
	while (from <= stats.last_seq) {
		uint64_t next = from;
		enum lyc_status status =
			store_read(node->store, from, 65536, 1u << 24, replay, node, &next, &error);
		/* A disk that is full or has died does not take what is left of a segment. */
		if (status == LYC_DATA_LOSS && node->sim->has_damage) {
			if (!damage_mend(node, next))
				return false;
			from = next;
			continue;
		}
		if (status != LYC_OK)
			sim_broken(node->sim, PROMISE_DURABLE, "the log of %s cannot be read: %s",
				   node->name, error.text);
		if (status != LYC_OK || next <= from)
			break;
		from = next;
	}
	daemon_replayed(&node->daemon, stats.last_seq);
	return true;
}

static void refuse_appends(struct append **list)
{
	while (*list) {
		struct append *append = *list;
		*list = append->next;
		append->status = LYC_UNAVAILABLE;
		append->on_done(append);
	}
}

void sim_log_close(struct sim_node *node)
{
	struct store *store = node->store;
	refuse_appends(&node->appended);
	refuse_appends(&node->appends);
	while (node->reads) {
		struct log_read *read = node->reads;
		node->reads = read->next;
		read->status = LYC_UNAVAILABLE;
		read->on_done(read);
	}
	sim_values_close(node);
	damage_closed(node);
	if (node->removal) {
		struct log_removal *removal = node->removal;
		node->removal = NULL;
		removal->status = LYC_UNAVAILABLE;
		removal->on_done(removal);
	}
	node->is_writing = node->is_reading = node->is_failing = false;
	node->store = NULL;
	store_close(store);
}
