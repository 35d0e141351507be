/*
 * Calls through a broker, side by side: Lyceum (typed, checked, authorised) beside zmq_proxy and
 * NATS. Many outstanding first, then one at a time with every process on one core. The peers take
 * turns within each round, so that all see the same machine. Starts and ends everything itself.
 */
#include <ftw.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls/peer.h"
#include "calls/process.h"
#include "calls/report.h"

#define ROUND_END_MS 30000
#define PIN_CPU 0

static const char usage[] = "Usage: bench_calls [options]\n"
			    "  --rounds N     rounds of each peer (5)\n"
			    "  --ms N         milliseconds that are measured in a round (1000)\n"
			    "  --size N       bytes of a body: 64, 256 or 4096, say (256)\n"
			    "  --window N     only this many outstanding, not 256 and then 1\n"
			    "  --only TEXT    only peers whose name has this in it, and zmq_proxy\n"
			    "  --build FOLDER the build folder (the one that this program is in)\n"
			    "  --json FILE    the results for programs\n";

static struct peer peers[] = {
	{.name = "zmq_proxy, tcp", .start = zproxy_start, .run = zproxy_run},
	{.name = "NATS raw, tcp", .start = nats_start, .run = nats_run},
	{.name = "Lyceum, tcp, plugin process", .start = daemon_start, .run = daemon_run},
	{.name = "Lyceum, tcp, plugin thread",
	 .start = daemon_start,
	 .run = daemon_run,
	 .in_thread = true},
	{.name = "Lyceum, tcp with CURVE, plugin process",
	 .start = daemon_start,
	 .run = daemon_run,
	 .listener = 1,
	 .has_keys = true,
	 .shared = &peers[2]},
	{.name = "Lyceum, ipc with CURVE, plugin process",
	 .start = daemon_start,
	 .run = daemon_run,
	 .listener = 2,
	 .has_keys = true,
	 .shared = &peers[2]},
	{.name = "Lyceum, tcp with CURVE, plugin thread",
	 .start = daemon_start,
	 .run = daemon_run,
	 .in_thread = true,
	 .listener = 1,
	 .has_keys = true,
	 .shared = &peers[3]},
};

#define PEER_COUNT (sizeof(peers) / sizeof(peers[0]))
#define MAX_WINDOWS 2

struct bench {
	struct setting setting;
	const char *only;
	const char *json;
	size_t windows[MAX_WINDOWS];
	size_t window_count;
	struct row rows[MAX_WINDOWS * PEER_COUNT];
	size_t row_count;
};

/* ---- processes ---- */

static bool is_wanted(const struct bench *bench, const struct peer *peer)
{
	if (!bench->only || peer == &peers[0] || strstr(peer->name, bench->only))
		return true;
	/* One whose daemon another uses. */
	for (size_t i = 0; i < PEER_COUNT; i++) {
		if (peers[i].shared == peer && strstr(peers[i].name, bench->only))
			return true;
	}
	return false;
}

static void start_all(struct bench *bench)
{
	for (size_t i = 0; i < PEER_COUNT; i++) {
		struct peer *peer = &peers[i];
		if (!is_wanted(bench, peer))
			continue;
		if (!peer->start(peer, &bench->setting) && !peer->missing[0])
			snprintf(peer->missing, sizeof(peer->missing), "it did not start");
	}
}

static void pin_all(int cpu)
{
	pid_t children[16];
	for (size_t i = 0; i < PEER_COUNT; i++) {
		if (peers[i].broker <= 0)
			continue;
		process_pin(peers[i].broker, cpu);
		int count = process_children(peers[i].broker, children, 16);
		for (int j = 0; j < count; j++)
			process_pin(children[j], cpu);
		for (size_t j = 0; j < PEER_MAX_PROCESSES && peers[i].others[j] > 0; j++)
			process_pin(peers[i].others[j], cpu);
	}
	process_pin(getpid(), cpu);
}

static void end_all(void)
{
	for (size_t i = 0; i < PEER_COUNT; i++) {
		for (size_t j = 0; j < PEER_MAX_PROCESSES; j++)
			process_end(peers[i].others[j]);
		if (!peers[i].shared)
			process_end(peers[i].broker);
	}
}

/* ---- rounds ---- */

static void run_client(const struct peer *peer, const struct setting *setting, size_t window,
		       int to)
{
	static struct load load;
	struct result result;
	load_init(&load, window, setting->body_len);
	load.processes[0] = peer->broker;
	memcpy(&load.processes[1], peer->others, sizeof(peer->others));
	process_children(peer->broker, &load.processes[1 + PEER_MAX_PROCESSES],
			 LOAD_MAX_PROCESSES - 1 - PEER_MAX_PROCESSES);
	peer->run(peer, &load, setting);
	load_result(&load, &result);
	load_fini(&load);
	if (write(to, &result, sizeof(result)) != sizeof(result))
		_exit(1);
}

