/* Amounts: texts as people write them, int64 minor units as they are kept, and the coarse steps in
 * which others see them. */
#ifndef INVESTMENT_MONEY_H
#define INVESTMENT_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#include "pad.h"

#define MONEY_MAX INT64_C(900000000000000)

/* "250000" or "250000.5" into minor units of a currency with two decimals. */
bool money_read(const char *text, int64_t *ret_minor);
/* "250000.50" */
char *money_text(struct pad *pad, int64_t minor);
/* "GBP 250000.00 to 1000000.00" */
char *money_range_text(struct pad *pad, const char *currency, int64_t min_minor, int64_t max_minor);
/* The next step of 1, 2.5 or 5 times a power of ten that is not above, and not below, the amount.
 * 0 stays 0. */
int64_t money_step_down(int64_t minor);
int64_t money_step_up(int64_t minor);

#endif
