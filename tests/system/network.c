/* Daemons as processes, and waiting for them. A child dies with its test. */
#include "network.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/ensure.h"
#include "base/mem.h"

uint64_t network_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- the folder ---- */

struct network *network_new(void)
{
	struct network *network = mem_new(struct network);
	snprintf(network->folder, sizeof(network->folder), "/tmp/lyc-XXXXXX");
	ensure(mkdtemp(network->folder));
	ssize_t len = readlink("/proc/self/exe", network->build, sizeof(network->build) - 1);
	ensure(len > 0);
	network->build[len] = '\0';
	/* <build>/tests/system/story_x */
	for (int i = 0; i < 3; i++)
		*strrchr(network->build, '/') = '\0';
	return network;
}

static void remove_all(const char *path)
{
	DIR *dir = opendir(path);
	for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
		char name[900];
		struct stat stat;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (lstat(name, &stat) == 0 && S_ISDIR(stat.st_mode))
			remove_all(name);
		else
			unlink(name);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

/* The zeros that a log is preallocated with are passed over. */
static const char *find_in_file(const char *path, const char *const *texts, size_t count)
{
	const char *found = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	if (fd < 0)
		return NULL;
	size_t len = fstat(fd, &stat) == 0 ? (size_t)stat.st_size : 0;
	char *bytes = len ? mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	close(fd);
	if (bytes == MAP_FAILED)
		return NULL;
	size_t used = len;
	static const char zeros[4096];
	while (used >= sizeof(zeros) &&
	       memcmp(bytes + used - sizeof(zeros), zeros, sizeof(zeros)) == 0)
		used -= sizeof(zeros);
	for (size_t i = 0; i < count && !found; i++) {
		if (memmem(bytes, used, texts[i], strlen(texts[i])))
			found = texts[i];
	}
	munmap(bytes, len);
	return found;
}

const char *network_files_find(const char *folder, const char *const *texts, size_t count)
{
	const char *found = NULL;
	DIR *dir = opendir(folder);
	for (struct dirent *entry = dir ? readdir(dir) : NULL; entry && !found;
	     entry = readdir(dir)) {
		char name[900];
		struct stat stat;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name);
		if (lstat(name, &stat) != 0)
			continue;
		if (S_ISDIR(stat.st_mode))
			found = network_files_find(name, texts, count);
		else if (S_ISREG(stat.st_mode))
			found = find_in_file(name, texts, count);
	}
	if (dir)
		closedir(dir);
	return found;
}

bool network_files_hold(const char *folder, const char *text)
{
	return network_files_find(folder, &text, 1) != NULL;
}

/* ---- configuration ---- */

struct node *network_add(struct network *network, const char *name, struct node *hub)
{
	struct lyc_error error;
	char path[96];
	char folder[32];
	memcpy(folder, network->folder, sizeof(folder));
	ensure(network->count < NETWORK_MAX_NODES);
	struct node *node = &network->nodes[network->count++];
	node->network = network;
	node->hub = hub;
	snprintf(node->name, sizeof(node->name), "%s", name);
	snprintf(node->folder, sizeof(node->folder), "%s/%.20s", folder, name);
	snprintf(node->config, sizeof(node->config), "%s/%.20s.yaml", folder, name);
	ensure(mkdir(node->folder, 0700) == 0);
	snprintf(path, sizeof(path), "%s/daemon.key", node->folder);
	ensure(keyfile_make(&node->keys, &error) == LYC_OK);
	ensure(keyfile_write(path, &node->keys, &error) == LYC_OK);
	snprintf(node->listen_tcp, sizeof(node->listen_tcp), "tcp://127.0.0.1:0");
	if (hub)
		node_add_key(hub, name, &node->keys, "role: NODE");
	return node;
}

static void append(char *to, size_t size, const char *format, ...) LYC_PRINTF(3, 4);
static void append(char *to, size_t size, const char *format, ...)
{
	va_list args;
	size_t len = strlen(to);
	va_start(args, format);
	int added = vsnprintf(to + len, size - len, format, args);
	va_end(args);
	ensure(added >= 0 && (size_t)added < size - len);
}

void node_add_plugin(struct node *node, const char *name, const char *path, const char *host)
{
	bool is_thread = strcmp(host, "thread") == 0;
	append(node->plugins, sizeof(node->plugins), "  - {name: %s, path: %s/", name,
	       node->network->build);
	if (path)
		append(node->plugins, sizeof(node->plugins), "%s", path);
	else
		append(node->plugins, sizeof(node->plugins), "plugins/%s/%s.so", name, name);
	append(node->plugins, sizeof(node->plugins), ", host: %s}\n",
	       is_thread ? "THREAD" : "PROCESS");
}

