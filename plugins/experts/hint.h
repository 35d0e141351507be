/*
 * What is worth knowing beside a reply: words and filters that match nothing, and what may have
 * been meant. Offers only what the reader sees or every member does.
 */
#ifndef EXPERTS_HINT_H
#define EXPERTS_HINT_H

#include <lyceum/experts/v1/search.pb-c.h>

#include "filter.h"
#include "query.h"

/* The question is text, but there is no word in it. */
void hint_no_word(Lyceum__Experts__V1__FindReply *reply);
/* The words that query_settle found unmatched, into reply->unmatched and notes. */
void hint_words(Lyceum__Experts__V1__FindReply *reply, const struct query *query,
		struct index *index);
/* The values of filters that nobody passes whom the reader sees. `eyes` lets through whatever the
 * reader may see. */
void hint_filters(Lyceum__Experts__V1__FindReply *reply, const struct people *people,
		  const Lyceum__Experts__V1__FindRequest *request, struct filter *eyes);

#endif
