/* Key pairs: making, writing and reading their files. */
#include "io/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

#include "base/error.h"

#define KEY_LEN 40
#define MAX_FILE 4096
#define PUBLIC "public-key:"
#define SECRET "secret-key:"

enum lyc_status keyfile_make(struct keypair *ret_keys, struct lyc_error *error)
{
	struct keypair keys;
	if (zmq_curve_keypair(keys.public_key, keys.secret_key) != 0)
		return error_set(error, LYC_UNIMPLEMENTED,
				 "No key can be made: this libzmq was built without CURVE.");
	*ret_keys = keys;
	return LYC_OK;
}

bool keyfile_is_key(const char *key)
{
	uint8_t bytes[32];
	return strlen(key) == KEY_LEN && zmq_z85_decode(bytes, key);
}

static void format(const struct keypair *keys, struct buf *to)
{
	buf_add_format(to, PUBLIC " %s\n" SECRET " %s\n", keys->public_key, keys->secret_key);
}

static bool write_all(int fd, struct buf *text)
{
	size_t done = 0;
	while (done < text->len) {
		ssize_t len = write(fd, text->data + done, text->len - done);
		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return false;
		done += (size_t)len;
	}
	return fsync(fd) == 0;
}

static void sync_folder(const char *path)
{
	char folder[MAX_FILE];
	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder ? 1 : 0] = '\0';
	int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

enum lyc_status keyfile_write(const char *path, const struct keypair *keys, struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	struct buf text = {0};
	char temp[MAX_FILE];
	int fd = -1;
	if (snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >= (int)sizeof(temp))
		return error_set(error, LYC_INVALID_ARGUMENT, "The key file's path is too long.");
	format(keys, &text);
	/* mkostemp makes it with mode 0600. */
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0) {
		status = error_set(error, errno == EACCES ? LYC_PERMISSION_DENIED : LYC_NOT_FOUND,
				   "The key file %s cannot be made: %s.", path, strerror(errno));
		goto out;
	}
	if (text.has_failed || !write_all(fd, &text)) {
		status = error_set(error, LYC_RESOURCE_EXHAUSTED,
				   "The key file %s cannot be written: %s.", path, strerror(errno));
		goto out;
	}
	/* Unlike a rename, a link never replaces what is there. */
	if (link(temp, path) != 0) {
		status = error_set(error, errno == EEXIST ? LYC_ALREADY_EXISTS : LYC_UNAVAILABLE,
				   "The key file %s cannot be made: %s.", path, strerror(errno));
		goto out;
	}
	sync_folder(path);
out:
	if (fd >= 0) {
		close(fd);
		unlink(temp);
	}
	buf_fini(&text);
	return status;
}

/* The value behind `name` at the start of a line; copies 40 characters. */
static bool find_key(const char *text, const char *name, char *ret_key)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		const char *value = line + strlen(name);
		value += strspn(value, " \t");
		if (strcspn(value, " \t\r\n") != KEY_LEN)
			return false;
		char key[KEY_LEN + 1] = {0};
		memcpy(key, value, KEY_LEN);
		if (!keyfile_is_key(key))
			return false;
		memcpy(ret_key, key, sizeof(key));
		return true;
	}
	return false;
}

static enum lyc_status read_fd(int fd, const char *name, struct keypair *ret_keys,
			       struct lyc_error *error)
{
	char text[MAX_FILE + 1];
	size_t done = 0;
	while (done < MAX_FILE) {
		ssize_t len = read(fd, text + done, MAX_FILE - done);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return error_set(error, LYC_UNAVAILABLE,
					 "The key file %s cannot be read: %s.", name,
					 strerror(errno));
		if (len == 0)
			break;
		done += (size_t)len;
	}
	text[done] = '\0';
	struct keypair keys;
	char derived[KEY_LEN + 1];
	if (!find_key(text, PUBLIC, keys.public_key))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The key file %s has no line \"" PUBLIC
				 " \" with 40 characters of Z85.",
				 name);
	if (!find_key(text, SECRET, keys.secret_key))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The key file %s has no line \"" SECRET
				 " \" with 40 characters of Z85.",
				 name);
	if (zmq_curve_public(derived, keys.secret_key) != 0 ||
	    strcmp(derived, keys.public_key) != 0)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The key file %s holds two keys that do not belong together.",
				 name);
	*ret_keys = keys;
	return LYC_OK;
}

enum lyc_status keyfile_read(const char *path, struct keypair *ret_keys, struct lyc_error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return error_set(error, errno == EACCES ? LYC_PERMISSION_DENIED : LYC_NOT_FOUND,
				 "The key file %s cannot be opened: %s.", path, strerror(errno));
	struct stat info;
	enum lyc_status status;
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
		status = error_set(error, LYC_INVALID_ARGUMENT, "The key file %s is not a file.",
				   path);
	else if (info.st_mode & 077)
		status = error_set(
			error, LYC_PERMISSION_DENIED,
			"The key file %s may be read by others (mode %03o): chmod 600 it.", path,
			info.st_mode & 0777);
	else
		status = read_fd(fd, path, ret_keys, error);
	close(fd);
	return status;
}
