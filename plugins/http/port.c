/* Binding, and who has the port: two files that are locked, which ends with the process. */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "host:port", "[::1]:port". */
static bool split(const char *listen, char host[128], char port[16])
{
	const char *colon = strrchr(listen, ':');
	size_t len = colon ? (size_t)(colon - listen) : 0;
	if (!colon || strlen(colon + 1) == 0 || strlen(colon + 1) >= 16 || len >= 127)
		return false;
	strcpy(port, colon + 1);
	if (listen[0] == '[') {
		if (len < 3 || listen[len - 1] != ']')
			return false;
		listen++;
		len -= 2;
	}
	memcpy(host, listen, len);
	host[len] = '\0';
	return len > 0;
}

/* ---- Who has it ---- */

static int open_lock(const struct web *web, const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", lyc_data_folder(web->context), name);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static bool set_lock(int fd, short kind)
{
	struct flock whole = {.l_type = kind, .l_whence = SEEK_SET};
	return fd >= 0 && fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

static bool is_locked_by_other(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

bool port_is_shared(const struct web *web)
{
	return is_locked_by_other(web->port_lock);
}

void port_tell_listening(struct web *web)
{
	(void)set_lock(web->next_lock, F_UNLCK);
}

bool port_has_next(const struct web *web)
{
	return is_locked_by_other(web->next_lock);
}

void port_release(struct web *web)
{
	if (web->port_lock >= 0)
		close(web->port_lock);
	if (web->next_lock >= 0)
		close(web->next_lock);
	web->port_lock = web->next_lock = -1;
}

/* ---- Binding ---- */

static int open_bound(const struct addrinfo *at, bool is_shared)
{
	int yes = 1;
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
	    (is_shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)) != 0) ||
	    bind(fd, at->ai_addr, at->ai_addrlen) != 0) {
		int reason = errno;
		close(fd);
		errno = reason;
		return -1;
	}
	return fd;
}

/* Shared with nobody but instances of this plugin: a first socket that shares with none finds out
 * whether somebody else has it. */
static int bind_alone(const struct addrinfo *at)
{
	int probe = open_bound(at, false);
	if (probe < 0)
		return -1;
	/* With port 0 it has one now. */
	struct sockaddr_storage taken;
	socklen_t len = sizeof(taken);
	struct addrinfo same = *at;
	if (getsockname(probe, (struct sockaddr *)&taken, &len) == 0)
		same.ai_addr = (struct sockaddr *)&taken;
	close(probe);
	return open_bound(&same, true);
}

/* With port 0, the one that the former instance took. */
static void take_former_port(const struct web *web, char port[16])
{
	char path[512];
	char line[160];
	snprintf(path, sizeof(path), "%s/address", lyc_data_folder(web->context));
	FILE *file = fopen(path, "re");
	const char *found = file && fgets(line, sizeof(line), file) ? strrchr(line, ':') : NULL;
	if (found)
		snprintf(port, 16, "%.*s", (int)strcspn(found + 1, "\n"), found + 1);
	if (file)
		fclose(file);
}

enum lyc_status port_bind(struct web *web, int *ret_fd, int *ret_family, struct lyc_error *error)
{
	char host[128], port[16];
	const char *listen_at = web->settings.listen;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	web->port_lock = open_lock(web, "port.lock");
	web->next_lock = open_lock(web, "next.lock");
	bool is_whole = split(listen_at, host, port);
	bool has_former = port_is_shared(web) && set_lock(web->next_lock, F_WRLCK);
	(void)set_lock(web->port_lock, F_RDLCK);
	if (is_whole && has_former && strcmp(port, "0") == 0)
		take_former_port(web, port);
	if (!is_whole || getaddrinfo(host, port, &hints, &found) != 0)
		return web_fail(error, LYC_INVALID_ARGUMENT,
				"listen: \"%s\" is no address with a port, like 127.0.0.1:7780",
				listen_at);
	*ret_fd = has_former ? open_bound(found, true) : bind_alone(found);
	*ret_family = found->ai_family;
	freeaddrinfo(found);
	/* Somebody may leave the port: then starting again is of use. */
	if (*ret_fd < 0)
		return web_fail(error, LYC_UNAVAILABLE, "cannot listen at %s: %s", listen_at,
				strerror(errno));
	return LYC_OK;
}