void node_add_key(struct node *node, const char *name, const struct keypair *keys, const char *rest)
{
	append(node->peer_keys, sizeof(node->peer_keys), "  - {name: %s, ", name);
	if (keys)
		append(node->peer_keys, sizeof(node->peer_keys), "public_key: '%s', ",
		       keys->public_key);
	append(node->peer_keys, sizeof(node->peer_keys), "%s}\n", rest);
}

void node_write_config(struct node *node)
{
	FILE *file = fopen(node->config, "we");
	ensure(file);
	fprintf(file,
		"name: %s\ndata: %s\nlog: {format: TEXT, level: INFO}\n"
		"listen:\n  - endpoint: ipc://%s/sock\n  - endpoint: %s\n",
		node->name, node->folder, node->folder, node->listen_tcp);
	if (node->has_plain)
		fprintf(file, "  - {endpoint: 'tcp://127.0.0.1:0', plain: true}\n");
	if (node->peer_keys[0])
		fprintf(file, "keys:\n%s", node->peer_keys);
	if (node->hub)
		fprintf(file, "uplink:\n  name: %s\n  endpoint: %s\n  server_key: '%s'\n",
			node->hub->name, node->hub_tcp[0] ? node->hub_tcp : node->hub->listen_tcp,
			node->hub->keys.public_key);
	if (node->plugins[0])
		fprintf(file, "plugins:\n%s", node->plugins);
	fputs(node->extra, file);
	ensure(fclose(file) == 0);
}

/* ---- processes ---- */

