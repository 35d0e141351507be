/*
 * The MHD daemon on the plugin's own thread: its epoll descriptor and a timer are watched by
 * lyc_watch; nothing of it blocks. The listening socket is made here, so that port 0 works and a
 * taken port is said in a sentence.
 */
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "exchange.h"
#include "peer.h"

/* Of one connection's headers. */
#define HEADER_MEMORY (32 * 1024)
#define BACKLOG 128

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t web_now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

uint64_t web_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

static enum lyc_status fail(struct lyc_error *error, enum lyc_status status, const char *format,
			    ...) LYC_PRINTF(3, 4);
static enum lyc_status fail(struct lyc_error *error, enum lyc_status status, const char *format,
			    ...)
{
	va_list args;
	va_start(args, format);
	error->status = status;
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return status;
}

/* ---- The socket ---- */

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

static enum lyc_status open_socket(struct web *web, int *ret_fd, int *ret_family,
				   struct lyc_error *error)
{
	char host[128], port[16];
	const char *listen_at = web->settings.listen;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	if (!split(listen_at, host, port) || getaddrinfo(host, port, &hints, &found) != 0)
		return fail(error, LYC_INVALID_ARGUMENT,
			    "listen: \"%s\" is no address with a port, like 127.0.0.1:7780",
			    listen_at);
	int yes = 1;
	enum lyc_status status = LYC_OK;
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
	    bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
		/* Somebody may leave the port: then starting again is of use. */
		status = fail(error, LYC_UNAVAILABLE, "cannot listen at %s: %s", listen_at,
			      strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	*ret_family = found->ai_family;
	freeaddrinfo(found);
	*ret_fd = fd;
	return status;
}

/* With the port that was taken; and a file that tells it. */
static enum lyc_status tell_address(struct web *web, int fd, struct lyc_error *error)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	char host[100], port[16], path[512], temporary[520];
	if (getsockname(fd, (struct sockaddr *)&at, &len) != 0 ||
	    getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return fail(error, LYC_INTERNAL, "the listening address cannot be read");
	snprintf(web->settings.listen, sizeof(web->settings.listen),
		 strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	snprintf(path, sizeof(path), "%s/address", lyc_data_folder(web->context));
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	FILE *file = fopen(temporary, "we");
	if (!file)
		return fail(error, LYC_UNAVAILABLE, "cannot write %s: %s", temporary,
			    strerror(errno));
	fprintf(file, "http://%s\n", web->settings.listen);
	if (fclose(file) != 0 || rename(temporary, path) != 0)
		return fail(error, LYC_UNAVAILABLE, "cannot write %s: %s", path, strerror(errno));
	return LYC_OK;
}

static bool add_host(struct settings *settings, const char *name)
{
	char *copy = settings->host_count < MAX_HOSTS ? strdup(name) : NULL;
	if (copy)
		settings->hosts[settings->host_count++] = copy;
	return copy != NULL;
}

/* What stands in Host when somebody calls it by its address or by its public URL. */
static bool add_hosts(struct settings *settings)
{
	char text[160];
	const char *port = strrchr(settings->listen, ':');
	bool is_good = add_host(settings, settings->listen);
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
	for (size_t i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "%s%s", names[i], port);
		is_good &= add_host(settings, text);
	}
	const char *public_host = strstr(settings->public_url, "://");
	if (public_host)
		is_good &= add_host(settings, public_host + 3);
	else
		snprintf(settings->public_url, sizeof(settings->public_url), "http://%s%s",
			 strncmp(settings->listen, "0.0.0.0:", 8) == 0 ||
					 strncmp(settings->listen, "[::]:", 5) == 0
				 ? "localhost"
				 : settings->listen,
			 strncmp(settings->listen, "0.0.0.0:", 8) == 0 ||
					 strncmp(settings->listen, "[::]:", 5) == 0
				 ? port
				 : "");
	return is_good;
}

/* ---- Running ---- */

void server_stir(struct web *web)
{
	const struct itimerspec at_once = {.it_value = {.tv_nsec = 1}};
	web->wants_run = true;
	if (!web->is_running && web->timer_fd >= 0)
		timerfd_settime(web->timer_fd, 0, &at_once, NULL);
}

static void set_timer(struct web *web)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;
	struct itimerspec when = {0};
	if (web->wants_run)
		when.it_value.tv_nsec = 1;
	else if (MHD_get_timeout(web->daemon, &timeout_ms) == MHD_YES) {
		when.it_value.tv_sec = (time_t)(timeout_ms / 1000);
		when.it_value.tv_nsec = timeout_ms ? (long)(timeout_ms % 1000) * 1000000 : 1;
	}
	timerfd_settime(web->timer_fd, 0, &when, NULL);
}

