/* The table and the JSON file. Medians are over the rounds. */
#include "calls/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <zmq.h>

enum column { RATE, P50, P99, BROKER_CPU, ALL_CPU };

static double value_of(const struct result *result, enum column column)
{
	switch (column) {
	case RATE:
		return result->rate;
	case P50:
		return result->p50_us;
	case P99:
		return result->p99_us;
	case BROKER_CPU:
		return result->broker_cpu_s;
	case ALL_CPU:
	default:
		return result->all_cpu_s;
	}
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;
	return (left > right) - (left < right);
}

struct spread {
	double median;
	double least;
	double most;
};

static struct spread spread_of_values(double *values, unsigned count)
{
	if (count == 0)
		return (struct spread){0};
	qsort(values, count, sizeof(values[0]), compare);
	double upper = values[count / 2];
	double median = count % 2 ? upper : (values[count / 2 - 1] + upper) / 2;
	return (struct spread){median, values[0], values[count - 1]};
}

static struct spread spread_of(const struct row *row, enum column column)
{
	double values[REPORT_MAX_ROUNDS];
	for (unsigned i = 0; i < row->count; i++)
		values[i] = value_of(&row->results[i], column);
	return spread_of_values(values, row->count);
}

/* Rates, round by round: what slowed the machine down for a while slowed both. */
static struct spread ratio_of(const struct row *row, const struct row *base)
{
	double values[REPORT_MAX_ROUNDS];
	unsigned count = row->count < base->count ? row->count : base->count;
	for (unsigned i = 0; i < count; i++)
		values[i] = row->results[i].rate / base->results[i].rate;
	return spread_of_values(values, count);
}

void report_table(const struct row *rows, size_t count, size_t body_len)
{
	printf("\n%zu outstanding, %zu-byte bodies%s\n\n", rows[0].window, body_len,
	       rows[0].is_pinned ? ", all processes on one core" : "");
	printf("| who | requests/s median (min-max) | to zmq_proxy | p50 us | p99 us | broker CPU "
	       "s/1M | all CPU s/1M | lost | rounds |\n");
	printf("|---|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		if (row->count == 0) {
			printf("| %s | not measured: %s | | | | | | | 0 |\n", row->peer->name,
			       row->fault);
			continue;
		}
		struct spread rate = spread_of(row, RATE);
		printf("| %s | %.0f (%.0f-%.0f) | %.2f | %.1f | %.1f | %.2f | %.2f | %llu | %u "
		       "|%s%s\n",
		       row->peer->name, rate.median, rate.least, rate.most,
		       ratio_of(row, &rows[0]).median, spread_of(row, P50).median,
		       spread_of(row, P99).median, spread_of(row, BROKER_CPU).median,
		       spread_of(row, ALL_CPU).median, (unsigned long long)row->lost, row->count,
		       row->fault[0] ? " " : "", row->fault);
	}
	fflush(stdout);
}

static json_t *spread_json(struct spread spread)
{
	return json_pack("{s:f, s:f, s:f}", "median", spread.median, "min", spread.least, "max",
			 spread.most);
}

static json_t *row_json(const struct row *row, const struct row *base, size_t body_len)
{
	json_t *object =
		json_pack("{s:s, s:I, s:I, s:b, s:i, s:I, s:s}", "who", row->peer->name, "window",
			  (json_int_t)row->window, "body_bytes", (json_int_t)body_len, "one_core",
			  (int)row->is_pinned, "rounds", (int)row->count, "lost",
			  (json_int_t)row->lost, "fault", row->fault);
	if (row->count == 0)
		return object;
	json_object_set_new(object, "requests_per_s", spread_json(spread_of(row, RATE)));
	json_object_set_new(object, "to_zmq_proxy", spread_json(ratio_of(row, base)));
	json_object_set_new(object, "p50_us", spread_json(spread_of(row, P50)));
	json_object_set_new(object, "p99_us", spread_json(spread_of(row, P99)));
	json_object_set_new(object, "broker_cpu_s_per_million",
			    spread_json(spread_of(row, BROKER_CPU)));
	json_object_set_new(object, "all_cpu_s_per_million", spread_json(spread_of(row, ALL_CPU)));
	return object;
}

bool report_json(const char *path, const struct row *rows, size_t count,
		 const struct setting *setting, const char *nats_version)
{
	char date[32];
	char zmq[32];
	int major;
	int minor;
	int patch;
	time_t now = time(NULL);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	zmq_version(&major, &minor, &patch);
	snprintf(zmq, sizeof(zmq), "%d.%d.%d", major, minor, patch);
	json_t *list = json_array();
	const struct row *base = rows;
	for (size_t i = 0; i < count; i++) {
		if (rows[i].window != base->window)
			base = &rows[i];
		json_array_append_new(list, row_json(&rows[i], base, setting->body_len));
	}
	json_t *all = json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:o}", "bench", "calls", "date",
				date, "cores", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "lyceum",
				LYCEUM_VERSION, "libzmq", zmq, "nats", nats_version, "rows", list);
	bool is_written = all && json_dump_file(all, path, JSON_INDENT(2)) == 0;
	json_decref(all);
	return is_written;
}
