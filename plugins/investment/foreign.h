/*
 * Which records are believed: what another node writes may be anything that its daemon let pass.
 * Here a record is refused as a whole when it is not of the node that it claims, or has not the
 * shape on which the rest relies. Whether what it says is true is left to others.
 */
#ifndef INVESTMENT_FOREIGN_H
#define INVESTMENT_FOREIGN_H

#include "view.h"

/* Is the first token of the subject's keys, which begin at `keys`, the node that it came from? */
bool foreign_is_of(const char *keys, const char *origin);
/* Is the message what its keys say, and of the shape that its kind has to have? */
bool foreign_is_whole(enum kind kind, const char *keys, const ProtobufCMessage *message);
/* May this one take the place of the one that was there? */
bool foreign_may_replace(enum kind kind, const ProtobufCMessage *before,
			 const ProtobufCMessage *message);

#endif
