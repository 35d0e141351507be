/*
 * One search: candidates from the index, only what the reader may see, facets over everything that
 * matches, the best few hundred ranked by their evidence, and the reasons in words (explain.c).
 */
#ifndef EXPERTS_SEARCH_H
#define EXPERTS_SEARCH_H

#include <lyceum/experts/v1/search.pb-c.h>

#include "view.h"

/* So many candidates are ranked by their evidence; more when a later page is asked for, up to _MAX.
 * On held-out award titles 128, 256 and 512 find equally well. */
#define SEARCH_CANDIDATES 256
#define SEARCH_CANDIDATES_MAX 320

/* May the reader see what carries this label? */
typedef bool (*search_may_see_fn)(void *arg, const Lyceum__V1__Label *label);

/* Never fails; view is only read, apart from what it sorts when asked. The reply is the caller's:
 * lyceum__experts__v1__find_reply__free_unpacked. */
Lyceum__Experts__V1__FindReply *search_find(struct view *view,
					    const Lyceum__Experts__V1__FindRequest *request,
					    search_may_see_fn may_see, void *arg);
/* Those that the reader may see, by name. The caller frees. */
Lyceum__Experts__V1__ListReply *search_list(struct view *view,
					    const Lyceum__Experts__V1__ListRequest *request,
					    search_may_see_fn may_see, void *arg);

#endif
