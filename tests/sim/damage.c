/* Damage, as the daemon's world finds it: on reading, at the start, and by looking through the log.
 */
#include "damage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "node/healing.h"
#include "store/lost.h"
#include "tokens.h"
#include "writes.h"

#define FLIP_US 400000
#define SCRUB_US 60000
#define SCRUB_LEN 20000
/* Asking takes a while, of a hub's own every node; an answer is given by then. */
#define HEAL_US 36000000
#define ANSWER_MS 300

static struct damage *damage_of(const struct sim_node *node)
{
	return &node->sim->damage[node->index];
}

/* ---- flips ---- */

static void flip(void *arg, uint64_t tag)
{
	struct sim *sim = arg;
	(void)tag;
	if (sim->is_calm)
		return;
	struct sim_node *node = sim->nodes[sim_below(sim, SIM_NODES)];
	char folder[80];
	snprintf(folder, sizeof(folder), MEMORY_DISK_ROOT "%s/log/", node->name);
	const char *path = memory_disk_flip(node->disk, folder, &sim->rng);
	if (path) {
		sim->counts.flips++;
		sim_note(sim, "a bit flips in %s", path);
	}
	sim_in(sim, sim_around(sim, FLIP_US), flip, sim, 0);
}

void damage_play(struct sim *sim)
{
	for (size_t i = 0; i < SIM_NODES && sim->has_damage; i++)
		sim->damage[i].truth = calloc(READER_SEQS, sizeof(struct damage_truth));
	if (sim->has_damage)
		sim_in(sim, sim_around(sim, FLIP_US), flip, sim, 0);
}

void damage_free(struct sim *sim)
{
	for (size_t i = 0; i < SIM_NODES; i++)
		free(sim->damage[i].truth);
	free(sim->damage);
	free(sim->damage_marks);
}

void damage_taken(struct sim_node *node, uint64_t seq, struct span bytes)
{
	struct damage *damage = damage_of(node);
	struct record record;
	if (!damage->truth || seq >= READER_SEQS || record_read(bytes, &record) != LYC_OK)
		return;
	struct damage_truth *truth = &damage->truth[seq];
	*truth = (struct damage_truth){.is_there = true, .origin = node->index, .origin_seq = seq};
	if (record.origin.len > 0) {
		truth->origin = sim_node_find(record.origin);
		truth->origin_seq = record.origin_seq;
		truth->epoch = record.epoch;
	}
	truth->has_key = view_key(record.subject, &truth->home, &truth->id);
}

/* ---- what is lost ---- */

static void note_lost(uint64_t first_seq, uint64_t last_seq, struct span details, void *arg)
{
	struct sim_node *node = arg;
	(void)details;
	for (uint64_t seq = first_seq; seq <= last_seq; seq++) {
		uint8_t *had = &damage_of(node)->had[reader_place(seq) % READER_SEQS];
		node->sim->counts.lost += !*had;
		*had = 1;
	}
}

struct search {
	uint64_t seq;
	bool is_found;
};

static void look_at(uint64_t first_seq, uint64_t last_seq, struct span details, void *arg)
{
	struct search *search = arg;
	(void)details;
	search->is_found |= first_seq <= search->seq && search->seq <= last_seq;
}

bool damage_is_named(const struct sim_node *node, uint64_t seq)
{
	struct search search = {.seq = seq};
	if (node->sim->has_damage)
		store_lost(node->store, look_at, &search);
	return search.is_found;
}

bool damage_has_had(const struct sim_node *node, uint64_t seq)
{
	return damage_of(node)->had[reader_place(seq) % READER_SEQS];
}

static void tell(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	if (node->life != life || !node->is_running)
		return;
	damage_of(node)->is_told = false;
	node->sim->current = node;
	daemon_damaged(&node->daemon);
	sim_node_turn(node);
}

bool damage_mend(struct sim_node *node, uint64_t seq)
{
	struct damage *damage = damage_of(node);
	struct lyc_error error = {0};
	bool was_damaged = false;
	if (!node->sim->has_damage)
		return false;
	if (store_mend(node->store, seq, seq, &was_damaged, &error) != LYC_OK || !was_damaged) {
		sim_note(node->sim, "%s: damage at %llu is not mended: %s", node->name,
			 (unsigned long long)seq, error.text);
		return false;
	}
	sim_note(node->sim, "%s: damage is found at %llu", node->name, (unsigned long long)seq);
	store_lost(node->store, note_lost, node);
	tokens_forgive(node->sim->tokens, node->index);
	damage->mended_us = node->sim->now_us;
	if (!damage->is_told)
		sim_in(node->sim, 200, tell, node, node->life);
	damage->is_told = true;
	return true;
}

/* ---- struct env ---- */

