/* What each type of record does to the view; see view.h for the whole. */
#ifndef CONVENING_FOLD_H
#define CONVENING_FOLD_H

#include "view.h"

void fold_free_debt(struct debt *debt);
/* The debt of this page to this node; NULL. */
struct debt *fold_debt(const struct entry *entry, const char *node, uint64_t page);

#endif
