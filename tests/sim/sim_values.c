/* The part of struct env that is the small values beside the log: written one after the other, each
 * a while after it was saved. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shared.h"
#include "sim_node.h"

#define SAVE_AGAIN_US 500000

static struct saved_value *find_value(struct sim_node *node, const char *key)
{
	struct saved_value *value = node->values;
	while (value && strcmp(value->key, key) != 0)
		value = value->next;
	return value;
}

static void write_value(void *arg, uint64_t life);

static void start_saving(struct sim_node *node, uint64_t after_us)
{
	if (node->is_saving || !node->values)
		return;
	node->is_saving = true;
	sim_in(node->sim, sim_around(node->sim, after_us), write_value, node, node->life);
}

/* Of the follower under a durable name. */
static bool is_carols(const char *key)
{
	static const char prefix[] = "durable.6361726f6c.";
	return strncmp(key, prefix, sizeof(prefix) - 1) == 0;
}

static bool put_value(struct sim_node *node, const struct saved_value *value)
{
	struct lyc_error error;
	struct span bytes = span_of(value->value.data, value->value.len);
	if (bytes.len == 0)
		return store_remove_meta(node->store, value->key, &error) == LYC_OK;
	if (store_put_meta(node->store, value->key, bytes, &error) != LYC_OK)
		return false;
	shared_stored(node, value->key, bytes);
	node->has_kept_name |= is_carols(value->key);
	return true;
}

static void value_free(struct saved_value *value)
{
	buf_fini(&value->value);
	free(value->key);
	free(value);
}

/* What the disk does not take waits, and all others with it. */
static void write_value(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	if (node->life != life || !node->store)
		return;
	node->is_saving = false;
	struct saved_value *value = node->values;
	if (!value)
		return;
	node->sim->current = node;
	bool is_written = put_value(node, value);
	if (is_written) {
		node->values = value->next;
		value_free(value);
	}
	if (memory_disk_is_dead(node->disk))
		sim_node_crash(node, sim_chance(node->sim, 700));
	else
		start_saving(node, is_written ? node->sim->disk_us : SAVE_AGAIN_US);
}

static void env_save(void *arg, const char *key, struct span bytes)
{
	struct sim_node *node = arg;
	struct saved_value *value = find_value(node, key);
	if (!node->store)
		return;
	shared_saved(node, key, bytes);
	if (!value) {
		struct saved_value **end = &node->values;
		while (*end)
			end = &(*end)->next;
		value = mem_new(struct saved_value);
		value->key = mem_dup(key);
		*end = value;
	}
	buf_clear(&value->value);
	buf_add(&value->value, bytes.data, bytes.len);
	start_saving(node, node->sim->disk_us);
}

static void env_load(void *arg, const char *key, struct buf *ret_value)
{
	struct sim_node *node = arg;
	const struct saved_value *value = find_value(node, key);
	bool is_durable = is_carols(key);
	if (is_durable && node->sim->mutation == MUTATION_FORGET_POSITION)
		return;
	if (value)
		buf_add(ret_value, value->value.data, value->value.len);
	else if (store_get_meta(node->store, key, ret_value) != LYC_OK)
		buf_clear(ret_value);
	/* The sequence is the first field: a small number gets larger. */
	if (is_durable && node->sim->mutation == MUTATION_SKIP_POSITION && ret_value->len > 1 &&
	    ret_value->data[0] == 0x08 && ret_value->data[1] < 0x7c)
		ret_value->data[1] = (uint8_t)(ret_value->data[1] + 3);
	shared_found(node, key, ret_value);
}

static size_t env_saved_count(void *arg, const char *prefix)
{
	const struct sim_node *node = arg;
	return store_count_meta(node->store, prefix);
}

static bool env_is_saved(void *arg, const char *key)
{
	const struct sim_node *node = arg;
	return store_has_meta(node->store, key);
}

void sim_values_env(struct env *env)
{
	env->save = env_save;
	env->load = env_load;
	env->saved_count = env_saved_count;
	env->is_saved = env_is_saved;
}

void sim_values_close(struct sim_node *node)
{
	while (node->values) {
		struct saved_value *value = node->values;
		node->values = value->next;
		value_free(value);
	}
	node->is_saving = false;
}
