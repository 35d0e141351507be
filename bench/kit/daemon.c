/* A lyceumd of the build folder, its configuration, and clients of it by the public library. */
#include "kit/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/keyfile.h"
#include "kit/process.h"

#define WAIT_MS 20000
/* One with ten million records that it has not read yet. */
#define START_MS 60000
#define OTHER_KEYS 950
#define GROUPS 50
#define CALLER_PATTERNS 50

/* ---- configuration ---- */

static bool make_key(const char *path, struct keypair *ret_keys)
{
	struct lyc_error error;
	return keyfile_make(ret_keys, &error) == LYC_OK &&
	       keyfile_write(path, ret_keys, &error) == LYC_OK;
}

/* One line of a file; false when it is not there yet. */
static bool read_line(const char *path, int number, char *to, size_t size)
{
	FILE *file = fopen(path, "re");
	bool is_there = file != NULL;
	for (int i = 0; i <= number && is_there; i++)
		is_there = fgets(to, (int)size, file) != NULL;
	if (file)
		fclose(file);
	if (is_there)
		is_there = strchr(to, '\n') != NULL;
	to[is_there ? strcspn(to, "\n") : 0] = '\0';
	return is_there;
}

/* Rights that others have: they have to be there, not to be used. */
static void write_other_keys(FILE *file)
{
	for (int i = 0; i < OTHER_KEYS; i++) {
		struct keypair keys;
		struct lyc_error error;
		if (keyfile_make(&keys, &error) != LYC_OK)
			return;
		fprintf(file,
			"  - name: person-%d\n    public_key: '%s'\n    groups: [group-%d]\n"
			"    call: [\"lyceum.made%d.v1.Made/*\"]\n"
			"    subscribe: [\"lyceum.made%d.v1.>\"]\n",
			i, keys.public_key, i % GROUPS, i, i);
	}
}

static void write_list(FILE *file, const char *name, const char *patterns, const char *made)
{
	fprintf(file, "    %s: [", name);
	for (int i = 0; made && i < CALLER_PATTERNS - 1; i++)
		fprintf(file, made, i);
	fprintf(file, "%s]\n", patterns ? patterns : "");
}

static void write_rights(FILE *file, const struct daemon *daemon)
{
	write_list(file, "call", daemon->call, "\"lyceum.mine%d.v1.Mine/*\", ");
	write_list(file, "publish", daemon->publish, NULL);
	write_list(file, "subscribe", daemon->subscribe, NULL);
}

/* The node that has this daemon as its hub finds its key beside the hub's configuration. */
static void node_key_path(char *to, size_t size, const struct daemon *hub,
			  const struct setting *setting)
{
	snprintf(to, size, "%s/%s-node.key", setting->folder, hub->name);
}

/* By the hub's listener with keys, whichever way in its own clients take. */
static void write_uplink(FILE *file, const struct contestant *needs, const struct setting *setting)
{
	char key[300];
	char path[300];
	char endpoint[256] = "";
	const struct daemon *hub = needs->kind;
	node_key_path(key, sizeof(key), hub, setting);
	snprintf(path, sizeof(path), "%s/%s.data/endpoints", setting->folder, hub->name);
	(void)read_line(path, DAEMON_CURVE_TCP, endpoint, sizeof(endpoint));
	fprintf(file, "key_file: %s\nuplink:\n  name: %s\n  endpoint: %s\n  server_key: '%s'\n",
		key, hub->name, endpoint, needs->server_key);
}

static bool write_config(const struct contestant *contestant, const struct setting *setting,
			 const char *path)
{
	const struct daemon *daemon = contestant->kind;
	struct keypair node;
	char key[300];
	node_key_path(key, sizeof(key), daemon, setting);
	FILE *file = fopen(path, "we");
	/* Of a start before. */
	(void)unlink(key);
	if (!file || !make_key(key, &node))
		return false;
	fprintf(file,
		"name: %s\ndata: %s.data\nlog: {format: TEXT}\nlisten:\n"
		"  - endpoint: tcp://127.0.0.1:0\n    plain: true\n"
		"  - endpoint: tcp://127.0.0.1:0\n"
		"  - endpoint: ipc://%s.sock\n",
		daemon->node ? daemon->node : daemon->name, path, path);
	if (contestant->needs)
		write_uplink(file, contestant->needs, setting);
	fprintf(file, "keys:\n  - name: anonymous\n");
	write_rights(file, daemon);
	fprintf(file, "  - name: caller\n    public_key: '%s'\n", contestant->public_key);
	write_rights(file, daemon);
	fprintf(file, "  - name: %s-node\n    public_key: '%s'\n    role: NODE\n", daemon->name,
		node.public_key);
	write_other_keys(file);
	for (const char *at = daemon->config; at && *at; at++) {
		if (*at == '@')
			fputs(setting->build, file);
		else
			fputc(*at, file);
	}
	return fclose(file) == 0;
}

