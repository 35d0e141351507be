/* The words of iCalendar for what ics.h numbers. */
#ifndef CONVENING_ICS_NAMES_H
#define CONVENING_ICS_NAMES_H

#include "ics.h"

/* "REQUEST"; NULL for ICS_NO_METHOD and ICS_OTHER_METHOD. */
const char *ics_method_name(enum ics_method method);
/* ICS_OTHER_METHOD for a word that is none of them. */
enum ics_method ics_method_of(const char *name);
const char *ics_status_name(enum ics_status status);
enum ics_status ics_status_of(const char *name);
const char *ics_role_name(enum ics_role role);
enum ics_role ics_role_of(const char *name);
const char *ics_answer_name(enum ics_answer answer);
enum ics_answer ics_answer_of(const char *name);

#endif
