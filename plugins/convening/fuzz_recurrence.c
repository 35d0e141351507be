/* Any bytes as a rule, a start and a window: what is read is written and read the same, and its
 * starts ascend, lie in the window, and end within a bound. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "recurrence.h"
#include "wall.h"

#define MAX_STARTS 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void try_list(const struct recurrence *set, int64_t from, int64_t to)
{
	int64_t *starts = NULL;
	size_t count = 0;
	bool has_more = false;
	if (recurrence_list(set, from, to, MAX_STARTS, &starts, &count, &has_more))
		return;
	must(count <= MAX_STARTS);
	for (size_t i = 0; i < count; i++) {
		must(starts[i] >= from && starts[i] < to);
		must(i == 0 || starts[i] > starts[i - 1]);
	}
	/* From a start on, the list is its own tail. */
	if (count > 1) {
		int64_t next = 0;
		must(recurrence_next(set, starts[count / 2], &next) == LYC_OK);
		must(next == starts[count / 2]);
	}
	free(starts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct recurrence_rule rule;
	struct recurrence_rule again;
	struct recurrence set = {.rules = &rule, .rule_count = 1};
	struct lyc_error error;
	char text[RECURRENCE_MAX_TEXT];
	char written[RECURRENCE_MAX_TEXT];
	int32_t numbers[3] = {0};
	/* Three numbers, then the rule. */
	if (len < sizeof(numbers) || len - sizeof(numbers) >= sizeof(text))
		return 0;
	memcpy(numbers, data, sizeof(numbers));
	len -= sizeof(numbers);
	memcpy(text, data + sizeof(numbers), len);
	text[len] = '\0';
	if (recurrence_parse(text, &rule, &error))
		return 0;
	must(recurrence_write(&rule, written, sizeof(written)));
	must(recurrence_parse(written, &again, &error) == LYC_OK);
	must(recurrence_is_equal(&rule, &again));
	set.start = (int64_t)numbers[0] * 97;
	set.is_date = numbers[1] & 1;
	if (set.is_date)
		set.start = wall_day_of(set.start) * WALL_DAY_S;
	try_list(&set, set.start, WALL_MAX);
	try_list(&set, set.start + numbers[1], set.start + (int64_t)numbers[1] + numbers[2]);
	if (recurrence_check(&rule, set.is_date, &error) == LYC_OK)
		recurrence_has_start(&set);
	return 0;
}