static void run(struct web *web)
{
	/* An answer that is given within a handler is sent by this same run. */
	if (web->is_running)
		return;
	web->is_running = true;
	web->wants_run = false;
	MHD_run(web->daemon);
	web->is_running = false;
	set_timer(web);
}

static void on_epoll(void *state, int fd, int events, void *arg)
{
	(void)state;
	(void)fd;
	(void)events;
	run(arg);
}

static void on_timer(void *state, int fd, int events, void *arg)
{
	uint64_t expirations;
	(void)state;
	(void)events;
	if (read(fd, &expirations, sizeof(expirations)) > 0)
		run(arg);
}

static void on_second(void *state, void *arg)
{
	struct web *web = arg;
	(void)state;
	uint64_t now_ms = web_now_ms();
	peers_sweep(web, now_ms);
	exchanges_beat(web, now_ms);
	site_refresh(web, false);
	run(web);
}

static void on_hour(void *state, void *arg)
{
	struct web *web = arg;
	(void)state;
	/* Half a log would be judged wrongly. */
	if (lyc_is_caught_up(web->context))
		users_sweep(web);
}

static void log_line(void *cls, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
static void log_line(void *cls, const char *format, va_list args)
{
	struct web *web = cls;
	char text[300];
	vsnprintf(text, sizeof(text), format, args);
	lyc_log(web->context, 5, "%s", text);
}

static struct MHD_Daemon *start_daemon(struct web *web, int fd, int family)
{
	const struct settings *settings = &web->settings;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			 (family == AF_INET6 ? MHD_USE_IPv6 : 0);
	return MHD_start_daemon(
		flags, 0, NULL, NULL, exchange_handle, web, MHD_OPTION_EXTERNAL_LOGGER, log_line,
		web, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)settings->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned)(settings->behind_proxy ? 0 : settings->connections_per_address),
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)settings->request_seconds,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_MEMORY,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, exchange_completed,
		web, MHD_OPTION_NOTIFY_CONNECTION, peer_notify, web, MHD_OPTION_END);
}

enum lyc_status server_start(struct web *web, struct lyc_error *error)
{
	int fd = -1;
	int family = AF_INET;
	web->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	enum lyc_status status = open_socket(web, &fd, &family, error);
	if (status == LYC_OK)
		status = tell_address(web, fd, error);
	if (status == LYC_OK && !add_hosts(&web->settings))
		status = fail(error, LYC_INVALID_ARGUMENT, "hosts: there are too many");
	if (status != LYC_OK) {
		if (fd >= 0)
			close(fd);
		return status;
	}
	web->daemon = web->timer_fd >= 0 ? start_daemon(web, fd, family) : NULL;
	if (!web->daemon) {
		close(fd);
		return fail(error, LYC_RESOURCE_EXHAUSTED, "the web server does not start");
	}
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info ||
	    lyc_watch(web->context, info->epoll_fd, LYC_READABLE, on_epoll, web) != LYC_OK ||
	    lyc_watch(web->context, web->timer_fd, LYC_READABLE, on_timer, web) != LYC_OK ||
	    lyc_timer(web->context, 0, 1000, on_second, web) != LYC_OK ||
	    lyc_timer(web->context, 60000, 3600000, on_hour, web) != LYC_OK)
		return fail(error, LYC_RESOURCE_EXHAUSTED, "the web server cannot be watched");
	set_timer(web);
	lyc_log(web->context, 3, "serving at http://%s, for people at %s", web->settings.listen,
		web->settings.public_url);
	return LYC_OK;
}

void server_stop(struct web *web)
{
	if (web->daemon) {
		const union MHD_DaemonInfo *info =
			MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_EPOLL_FD);
		exchanges_stop(web);
		if (info)
			(void)!lyc_watch(web->context, info->epoll_fd, 0, NULL, NULL);
		MHD_stop_daemon(web->daemon);
		web->daemon = NULL;
	}
	if (web->timer_fd >= 0) {
		(void)!lyc_watch(web->context, web->timer_fd, 0, NULL, NULL);
		close(web->timer_fd);
	}
	web->timer_fd = -1;
}
