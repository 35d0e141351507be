/*
 * What a confined process still reaches. Each test forks a child that gives up everything but what
 * is said, tries one thing after the other, and answers which of them the kernel let it do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "landlock.h"
#include "syscalls.h"

static char folder[] = "/tmp/lyc-confine-XXXXXX";
static char own[64];      /* the plugin's folder */
static char other[64];    /* another folder, with a file */
static char secret[96];   /* that file */
static uint16_t tcp_port; /* somebody listens there */

enum attempt {
	READ_OWN,
	WRITE_OWN,
	READ_SECRET,
	WRITE_OTHER,
	LIST_HOME,
	READ_ZONE,
	CONNECT_TCP,
	LISTEN_TCP,
	SEND_UDP,
	RAW_SOCKET,
	PACKET_SOCKET,
	UNIX_SOCKET,
	ABSTRACT_SOCKET,
	START_THREAD,
	FORK,
	EXECUTE,
	SIGNAL_PARENT,
	SIGNAL_SELF,
	TRACE_PARENT,
	MOUNT,
	NAMESPACE,
	RING,
	ATTEMPTS,
};

static const char *const attempt_names[ATTEMPTS] = {
	"read own",      "write own",     "read secret",     "write other",  "list home",
	"read zone",     "connect tcp",   "listen tcp",      "send udp",     "raw socket",
	"packet socket", "unix socket",   "abstract socket", "start thread", "fork",
	"execute",       "signal parent", "signal self",     "trace parent", "mount",
	"namespace",     "ring",
};

static bool can_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool can_make(const char *in)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/made", in);
	bool is_made = can_open(path, O_WRONLY | O_CREAT | O_EXCL);
	return is_made && unlink(path) == 0;
}

static bool can_connect(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(tcp_port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool is_connected = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
	if (fd >= 0)
		close(fd);
	return is_connected;
}

static bool can_listen(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool is_listening =
		fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 1) == 0;
	if (fd >= 0)
		close(fd);
	return is_listening;
}

