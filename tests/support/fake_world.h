/*
 * The daemons of broker/fake as unit tests have them: with a type of their own (notice.proto), the
 * same peers everywhere, and words for what tests say again and again. Failures are cmocka's.
 */
#ifndef LYC_TESTS_SUPPORT_FAKE_WORLD_H
#define LYC_TESTS_SUPPORT_FAKE_WORLD_H

#include "fake/fake_node.h"

/* Each daemon knows notice.proto, the peers `ann` (a person in the group policy) and `root` (the
 * operator), without a hub of its own the nodes wales, cork and derry, too, and the plugin
 * instances board and board.2. */
struct fake_world *fake_world_new(uint64_t seed);

/* Somebody who has said Hello and taken the Welcome. */
struct fake_client *fake_client_add(struct fake_node *node, const char *identity);
/* The next, which has to be of this kind. */
const struct packet *fake_expect(struct fake_client *client, enum packet_kind kind);
void fake_expect_nothing(struct fake_client *client);
void fake_expect_goodbye(struct fake_client *client, enum goodbye_reason reason);
/* Hello in this version of the wire. */
void fake_hello_as(struct fake_client *client, uint32_t version);
void fake_ping(struct fake_client *client, uint64_t id);

/* ---- What tests say again and again ---- */

/* A Notice of this home; visibility 0: without a label; audience NULL: none. */
void fake_notice(struct buf *to, const char *home, const char *id, const char *text, int visibility,
		 const char *audience);
/* Publish a Notice of the client's daemon durably, under this id. */
void fake_post(struct fake_client *client, uint64_t publish_id, const char *id, const char *text,
	       int visibility, const char *audience);
void fake_remove(struct fake_client *client, uint64_t publish_id, const char *id);
void fake_subscribe(struct fake_client *client, const struct packet_subscribe *subscribe);
/* Call a method; without one named, lyceum.notice.v1.Board/Read. FAKE_HELLO is its request or reply
 * with a text. */
#define FAKE_HELLO span_of("\x0a\x05hello", 7)
void fake_call(struct fake_client *client, uint64_t id, const struct packet_call *call);
void fake_answer(struct fake_client *client, uint64_t id, struct span body, bool more);
/* The callee has got a call next: the id that it has for it. */
uint64_t fake_taken(struct fake_client *client);
/* The caller has got the last reply next; what failed has a sentence. */
void fake_expect_status(struct fake_client *client, uint64_t id, enum lyc_status status);
/* The status of the next Ack, whatever else has come in the meantime. */
enum lyc_status fake_ack_of(struct fake_client *client);
/* A record over a link, as its peer would send it. */
void fake_send_copy(struct fake_client *link, const struct record *record);
/* Of a log: the record at this place, valid as long as the log; how many records hold a text. */
struct record fake_record_at(const struct fake_node *node, size_t index);
size_t fake_count_of(const struct fake_node *node, const char *text);
/* The plugin `board` as it connects and serves lyceum.notice.v1.Board. */
struct fake_client *fake_board_add(struct fake_node *node, const char *identity);

#endif
