/*
 * Three nodes and a hub in one process under a seed: random publishes, removals and label changes,
 * while links break, lose what is under way and come back, daemons begin again, and disks answer
 * late or refuse. Once everything is healed, every log holds what it may and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_world.h"

#define SEEDS 300
#define STEPS 250
#define IDS 5

enum { PUBLIC = 1, MEMBERS = 2, AUDIENCE = 3, PRIVATE = 4 };

static const char *const names[] = {"hub", "wales", "cork", "derry"};

struct trial {
	uint64_t seed;
	struct fake_world *world;
	struct fake_node *nodes[4];
	struct fake_client *roots[4];
	unsigned post_count;
};

_Noreturn static void broken(const struct trial *trial, const char *what, const char *where,
			     const char *subject)
{
	fail_msg("seed %llu: %s at %s: %s", (unsigned long long)trial->seed, what, where, subject);
	abort();
}

/* A text says in its first word who may ever see it: the numbers of the nodes. */
static void post(struct trial *trial, size_t at)
{
	struct rng *rng = &trial->world->rng;
	char id[8];
	char text[40];
	char audience[24] = "";
	const char *readers = "0123";
	char own[4];
	snprintf(id, sizeof(id), "%u", (unsigned)rng_below(rng, IDS));
	if (rng_below(rng, 6) == 0) {
		fake_remove(trial->roots[at], 1, id);
		return;
	}
	int visibility = 1 + (int)rng_below(rng, 4);
	if (visibility == AUDIENCE) {
		size_t to = 1 + rng_below(rng, 3);
		/* The node itself, a person of it, a group in it. */
		static const char *const before[] = {"", "eve@", ""};
		static const char *const behind[] = {"", "", "/policy"};
		size_t form = rng_below(rng, 3);
		snprintf(audience, sizeof(audience), "%s%s%s", before[form], names[to],
			 behind[form]);
		/* The hub carries it. */
		snprintf(own, sizeof(own), "0%zu%zu", at, to);
		readers = own;
	} else if (visibility == PRIVATE) {
		snprintf(own, sizeof(own), "%zu", at);
		readers = own;
	}
	snprintf(text, sizeof(text), "readers=%s;%u", readers, ++trial->post_count);
	fake_post(trial->roots[at], 1, id, text, visibility, audience);
}

static void cut_at_random(struct trial *trial, struct fake_node *node)
{
	struct rng *rng = &trial->world->rng;
	for (uint64_t left = rng_below(rng, 4); left > 0; left--)
		fake_deliver_up(node);
	for (uint64_t left = rng_below(rng, 4); left > 0; left--)
		fake_deliver_down(node);
	fake_cut(node);
}

static struct fake_client *root_of(struct trial *trial, size_t at)
{
	struct fake_client *client = trial->roots[at];
	struct packet packet = {.kind = PACKET_HELLO};
	packet.hello = (struct packet_hello){.version = WIRE_VERSION, .call_credit = 1000};
	fake_send(client, &packet);
	return client;
}

/* For a moment: everything that waits for the disk is refused. */
static void fill_disk(struct fake_node *node)
{
	node->append_status = LYC_RESOURCE_EXHAUSTED;
	fake_commit(node, SIZE_MAX);
	node->append_status = LYC_OK;
}

static void do_something(struct trial *trial)
{
	struct rng *rng = &trial->world->rng;
	size_t at = rng_below(rng, 4);
	struct fake_node *node = trial->nodes[at];
	uint64_t what = rng_below(rng, 100);
	/* Every third seed has slow disks and quick links. */
	bool is_slow = trial->seed % 3 == 0;
	if (is_slow && what >= 30 && what < 45 && rng_below(rng, 8) > 0)
		what = 55 + rng_below(rng, 40);
	if (what < 30)
		post(trial, at);
	else if (what < 45)
		fake_commit(node, 1 + rng_below(rng, 3));
	else if (what < 55)
		fake_serve(node, 1);
	else if (what < 68)
		fake_deliver_up(node);
	else if (what < 81)
		fake_deliver_down(node);
	else if (what < 92)
		fake_tick(trial->world, 1 + rng_below(rng, 400));
	else if (what < 95 && at > 0)
		cut_at_random(trial, node);
	else if (what < 96) {
		if (rng_below(rng, 2))
			summary_save(&node->daemon);
		fake_node_restart(node);
		root_of(trial, at);
	} else if (what < 97) {
		fill_disk(node);
	} else if (!is_slow) {
		fake_settle(trial->world);
	}
	daemon_turn(&node->daemon);
}

/* ---- what has to hold ---- */

/* The words of the texts in these bytes name only nodes that may see them. */
static void check_readers(struct trial *trial, const struct buf *bytes, size_t at,
			  const char *where)
{
	static const char word[] = "readers=";
	const uint8_t *from = bytes->data;
	const uint8_t *end = span_end(span_of(from, bytes->len));
	while (from && (from = memmem(from, (size_t)(end - from), word, sizeof(word) - 1))) {
		from += sizeof(word) - 1;
		const uint8_t *close = memchr(from, ';', (size_t)(end - from));
		if (!close || !memchr(from, '0' + (int)at, (size_t)(close - from)))
			broken(trial, "somebody else's record", where, (const char *)from);
	}
}

/* May node `to` hold this record of node `from`'s own, as a whole? What `from` has of others is not
 * its own. */