static void env_lost(void *arg, log_lost_fn on_lost, void *lost_arg)
{
	struct sim_node *node = arg;
	if (node->store)
		store_lost(node->store, on_lost, lost_arg);
}

static void answer_heal(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	if (node->life != life || !node->is_running)
		return;
	struct log_heal *heal = damage_of(node)->healed;
	damage_of(node)->healed = NULL;
	node->sim->current = node;
	heal->on_done(heal);
	sim_node_turn(node);
}

static void start_healing(struct sim_node *node);

static void serve_heal(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	struct sim *sim = node->sim;
	struct damage *damage = damage_of(node);
	struct lyc_error error;
	if (node->life != life || !node->store || !damage->heals)
		return;
	damage->is_healing = false;
	if (damage->healed) { /* not answered yet */
		start_healing(node);
		return;
	}
	struct log_heal *heal = damage->heals;
	damage->heals = heal->next;
	struct store_healed healed = {.seq = heal->seq,
				      .subject = span_of(heal->subject.data, heal->subject.len),
				      .record = span_of(heal->record.data, heal->record.len)};
	sim->current = node;
	heal->status = store_heal(node->store, &healed, 1, &error);
	if (heal->status == LYC_OK)
		heal->status = healed.ret_status;
	sim->counts.healed += heal->status == LYC_OK;
	damage->healed = heal;
	if (memory_disk_is_dead(node->disk)) {
		sim_node_crash(node, sim_chance(sim, 700));
		return;
	}
	sim_in(sim, sim_around(sim, 200), answer_heal, node, life);
	start_healing(node);
}

static void start_healing(struct sim_node *node)
{
	struct damage *damage = damage_of(node);
	if (damage->is_healing || !damage->heals)
		return;
	damage->is_healing = true;
	sim_in(node->sim, sim_around(node->sim, 4 * node->sim->disk_us), serve_heal, node,
	       node->life);
}

static void env_heal(void *arg, struct log_heal *heal)
{
	struct sim_node *node = arg;
	if (!node->store) {
		heal->status = LYC_UNAVAILABLE;
		heal->on_done(heal);
		return;
	}
	struct log_heal **end = &damage_of(node)->heals;
	while (*end)
		end = &(*end)->next;
	heal->next = NULL;
	*end = heal;
	start_healing(node);
}

void damage_env(struct env *env)
{
	env->heal = env_heal;
	env->lost = env_lost;
}

static void scrub(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	struct damage *damage = damage_of(node);
	struct lyc_error error;
	if (node->life != life || !node->store)
		return;
	node->sim->current = node;
	if (store_scrub(node->store, &damage->scrub_seq, SCRUB_LEN, &error) == LYC_DATA_LOSS &&
	    !damage_mend(node, damage->scrub_seq))
		damage->scrub_seq++;
	damage->calm_rounds += damage->scrub_seq == 1 && node->sim->is_calm;
	if (memory_disk_is_dead(node->disk))
		sim_node_crash(node, sim_chance(node->sim, 700));
	else
		sim_in(node->sim, sim_around(node->sim, SCRUB_US), scrub, node, life);
}

void damage_started(struct sim_node *node)
{
	struct damage *damage = damage_of(node);
	if (!node->sim->has_damage)
		return;
	damage->scrub_seq = 1;
	damage->is_told = false;
	damage->mended_us = node->sim->now_us;
	store_lost(node->store, note_lost, node);
	daemon_damaged(&node->daemon);
	sim_in(node->sim, sim_around(node->sim, SCRUB_US), scrub, node, node->life);
}

static void refuse(struct log_heal *heal)
{
	heal->status = LYC_UNAVAILABLE;
	heal->on_done(heal);
}

void damage_closed(struct sim_node *node)
{
	struct damage *damage = damage_of(node);
	if (damage->healed)
		refuse(damage->healed);
	damage->healed = NULL;
	while (damage->heals) {
		struct log_heal *heal = damage->heals;
		damage->heals = heal->next;
		refuse(heal);
	}
	damage->is_healing = false;
}

/* Everybody who may hold it was asked, and had time to answer. */
static bool was_asked(const struct sim_node *node, const struct want *want)
{
	uint64_t now_ms = node->env.now_ms(node->env.world);
	return !want->is_healing && want->turn > 0 && now_ms >= want->due_ms + ANSWER_MS;
}

bool damage_has_settled(struct sim_node *node)
{
	const struct sim *sim = node->sim;
	const struct damage *damage = damage_of(node);
	const struct healing *healing = &node->daemon.healing;
	if (!sim->has_damage)
		return true;
	if (damage->calm_rounds < 2 || damage->heals || damage->healed || damage->is_told)
		return false;
	for (size_t i = 0; i < healing->count; i++) {
		if (!was_asked(node, &healing->items[i]) &&
		    sim->now_us < damage->mended_us + HEAL_US)
			return false;
	}
	return true;
}