static void run_round(const struct setting *setting, struct row *row)
{
	struct result result = {0};
	int ends[2];
	if (pipe(ends) != 0)
		return;
	pid_t pid = process_fork();
	if (pid == 0) {
		close(ends[0]);
		run_client(row->peer, setting, row->window, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	struct pollfd item = {.fd = ends[0], .events = POLLIN};
	int wait_ms = (int)setting->round_ms + ROUND_END_MS;
	bool has_come = poll(&item, 1, wait_ms) > 0 &&
			read(ends[0], &result, sizeof(result)) == sizeof(result);
	close(ends[0]);
	process_wait(pid, has_come ? 2000 : 0);
	if (!has_come)
		snprintf(result.fault, sizeof(result.fault), "the client did not end");
	row->lost += result.lost;
	if (result.fault[0])
		memcpy(row->fault, result.fault, sizeof(row->fault));
	else
		row->results[row->count++] = result;
}

static void measure(struct bench *bench, size_t window)
{
	struct row *rows = &bench->rows[bench->row_count];
	size_t count = 0;
	bool is_pinned = window == 1;
	for (size_t i = 0; i < PEER_COUNT; i++) {
		if (!is_wanted(bench, &peers[i]))
			continue;
		struct row *row = &rows[count++];
		*row = (struct row){.peer = &peers[i], .window = window, .is_pinned = is_pinned};
		snprintf(row->fault, sizeof(row->fault), "%.190s", peers[i].missing);
	}
	bench->row_count += count;
	pin_all(is_pinned ? PIN_CPU : -1);
	for (unsigned round = 0; round < bench->setting.rounds; round++) {
		for (size_t i = 0; i < count; i++) {
			if (!rows[i].peer->missing[0])
				run_round(&bench->setting, &rows[i]);
		}
	}
	pin_all(-1);
	report_table(rows, count, bench->setting.body_len);
}

/* ---- the folder ---- */

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
	(void)info;
	(void)kind;
	(void)place;
	return remove(path);
}

static bool make_folder(struct setting *setting)
{
	const char *base = getenv("TMPDIR");
	snprintf(setting->folder, sizeof(setting->folder), "%s/lyceum-bench-XXXXXX",
		 base && strlen(base) < 60 ? base : "/tmp");
	return mkdtemp(setting->folder) != NULL;
}

static void find_build(struct setting *setting)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[len > 0 ? len : 0] = '\0';
	snprintf(setting->build, sizeof(setting->build), "%.390s", dirname(dirname(self)));
}

/* ---- main ---- */

static bool read_options(struct bench *bench, int argc, char **argv)
{
	static const struct option options[] = {
		{"rounds", required_argument, NULL, 'r'}, {"ms", required_argument, NULL, 'm'},
		{"size", required_argument, NULL, 's'},   {"window", required_argument, NULL, 'w'},
		{"only", required_argument, NULL, 'o'},   {"build", required_argument, NULL, 'b'},
		{"json", required_argument, NULL, 'j'},   {NULL, 0, NULL, 0},
	};
	struct setting *setting = &bench->setting;
	char *build = NULL;
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		unsigned long number = optarg ? strtoul(optarg, NULL, 10) : 0;
		switch (option) {
		case 'r':
			setting->rounds = (unsigned)number;
			break;
		case 'm':
			setting->round_ms = number;
			break;
		case 's':
			setting->body_len = number;
			break;
		case 'w':
			bench->windows[0] = number;
			bench->window_count = 1;
			break;
		case 'o':
			bench->only = optarg;
			break;
		case 'b':
			build = realpath(optarg, NULL);
			snprintf(setting->build, sizeof(setting->build), "%.390s",
				 build ? build : "");
			free(build);
			break;
		case 'j':
			bench->json = optarg;
			break;
		default:
			return false;
		}
	}
	return optind == argc && setting->rounds > 0 && setting->rounds <= REPORT_MAX_ROUNDS &&
	       setting->round_ms > 0 && setting->round_ms <= 60000 && setting->body_len >= 16 &&
	       setting->body_len <= LOAD_MAX_BODY && bench->windows[0] > 0 &&
	       bench->windows[0] <= LOAD_MAX_WINDOW;
}

/* Nothing lost, no faults, and every Lyceum row measured; a missing NATS is no fault of ours. */
static bool is_whole(const struct bench *bench)
{
	for (size_t i = 0; i < bench->row_count; i++) {
		const struct row *row = &bench->rows[i];
		bool is_missing_nats = row->peer->start == nats_start && row->peer->missing[0];
		if (row->lost > 0 || (row->fault[0] && !is_missing_nats))
			return false;
	}
	return true;
}

static void nats_version(char *to, size_t size)
{
	char program[300];
	char command[340];
	snprintf(to, size, "not installed");
	if (!process_find("nats-server", program, sizeof(program)))
		return;
	snprintf(command, sizeof(command), "%s --version", program);
	FILE *pipe = popen(command, "re");
	char line[100] = "";
	if (pipe && fgets(line, sizeof(line), pipe))
		snprintf(to, size, "%.*s", (int)strcspn(line, "\n"), line);
	if (pipe)
		pclose(pipe);
}

int main(int argc, char **argv)
{
	static struct bench bench = {.windows = {256, 1}, .window_count = 2};
	char version[110];
	bench.setting = (struct setting){.body_len = 256, .rounds = 5, .round_ms = 1000};
	find_build(&bench.setting);
	if (!read_options(&bench, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	if (!make_folder(&bench.setting)) {
		perror(bench.setting.folder);
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	nats_version(version, sizeof(version));
	printf("Calls: %ld cores, Lyceum " LYCEUM_VERSION ", %s, %u rounds of %llu ms each\n",
	       sysconf(_SC_NPROCESSORS_ONLN), version, bench.setting.rounds,
	       (unsigned long long)bench.setting.round_ms);
	start_all(&bench);
	for (size_t i = 0; i < bench.window_count; i++)
		measure(&bench, bench.windows[i]);
	end_all();
	bool is_fine = is_whole(&bench);
	if (bench.json &&
	    !report_json(bench.json, bench.rows, bench.row_count, &bench.setting, version)) {
		fprintf(stderr, "%s cannot be written\n", bench.json);
		is_fine = false;
	}
	if (!is_fine)
		fprintf(stderr, "what the processes said is in %s\n", bench.setting.folder);
	else
		nftw(bench.setting.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return is_fine ? 0 : 1;
}
