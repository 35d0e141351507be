/*
 * The MHD daemon on the plugin's own thread: its epoll descriptor and a timer are watched by
 * lyc_watch; nothing of it blocks. The listening socket is port.c's, so that port 0 works, a taken
 * port is said in a sentence, and one instance can follow another.
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
#include "port.h"

/* Of one connection's headers. */
#define HEADER_MEMORY (32 * 1024)
#define BACKLOG 128
/* Between two looks whether the port may be taken; how long the former instance takes connections
 * at most, and how long it may answer. */
#define TAKE_OVER_MS 20
#define OVERLAP_MS 2500
#define FINISH_MS 4000

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

bool web_knows_people(struct web *web)
{
	/* Told to stop, it still knows them. */
	web->knows_people = web->knows_people || lyc_is_caught_up(web->context);
	return web->knows_people;
}

uint64_t web_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

enum lyc_status web_fail(struct lyc_error *error, enum lyc_status status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	error->status = status;
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return status;
}

/* ---- The address ---- */

/* With the port that was taken; and a file that tells it. */
static enum lyc_status tell_address(struct web *web, int fd, struct lyc_error *error)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	char host[100], port[16], path[512], temporary[520];
	if (getsockname(fd, (struct sockaddr *)&at, &len) != 0 ||
	    getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return web_fail(error, LYC_INTERNAL, "the listening address cannot be read");
	snprintf(web->settings.listen, sizeof(web->settings.listen),
		 strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	snprintf(path, sizeof(path), "%s/address", lyc_data_folder(web->context));
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	FILE *file = fopen(temporary, "we");
	if (!file)
		return web_fail(error, LYC_UNAVAILABLE, "cannot write %s: %s", temporary,
				strerror(errno));
	fprintf(file, "http://%s\n", web->settings.listen);
	if (fclose(file) != 0 || rename(temporary, path) != 0)
		return web_fail(error, LYC_UNAVAILABLE, "cannot write %s: %s", path,
				strerror(errno));
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
	if (!web->daemon)
		return;
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
	if (web->is_running || !web->daemon)
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

/* From here on it takes connections. */
static enum lyc_status listen_and_run(struct web *web, struct lyc_error *error)
{
	int fd = web->bound_fd;
	web->bound_fd = -1;
	if (listen(fd, BACKLOG) != 0) {
		close(fd);
		return web_fail(error, LYC_UNAVAILABLE, "cannot listen at %s: %s",
				web->settings.listen, strerror(errno));
	}
	web->daemon = start_daemon(web, fd, web->family);
	if (!web->daemon) {
		close(fd);
		return web_fail(error, LYC_RESOURCE_EXHAUSTED, "the web server does not start");
	}
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info || lyc_watch(web->context, info->epoll_fd, LYC_READABLE, on_epoll, web) != LYC_OK)
		return web_fail(error, LYC_RESOURCE_EXHAUSTED, "the web server cannot be watched");
	set_timer(web);
	port_tell_listening(web);
	lyc_log(web->context, 3, "serving at http://%s, for people at %s", web->settings.listen,
		web->settings.public_url);
	return LYC_OK;
}

/* In place of another instance: when it knows who may come in, and what there is. */
static void take_over(void *state, void *arg)
{
	struct web *web = arg;
	struct lyc_error error;
	(void)state;
	bool is_ready = web_knows_people(web) && web->is_loaded;
	enum lyc_status status = port_is_shared(web) && !is_ready
					 ? lyc_timer(web->context, TAKE_OVER_MS, 0, take_over, web)
					 : listen_and_run(web, &error);
	if (status != LYC_OK)
		lyc_log(web->context, 1, "the web server takes no requests: %s",
			web->bound_fd < 0 ? error.text : "there is no timer for it");
}

enum lyc_status server_start(struct web *web, struct lyc_error *error)
{
	web->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	enum lyc_status status = port_bind(web, &web->bound_fd, &web->family, error);
	if (status == LYC_OK)
		status = tell_address(web, web->bound_fd, error);
	if (status == LYC_OK && !add_hosts(&web->settings))
		status = web_fail(error, LYC_INVALID_ARGUMENT, "hosts: there are too many");
	if (status != LYC_OK)
		return status;
	if (web->timer_fd < 0 ||
	    lyc_watch(web->context, web->timer_fd, LYC_READABLE, on_timer, web) != LYC_OK ||
	    lyc_timer(web->context, 0, 1000, on_second, web) != LYC_OK ||
	    lyc_timer(web->context, 60000, 3600000, on_hour, web) != LYC_OK)
		return web_fail(error, LYC_RESOURCE_EXHAUSTED, "the web server cannot be watched");
	if (!port_is_shared(web))
		return listen_and_run(web, error);
	if (lyc_timer(web->context, TAKE_OVER_MS, 0, take_over, web) != LYC_OK)
		return web_fail(error, LYC_RESOURCE_EXHAUSTED, "there is no timer for the port");
	return LYC_OK;
}

/* Those who have connected and were not taken yet; the next instance does not get them. */
static void leave_port(struct web *web)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int client;
	int fd = MHD_quiesce_daemon(web->daemon);
	web->has_left_port = true;
	if (fd == MHD_INVALID_SOCKET)
		return;
	while ((client = accept4(fd, (struct sockaddr *)&from, &len,
				 SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		(void)MHD_add_connection(web->daemon, client, (struct sockaddr *)&from, len);
		len = sizeof(from);
	}
	close(fd);
	run(web);
}

bool server_is_busy(struct web *web)
{
	uint64_t now_ms = web_now_ms();
	if (!web->daemon)
		return false;
	if (web->told_ms == 0)
		web->told_ms = now_ms;
	/* Until the next one listens there has to be somebody who takes connections. */
	if (!web->has_left_port && (!port_has_next(web) || now_ms >= web->told_ms + OVERLAP_MS))
		leave_port(web);
	return !web->has_left_port ||
	       (now_ms < web->told_ms + FINISH_MS && exchanges_are_open(web));
}

void server_stop(struct web *web)
{
	if (web->bound_fd >= 0)
		close(web->bound_fd);
	web->bound_fd = -1;
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
	port_release(web);
}
