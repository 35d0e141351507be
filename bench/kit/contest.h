/*
 * A contest: several contestants do the same work, in turns within each round, so that all meet the
 * same machine. A workload says what the work is and in which unit it is measured. Each round runs
 * in a process of its own, so that nothing of one is left for the next. Makes a folder, starts and
 * ends all processes, prints a table for each workload and writes the rows as JSON.
 */
#ifndef LYC_BENCH_CONTEST_H
#define LYC_BENCH_CONTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTEST_MAX_ROUNDS 31
#define CONTEST_MAX_PROCESSES 8
#define CONTEST_MAX_WORKLOADS 16
#define CONTEST_MAX_ROWS 128
#define CONTEST_MAX_SAMPLES 100

/* What one round came to. */
struct measure {
	/* In the workload's unit. */
	double value;
	/* 0: not measured. */
	double p50_us;
	double p99_us;
	/* Seconds of CPU for a million messages: the broker's, and of all processes together. 0:
	 * not measured. */
	double cpu_s;
	double all_cpu_s;
	uint64_t lost;
	/* Messages a second of a load that runs beside what is measured. 0: there is none. */
	double beside_per_s;
	/* The value over the round, every sample_ms: for a curve. */
	unsigned sample_count;
	unsigned sample_ms;
	float samples[CONTEST_MAX_SAMPLES];
	/* What went wrong; empty: nothing. */
	char fault[200];
};

struct workload {
	/* In tables and rows: "calls". */
	const char *name;
	const char *title;
	/* "requests/s", "us", "MiB". */
	const char *unit;
	/* A cost, not a rate: tables then say that a ratio below 1 is better. */
	bool is_less_better;
	/* What is demanded of it, for those who read the table; NULL: nothing. */
	const char *target;
	/* Whom the others are compared with; NULL: the contest's. */
	const struct contestant *reference;
	/* What a round needs to know beside the numbers. */
	const void *kind;
	/* Bytes of a body, messages at once; 0: does not apply. */
	size_t size;
	size_t outstanding;
	/* All processes on one core. */
	bool is_pinned;
	/* Subscribers, publishers, peers: what the bench makes of it. 0: does not apply. */
	size_t count;
};

/* What the bench was asked for, and where it works. */
struct setting {
	char build[400];
	char folder[200];
	unsigned rounds;
	uint64_t round_ms;
	/* 0: what the bench does by itself. */
	size_t size;
	size_t outstanding;
	size_t count;
	const char *only;
};

struct contestant {
	const char *who;
	/* What an acknowledgement of it means, or what it leaves out; NULL: nothing to say. */
	const char *meaning;
	/* Brings up its processes, once. False, with `missing`: it cannot take part. */
	bool (*start)(struct contestant *self, const struct setting *setting);
	/* One round, in a child of the bench. */
	void (*round)(const struct contestant *self, const struct setting *setting,
		      const struct workload *work, struct measure *ret_measure);
	/* May it do this work? NULL: any. */
	bool (*can)(const struct contestant *self, const struct workload *work);
	/* In the bench itself, before and after each round of it; NULL: nothing to do. */
	void (*before)(struct contestant *self, const struct setting *setting,
		       const struct workload *work);
	void (*after)(struct contestant *self, const struct setting *setting,
		      const struct workload *work);
	/* A peer that need not be installed. */
	bool is_optional;
	/* Its broker's children are the broker, too: one for each connection. */
	bool has_backends;
	/* Another contestant's processes are used. */
	struct contestant *shared;
	/* Another contestant, earlier in the list, works for it: started, and counted in its CPU.
	 */
	struct contestant *needs;
	/* What start needs to know. */
	const void *kind;

	/* Filled by start: the broker, and whoever works for it. */
	pid_t broker;
	pid_t others[CONTEST_MAX_PROCESSES];
	char endpoint[256];
	char server_key[41];
	char public_key[41];
	char secret_key[41];
	/* Why it is not measured; empty: it is. */
	char missing[300];
};

struct contest {
	/* In the file of rows: "calls". */
	const char *name;
	const char *title;
	struct contestant *contestants;
	size_t contestant_count;
	const struct workload *workloads;
	size_t workload_count;
	/* The contestant that the others are compared with. */
	size_t reference;
	/* Unless it is asked for another; 0: a round takes as long as its work. */
	uint64_t round_ms;
};

/* The whole program. Returns its exit status: 0 when nothing was lost and all that is not optional
 * was measured. */
int contest_main(const struct contest *contest, int argc, char **argv);

/* ---- for contestants ---- */

/* CPU of a contestant's processes and of this one, to take differences of. */
struct cpu {
	double broker_s;
	double all_s;
};
struct cpu contest_cpu(const struct contestant *contestant);
/* What was used between two, for so many messages. */
void contest_cpu_between(struct cpu from, struct cpu until, uint64_t messages,
			 struct measure *ret_measure);
__attribute__((format(printf, 2, 3))) void contest_fail(struct measure *measure, const char *format,
							...);
/* Wait for a pipe's one message of exactly so many bytes: false when it does not come in time. */
bool contest_hear(int fd, void *to, size_t size, int timeout_ms);
/* One more process that works for a contestant, which writes one byte to `ready` when it is up and
 * then serves until it is ended. False when it does not come up. */
bool contest_start_other(struct contestant *contestant,
			 void (*serve)(const struct contestant *contestant, int ready));
/* A port of loopback that is free now. */
unsigned contest_find_port(void);

#endif
