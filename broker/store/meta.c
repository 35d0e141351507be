/*
 * Small values beside the log, one file each in `meta/`: a CRC-32C, then the value. Replaced as a
 * whole, so after a power cut the old or the new one is there.
 */
#include <string.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "store/embedded.h"

#define MAX_KEY_LEN 200
#define CRC_LEN 4

static bool is_key(const char *key)
{
	size_t len = strlen(key);
	return len > 0 && len <= MAX_KEY_LEN && key[0] != '.' &&
	       strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static void put_crc(uint8_t to[CRC_LEN], uint32_t crc)
{
	for (int i = 0; i < CRC_LEN; i++)
		to[i] = (uint8_t)(crc >> (8 * i));
}

enum lyc_status store_put_meta(struct store *store, const char *key, struct span value,
			       struct lyc_error *error)
{
	if (!is_key(key))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "\"%s\" is no key: use 1 to %d of a-z, 0-9, '.', '_', '-', "
				 "not beginning with '.'.",
				 key, MAX_KEY_LEN);
	struct buf content = {0};
	uint8_t crc[CRC_LEN];
	enum lyc_status status;
	put_crc(crc, crc32c(0, value.data, value.len));
	buf_add(&content, crc, sizeof(crc));
	buf_add(&content, value.data, value.len);
	if (content.has_failed)
		status = error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for \"%s\".", key);
	else
		status = segment_folder_replace(&store->folder, store->folder.meta_fd, key,
						span_of(content.data, content.len), error);
	buf_fini(&content);
	return status;
}

enum lyc_status store_get_meta(struct store *store, const char *key, struct buf *ret_value)
{
	if (!is_key(key))
		return LYC_INVALID_ARGUMENT;
	struct buf content = {0};
	uint8_t crc[CRC_LEN];
	enum lyc_status status =
		segment_folder_load(&store->folder, store->folder.meta_fd, key, &content, NULL);
	if (status == LYC_OK && content.len < CRC_LEN)
		status = LYC_DATA_LOSS;
	if (status == LYC_OK) {
		put_crc(crc, crc32c(0, content.data + CRC_LEN, content.len - CRC_LEN));
		if (memcmp(crc, content.data, CRC_LEN) != 0)
			status = LYC_DATA_LOSS;
	}
	if (status == LYC_OK) {
		buf_add(ret_value, content.data + CRC_LEN, content.len - CRC_LEN);
		if (ret_value->has_failed)
			status = LYC_RESOURCE_EXHAUSTED;
	}
	buf_fini(&content);
	return status;
}
