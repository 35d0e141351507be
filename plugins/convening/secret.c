/* BLAKE2b, by libsodium: keyed by the secret for tokens, without a key for their hashes. */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 4096

static enum lyc_status fail(struct lyc_error *error, const char *what, const char *path)
{
	*error = (struct lyc_error){.status = LYC_UNAVAILABLE};
	snprintf(error->text, sizeof(error->text), "the secret of the links, %.100s, %.40s: %.40s",
		 path, what, strerror(errno));
	return error->status;
}

/* ---- The file ---- */

static bool write_file(const char *path, const struct secret *secret)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return false;
	bool is_written =
		write(fd, secret->bytes, sizeof(secret->bytes)) == (ssize_t)sizeof(secret->bytes) &&
		fsync(fd) == 0;
	return close(fd) == 0 && is_written;
}

static bool sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return false;
	bool is_synced = fsync(fd) == 0;
	close(fd);
	return is_synced;
}

/* A link instead of a rename: of two instances that start at once one is first, and both have what
 * it wrote. */
static enum lyc_status make(const char *folder, const char *path, struct lyc_error *error)
{
	struct secret secret;
	char temporary[PATH_SIZE + 32];

	snprintf(temporary, sizeof(temporary), "%s.%08x", path, (unsigned)randombytes_random());
	randombytes_buf(secret.bytes, sizeof(secret.bytes));
	bool is_made = write_file(temporary, &secret) &&
		       (link(temporary, path) == 0 || errno == EEXIST) && sync_folder(folder);
	enum lyc_status status = is_made ? LYC_OK : fail(error, "cannot be written", path);
	(void)unlink(temporary);
	sodium_memzero(&secret, sizeof(secret));
	return status;
}

enum lyc_status secret_open(const char *folder, struct secret *ret_secret, struct lyc_error *error)
{
	char path[PATH_SIZE];

	if (sodium_init() < 0 ||
	    snprintf(path, sizeof(path), "%s/secret", folder) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return fail(error, "cannot be read", "of this node");
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT) {
		enum lyc_status status = make(folder, path, error);
		if (status != LYC_OK)
			return status;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd < 0)
		return fail(error, "cannot be read", path);
	uint8_t bytes[sizeof(ret_secret->bytes) + 1];
	ssize_t len = read(fd, bytes, sizeof(bytes));
	close(fd);
	if (len != (ssize_t)sizeof(ret_secret->bytes)) {
		errno = EINVAL;
		return fail(error, "does not hold 32 bytes", path);
	}
	memcpy(ret_secret->bytes, bytes, sizeof(ret_secret->bytes));
	sodium_memzero(bytes, sizeof(bytes));
	return LYC_OK;
}

/* ---- Tokens ---- */

/* Each text with its end, so that no two lists of texts are the same bytes. */
static void derive(const struct secret *secret, const char *const *texts, size_t count,
		   char to[SECRET_TOKEN_SIZE])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	crypto_generichash_state hash;
	uint8_t bytes[32];

	crypto_generichash_init(&hash, secret->bytes, sizeof(secret->bytes), sizeof(bytes));
	for (size_t i = 0; i < count; i++)
		crypto_generichash_update(&hash, (const uint8_t *)texts[i], strlen(texts[i]) + 1);
	crypto_generichash_final(&hash, bytes, sizeof(bytes));
	for (size_t i = 0; i < SECRET_TOKEN_SIZE - 1; i++)
		to[i] = letters[bytes[i] & 31];
	to[SECRET_TOKEN_SIZE - 1] = '\0';
	sodium_memzero(bytes, sizeof(bytes));
}

void secret_reply_token(const struct secret *secret, const char *event_home, const char *event,
			const char *invitation, char to[SECRET_TOKEN_SIZE])
{
	const char *const texts[] = {"reply", event_home, event, invitation};

	derive(secret, texts, 4, to);
}

void secret_feed_token(const struct secret *secret, const char *person, uint64_t number,
		       char to[SECRET_TOKEN_SIZE])
{
	char digits[24];
	const char *const texts[] = {"feed", person, digits};

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	derive(secret, texts, 3, to);
}

void secret_hash(const char *token, uint8_t to[SECRET_HASH_LEN])
{
	crypto_generichash(to, SECRET_HASH_LEN, (const uint8_t *)token, strlen(token), NULL, 0);
}
