/* Buckets. */
#include "rate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rate_bucket *take_bucket(struct rate *rate, const char *name, uint64_t now_ms)
{
	struct rate_bucket *bucket;
	char key[RATE_NAME_LEN] = "";
	bool is_new = false;
	snprintf(key, sizeof(key), "%s", name);
	HASH_FIND(by_name, rate->buckets, key, strlen(key), bucket);
	if (bucket) {
		/* To the end: it is not quiet. */
		HASH_DELETE(by_name, rate->buckets, bucket);
	} else if (HASH_CNT(by_name, rate->buckets) >= RATE_MAX) {
		bucket = rate->buckets;
		HASH_DELETE(by_name, rate->buckets, bucket);
		is_new = true;
	} else {
		bucket = calloc(1, sizeof(*bucket));
		is_new = true;
	}
	if (!bucket)
		return NULL;
	if (is_new) {
		memcpy(bucket->name, key, sizeof(key));
		bucket->left = 2000u * (uint64_t)rate->per_second;
		bucket->at_ms = now_ms;
	}
	HASH_ADD_KEYPTR(by_name, rate->buckets, bucket->name, strlen(bucket->name), bucket);
	return bucket;
}

bool rate_take(struct rate *rate, const char *name, uint64_t now_ms)
{
	struct rate_bucket *bucket = take_bucket(rate, name, now_ms);
	uint64_t most = 2000u * (uint64_t)rate->per_second;
	if (!bucket)
		return false;
	uint64_t passed_ms = now_ms > bucket->at_ms ? now_ms - bucket->at_ms : 0;
	if (passed_ms > 2000)
		passed_ms = 2000;
	bucket->left += passed_ms * rate->per_second;
	if (bucket->left > most)
		bucket->left = most;
	bucket->at_ms = now_ms;
	if (bucket->left < 1000)
		return false;
	bucket->left -= 1000;
	return true;
}

void rate_fini(struct rate *rate)
{
	struct rate_bucket *bucket, *next;
	HASH_ITER (by_name, rate->buckets, bucket, next) {
		HASH_DELETE(by_name, rate->buckets, bucket);
		free(bucket);
	}
}