static bool can_socket(int family, int kind)
{
	int fd = socket(family, kind, 0);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool can_reach_abstract(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	snprintf(to.sun_path + 1, sizeof(to.sun_path) - 1, "lyc-confine-%d", getppid());
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool is_connected = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
	if (fd >= 0)
		close(fd);
	return is_connected;
}

static void *nothing(void *arg)
{
	return arg;
}

static bool can_start_thread(void)
{
	pthread_t thread;
	return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

static bool can_fork(void)
{
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	if (child > 0)
		waitpid(child, NULL, 0);
	return child > 0;
}

static bool can_run(void)
{
	char *const words[] = {(char *)"true", NULL};
	int code = -1;
	pid_t child = (pid_t)syscall(SYS_fork);
	if (child == 0) {
		execv("/usr/bin/true", words);
		_exit(1);
	}
	if (child > 0)
		waitpid(child, &code, 0);
	/* Without a fork: the call alone. */
	if (child < 0)
		return execv("/nowhere", words) < 0 && errno == ENOENT;
	return WIFEXITED(code) && WEXITSTATUS(code) == 0;
}

static bool try(enum attempt attempt)
{
	char ring[256] = {0};
	switch (attempt) {
	case READ_OWN:
		return can_open(own, O_RDONLY | O_DIRECTORY);
	case WRITE_OWN:
		return can_make(own);
	case READ_SECRET:
		return can_open(secret, O_RDONLY);
	case WRITE_OTHER:
		return can_make(other);
	case LIST_HOME:
		return can_open("/root", O_RDONLY | O_DIRECTORY) ||
		       can_open("/home", O_RDONLY | O_DIRECTORY);
	case READ_ZONE:
		return can_open("/usr/share/zoneinfo", O_RDONLY | O_DIRECTORY);
	case CONNECT_TCP:
		return can_connect();
	case LISTEN_TCP:
		return can_listen();
	case SEND_UDP:
		return can_socket(AF_INET, SOCK_DGRAM);
	case RAW_SOCKET:
		return can_socket(AF_INET, SOCK_RAW);
	case PACKET_SOCKET:
		return can_socket(AF_PACKET, SOCK_DGRAM);
	case UNIX_SOCKET:
		return can_socket(AF_UNIX, SOCK_STREAM);
	case ABSTRACT_SOCKET:
		return can_reach_abstract();
	case START_THREAD:
		return can_start_thread();
	case FORK:
		return can_fork();
	case EXECUTE:
		return can_run();
	case SIGNAL_PARENT:
		return kill(getppid(), 0) == 0;
	case SIGNAL_SELF:
		return kill(getpid(), 0) == 0;
	case TRACE_PARENT:
		return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) == 0;
	case MOUNT:
		return mount("none", other, "tmpfs", 0, NULL) == 0;
	case NAMESPACE:
		return syscall(SYS_unshare, 0) == 0;
	case RING:
		return syscall(SYS_io_uring_setup, 1, ring) >= 0;
	default:
		return false;
	}
}

/* The attempts that succeed, as bits. */
static uint32_t reached_with(const struct reach *reach, size_t count, char text[300])
{
	struct confinement confinement = {.data_folder = own, .reach = reach, .reach_count = count};
	int ends[2];
	uint32_t done = 0;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct lyc_error error;
		struct buf said = {0};
		if (confine(&confinement, &said, &error) != LYC_OK)
			_exit(9);
		for (int i = 0; i < ATTEMPTS; i++)
			done |= try((enum attempt)i) ? 1u << i : 0;
		buf_reserve(&said, 300);
		bool is_told = write(ends[1], &done, sizeof(done)) == sizeof(done) &&
			       write(ends[1], said.data, 300) == 300;
		_exit(is_told ? 0 : 9);
	}
	int code = 0;
	close(ends[1]);
	assert_int_equal(read(ends[0], &done, sizeof(done)), sizeof(done));
	assert_int_equal(read(ends[0], text, 300), 300);
	text[299] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &code, 0), child);
	assert_int_equal(code, 0);
	return done;
}

#define BIT(attempt) (1u << (attempt))
/* What every plugin may. */
#define ALWAYS                                                                                     \
	(BIT(READ_OWN) | BIT(WRITE_OWN) | BIT(READ_ZONE) | BIT(START_THREAD) | BIT(SIGNAL_SELF) |  \
	 (SYSCALLS_LOOK_AT_SELF ? BIT(FORK) : 0))
/* With any network: names are looked up through it. */
#define NETWORK (BIT(UNIX_SOCKET) | BIT(SEND_UDP))

static void reaches(const struct reach *reach, size_t count, uint32_t expected)
{
	char text[300];
	uint32_t done = reached_with(reach, count, text);
	for (int i = 0; i < ATTEMPTS; i++) {
		if ((done ^ expected) & BIT(i))
			print_error("%s: %s\n", attempt_names[i],
				    done & BIT(i) ? "succeeded" : "was refused");
	}
	assert_int_equal(done, expected);
}

static void test_confine_leaves_its_own_folder_only(void **state)
{
	(void)state;
	reaches(NULL, 0, ALWAYS);
}

static void test_confine_lets_connect_who_asks(void **state)
{
	(void)state;
	struct reach reach = {REACH_CONNECT, NULL};
	reaches(&reach, 1, ALWAYS | BIT(CONNECT_TCP) | NETWORK);
}

static void test_confine_lets_listen_who_asks(void **state)
{
	(void)state;
	struct reach reach = {REACH_LISTEN, NULL};
	uint32_t expected = ALWAYS | BIT(LISTEN_TCP) | NETWORK;
	if (landlock_version() < LANDLOCK_HAS_TCP)
		expected |= BIT(CONNECT_TCP);
	reaches(&reach, 1, expected);
}

