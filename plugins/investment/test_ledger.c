/* The sample's cohort through the plugin's own way, from rows to records to the report, with every
 * message twice: exact to the penny. Argument: the folder of the cohort. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "ledger.h"
#include "test_desks.h"

static const char *folder;

/* Cells of a line without quotes; empty ones count. */
static size_t split(char *line, char *cells[], size_t max)
{
	size_t count = 0;

	line[strcspn(line, "\r\n")] = '\0';
	for (char *at = line; count < max;) {
		cells[count++] = at;
		at = strchr(at, ',');
		if (!at)
			break;
		*at++ = '\0';
	}
	return count;
}

static FILE *open_list(const char *name, char *line, int size)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(line, size, file));
	return file;
}

static void put_rounds(struct desks *desks)
{
	struct desk *desk = &desks->nodes[0].desk;
	char line[600], *cells[7];
	FILE *file = open_list("rounds.csv", line, sizeof(line));

	while (fgets(line, sizeof(line), file)) {
		round_entry_msg entry = LYCEUM__INVESTMENT__V1__ROUND_ENTRY__INIT;
		Google__Protobuf__Timestamp closed = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
		struct pad pad = {0};
		struct lyc_error error;
		round_msg *round;
		assert_int_equal(split(line, cells, 7), 7);
		entry.id = cells[0];
		entry.venture = cells[1];
		entry.target = cells[3];
		entry.currency = cells[4];
		closed.seconds = 1500000000;
		entry.closed = cells[6][0] ? &closed : NULL;
		assert_int_equal(entry_round(desk, &pad, &entry, NULL, &round, &error), LYC_OK);
		assert_true(desks_append(desks, 0, &round->base, false, true, 0));
		pad_fini(&pad);
	}
	fclose(file);
}

static void put_commitments(struct desks *desks)
{
	struct desk *desk = &desks->nodes[0].desk;
	char line[600], *cells[7];
	FILE *file = open_list("commitments.csv", line, sizeof(line));

	while (fgets(line, sizeof(line), file)) {
		commitment_entry_msg entry = LYCEUM__INVESTMENT__V1__COMMITMENT_ENTRY__INIT;
		struct pad pad = {0};
		struct lyc_error error;
		commitment_msg *commitment;
		assert_int_equal(split(line, cells, 7), 7);
		entry.id = cells[0];
		entry.round = cells[1];
		entry.investor = cells[2];
		entry.amount = cells[3];
		entry.currency = cells[4];
		entry.via_node = cells[5];
		assert_int_equal(entry_commitment(desk, &pad, &entry, NULL, &commitment, &error),
				 LYC_OK);
		assert_true(desks_append(desks, 0, &commitment->base, false, true, 0));
		pad_fini(&pad);
	}
	fclose(file);
}

static bool sees_all(void *arg, const label_msg *label)
{
	(void)arg;
	(void)label;
	return true;
}

static bool sees_members(void *arg, const label_msg *label)
{
	(void)arg;
	return label && label->visibility == SEEN_BY_MEMBERS;
}

static void check(const struct desks *desks)
{
	const struct desk *desk = &desks->nodes[0].desk;
	Lyceum__Investment__V1__ReportRequest request =
		LYCEUM__INVESTMENT__V1__REPORT_REQUEST__INIT;
	struct rounds *rounds = ledger_fold(&desk->view, sees_all, NULL);
	struct pad pad = {0};
	int64_t shares = 0;

	assert_non_null(rounds);
	Lyceum__Investment__V1__ReportReply *reply =
		ledger_report(&pad, &desk->view, rounds, &request, desk->node);
	assert_int_equal(reply->n_row, 1);
	assert_string_equal(reply->row[0]->raised, "30000000.00");
	assert_string_equal(reply->row[0]->own, "6500000.00");
	assert_int_equal(reply->row[0]->others_minor, 2350000000);
	assert_int_equal(reply->row[0]->ventures, 80);
	for (size_t i = 0; i < reply->row[0]->n_share; i++)
		shares += reply->row[0]->share[i]->amount_minor;
	assert_int_equal(shares, 3000000000);
	rounds_free(rounds);
	/* Whoever may not see the records sees no sum of them. */
	rounds = ledger_fold(&desk->view, sees_members, NULL);
	reply = ledger_report(&pad, &desk->view, rounds, &request, desk->node);
	assert_int_equal(reply->n_row, 0);
	rounds_free(rounds);
	pad_fini(&pad);
}

static void test_ledger_sums_the_cohort_to_the_penny_also_when_all_comes_twice(void **state)
{
	static const char *const names[] = {"medcity"};
	struct desks desks;

	(void)state;
	desks_init(&desks, names, 1);
	desks.doubles = true;
	put_rounds(&desks);
	put_commitments(&desks);
	check(&desks);
	desks_restart(&desks, 0);
	check(&desks);
	desks_fini(&desks);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_ledger_sums_the_cohort_to_the_penny_also_when_all_comes_twice),
	};
	if (argc != 2) {
		fprintf(stderr, "usage: test_ledger COHORT_FOLDER\n");
		return 2;
	}
	folder = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