static bool may_hold(const struct record *record, const char *from, const char *to)
{
	if (record->origin.len > 0)
		return false;
	struct label label = {0};
	assert_int_equal(label_read(record->label, &label), LYC_OK);
	if (label.visibility == PUBLIC || label.visibility == MEMBERS || strcmp(from, to) == 0)
		return true;
	if (label.visibility != AUDIENCE)
		return false;
	bool is_named = strcmp(to, "hub") == 0;
	for (size_t i = 0; i < label.audience_count; i++)
		is_named |= span_is(policy_node_of(label.audience[i]), to);
	return is_named;
}

/* Copies of one origin are in its order, once each, and each is the home's own or a withdrawal of
 * it; none is missing. */
static void check_copies(struct trial *trial, const struct fake_node *home,
			 const struct fake_node *at)
{
	uint64_t last = 0;
	size_t next = 0;
	for (size_t i = 0; i < at->record_count; i++) {
		struct record copy = fake_record_at(at, i);
		if (!span_is(copy.origin, home->name))
			continue;
		if (copy.origin_seq <= last)
			broken(trial, "twice or out of order", at->name,
			       (char *)at->records[i].subject.data);
		last = copy.origin_seq;
		if (last > home->record_count)
			broken(trial, "from nowhere", at->name, "a copy");
		for (; next + 1 < last; next++) {
			struct record skipped = fake_record_at(home, next);
			if (may_hold(&skipped, home->name, at->name))
				broken(trial, "missing", at->name, home->name);
		}
		struct record own = fake_record_at(home, last - 1);
		next = last;
		if (!span_equal(own.subject, copy.subject))
			broken(trial, "another subject", at->name, home->name);
		if (may_hold(&own, home->name, at->name) &&
		    (!span_equal(own.body, copy.body) || own.removed != copy.removed))
			broken(trial, "not the home's words", at->name, home->name);
		if (!may_hold(&own, home->name, at->name) && (!copy.removed || copy.body.len > 0))
			broken(trial, "not a withdrawal", at->name, home->name);
	}
	for (; next < home->record_count; next++) {
		struct record skipped = fake_record_at(home, next);
		if (may_hold(&skipped, home->name, at->name))
			broken(trial, "missing at the end", at->name, home->name);
	}
}

/* The last record of a subject; false when there is none. */
static bool last_of(const struct fake_node *node, struct span subject, struct record *ret_record)
{
	for (size_t i = node->record_count; i > 0; i--) {
		*ret_record = fake_record_at(node, i - 1);
		if (span_equal(ret_record->subject, subject))
			return true;
	}
	return false;
}

/* What a view at `at` holds of a subject is what the home says now, or nothing where it may not see
 * that. */
static void check_latest(struct trial *trial, const struct fake_node *home,
			 const struct fake_node *at)
{
	for (unsigned id = 0; id < IDS; id++) {
		char subject[100];
		struct record own;
		struct record held;
		snprintf(subject, sizeof(subject), "lyceum.notice.v1.Notice.%s.%u", home->name, id);
		if (!last_of(home, fake_text(subject), &own))
			continue;
		bool is_held = last_of(at, fake_text(subject), &held) && !held.removed;
		bool is_wanted = !own.removed && may_hold(&own, home->name, at->name);
		if (is_held != is_wanted)
			broken(trial, is_held ? "not withdrawn" : "not there", at->name, subject);
		if (is_held && !span_equal(own.body, held.body))
			broken(trial, "an older state", at->name, subject);
	}
}

static void run(uint64_t seed)
{
	struct trial trial = {.seed = seed, .world = fake_world_new(seed)};
	for (size_t i = 0; i < 4; i++) {
		trial.nodes[i] = fake_node_add(trial.world, names[i], i ? trial.nodes[0] : NULL);
		trial.roots[i] = fake_client_add(trial.nodes[i], "root");
		/* Every second seed reads its log in stretches of two or three records. */
		trial.nodes[i]->max_read_len = seed % 2 == 0 ? 300 : 0;
	}
	for (int step = 0; step < STEPS; step++)
		do_something(&trial);
	fake_pass(trial.world, 12000);
	for (size_t i = 0; i < 4; i++) {
		const struct fake_node *home = trial.nodes[i];
		check_readers(&trial, &home->seen_down, i, home->name);
		check_readers(&trial, &home->seen_up, 0, "hub");
		for (size_t record = 0; record < home->record_count; record++)
			check_readers(&trial, &home->records[record].record, i, home->name);
		for (size_t k = 0; k < 4; k++) {
			if (k == i)
				continue;
			check_copies(&trial, home, trial.nodes[k]);
			check_latest(&trial, home, trial.nodes[k]);
		}
		if (i > 0 && trial.nodes[i]->daemon.uplink.link->outbox_count > 0)
			broken(&trial, "not confirmed", home->name, "the outbox");
	}
	fake_world_free(trial.world);
}

/* LYCEUM_SEED runs one seed alone. */
static void test_replication_heals_whatever_happened(void **state)
{
	(void)state;
	const char *one = getenv("LYCEUM_SEED");
	if (one)
		run(strtoull(one, NULL, 10));
	for (uint64_t seed = 1; !one && seed <= SEEDS; seed++)
		run(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replication_heals_whatever_happened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
