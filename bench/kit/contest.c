/* The turns of a contest, and all that surrounds them: options, folder, processes. */
#include "kit/contest.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kit/process.h"
#include "kit/table.h"

/* Beside what is measured: ten thousand peers come first. */
#define ROUND_END_MS 150000
#define PIN_CPU 0
#define START_MS 30000

static const char usage[] =
	"  --rounds N        rounds of each contestant (5)\n"
	"  --ms N            milliseconds that are measured in a round\n"
	"  --size N          only bodies of this many bytes\n"
	"  --outstanding N   only this many messages at once\n"
	"  --count N         so many publishers, subscribers, peers or records, not what the bench "
	"has\n"
	"  --only TEXT       only contestants whose name has this in it, and the one compared "
	"with\n"
	"  --build FOLDER    the build folder (the one that this program is in)\n"
	"  --json FILE       the rows for programs\n";

struct course {
	const struct contest *contest;
	struct setting setting;
	const char *json;
	struct workload workloads[CONTEST_MAX_WORKLOADS];
	struct row *rows;
	size_t row_count;
};

/* ---- for contestants ---- */

static double children_cpu_s(const struct contestant *contestant)
{
	pid_t children[2 * CONTEST_MAX_PROCESSES];
	double used = 0;
	int count = contestant->broker > 0 ? process_children(contestant->broker, children,
							      2 * CONTEST_MAX_PROCESSES)
					   : 0;
	for (int i = 0; i < count; i++)
		used += process_cpu_s(children[i]);
	return used;
}

static struct cpu cpu_of(const struct contestant *contestant)
{
	struct cpu cpu = {0};
	double children_s = children_cpu_s(contestant);
	if (contestant->broker > 0)
		cpu.broker_s = process_cpu_s(contestant->broker);
	if (contestant->has_backends)
		cpu.broker_s += children_s;
	else
		cpu.all_s += children_s;
	for (size_t i = 0; i < CONTEST_MAX_PROCESSES; i++) {
		if (contestant->others[i] > 0)
			cpu.all_s += process_cpu_s(contestant->others[i]);
	}
	cpu.all_s += cpu.broker_s;
	return cpu;
}

struct cpu contest_cpu(const struct contestant *contestant)
{
	struct cpu cpu = cpu_of(contestant);
	cpu.all_s += process_cpu_s(getpid());
	if (contestant->needs) {
		struct cpu needed = cpu_of(contestant->needs);
		cpu.broker_s += needed.broker_s;
		cpu.all_s += needed.all_s;
	}
	return cpu;
}

void contest_cpu_between(struct cpu from, struct cpu until, uint64_t messages,
			 struct measure *ret_measure)
{
	double millions = (double)messages / 1e6;
	if (messages == 0)
		return;
	ret_measure->cpu_s = (until.broker_s - from.broker_s) / millions;
	ret_measure->all_cpu_s = (until.all_s - from.all_s) / millions;
}

void contest_fail(struct measure *measure, const char *format, ...)
{
	va_list args;
	if (measure->fault[0])
		return;
	va_start(args, format);
	vsnprintf(measure->fault, sizeof(measure->fault), format, args);
	va_end(args);
}

bool contest_hear(int fd, void *to, size_t size, int timeout_ms)
{
	struct pollfd item = {.fd = fd, .events = POLLIN};
	return poll(&item, 1, timeout_ms) > 0 && read(fd, to, size) == (ssize_t)size;
}

bool contest_start_other(struct contestant *contestant,
			 void (*serve)(const struct contestant *contestant, int ready))
{
	int ends[2];
	char byte;
	size_t at = 0;
	while (at < CONTEST_MAX_PROCESSES && contestant->others[at] > 0)
		at++;
	if (at == CONTEST_MAX_PROCESSES || pipe(ends) != 0)
		return false;
	pid_t pid = process_fork();
	if (pid == 0) {
		close(ends[0]);
		serve(contestant, ends[1]);
		_exit(1);
	}
	contestant->others[at] = pid;
	close(ends[1]);
	bool is_up = contest_hear(ends[0], &byte, 1, START_MS);
	close(ends[0]);
	return is_up;
}

