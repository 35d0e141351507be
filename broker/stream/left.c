/* Durable subscribers that are away, by the key of their position. */
#include "stream/left.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stream/durable.h"

/* Beyond that the newest are not noted. */
#define MAX_LEFT 4096

struct left_place {
	char *key;
	char *pattern;
	char identity[64];
	uint64_t next_seq;
	UT_hash_handle by_key;
};

static void place_free(struct stream *stream, struct left_place *place)
{
	HASH_DELETE(by_key, stream->left, place);
	free(place->key);
	free(place->pattern);
	free(place);
}

void left_forget(struct stream *stream, const char *key)
{
	struct left_place *place;
	HASH_FIND(by_key, stream->left, key, strlen(key), place);
	if (place)
		place_free(stream, place);
}

void left_note(struct stream *stream, const char *key, const char *identity, const char *pattern,
	       uint64_t next_seq)
{
	left_forget(stream, key);
	if (HASH_CNT(by_key, stream->left) >= MAX_LEFT)
		return;
	struct left_place *place = mem_new(struct left_place);
	place->key = mem_dup(key);
	place->pattern = mem_dup(pattern);
	place->next_seq = next_seq;
	snprintf(place->identity, sizeof(place->identity), "%s", identity);
	HASH_ADD_KEYPTR(by_key, stream->left, place->key, strlen(place->key), place);
}

void left_each(const struct stream *stream, follower_place_fn fn, void *arg)
{
	struct left_place *left;
	struct left_place *next;
	HASH_ITER (by_key, stream->left, left, next) {
		struct follower_place place = {.identity = left->identity,
					       .is_away = true,
					       .pattern = left->pattern,
					       .next_seq = left->next_seq};
		durable_name(left->key, place.durable, sizeof(place.durable));
		fn(&place, arg);
	}
}

void left_fini(struct stream *stream)
{
	struct left_place *place;
	struct left_place *next;
	HASH_ITER (by_key, stream->left, place, next)
		place_free(stream, place);
}
