/* Terminal colours, few: dim for what is beside the point, bold for headings, red and yellow for
 * what is down or waits. Empty strings where colour is off. */
#ifndef LYC_TOOLS_PAINT_H
#define LYC_TOOLS_PAINT_H

#include <stdbool.h>

enum paint { PAINT_PLAIN, PAINT_DIM, PAINT_BOLD, PAINT_RED, PAINT_GREEN, PAINT_YELLOW };

static inline const char *paint(bool is_on, enum paint colour)
{
	static const char *const codes[] = {
		[PAINT_PLAIN] = "\033[0m", [PAINT_DIM] = "\033[2m",    [PAINT_BOLD] = "\033[1m",
		[PAINT_RED] = "\033[31m",  [PAINT_GREEN] = "\033[32m", [PAINT_YELLOW] = "\033[33m"};
	return is_on ? codes[colour] : "";
}

#endif