unsigned contest_find_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		getsockname(fd, (struct sockaddr *)&address, &len);
	close(fd);
	return ntohs(address.sin_port);
}

/* ---- processes ---- */

static bool is_named(const struct course *course, const struct contestant *contestant)
{
	const struct contest *contest = course->contest;
	return !course->setting.only || contestant == &contest->contestants[contest->reference] ||
	       strstr(contestant->who, course->setting.only);
}

/* Or one that another needs which is. */
static bool is_started(const struct course *course, const struct contestant *contestant)
{
	const struct contest *contest = course->contest;
	if (is_named(course, contestant))
		return true;
	for (size_t i = 0; i < contest->contestant_count; i++) {
		const struct contestant *other = &contest->contestants[i];
		if ((other->shared == contestant || other->needs == contestant) &&
		    is_named(course, other))
			return true;
	}
	return false;
}

static void start_all(const struct course *course)
{
	for (size_t i = 0; i < course->contest->contestant_count; i++) {
		struct contestant *contestant = &course->contest->contestants[i];
		if (!is_started(course, contestant) || !contestant->start)
			continue;
		if (!contestant->start(contestant, &course->setting) && !contestant->missing[0])
			snprintf(contestant->missing, sizeof(contestant->missing),
				 "it did not start");
	}
}

static void pin_all(const struct contest *contest, int cpu)
{
	pid_t children[16];
	for (size_t i = 0; i < contest->contestant_count; i++) {
		const struct contestant *contestant = &contest->contestants[i];
		if (contestant->broker > 0) {
			process_pin(contestant->broker, cpu);
			int count = process_children(contestant->broker, children, 16);
			for (int j = 0; j < count; j++)
				process_pin(children[j], cpu);
		}
		for (size_t j = 0; j < CONTEST_MAX_PROCESSES; j++) {
			if (contestant->others[j] > 0)
				process_pin(contestant->others[j], cpu);
		}
	}
	process_pin(getpid(), cpu);
}

static void end_all(const struct contest *contest)
{
	for (size_t i = 0; i < contest->contestant_count; i++) {
		const struct contestant *contestant = &contest->contestants[i];
		if (contestant->shared)
			continue;
		for (size_t j = 0; j < CONTEST_MAX_PROCESSES; j++)
			process_end(contestant->others[j]);
		process_end(contestant->broker);
	}
}

/* ---- rounds ---- */

static void run_round(const struct course *course, struct row *row)
{
	struct contestant *who = (struct contestant *)row->who;
	struct measure measure = {0};
	int ends[2];
	if (pipe(ends) != 0)
		return;
	if (who->before)
		who->before(who, &course->setting, row->work);
	pid_t pid = process_fork();
	if (pid == 0) {
		close(ends[0]);
		who->round(who, &course->setting, row->work, &measure);
		_exit(write(ends[1], &measure, sizeof(measure)) == sizeof(measure) ? 0 : 1);
	}
	close(ends[1]);
	bool has_come = contest_hear(ends[0], &measure, sizeof(measure),
				     (int)course->setting.round_ms + ROUND_END_MS);
	close(ends[0]);
	process_wait(pid, has_come ? 2000 : 0);
	if (who->after)
		who->after(who, &course->setting, row->work);
	if (!has_come)
		contest_fail(&measure, "the round did not end");
	row->lost += measure.lost;
	if (measure.fault[0])
		snprintf(row->fault, sizeof(row->fault), "%s", measure.fault);
	else
		row->rounds[row->count++] = measure;
}

static size_t make_rows(struct course *course, const struct workload *work)
{
	const struct contest *contest = course->contest;
	struct row *rows = course->rows + course->row_count;
	const struct row *reference = NULL;
	size_t count = 0;
	for (size_t i = 0; i < contest->contestant_count; i++) {
		struct contestant *who = &contest->contestants[i];
		if (!is_named(course, who) || (who->can && !who->can(who, work)))
			continue;
		struct row *row = &rows[count++];
		row->who = who;
		row->work = work;
		if (who ==
		    (work->reference ? work->reference : &contest->contestants[contest->reference]))
			reference = row;
		snprintf(row->fault, sizeof(row->fault), "%s", who->missing);
	}
	for (size_t i = 0; i < count; i++)
		rows[i].reference = reference;
	course->row_count += count;
	return count;
}

