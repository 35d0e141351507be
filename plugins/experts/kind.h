/* The kinds of expert as people write them: IP_LAWYER is "ip-lawyer". */
#ifndef EXPERTS_KIND_H
#define EXPERTS_KIND_H

#include <stdbool.h>

#include <lyceum/experts/v1/experts.pb-c.h>

#define KIND_SIZE 40

/* False for a number that is no kind, or none in particular. */
bool kind_write(Lyceum__Experts__V1__ExpertKind kind, char to[KIND_SIZE]);
/* The kind that a folded word names as a whole or in part, in the singular or plural: "lawyers" is
 * IP_LAWYER. UNSPECIFIED when there is none. */
Lyceum__Experts__V1__ExpertKind kind_find(const char *word);

#endif
