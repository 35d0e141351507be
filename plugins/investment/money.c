/* No floating point anywhere: digits in, digits out. */
#include "money.h"

#include <inttypes.h>

bool money_read(const char *text, int64_t *ret_minor)
{
	int64_t minor = 0;
	int decimals = -1;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text; text++) {
		if (*text == '.' && decimals < 0) {
			decimals = 0;
			continue;
		}
		if (*text < '0' || *text > '9' || decimals == 2 || minor > MONEY_MAX / 10)
			return false;
		minor = minor * 10 + (*text - '0');
		decimals += decimals >= 0;
	}
	for (int i = decimals < 0 ? 0 : decimals; i < 2; i++) {
		if (minor > MONEY_MAX / 10)
			return false;
		minor *= 10;
	}
	if (decimals == 0 || minor > MONEY_MAX)
		return false;
	*ret_minor = minor;
	return true;
}

char *money_text(struct pad *pad, int64_t minor)
{
	uint64_t size = minor < 0 ? -(uint64_t)minor : (uint64_t)minor;

	return pad_print(pad, "%s%" PRIu64 ".%02" PRIu64, minor < 0 ? "-" : "", size / 100,
			 size % 100);
}

char *money_range_text(struct pad *pad, const char *currency, int64_t min_minor, int64_t max_minor)
{
	if (min_minor == 0 && max_minor == 0)
		return pad_copy(pad, "");
	if (max_minor == 0)
		return pad_print(pad, "%s from %s", currency, money_text(pad, min_minor));
	if (min_minor == 0)
		return pad_print(pad, "%s up to %s", currency, money_text(pad, max_minor));
	return pad_print(pad, "%s %s to %s", currency, money_text(pad, min_minor),
			 money_text(pad, max_minor));
}

/* Steps ascend: 10, 25, 50, 100, 250, ... */
static int64_t step_after(int64_t step)
{
	int64_t power = 10;

	while (step >= power * 10)
		power *= 10;
	return step == power ? power / 10 * 25 : step == power / 10 * 25 ? power * 5 : power * 10;
}

int64_t money_step_down(int64_t minor)
{
	int64_t step = 10;

	if (minor < step)
		return 0;
	for (int64_t next = step_after(step); next <= minor; next = step_after(step))
		step = next;
	return step;
}

int64_t money_step_up(int64_t minor)
{
	int64_t step = money_step_down(minor);

	return step == minor ? minor : step == 0 ? 10 : step_after(step);
}