static void test_confine_lets_read_and_write_what_is_named(void **state)
{
	(void)state;
	struct reach read = {REACH_READ, secret};
	struct reach write = {REACH_WRITE, other};
	reaches(&read, 1, ALWAYS | BIT(READ_SECRET));
	reaches(&write, 1, ALWAYS | BIT(READ_SECRET) | BIT(WRITE_OTHER));
}

static void test_confine_lets_run_what_is_named(void **state)
{
	(void)state;
	struct reach run = {REACH_RUN, "/usr/bin/true"};
	uint32_t expected = ALWAYS | BIT(FORK) | BIT(EXECUTE);
	/* Signals are then refused by Landlock alone, from a version on. */
	if (landlock_version() < LANDLOCK_HAS_SCOPES)
		expected |= BIT(SIGNAL_PARENT);
	reaches(&run, 1, expected);
}

static void test_confine_says_what_it_holds_to(void **state)
{
	(void)state;
	char text[300];
	struct reach list[] = {{REACH_CONNECT, NULL}, {REACH_READ, secret}};
	char expected[300];
	reached_with(list, 2, text);
	snprintf(expected, sizeof(expected),
		 "reaches its folder, connects by tcp, reads %s (Landlock, seccomp)", secret);
	assert_memory_equal(text, expected, strlen(expected));
}

/* ---- Surroundings ---- */

static int listen_at(int family, const struct sockaddr *at, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, at, len) != 0 || listen(fd, 64) != 0)
		return -1;
	return fd;
}

static int set_up(void **state)
{
	(void)state;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(at);
	if (!mkdtemp(folder))
		return -1;
	snprintf(own, sizeof(own), "%s/own", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	snprintf(secret, sizeof(secret), "%s/secret", other);
	if (mkdir(own, 0700) != 0 || mkdir(other, 0700) != 0)
		return -1;
	int fd = open(secret, O_WRONLY | O_CREAT, 0600);
	if (fd < 0)
		return -1;
	close(fd);
	fd = listen_at(AF_INET, (struct sockaddr *)&at, sizeof(at));
	if (fd < 0 || getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		return -1;
	tcp_port = ntohs(at.sin_port);
	snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "lyc-confine-%d", getpid());
	return listen_at(AF_UNIX, (struct sockaddr *)&name, sizeof(name)) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(secret);
	rmdir(own);
	rmdir(other);
	rmdir(folder);
	return 0;
}

/* All this has to succeed where nothing is given up: otherwise a refusal says nothing. */
static void test_confine_is_what_refuses(void **state)
{
	(void)state;
	const enum attempt free_for_all[] = {
		READ_SECRET, WRITE_OTHER, CONNECT_TCP,   LISTEN_TCP,      SEND_UDP,
		FORK,        EXECUTE,     SIGNAL_PARENT, ABSTRACT_SOCKET, NAMESPACE};
	int code = 0;
	pid_t child = fork();
	if (child == 0) {
		int failed = 0;
		for (size_t i = 0; i < sizeof(free_for_all) / sizeof(free_for_all[0]); i++)
			failed += try(free_for_all[i]) ? 0 : 1;
		_exit(failed);
	}
	assert_int_equal(waitpid(child, &code, 0), child);
	assert_int_equal(code, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confine_is_what_refuses),
		cmocka_unit_test(test_confine_leaves_its_own_folder_only),
		cmocka_unit_test(test_confine_lets_connect_who_asks),
		cmocka_unit_test(test_confine_lets_listen_who_asks),
		cmocka_unit_test(test_confine_lets_read_and_write_what_is_named),
		cmocka_unit_test(test_confine_lets_run_what_is_named),
		cmocka_unit_test(test_confine_says_what_it_holds_to),
	};
	if (landlock_version() == 0) {
		fputs("this kernel has no Landlock\n", stderr);
		return 77;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
