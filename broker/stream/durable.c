/*
 * Durable names. A position is a small value beside the log; how many an identity has is counted
 * once, when it first asks, and kept in memory from then on.
 */
#include "stream/durable.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pb.h"
#include "base/utf8.h"

struct durable_count {
	char identity[64];
	size_t count;
	UT_hash_handle by_identity;
};

static void add_hex(struct buf *to, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		buf_add_format(to, "%02x", bytes.data[i]);
}

/* Instances of a plugin that follow each other hold the same positions: what stands behind "~"
 * tells them apart. */
static size_t holder_len(const char *identity)
{
	return strcspn(identity, "~");
}

static void add_prefix(struct buf *to, const char *identity)
{
	buf_add_text(to, "durable.");
	add_hex(to, span_of(identity, holder_len(identity)));
	buf_add_byte(to, '.');
}

char *durable_key(const char *identity, struct span name)
{
	struct buf key = {0};
	add_prefix(&key, identity);
	add_hex(&key, name);
	return buf_text(&key);
}

void durable_name(const char *key, char *to, size_t size)
{
	const char *at = strrchr(key, '.');
	uint8_t name[64];
	size_t len = 0;
	for (at = at ? at + 1 : ""; at[0] && at[1] && len < sizeof(name); at += 2) {
		const char pair[3] = {at[0], at[1], '\0'};
		name[len++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	utf8_copy(to, size, name, len);
}

static struct durable_count *count_of(struct stream *stream, const char *identity)
{
	struct durable_count *count;
	HASH_FIND(by_identity, stream->durables, identity, holder_len(identity), count);
	if (count)
		return count;
	struct buf prefix = {0};
	add_prefix(&prefix, identity);
	count = mem_new(struct durable_count);
	count->count = stream->env->saved_count(stream->env->world, buf_text(&prefix));
	size_t len = holder_len(identity);
	memcpy(count->identity, identity,
	       len < sizeof(count->identity) ? len : sizeof(count->identity) - 1);
	HASH_ADD_KEYPTR(by_identity, stream->durables, count->identity, strlen(count->identity),
			count);
	buf_fini(&prefix);
	return count;
}

bool durable_is_allowed(struct stream *stream, const char *identity, struct span name)
{
	if (count_of(stream, identity)->count < DURABLE_MAX_NAMES)
		return true;
	uint64_t seq;
	char *key = durable_key(identity, name);
	bool is_known = durable_load(stream, key, &seq);
	free(key);
	return is_known;
}

bool durable_load(const struct stream *stream, const char *key, uint64_t *ret_seq)
{
	const struct env *env = stream->env;
	struct buf value = {0};
	env->load(env->world, key, &value);
	bool is_there = value.len > 0;
	uint64_t seq = 0;
	uint64_t epoch = 0;
	struct pb_reader reader = pb_reader_of(span_of(value.data, value.len));
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1)
			seq = field.value;
		else if (field.number == 2)
			epoch = field.value;
	}
	buf_fini(&value);
	/* Where it was is not known: from the oldest record on it misses nothing. */
	if (!is_there && env->was_damaged && env->was_damaged(env->world, key)) {
		*ret_seq = 0;
		return true;
	}
	/* Of what a restore has lost nobody knows what is new: the place is where it was cut off.
	 */
	const struct origin *own = &stream->origins.items[0];
	if (is_there && epoch != stream->epoch) {
		uint64_t end = epoch < stream->epoch ? origin_epoch_end(own, epoch) : 0;
		seq = seq < end ? seq : end;
	}
	if (is_there)
		*ret_seq = seq;
	return is_there;
}

void durable_save(const struct stream *stream, const char *key, uint64_t seq)
{
	const struct env *env = stream->env;
	struct buf value = {0};
	pb_write_uint(&value, 1, seq);
	pb_write_uint(&value, 2, stream->epoch);
	env->save(env->world, key, span_of(value.data, value.len));
	buf_fini(&value);
}

void durable_begin(struct stream *stream, const char *identity, const char *key, uint64_t seq)
{
	count_of(stream, identity)->count++;
	durable_save(stream, key, seq);
}

void durable_forget(struct stream *stream, const char *identity, const char *key)
{
	struct durable_count *count = count_of(stream, identity);
	if (count->count > 0)
		count->count--;
	stream->env->save(stream->env->world, key, span_of(NULL, 0));
}

void durable_fini(struct stream *stream)
{
	struct durable_count *count;
	struct durable_count *next;
	HASH_ITER (by_identity, stream->durables, count, next) {
		HASH_DELETE(by_identity, stream->durables, count);
		free(count);
	}
}

bool durable_is_placed(const struct stream *stream, const char *key)
{
	return stream->env->is_saved(stream->env->world, key);
}

bool durable_resume(struct stream *stream, const char *key, uint64_t *ret_seq)
{
	if (!durable_load(stream, key, ret_seq))
		return false;
	if (!durable_is_placed(stream, key))
		durable_save(stream, key, *ret_seq);
	return true;
}