/* ---- start ---- */

static bool find_way_in(struct contestant *contestant, const char *data)
{
	const struct daemon *daemon = contestant->kind;
	char path[400];
	char key[64];
	uint64_t until_ns = now_ns() + (uint64_t)START_MS * 1000000;
	struct timespec pause = {.tv_nsec = 200000};
	snprintf(path, sizeof(path), "%s/endpoints", data);
	/* The last listener's line: then the file is whole. */
	while (!read_line(path, DAEMON_CURVE_IPC, contestant->endpoint,
			  sizeof(contestant->endpoint))) {
		if (now_ns() > until_ns || !process_is_running(contestant->broker))
			return false;
		nanosleep(&pause, NULL);
	}
	if (!read_line(path, (int)daemon->way, contestant->endpoint, sizeof(contestant->endpoint)))
		return false;
	snprintf(path, sizeof(path), "%s/daemon.pub", data);
	if (!read_line(path, 0, key, sizeof(key)))
		key[0] = '\0';
	snprintf(contestant->server_key, sizeof(contestant->server_key), "%.40s", key);
	return true;
}

/* The way in to another contestant's daemon. */
static bool share(struct contestant *contestant, const struct setting *setting)
{
	const struct contestant *from = contestant->shared;
	const struct daemon *daemon = from->kind;
	char data[320];
	contestant->broker = from->broker;
	memcpy(contestant->public_key, from->public_key, sizeof(contestant->public_key));
	memcpy(contestant->secret_key, from->secret_key, sizeof(contestant->secret_key));
	memcpy(contestant->missing, from->missing, sizeof(contestant->missing));
	snprintf(data, sizeof(data), "%s/%s.data", setting->folder, daemon->name);
	return !from->missing[0] && find_way_in(contestant, data);
}

bool daemon_start(struct contestant *contestant, const struct setting *setting)
{
	const struct daemon *daemon = contestant->kind;
	struct keypair keys;
	struct lyc_error error;
	char path[300];
	char data[320];
	char output[320];
	char program[500];
	if (contestant->shared)
		return share(contestant, setting);
	if (keyfile_make(&keys, &error) != LYC_OK)
		return false;
	memcpy(contestant->public_key, keys.public_key, sizeof(contestant->public_key));
	memcpy(contestant->secret_key, keys.secret_key, sizeof(contestant->secret_key));
	snprintf(path, sizeof(path), "%s/%s", setting->folder, daemon->name);
	snprintf(data, sizeof(data), "%s.data", path);
	snprintf(output, sizeof(output), "%s.log", path);
	snprintf(program, sizeof(program), "%s/broker/lyceumd", setting->build);
	if (!write_config(contestant, setting, path))
		return false;
	/* Not that of a start before. */
	char endpoints[340];
	snprintf(endpoints, sizeof(endpoints), "%s/endpoints", data);
	(void)unlink(endpoints);
	char *argv[] = {program, "--config", path, NULL};
	contestant->broker = process_start(argv, output);
	if (find_way_in(contestant, data))
		return true;
	snprintf(contestant->missing, sizeof(contestant->missing),
		 "lyceumd did not start: see %.250s", output);
	return false;
}

/* ---- clients ---- */

bool daemon_open(const struct contestant *contestant, struct lyc_client **ret_client,
		 struct measure *measure)
{
	const struct daemon *daemon = contestant->kind;
	struct lyc_client_options options = {.endpoint = contestant->endpoint, .software = "bench"};
	struct lyc_error error = {0};
	if (daemon->way != DAEMON_PLAIN_TCP) {
		options.server_key = contestant->server_key;
		options.public_key = contestant->public_key;
		options.secret_key = contestant->secret_key;
	}
	if (lyc_client_open(&options, ret_client, &error) == LYC_OK)
		return true;
	contest_fail(measure, "%s", error.text);
	return false;
}

bool daemon_await(struct lyc_client *client, const char *method, const void *body, size_t len,
		  struct measure *measure)
{
	uint64_t until_ns = now_ns() + (uint64_t)WAIT_MS * 1000000;
	struct timespec pause = {.tv_nsec = 20000000};
	struct lyc_error error = {0};
	uint8_t *reply;
	size_t reply_len;
	while (lyc_client_call(client, method, body, len, NULL, &reply, &reply_len, &error) !=
	       LYC_OK) {
		if (now_ns() > until_ns) {
			contest_fail(measure, "%s", error.text);
			return false;
		}
		nanosleep(&pause, NULL);
	}
	free(reply);
	return true;
}
