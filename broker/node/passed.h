/* Who has a record already: what `until_acknowledged` of a stream asks. */
#ifndef LYC_NODE_PASSED_H
#define LYC_NODE_PASSED_H

#include "node/daemon.h"
#include "stream/retention_rule.h"

/* As retention_passed_fn; `daemon` is a struct daemon. */
bool daemon_has_passed(const struct retention_rule *rule, uint64_t seq, const struct record *record,
		       void *daemon);

#endif