static pid_t spawn(struct node *node, int err_fd)
{
	char program[300];
	snprintf(program, sizeof(program), "%s/broker/lyceumd", node->network->build);
	fflush(NULL);
	pid_t parent = getpid();
	pid_t pid = fork();
	ensure(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(err_fd, STDERR_FILENO);
	if (getppid() == parent)
		execl(program, "lyceumd", "--config", node->config, (char *)NULL);
	_exit(127);
}

/* The last lines of a daemon's log: a story that fails shows them. */
static void show_log(const struct node *node)
{
	char path[96];
	char text[4001];
	snprintf(path, sizeof(path), "%s.log", node->folder);
	FILE *file = fopen(path, "re");
	if (!file)
		return;
	fseek(file, 0, SEEK_END);
	long len = ftell(file);
	fseek(file, len > 4000 ? len - 4000 : 0, SEEK_SET);
	text[fread(text, 1, 4000, file)] = '\0';
	fclose(file);
	fprintf(stderr, "--- %s\n%s", node->name, text);
}

static void fail_with_logs(struct network *network, const char *format, ...) LYC_PRINTF(2, 3);
static void fail_with_logs(struct network *network, const char *format, ...)
{
	char text[300];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (size_t i = 0; i < network->count; i++)
		show_log(&network->nodes[i]);
	fail_msg("%s", text);
}

/* Which port it got: from now on it keeps it, so that it can be found again after a restart. */
static void read_endpoint(struct node *node)
{
	char path[96];
	char line[200];
	snprintf(path, sizeof(path), "%s/endpoints", node->folder);
	FILE *file = fopen(path, "re");
	bool is_found = false;
	while (!is_found && file && fgets(line, sizeof(line), file)) {
		is_found = strncmp(line, "tcp://", 6) == 0;
		line[strcspn(line, "\n")] = '\0';
	}
	if (file)
		fclose(file);
	if (!is_found)
		fail_with_logs(node->network, "%s has no tcp endpoint", node->name);
	snprintf(node->listen_tcp, sizeof(node->listen_tcp), "%.60s", line);
}

void node_plain_endpoint(struct node *node, char *to, size_t size)
{
	char path[96];
	char line[200] = "";
	snprintf(path, sizeof(path), "%s/endpoints", node->folder);
	FILE *file = fopen(path, "re");
	ensure(file);
	for (int i = 0; i < 3; i++)
		ensure(fgets(line, sizeof(line), file));
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	snprintf(to, size, "%s", line);
}

void node_start(struct node *node)
{
	char path[96];
	assert_int_equal(node->pid, 0);
	node_write_config(node);
	snprintf(path, sizeof(path), "%s.log", node->folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ensure(fd >= 0);
	node->pid = spawn(node, fd);
	close(fd);
	node_client(node);
	read_endpoint(node);
}

char *node_start_in_vain(struct node *node, int *ret_code)
{
	int ends[2];
	char *text = mem_get(8192);
	size_t len = 0;
	ssize_t got;
	node_write_config(node);
	ensure(pipe2(ends, O_CLOEXEC) == 0);
	pid_t pid = spawn(node, ends[1]);
	close(ends[1]);
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	struct pollfd item = {.fd = ends[0], .events = POLLIN};
	while (network_now_ms() < deadline && poll(&item, 1, 1000) >= 0) {
		got = item.revents ? read(ends[0], text + len, 8191 - len) : -1;
		if (got == 0)
			break;
		len += got > 0 ? (size_t)got : 0;
	}
	close(ends[0]);
	text[len] = '\0';
	int result;
	kill(pid, SIGKILL);
	ensure(waitpid(pid, &result, 0) == pid);
	*ret_code = WIFEXITED(result) ? WEXITSTATUS(result) : -1;
	return text;
}

static void close_client(struct node *node)
{
	lyc_client_close(node->client);
	node->client = NULL;
}

void node_kill(struct node *node)
{
	if (node->pid == 0)
		return;
	kill(node->pid, SIGKILL);
	waitpid(node->pid, NULL, 0);
	node->pid = 0;
	close_client(node);
}

void node_stop(struct node *node)
{
	int result = 0;
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	close_client(node);
	kill(node->pid, SIGTERM);
	pid_t done = 0;
	while (done == 0 && network_now_ms() < deadline) {
		done = waitpid(node->pid, &result, WNOHANG);
		if (done == 0)
			poll(NULL, 0, 5);
	}
	if (done != node->pid) {
		node_kill(node);
		fail_with_logs(node->network, "%s did not stop", node->name);
	}
	node->pid = 0;
	if (!WIFEXITED(result) || WEXITSTATUS(result) != 0)
		fail_with_logs(node->network, "%s ended with wait status %d", node->name, result);
}

void network_free(struct network *network)
{
	if (!network)
		return;
	for (size_t i = 0; i < network->count; i++)
		close_client(&network->nodes[i]);
	for (size_t i = 0; i < network->count; i++)
		node_kill(&network->nodes[i]);
	remove_all(network->folder);
	free(network);
}

/* ---- clients ---- */

enum lyc_status node_try_open(struct node *node, const char *endpoint, const struct keypair *keys,
			      struct lyc_client **ret_client, struct lyc_error *error)
{
	char own[100];
	snprintf(own, sizeof(own), "ipc://%s/sock", node->folder);
	struct lyc_client_options options = {
		.endpoint = endpoint ? endpoint : own,
		.server_key = keys ? node->keys.public_key : NULL,
		.public_key = keys ? keys->public_key : NULL,
		.secret_key = keys ? keys->secret_key : NULL,
		.software = "story",
		.connect_timeout_ms = keys ? NETWORK_DEADLINE_MS : 1000,
	};
	return lyc_client_open(&options, ret_client, error);
}

struct lyc_client *node_open_as(struct node *node, const struct keypair *keys)
{
	struct lyc_error error = {0};
	struct lyc_client *client = NULL;
	if (node_try_open(node, NULL, keys, &client, &error) != LYC_OK)
		fail_with_logs(node->network, "no client of %s: %s", node->name, error.text);
	return client;
}

struct lyc_client *node_client(struct node *node)
{
	struct keypair keys;
	struct lyc_error error;
	char path[96];
	if (node->client)
		return node->client;
	/* The daemon makes the operator's key before it listens. */
	snprintf(path, sizeof(path), "%s/operator.key", node->folder);
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while (keyfile_read(path, &keys, &error) != LYC_OK) {
		if (network_now_ms() > deadline || waitpid(node->pid, NULL, WNOHANG) != 0)
			fail_with_logs(node->network, "%s does not start", node->name);
		poll(NULL, 0, 2);
	}
	node->client = node_open_as(node, &keys);
	return node->client;
}

void network_run(struct network *network, int timeout_ms)
{
	struct pollfd items[NETWORK_MAX_NODES];
	nfds_t count = 0;
	for (int round = 0; round < 2; round++) {
		bool is_busy = false;
		for (size_t i = 0; i < network->count; i++) {
			struct lyc_client *client = network->nodes[i].client;
			if (!client)
				continue;
			is_busy = lyc_client_run(client, 0) == LYC_OK || is_busy;
			if (round == 0)
				items[count++] = (struct pollfd){.fd = lyc_client_fd(client),
								 .events = POLLIN};
		}
		if (round == 0)
			poll(items, count, is_busy ? 0 : timeout_ms);
	}
}

/* ---- what they say of themselves ---- */

Lyceum__V1__StatusReply *node_status(struct node *node)
{
	uint8_t *body = NULL;
	size_t len = 0;
	struct lyc_error error = {0};
	struct lyc_call_options options = {.timeout_ms = NETWORK_DEADLINE_MS};
	if (lyc_client_call(node_client(node), "lyceum.v1.Node/Status", NULL, 0, &options, &body,
			    &len, &error) != LYC_OK)
		fail_with_logs(node->network, "no status of %s: %s", node->name, error.text);
	Lyceum__V1__StatusReply *status = lyceum__v1__status_reply__unpack(NULL, len, body);
	free(body);
	assert_non_null(status);
	return status;
}

void node_wait_for_status(struct node *node, node_status_fn is_so, const void *arg,
			  const char *what)
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	for (;;) {
		Lyceum__V1__StatusReply *status = node_status(node);
		bool is_done = is_so(status, arg);
		lyceum__v1__status_reply__free_unpacked(status, NULL);
		if (is_done)
			return;
		if (network_now_ms() > deadline)
			fail_with_logs(node->network, "%s: in vain waited for: %s", node->name,
				       what);
		network_run(node->network, 5);
	}
}

struct plugin_state {
	const char *plugin;
	Lyceum__V1__Plugin__State state;
};

static bool is_in_state(const Lyceum__V1__StatusReply *status, const void *arg)
{
	const struct plugin_state *wanted = arg;
	for (size_t i = 0; i < status->n_plugin; i++) {
		if (strcmp(status->plugin[i]->name, wanted->plugin) == 0)
			return status->plugin[i]->state == wanted->state;
	}
	return false;
}

void node_wait_for_plugin(struct node *node, const char *plugin, Lyceum__V1__Plugin__State state)
{
	struct plugin_state wanted = {plugin, state};
	node_wait_for_status(node, is_in_state, &wanted, plugin);
}

static bool link_is(const Lyceum__V1__StatusReply *status, const void *arg)
{
	const bool *is_up = arg;
	return status->uplink && status->uplink->is_up == *is_up;
}

void node_wait_for_link(struct node *node, bool is_up)
{
	node_wait_for_status(node, link_is, &is_up, is_up ? "the link up" : "the link down");
}

struct lyc_position node_position(struct node *node)
{
	Lyceum__V1__StatusReply *status = node_status(node);
	struct lyc_position position = {
		.origin = node->name, .epoch = status->epoch, .seq = status->storage->last_seq};
	lyceum__v1__status_reply__free_unpacked(status, NULL);
	return position;
}

/* Status at `node`, once it has come that far. */
static void ask_after(struct node *node, const char *at, const struct lyc_position *after,
		      size_t after_count)
{
	uint8_t *body = NULL;
	size_t len = 0;
	struct lyc_error error = {0};
	struct lyc_call_options options = {.timeout_ms = NETWORK_DEADLINE_MS,
					   .at = at,
					   .after = after,
					   .after_count = after_count};
	if (lyc_client_call(node_client(node), "lyceum.v1.Node/Status", NULL, 0, &options, &body,
			    &len, &error) != LYC_OK)
		fail_with_logs(node->network, "%s, at %s: %s", node->name, at ? at : "itself",
			       error.text);
	free(body);
}

void node_wait_until_holds(struct node *node, struct node *origin)
{
	struct lyc_position after = node_position(origin);
	ask_after(node, NULL, &after, 1);
}

void node_barrier(struct node *node, struct node *other)
{
	ask_after(node, other->name, NULL, 0);
}

struct node *network_node(struct network *network, const char *name)
{
	for (size_t i = 0; i < network->count; i++) {
		if (strcmp(network->nodes[i].name, name) == 0)
			return &network->nodes[i];
	}
	fail_msg("the network has no %s", name);
	return NULL;
}

void network_settle(struct network *network)
{
	for (size_t i = 0; i < network->count; i++) {
		if (network->nodes[i].hub)
			node_wait_for_link(&network->nodes[i], true);
	}
	for (size_t i = 0; i < network->count; i++) {
		for (size_t j = 0; j < network->count; j++) {
			if (i != j)
				node_wait_until_holds(&network->nodes[i], &network->nodes[j]);
		}
	}
}

struct network *network_of_four(void)
{
	struct network *network = network_new();
	struct node *hub = network_add(network, "hub", NULL);
	struct node *nhsa = network_add(network, "nhsa", hub);
	network_add(network, "wales", hub);
	network_add(network, "medcity", hub);
	node_add_plugin(nhsa, "echo", NULL, "process");
	for (size_t i = 0; i < network->count; i++)
		node_start(&network->nodes[i]);
	node_wait_for_plugin(nhsa, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	network_settle(network);
	return network;
}
