/* Times: UTC milliseconds and days as texts. */
#ifndef INVESTMENT_MOMENT_H
#define INVESTMENT_MOMENT_H

#include <stdint.h>

#include "pad.h"

#define MOMENT_DAY_MS INT64_C(86400000)

int64_t moment_now_ms(void);
/* "2026-12-06"; "" for 0. */
char *moment_day(struct pad *pad, int64_t ms);
/* "2026-12-06 14:05"; "" for 0. */
char *moment_minute(struct pad *pad, int64_t ms);

#endif
