/*
 * Lyceum: a real lyceumd with the echo plugin, called through the public client library. Every call
 * is typed, its body checked by the schema, and its caller's right taken from the key's `call`
 * list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lyceum/client.h>

#include <zmq.h>

#include "calls/peer.h"
#include "calls/process.h"

#define WAIT_MS 8000
#define METHOD "lyceum.echo.v1.Echo/Say"

static void write_config(const struct peer *peer, const struct setting *setting, const char *path)
{
	static const char rights[] = "    call: [\"lyceum.echo.v1.Echo/*\"]\n";
	FILE *file = fopen(path, "we");
	if (!file)
		return;
	fprintf(file,
		"name: bench\ndata: %s.data\nlisten:\n"
		"  - endpoint: tcp://127.0.0.1:0\n    plain: true\n"
		"  - endpoint: tcp://127.0.0.1:0\n"
		"  - endpoint: ipc://%s.sock\n",
		path, path);
	fprintf(file, "keys:\n  - name: anonymous\n%s  - name: caller\n    public_key: '%s'\n%s",
		rights, peer->public_key, rights);
	fprintf(file, "plugins:\n  - name: echo\n    path: %s/plugins/echo/echo.so\n    host: %s\n",
		setting->build, peer->in_thread ? "THREAD" : "PROCESS");
	fclose(file);
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

static bool find_way_in(struct peer *peer, const char *data)
{
	char path[400];
	uint64_t until_ns = now_ns() + (uint64_t)WAIT_MS * 1000000;
	struct timespec pause = {.tv_nsec = 5000000};
	snprintf(path, sizeof(path), "%s/endpoints", data);
	/* The last listener's line: then the file is whole. */
	while (!read_line(path, 2, peer->endpoint, sizeof(peer->endpoint))) {
		if (now_ns() > until_ns)
			return false;
		nanosleep(&pause, NULL);
	}
	char key_path[400];
	char key[64];
	snprintf(key_path, sizeof(key_path), "%s/daemon.pub", data);
	if (!read_line(path, peer->listener, peer->endpoint, sizeof(peer->endpoint)) ||
	    !read_line(key_path, 0, key, sizeof(key)))
		return false;
	snprintf(peer->server_key, sizeof(peer->server_key), "%.40s", key);
	return true;
}

/* Its daemon is another peer's; only the way in differs. */
static bool share(struct peer *peer)
{
	const struct peer *from = peer->shared;
	peer->broker = from->broker;
	memcpy(peer->public_key, from->public_key, sizeof(peer->public_key));
	memcpy(peer->secret_key, from->secret_key, sizeof(peer->secret_key));
	snprintf(peer->missing, sizeof(peer->missing), "%s", from->missing);
	return from->missing[0] == '\0';
}

bool daemon_start(struct peer *peer, const struct setting *setting)
{
	char path[300];
	char data[320];
	char output[320];
	char program[500];
	const char *name = peer->in_thread ? "thread" : "process";
	snprintf(path, sizeof(path), "%s/%s", setting->folder, name);
	snprintf(data, sizeof(data), "%s.data", path);
	if (peer->shared) {
		if (!share(peer))
			return false;
	} else {
		if (zmq_curve_keypair(peer->public_key, peer->secret_key) != 0) {
			snprintf(peer->missing, sizeof(peer->missing), "libzmq has no CURVE");
			return false;
		}
		write_config(peer, setting, path);
		snprintf(output, sizeof(output), "%s.log", path);
		snprintf(program, sizeof(program), "%s/broker/lyceumd", setting->build);
		char *argv[] = {program, "--config", path, NULL};
		peer->broker = process_start(argv, output);
	}
	if (find_way_in(peer, data))
		return true;
	snprintf(peer->missing, sizeof(peer->missing), "lyceumd did not start: see %.250s.log",
		 path);
	return false;
}

/* ---- the client ---- */

struct caller {
	struct lyc_client *client;
	struct load *load;
};

struct slot {
	struct caller *caller;
	size_t number;
};

static void on_reply(const struct lyc_reply *reply, void *arg);

static void call(struct slot *slot)
{
	struct caller *caller = slot->caller;
	const struct load *load = caller->load;
	enum lyc_status status =
		lyc_client_call_start(caller->client, METHOD, load_body(load, slot->number),
				      load->body_len, NULL, on_reply, slot, NULL);
	if (status != LYC_OK)
		load_fail(caller->load, lyc_status_name(status));
}

static void on_reply(const struct lyc_reply *reply, void *arg)
{
	struct slot *slot = arg;
	struct load *load = slot->caller->load;
	if (reply->status != LYC_OK) {
		load_fail(load, reply->text);
		return;
	}
	if (load_received(load, slot->number, reply->body, reply->body_len))
		call(slot);
}

/* The plugin may still be starting. */
static bool is_served(struct lyc_client *client, const struct load *load, struct lyc_error *error)
{
	uint64_t until_ns = now_ns() + (uint64_t)WAIT_MS * 1000000;
	struct timespec pause = {.tv_nsec = 20000000};
	uint8_t *body;
	size_t len;
	while (lyc_client_call(client, METHOD, load_body(load, 0), load->body_len, NULL, &body,
			       &len, error) != LYC_OK) {
		if (now_ns() > until_ns)
			return false;
		nanosleep(&pause, NULL);
	}
	free(body);
	return true;
}

void daemon_run(const struct peer *peer, struct load *load, const struct setting *setting)
{
	struct lyc_client_options options = {.endpoint = peer->endpoint, .software = "bench"};
	struct lyc_error error = {0};
	struct caller caller = {.load = load};
	static struct slot slots[LOAD_MAX_WINDOW];
	if (peer->has_keys) {
		options.server_key = peer->server_key;
		options.public_key = peer->public_key;
		options.secret_key = peer->secret_key;
	}
	if (lyc_client_open(&options, &caller.client, &error) != LYC_OK ||
	    !is_served(caller.client, load, &error)) {
		load_fail(load, error.text);
		return;
	}
	load_begin(load, setting->round_ms);
	for (size_t i = 0; i < load->window; i++) {
		slots[i] = (struct slot){.caller = &caller, .number = i};
		load_sent(load, i);
		call(&slots[i]);
	}
	while (!load_is_over(load))
		(void)lyc_client_run(caller.client, 100);
	/* What did not come ends now; it has been counted as lost. */
	struct load over = *load;
	lyc_client_close(caller.client);
	*load = over;
}
