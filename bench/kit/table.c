/* The table and the JSON file. Medians are over the rounds; ratios are taken round by round, since
 * what slowed the machine down for a while slowed both. */
#include "kit/table.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "kit/spread.h"

enum column { VALUE, P50, P99, CPU, ALL_CPU, BESIDE };

static double value_of(const struct measure *measure, enum column column)
{
	switch (column) {
	case P50:
		return measure->p50_us;
	case P99:
		return measure->p99_us;
	case CPU:
		return measure->cpu_s;
	case ALL_CPU:
		return measure->all_cpu_s;
	case BESIDE:
		return measure->beside_per_s / 1000;
	case VALUE:
	default:
		return measure->value;
	}
}

static struct spread column_of(const struct row *row, enum column column)
{
	double values[CONTEST_MAX_ROUNDS];
	for (unsigned i = 0; i < row->count; i++)
		values[i] = value_of(&row->rounds[i], column);
	return spread_of(values, row->count);
}

static struct spread ratio_of(const struct row *row)
{
	double values[CONTEST_MAX_ROUNDS];
	const struct row *base = row->reference;
	unsigned count = base && base->count < row->count ? base->count : row->count;
	if (!base)
		return (struct spread){0};
	for (unsigned i = 0; i < count; i++)
		values[i] = row->rounds[i].value / base->rounds[i].value;
	return spread_of(values, count);
}

/* As many digits as say something. */
static void print_number(double value)
{
	if (value == 0)
		printf(" |");
	else
		printf(value >= 1000 ? " %.0f |" : value >= 10 ? " %.1f |" : " %.2f |", value);
}

static bool has_column(const struct row *rows, size_t count, enum column column)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].count > 0 && column_of(&rows[i], column).median > 0)
			return true;
	}
	return false;
}

static void print_row(const struct row *row, const bool *has)
{
	if (row->count == 0) {
		printf("| %s | not measured: %s |\n", row->who->who, row->fault);
		return;
	}
	struct spread value = column_of(row, VALUE);
	int digits = value.median >= 1000 ? 0 : value.median >= 10 ? 1 : 2;
	printf("| %s | %.*f (%.*f-%.*f) |", row->who->who, digits, value.median, digits,
	       value.least, digits, value.most);
	if (row->reference)
		printf(" %.2f |", ratio_of(row).median);
	for (enum column column = P50; column <= BESIDE; column++) {
		if (has[column])
			print_number(column_of(row, column).median);
	}
	printf(" %llu | %u |%s%s\n", (unsigned long long)row->lost, row->count,
	       row->fault[0] ? " " : "", row->fault);
}

void table_print(const struct row *rows, size_t count)
{
	static const char *const names[] = {[P50] = "p50 us",
					    [P99] = "p99 us",
					    [CPU] = "broker CPU s/1M",
					    [ALL_CPU] = "all CPU s/1M",
					    [BESIDE] = "the load's k/s"};
	bool has[BESIDE + 1];
	const struct workload *work = rows[0].work;
	printf("\n%s%s\n\n", work->title, work->is_pinned ? ", all processes on one core" : "");
	const char *less = work->is_less_better ? ", less is better" : "";
	printf("| who | %s%s, median (min-max) |", work->unit, less);
	if (rows[0].reference)
		printf(" to %s%s |", rows[0].reference->who->who,
		       work->is_less_better ? ", below 1 is better" : "");
	for (enum column column = P50; column <= BESIDE; column++) {
		has[column] = has_column(rows, count, column);
		if (has[column])
			printf(" %s |", names[column]);
	}
	printf(" lost | rounds |\n|---|---|---|---|");
	for (enum column column = P50; column <= BESIDE; column++)
		printf(has[column] ? "---|" : "");
	printf(rows[0].reference ? "---|\n" : "\n");
	for (size_t i = 0; i < count; i++)
		print_row(&rows[i], has);
	printf("\n");
	for (size_t i = 0; i < count; i++) {
		if (rows[i].who->meaning)
			printf("- %s: %s\n", rows[i].who->who, rows[i].who->meaning);
	}
	if (work->target)
		printf("- Target: %s\n", work->target);
	fflush(stdout);
}

/* Of one round: curve.py draws it. */
static void add_samples(json_t *object, const struct measure *measure)
{
	if (measure->sample_count == 0)
		return;
	json_t *samples = json_array();
	for (unsigned i = 0; i < measure->sample_count; i++)
		json_array_append_new(samples, json_real(measure->samples[i]));
	json_object_set_new(object, "samples", samples);
	json_object_set_new(object, "sample_ms", json_integer(measure->sample_ms));
}

static json_t *row_json(const struct row *row)
{
	const struct workload *work = row->work;
	json_t *object = json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:b, s:s, s:s, s:s, s:i, s:I, s:s}", "workload",
		work->name, "title", work->title, "size", (json_int_t)work->size, "outstanding",
		(json_int_t)work->outstanding, "count", (json_int_t)work->count, "one_core",
		(int)work->is_pinned, "who", row->who->who, "unit", work->unit, "better",
		work->is_less_better ? "less" : "more", "rounds", (int)row->count, "lost",
		(json_int_t)row->lost, "fault", row->fault);
	if (row->who->meaning)
		json_object_set_new(object, "meaning", json_string(row->who->meaning));
	if (work->target)
		json_object_set_new(object, "target", json_string(work->target));
	if (row->count == 0)
		return object;
	struct spread value = column_of(row, VALUE);
	json_object_set_new(object, "median", json_real(value.median));
	json_object_set_new(object, "min", json_real(value.least));
	json_object_set_new(object, "max", json_real(value.most));
	if (row->reference) {
		json_object_set_new(object, "ratio", json_real(ratio_of(row).median));
		json_object_set_new(object, "ratio_to", json_string(row->reference->who->who));
	}
	static const char *const names[] = {[P50] = "p50_us",
					    [P99] = "p99_us",
					    [CPU] = "cpu_s_per_million",
					    [ALL_CPU] = "all_cpu_s_per_million",
					    [BESIDE] = "load_k_per_s"};
	for (enum column column = P50; column <= BESIDE; column++) {
		double median = column_of(row, column).median;
		if (median > 0)
			json_object_set_new(object, names[column], json_real(median));
	}
	add_samples(object, &row->rounds[row->count - 1]);
	return object;
}

bool table_write(const char *path, const struct contest *contest, const struct row *rows,
		 size_t count)
{
	char date[32];
	time_t now = time(NULL);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, row_json(&rows[i]));
	json_t *all = json_pack("{s:s, s:s, s:s, s:I, s:s, s:o}", "bench", contest->name, "title",
				contest->title, "date", date, "cores",
				(json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "lyceum", LYCEUM_VERSION,
				"rows", list);
	bool is_written = all && json_dump_file(all, path, JSON_INDENT(2)) == 0;
	json_decref(all);
	return is_written;
}
