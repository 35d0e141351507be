/* The words of RFC 5545 for frequencies and weekdays. */
#ifndef CONVENING_RECURRENCE_NAMES_H
#define CONVENING_RECURRENCE_NAMES_H

extern const char *const recurrence_freqs[7];
/* From Monday on. */
extern const char *const recurrence_weekdays[7];

#endif
