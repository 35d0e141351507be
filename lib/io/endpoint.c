/* Checks of an address, and the sentences for what can be wrong with it. */
#include "io/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <zmq.h>

#include "base/error.h"

#define MAX_IPC_PATH (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

static enum lyc_status check_tcp(const char *endpoint, bool bind, struct lyc_error *error)
{
	const char *host = endpoint + strlen("tcp://");
	const char *colon = strrchr(host, ':');
	if (host[0] == '[')
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "'%.100s' is an address of IPv6; names and IPv4 are understood",
				 endpoint);
	if (!colon || colon == host || colon[1] == '\0')
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "'%.100s' lacks its %s: it has to be tcp://HOST:PORT", endpoint,
				 colon == host ? "host" : "port");
	const char *digits = colon + 1;
	size_t len = strlen(digits);
	unsigned port = 65536;
	if (strspn(digits, "0123456789") == len && len <= 5)
		port = (unsigned)strtoul(digits, NULL, 10);
	if (port > 65535 || (port == 0 && !bind))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "'%.100s' has no port from %d to 65535 at its end", endpoint,
				 bind ? 0 : 1);
	return LYC_OK;
}

enum lyc_status endpoint_check_text(const char *endpoint, bool bind, struct lyc_error *error)
{
	if (strncmp(endpoint, "tcp://", 6) == 0)
		return check_tcp(endpoint, bind, error);
	if (strncmp(endpoint, "ipc://", 6) != 0)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "'%.100s' begins neither with tcp:// nor with ipc://", endpoint);
	size_t len = strlen(endpoint) - strlen("ipc://");
	if (len == 0)
		return error_set(error, LYC_INVALID_ARGUMENT, "'ipc://' lacks its path");
	if (len > MAX_IPC_PATH)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the path of '%.60s...' has %zu bytes; a Unix socket's may have "
				 "%zu",
				 endpoint, len, MAX_IPC_PATH);
	return LYC_OK;
}

static enum lyc_status in_use(const char *endpoint, struct lyc_error *error)
{
	return error_set(error, LYC_ALREADY_EXISTS,
			 "Cannot listen on %s: another program listens there; stop it or choose "
			 "another address.",
			 endpoint);
}

static enum lyc_status check_folder(const char *endpoint, const char *path, struct lyc_error *error)
{
	char folder[MAX_IPC_PATH + 1];
	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return LYC_OK;
	*slash = '\0';
	struct stat info;
	if (stat(folder, &info) == 0 && S_ISDIR(info.st_mode))
		return LYC_OK;
	return error_set(error, LYC_NOT_FOUND, "Cannot listen on %s: the folder %s does not exist.",
			 endpoint, folder);
}

/* Is somebody listening? 0 yes, else why not. */
static int probe(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	int reason = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
	close(fd);
	/* A listener whose queue is full listens none the less. */
	return reason == EAGAIN ? 0 : reason;
}

static enum lyc_status clear_path(const char *endpoint, const char *path, struct lyc_error *error)
{
	struct stat info;
	if (lstat(path, &info) != 0)
		return LYC_OK;
	if (!S_ISSOCK(info.st_mode))
		return error_set(error, LYC_ALREADY_EXISTS,
				 "Cannot listen on %s: %s exists and is not a socket.", endpoint,
				 path);
	int reason = probe(path);
	if (reason == 0)
		return in_use(endpoint, error);
	if (reason != ECONNREFUSED && reason != ENOENT)
		return error_set(
			error, LYC_UNAVAILABLE,
			"Cannot listen on %s: whether somebody else does cannot be told (%s).",
			endpoint, strerror(reason));
	if (reason == ECONNREFUSED && unlink(path) != 0)
		return error_set(error, LYC_PERMISSION_DENIED,
				 "Cannot listen on %s: the old socket file cannot be removed (%s).",
				 endpoint, strerror(errno));
	return LYC_OK;
}

static enum lyc_status check_ipc(const char *endpoint, bool bind, struct lyc_error *error)
{
	const char *path = endpoint + strlen("ipc://");
	if (strlen(path) > MAX_IPC_PATH)
		return error_set(
			error, LYC_INVALID_ARGUMENT,
			"The path of %.60s... has %zu bytes; a Unix socket's may have %zu.",
			endpoint, strlen(path), MAX_IPC_PATH);
	if (!bind || path[0] == '@')
		return LYC_OK;
	enum lyc_status status = check_folder(endpoint, path, error);
	return status == LYC_OK ? clear_path(endpoint, path, error) : status;
}

enum lyc_status endpoint_check(const char *endpoint, bool bind, char *ret_endpoint, size_t size,
			       struct lyc_error *error)
{
	size_t len = strlen(endpoint);
	if (strncmp(endpoint, "ipc://", 6) == 0) {
		enum lyc_status status = check_ipc(endpoint, bind, error);
		if (status != LYC_OK)
			return status;
	} else if (strncmp(endpoint, "tcp://", 6) != 0 && strncmp(endpoint, "inproc://", 9) != 0) {
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The address \"%.100s\" begins with neither tcp:// nor ipc://.",
				 endpoint);
	}
	if (len >= size)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The address %.60s... is longer than %zu bytes.", endpoint,
				 size - 1);
	memcpy(ret_endpoint, endpoint, len + 1);
	if (bind && endpoint[0] == 't' && len > 2 && strcmp(endpoint + len - 2, ":0") == 0)
		ret_endpoint[len - 1] = '*';
	return LYC_OK;
}

enum lyc_status endpoint_explain(const char *endpoint, bool bind, int zmq_error,
				 struct lyc_error *error)
{
	if (bind && zmq_error == EADDRINUSE)
		return in_use(endpoint, error);
	if (bind && zmq_error == EADDRNOTAVAIL)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "Cannot listen on %s: this machine does not have that address.",
				 endpoint);
	if (zmq_error == EACCES || zmq_error == EPERM)
		return error_set(error, LYC_PERMISSION_DENIED,
				 "Cannot listen on %s: permission denied.", endpoint);
	return error_set(error, LYC_INVALID_ARGUMENT, "Cannot %s %s: %s.",
			 bind ? "listen on" : "connect to", endpoint, zmq_strerror(zmq_error));
}
