/* Random packets of every kind, as protobuf-c's generated code has them, and the comparison with
 * what lib/wire read. */
#ifndef LYC_TESTS_WIRE_RANDOM_PACKET_H
#define LYC_TESTS_WIRE_RANDOM_PACKET_H

#include <lyceum/v1/wire.pb-c.h>

#include "base/rng.h"
#include "wire/packet.h"

/* Each field is set with a chance of one half. The caller frees with
 * lyceum__v1__packet__free_unpacked. */
Lyceum__V1__Packet *random_packet(struct rng *rng, enum packet_kind kind);
/* Append it with its length in front, packed by protobuf-c. */
void random_packet_pack(const Lyceum__V1__Packet *packet, struct buf *to);
/* Fails the test at the first field that differs. */
void random_packet_compare(const struct packet *ours, const Lyceum__V1__Packet *theirs);

#endif