static void run_workload(struct course *course, const struct workload *work)
{
	struct row *rows = course->rows + course->row_count;
	size_t count = make_rows(course, work);
	if (count == 0)
		return;
	pin_all(course->contest, work->is_pinned ? PIN_CPU : -1);
	for (unsigned round = 0; round < course->setting.rounds; round++) {
		for (size_t i = 0; i < count; i++) {
			if (!rows[i].who->missing[0])
				run_round(course, &rows[i]);
		}
	}
	pin_all(course->contest, -1);
	table_print(rows, count);
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

static bool read_options(struct course *course, int argc, char **argv)
{
	static const struct option options[] = {
		{"rounds", required_argument, NULL, 'r'},
		{"ms", required_argument, NULL, 'm'},
		{"size", required_argument, NULL, 's'},
		{"outstanding", required_argument, NULL, 'w'},
		{"count", required_argument, NULL, 'c'},
		{"only", required_argument, NULL, 'o'},
		{"build", required_argument, NULL, 'b'},
		{"json", required_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	struct setting *setting = &course->setting;
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		unsigned long number = optarg ? strtoul(optarg, NULL, 10) : 0;
		if (option == 'r')
			setting->rounds = (unsigned)number;
		else if (option == 'm')
			setting->round_ms = number;
		else if (option == 's')
			setting->size = number;
		else if (option == 'w')
			setting->outstanding = number;
		else if (option == 'c')
			setting->count = number;
		else if (option == 'o')
			setting->only = optarg;
		else if (option == 'j')
			course->json = optarg;
		else if (option != 'b' || !realpath(optarg, setting->build))
			return false;
	}
	return optind == argc && setting->rounds > 0 && setting->rounds <= CONTEST_MAX_ROUNDS &&
	       (setting->round_ms > 0 || course->contest->round_ms == 0) &&
	       setting->round_ms <= 60000;
}

static bool is_wanted(const struct setting *setting, const struct workload *work)
{
	return (!setting->size || !work->size || work->size == setting->size) &&
	       (!setting->outstanding || !work->outstanding ||
		work->outstanding == setting->outstanding);
}

/* Nothing lost, no faults, and everything measured that has to be there. */
static bool is_whole(const struct course *course)
{
	for (size_t i = 0; i < course->row_count; i++) {
		const struct row *row = &course->rows[i];
		bool is_excused = row->who->is_optional && row->who->missing[0];
		if (row->lost > 0 || (row->fault[0] && !is_excused))
			return false;
	}
	return true;
}

int contest_main(const struct contest *contest, int argc, char **argv)
{
	struct course course = {
		.contest = contest,
		.setting = {.rounds = 5, .round_ms = contest->round_ms},
		.rows = calloc(CONTEST_MAX_ROWS, sizeof(*course.rows)),
	};
	find_build(&course.setting);
	if (!course.rows || !read_options(&course, argc, argv)) {
		fprintf(stderr, "Usage: bench_%s [options]\n%s", contest->name, usage);
		return 2;
	}
	if (!make_folder(&course.setting)) {
		perror(course.setting.folder);
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	printf("%s: %ld cores, Lyceum " LYCEUM_VERSION ", %u rounds", contest->title,
	       sysconf(_SC_NPROCESSORS_ONLN), course.setting.rounds);
	if (course.setting.round_ms > 0)
		printf(" of %llu ms each", (unsigned long long)course.setting.round_ms);
	printf("\n");
	start_all(&course);
	for (size_t i = 0; i < contest->workload_count; i++) {
		struct workload *work = &course.workloads[i];
		*work = contest->workloads[i];
		if (course.setting.count && work->count)
			work->count = course.setting.count;
		if (is_wanted(&course.setting, work))
			run_workload(&course, work);
	}
	end_all(contest);
	bool is_fine = is_whole(&course);
	if (course.json && !table_write(course.json, contest, course.rows, course.row_count)) {
		fprintf(stderr, "%s cannot be written\n", course.json);
		is_fine = false;
	}
	if (!is_fine)
		fprintf(stderr, "what the processes said is in %s\n", course.setting.folder);
	else
		nftw(course.setting.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(course.rows);
	return is_fine ? 0 : 1;
}
