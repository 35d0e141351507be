/* The sentences of `lyceum why`, made of the fields of its reply and nothing else. */
#ifndef LYC_NODE_WHY_WORDS_H
#define LYC_NODE_WHY_WORDS_H

#include "base/buf.h"
#include "lyceum/v1/why.pb-c.h"

/* One sentence. */
void words_hop(const Lyceum__V1__Hop *hop, struct buf *to);
/* A sentence a line. */
void words_record(const Lyceum__V1__RecordFate *fate, struct buf *to);
void words_asked(const Lyceum__V1__Asked *asked, struct buf *to);

#endif
