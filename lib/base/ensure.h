/*
 * For our own bugs: a condition that only a wrong program breaks. Always compiled in; prints where
 * and aborts. Never for what a peer or the machine can cause.
 */
#ifndef LYC_BASE_ENSURE_H
#define LYC_BASE_ENSURE_H

#define ensure(condition)                                                                          \
	do {                                                                                       \
		if (__builtin_expect(!(condition), 0))                                             \
			ensure_failed(#condition, __FILE__, __LINE__);                             \
	} while (0)

_Noreturn void ensure_failed(const char *condition, const char *file, int line);

#endif
