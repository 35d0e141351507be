/*
 * Daemons that come back from a backup: what reached others is given back, what others lack is sent
 * again, and nobody has anything twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pb.h"
#include "net_bench.h"

enum { PUBLIC = 1, MEMBERS = 2, AUDIENCE = 3, PRIVATE = 4 };

static void post_labelled(struct fake_client *client, const char *id, const char *text,
			  int visibility, const char *audience)
{
	/* It may have been silent for so long that it is taken for gone. */
	fake_hello(client);
	fake_post(client, 1, id, text, visibility, audience);
	fake_settle(client->node->world);
	assert_int_equal(fake_ack_of(client), LYC_OK);
}

static void post(struct fake_client *client, const char *id, const char *text)
{
	post_labelled(client, id, text, MEMBERS, NULL);
}

static void test_restore_of_node_brings_back_what_reached_its_hub(void **state)
{
	struct net *net = *state;
	post(net->at_wales, "a", "in the backup");
	struct fake_backup *backup = fake_backup_new(net->wales);
	post(net->at_wales, "a", "changed later");
	post(net->at_wales, "b", "new later");
	net->wales->is_refused = true;
	fake_cut(net->wales);
	fake_pass(net->world, 20000);
	post(net->at_wales, "c", "never left");
	net->wales->is_refused = false;
	net_restore(net, net->wales, backup);
	assert_true(net->wales->daemon.stream.is_waiting);
	/* Until its hub has spoken it takes nothing: it could be older than what it does not know.
	 */
	fake_post(net->at_wales, 7, "a", "too early", MEMBERS, NULL);
	assert_int_equal(fake_ack_of(net->at_wales), LYC_UNAVAILABLE);
	fake_pass(net->world, 6000);
	assert_false(net->wales->daemon.stream.is_waiting);
	assert_int_equal(net->wales->daemon.stream.taken_back_count, 2);
	assert_string_equal(net_last_text(net->wales, "wales", "a"), "changed later");
	assert_string_equal(net_last_text(net->wales, "wales", "b"), "new later");
	assert_int_equal(fake_count_of(net->wales, "never left"), 0);
	post(net->at_wales, "a", "after all that");
	fake_pass(net->world, 2000);
	const struct fake_node *all[] = {net->hub, net->wales, net->cork};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(fake_count_of(all[i], "in the backup"), 1);
		assert_int_equal(fake_count_of(all[i], "changed later"), 1);
		assert_int_equal(fake_count_of(all[i], "new later"), 1);
		assert_int_equal(fake_count_of(all[i], "after all that"), 1);
		assert_string_equal(net_last_text(all[i], "wales", "a"), "after all that");
	}
	assert_int_equal(net->wales->daemon.uplink.link->outbox_count, 0);
	/* Again, from the beginning: nothing is asked for twice. */
	fake_node_restart(net->wales);
	buf_clear(&net->wales->seen_down);
	fake_pass(net->world, 6000);
	assert_null(memmem(net->wales->seen_down.data, net->wales->seen_down.len, "changed later",
			   strlen("changed later")));
	assert_int_equal(fake_count_of(net->wales, "changed later"), 1);
	fake_backup_free(backup);
}

/* A hub that is never done sending has given back what it had all the same. */
static void test_restore_of_node_does_not_wait_for_a_quiet_hub(void **state)
{
	struct net *net = *state;
	struct fake_backup *backup = fake_backup_new(net->wales);
	post(net->at_wales, "a", "lost");
	fake_pass(net->world, 2000);
	net_restore(net, net->wales, backup);
	for (int i = 0; i < 1000 && net->wales->daemon.stream.is_waiting; i++) {
		fake_hello(net->at_hub);
		fake_post(net->at_hub, 1, "busy", "as always", MEMBERS, NULL);
		/* What was read is sent, and at once there is more. */
		fake_serve(net->hub, 1);
		fake_commit(net->hub, 1);
		fake_tick(net->world, 10);
		while (fake_deliver_up(net->wales) || fake_deliver_down(net->wales))
			;
		fake_commit(net->wales, SIZE_MAX);
		fake_serve(net->wales, SIZE_MAX);
	}
	assert_false(net->wales->daemon.stream.is_waiting);
	assert_int_equal(net->wales->daemon.stream.taken_back_count, 1);
	fake_backup_free(backup);
}

static void test_restore_keeps_who_and_when_of_what_came_back(void **state)
{
	struct net *net = *state;
	struct fake_backup *backup = fake_backup_new(net->wales);
	uint64_t epoch = net->wales->epoch;
	post(net->at_wales, "a", "later");
	struct record before = fake_record_at(net->wales, 0);
	uint64_t time_ms = before.time_ms;
	fake_pass(net->world, 5000);
	net_restore(net, net->wales, backup);
	fake_pass(net->world, 6000);
	struct record record = fake_record_at(net->wales, 0);
	assert_int_equal(record.origin.len, 0);
	assert_int_equal(record.was.epoch, epoch);
	assert_int_equal(record.was.seq, 1);
	assert_int_equal(record.was.time_ms, time_ms);
	assert_true(record.time_ms > time_ms);
	assert_true(span_is(record.principal, "wales"));
	assert_true(stream_epoch_of(&net->wales->daemon.stream, 1) == net->wales->epoch);
	fake_backup_free(backup);
}

static void test_restore_of_hub_learns_again_from_its_nodes(void **state)
{
	struct net *net = *state;
	post(net->at_wales, "a", "early of wales");
	post(net->at_hub, "h", "early of hub");
	fake_pass(net->world, 2000);
	struct fake_backup *backup = fake_backup_new(net->hub);
	post(net->at_wales, "a", "late of wales");
	post(net->at_cork, "c", "late of cork");
	post(net->at_hub, "h", "late of hub");
	fake_pass(net->world, 2000);
	/* The nodes believe all of it confirmed. */
	assert_int_equal(net->wales->daemon.uplink.link->outbox_count, 0);
	fake_node_restart(net->cork);
	fake_pass(net->world, 6000);
	net_restore(net, net->hub, backup);
	assert_false(net->hub->daemon.stream.is_waiting);
	fake_pass(net->world, 20000);
	const struct fake_node *all[] = {net->hub, net->wales, net->cork};
	static const char *const texts[] = {"early of wales", "early of hub", "late of wales",
					    "late of cork", "late of hub"};
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 5; j++) {
			if (fake_count_of(all[i], texts[j]) != 1)
				fail_msg("%s has '%s' %zu times", all[i]->name, texts[j],
					 fake_count_of(all[i], texts[j]));
		}
		assert_string_equal(net_last_text(all[i], "hub", "h"), "late of hub");
		assert_string_equal(net_last_text(all[i], "wales", "a"), "late of wales");
	}
	assert_int_equal(net->hub->daemon.stream.taken_back_count, 1);
	assert_int_equal(net->hub->daemon.stream.not_taken_back_count, 0);
	assert_int_equal(net->wales->daemon.uplink.link->outbox_count, 0);
	fake_backup_free(backup);
}

static void test_restore_of_hub_counts_what_waits_again(void **state)
{
	struct net *net = *state;
	struct fake_backup *backup = fake_backup_new(net->hub);
	for (int i = 0; i < 5; i++)
		post(net->at_wales, "a", "text");
	fake_pass(net->world, 2000);
	assert_int_equal(net->wales->daemon.uplink.link->outbox_count, 0);
	net_restore(net, net->hub, backup);
	size_t most = 0;
	for (int i = 0; i < 2000 && net->hub->record_count < 5; i++) {
		fake_tick(net->world, 10);
		while (fake_deliver_up(net->wales) || fake_deliver_down(net->wales))
			;
		fake_serve(net->wales, 1);
		size_t count = net->wales->daemon.uplink.link->outbox_count;
		most = count > most ? count : most;
		fake_commit(net->hub, 1);
	}
	assert_int_equal(most, 5);
	fake_pass(net->world, 3000);
	assert_int_equal(net->wales->daemon.uplink.link->outbox_count, 0);
	fake_backup_free(backup);
}

/* What a node writes while it is alone is newer than what its hub has of the lost end. */
static void test_restore_alone_keeps_what_was_written_since(void **state)
{
	struct net *net = *state;
	struct fake_backup *backup = fake_backup_new(net->wales);
	post(net->at_wales, "a", "lost at home");
	post(net->at_wales, "b", "lost as well");
	net->wales->is_refused = true;
	fake_node_restore(net->wales, backup, false);
	net->at_wales = fake_client_add(net->wales, "root");
	post(net->at_wales, "a", "written alone");
	net->wales->is_refused = false;
	fake_pass(net->world, 20000);
	const struct fake_node *all[] = {net->hub, net->wales, net->cork};
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(net_last_text(all[i], "wales", "a"), "written alone");
		assert_string_equal(net_last_text(all[i], "wales", "b"), "lost as well");
	}
	assert_int_equal(net->wales->daemon.stream.not_taken_back_count, 1);
	fake_backup_free(backup);
}

/* Two nodes hold different parts of the hub's lost end; who was not there gets it, too. */
static void test_restore_of_hub_gathers_from_several_nodes(void **state)
{
	struct net *net = *state;
	fake_pass(net->world, 1000);
	struct fake_backup *backup = fake_backup_new(net->hub);
	net->cork->is_refused = true;
	fake_cut(net->cork);
	fake_pass(net->world, 20000);
	post(net->at_hub, "a", "only wales was there");
	post_labelled(net->at_hub, "w", "for wales alone", AUDIENCE, "wales");
	net->wales->is_refused = true;
	fake_cut(net->wales);
	net->cork->is_refused = false;
	fake_pass(net->world, 20000);
	post(net->at_hub, "b", "only cork was there");
	post(net->at_hub, "a", "changed for cork");
	net_restore(net, net->hub, backup);
	fake_pass(net->world, 20000);
	assert_string_equal(net_last_text(net->hub, "hub", "a"), "changed for cork");
	net->wales->is_refused = false;
	fake_pass(net->world, 20000);
	const struct fake_node *all[] = {net->hub, net->wales, net->cork};
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(net_last_text(all[i], "hub", "a"), "changed for cork");
		assert_string_equal(net_last_text(all[i], "hub", "b"), "only cork was there");
		assert_int_equal(fake_count_of(all[i], "only cork was there"), 1);
		assert_int_equal(fake_count_of(all[i], "changed for cork"), 1);
	}
	assert_int_equal(fake_count_of(net->hub, "for wales alone"), 1);
	assert_int_equal(fake_count_of(net->wales, "for wales alone"), 1);
	assert_int_equal(fake_count_of(net->cork, "for wales alone"), 0);
	fake_backup_free(backup);
}

static void test_restore_twice_from_the_same_backup(void **state)
{
	struct net *net = *state;
	struct fake_backup *backup = fake_backup_new(net->wales);
	post(net->at_wales, "a", "first life");
	net_restore(net, net->wales, backup);
	fake_pass(net->world, 6000);
	post(net->at_wales, "b", "second life");
	fake_pass(net->world, 2000);
	net_restore(net, net->wales, backup);
	fake_pass(net->world, 6000);
	post(net->at_wales, "c", "third life");
	fake_pass(net->world, 2000);
	const struct fake_node *all[] = {net->hub, net->wales, net->cork};
	static const char *const texts[] = {"first life", "second life", "third life"};
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 3; j++)
			assert_int_equal(fake_count_of(all[i], texts[j]), 1);
	}
	fake_backup_free(backup);
}

/* Its nodes would take what it says from now on for old. */
static void test_restore_of_hub_by_a_clock_that_is_behind_is_told(void **state)
{
	struct net *net = *state;
	post(net->at_hub, "a", "ours");
	fake_pass(net->world, 2000);
	net->hub->epoch--;
	fake_node_restart(net->hub);
	fake_pass(net->world, 2000);
	struct link *link = links_find(&net->hub->daemon.links, "wales");
	assert_non_null(link->failure);
	assert_non_null(strstr(link->failure, "its own log does not"));
}

static void test_restore_of_hub_and_node_together(void **state)
{
	struct net *net = *state;
	struct fake_backup *of_hub = fake_backup_new(net->hub);
	post(net->at_wales, "a", "one");
	fake_pass(net->world, 2000);
	struct fake_backup *of_wales = fake_backup_new(net->wales);
	post(net->at_wales, "b", "two");
	post(net->at_hub, "h", "of the hub");
	fake_pass(net->world, 2000);
	net_restore(net, net->wales, of_wales);
	net_restore(net, net->hub, of_hub);
	fake_pass(net->world, 20000);
	const struct fake_node *all[] = {net->hub, net->wales, net->cork};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(fake_count_of(all[i], "one"), 1);
		assert_int_equal(fake_count_of(all[i], "of the hub"), 1);
	}
	/* Only cork still has it: the hub passes it on, and wales knows its own. */
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(fake_count_of(all[i], "two"), 1);
	/* Whoever connects is asked again, and nothing comes twice. */
	fake_node_restart(net->cork);
	fake_pass(net->world, 20000);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(fake_count_of(all[i], "two"), 1);
	fake_backup_free(of_hub);
	fake_backup_free(of_wales);
}

/* ---- trust ---- */

/* A node that the test plays itself. */
static struct fake_client *greet_from_derry(struct net *net)
{
	struct fake_client *derry = fake_client_new(net->hub, "derry");
	struct packet hello = {.kind = PACKET_HELLO};
	hello.hello =
		(struct packet_hello){.version = WIRE_VERSION, .epoch = 5, .call_credit = 1000};
	fake_send(derry, &hello);
	fake_settle(net->world);
	return derry;
}

static void test_restore_takes_back_only_what_has_its_seal(void **state)
{
	struct net *net = *state;
	fake_pass(net->world, 1000);
	struct fake_backup *backup = fake_backup_new(net->hub);
	uint64_t epoch = net->hub->epoch;
	post(net->at_hub, "a", "genuine");
	fake_pass(net->world, 1000);
	struct record genuine = fake_record_at(net->wales, net->wales->record_count - 1);
	assert_true(genuine.seal != 0);
	struct buf kept = {0};
	record_write(&kept, &genuine);
	net->cork->is_refused = net->wales->is_refused = true;
	fake_cut(net->cork);
	fake_cut(net->wales);
	net_restore(net, net->hub, backup);
	struct fake_client *derry = greet_from_derry(net);
	/* It says how far it is with itself. */
	const struct packet *packet;
	bool has_asked = false;
	while ((packet = fake_next(derry))) {
		for (size_t i = 0;
		     packet->kind == PACKET_FOLLOW && i < packet->follow.position_count; i++)
			has_asked |= span_is(packet->follow.positions[i].origin, "hub") &&
				     packet->follow.positions[i].epoch == epoch;
	}
	assert_true(has_asked);
	assert_int_equal(record_read(span_of(kept.data, kept.len), &genuine), LYC_OK);
	struct record forged = genuine;
	forged.principal = fake_text("ann");
	fake_send_copy(derry, &forged);
	forged = genuine;
	forged.seal++;
	fake_send_copy(derry, &forged);
	forged = genuine;
	forged.origin_seq++;
	fake_send_copy(derry, &forged);
	forged = genuine;
	forged.body = span_of(genuine.body.data, genuine.body.len - 1);
	fake_send_copy(derry, &forged);
	/* Of this epoch nobody has anything that the hub does not. */
	forged = genuine;
	forged.epoch = net->hub->epoch;
	fake_send_copy(derry, &forged);
	assert_int_equal(fake_count_of(net->hub, "genuin"), 0);
	assert_int_equal(net->hub->daemon.stream.not_taken_back_count, 4);
	/* From whomever it comes. */
	fake_send_copy(derry, &genuine);
	fake_send_copy(derry, &genuine);
	assert_int_equal(fake_count_of(net->hub, "genuine"), 1);
	buf_fini(&kept);
	fake_backup_free(backup);
}

static void test_restore_never_gives_back_what_was_hidden(void **state)
{
	struct net *net = *state;
	post(net->at_wales, "a", "open");
	struct fake_backup *backup = fake_backup_new(net->wales);
	post_labelled(net->at_wales, "a", "hidden since", PRIVATE, NULL);
	fake_pass(net->world, 2000);
	assert_string_equal(net_last_text(net->hub, "wales", "a"), "");
	net_restore(net, net->wales, backup);
	fake_pass(net->world, 6000);
	/* What it said when it was hidden never left its home, and is lost; what it said before is
	 * not shown again. */
	assert_string_equal(net_last_text(net->wales, "wales", "a"), "");
	assert_string_equal(net_last_text(net->hub, "wales", "a"), "");
	assert_string_equal(net_last_text(net->cork, "wales", "a"), "");
	fake_backup_free(backup);
}

/* ---- what came back in part ---- */

/* With a part that stays at home. */
static void post_with_part(struct fake_client *client, const char *home, const char *text,
			   const char *part_text)
{
	struct buf body = {0};
	struct packet packet = {.kind = PACKET_PUBLISH};
	fake_notice(&body, home, "a", text, MEMBERS, NULL);
	size_t part = pb_begin(&body, 5);
	pb_write_text(&body, 1, part_text);
	size_t label = pb_begin(&body, 2);
	pb_write_uint(&body, 2, PRIVATE);
	pb_end(&body, label);
	pb_end(&body, part);
	fake_hello(client);
	packet.publish = (struct packet_publish){.id = 9,
						 .subject = fake_text("lyceum.notice.v1.Notice"),
						 .body = span_of(body.data, body.len),
						 .durable = true};
	fake_send(client, &packet);
	fake_settle(client->node->world);
	assert_int_equal(fake_ack_of(client), LYC_OK);
	buf_fini(&body);
}

/* A part that never left is lost; the rest is not, and what stood before is not shown again. */
static void test_restore_takes_back_what_was_cut(void **state)
{
	struct net *net = *state;
	uint64_t cut;
	uint64_t withdrawn;
	post(net->at_wales, "a", "older and wider");
	struct fake_backup *backup = fake_backup_new(net->wales);
	post_with_part(net->at_wales, "wales", "newer", "for wales alone");
	fake_pass(net->world, 2000);
	net_restore(net, net->wales, backup);
	fake_pass(net->world, 6000);
	assert_string_equal(net_last_text(net->wales, "wales", "a"), "newer");
	assert_string_equal(net_last_text(net->hub, "wales", "a"), "newer");
	assert_string_equal(net_last_text(net->cork, "wales", "a"), "newer");
	assert_int_equal(fake_count_of(net->wales, "for wales alone"), 0);
	stream_count_partial(&net->wales->daemon.stream, &cut, &withdrawn);
	assert_int_equal(cut, 1);
	assert_int_equal(withdrawn, 0);
	/* It is told after the next start, too. */
	fake_node_restart(net->wales);
	stream_count_partial(&net->wales->daemon.stream, &cut, &withdrawn);
	assert_int_equal(cut, 1);
	fake_backup_free(backup);
}

/* Between the take of one that comes in part and that of its successor an older one of the same key
 * is committed. The successor has to be taken over the part by others, too. */
static void test_restore_sends_again_what_follows_a_part(void **state)
{
	struct net *net = *state;
	static const char *const texts[] = {"one", "two", "three"};
	struct buf kept[3] = {{0}};
	fake_pass(net->world, 1000);
	struct fake_backup *backup = fake_backup_new(net->hub);
	post(net->at_hub, "a", texts[0]);
	post_with_part(net->at_hub, "hub", texts[1], "for the hub alone");
	post(net->at_hub, "a", texts[2]);
	fake_pass(net->world, 1000);
	for (size_t i = 0; i < 3; i++) {
		struct record copy = fake_record_at(net->wales, net->wales->record_count - 3 + i);
		record_write(&kept[i], &copy);
	}
	net->cork->is_refused = net->wales->is_refused = true;
	fake_cut(net->cork);
	fake_cut(net->wales);
	net_restore(net, net->hub, backup);
	struct fake_client *derry = greet_from_derry(net);
	net->hub->is_held = true;
	for (size_t i = 0; i < 3; i++) {
		struct record copy;
		assert_int_equal(record_read(span_of(kept[i].data, kept[i].len), &copy), LYC_OK);
		if (i == 2)
			assert_int_equal(fake_commit(net->hub, 1), 1);
		fake_send_copy(derry, &copy);
		buf_fini(&kept[i]);
	}
	net->hub->is_held = false;
	fake_settle(net->world);
	static const enum record_form forms[] = {RECORD_WHOLE, RECORD_CUT, RECORD_WHOLE_AGAIN};
	for (size_t i = 0; i < 3; i++) {
		struct record own = fake_record_at(net->hub, net->hub->record_count - 3 + i);
		assert_int_equal(own.was.form, forms[i]);
	}
	fake_backup_free(backup);
}

/* Who was shut out gives back a withdrawal; who was not, all of it: whoever comes first. */
static void test_restore_of_hub_prefers_the_whole_to_its_withdrawal(void **state)
{
	struct net *net = *state;
	uint64_t cut;
	uint64_t withdrawn;
	post(net->at_hub, "a", "open");
	fake_pass(net->world, 1000);
	struct fake_backup *backup = fake_backup_new(net->hub);
	post_labelled(net->at_hub, "a", "for wales alone", AUDIENCE, "wales");
	fake_pass(net->world, 2000);
	net->wales->is_refused = true;
	net_restore(net, net->hub, backup);
	fake_pass(net->world, 20000);
	/* Nobody is shown what it said before. */
	assert_string_equal(net_last_text(net->hub, "hub", "a"), "");
	assert_string_equal(net_last_text(net->cork, "hub", "a"), "");
	stream_count_partial(&net->hub->daemon.stream, &cut, &withdrawn);
	assert_int_equal(withdrawn, 1);
	net->wales->is_refused = false;
	fake_pass(net->world, 20000);
	assert_string_equal(net_last_text(net->hub, "hub", "a"), "for wales alone");
	assert_string_equal(net_last_text(net->wales, "hub", "a"), "for wales alone");
	assert_string_equal(net_last_text(net->cork, "hub", "a"), "");
	assert_int_equal(fake_count_of(net->cork, "for wales alone"), 0);
	stream_count_partial(&net->hub->daemon.stream, &cut, &withdrawn);
	assert_int_equal(withdrawn, 0);
	fake_backup_free(backup);
}

/* It was narrowed twice: who has the last of it only does not hold up the others. */
static void test_restore_reaches_who_is_shown_what_stood_before(void **state)
{
	struct net *net = *state;
	post(net->at_hub, "a", "open");
	fake_pass(net->world, 1000);
	struct fake_backup *backup = fake_backup_new(net->hub);
	net->cork->is_refused = true;
	fake_cut(net->cork);
	fake_pass(net->world, 20000);
	post_labelled(net->at_hub, "a", "for wales alone", AUDIENCE, "wales");
	post_labelled(net->at_hub, "a", "for nobody else", PRIVATE, NULL);
	fake_pass(net->world, 20000);
	net_restore(net, net->hub, backup);
	net->cork->is_refused = false;
	fake_pass(net->world, 20000);
	assert_string_equal(net_last_text(net->hub, "hub", "a"), "");
	assert_string_equal(net_last_text(net->wales, "hub", "a"), "");
	assert_string_equal(net_last_text(net->cork, "hub", "a"), "");
	fake_backup_free(backup);
}

/* Its key has been written since, for fewer: who is shown the lost one learns that it is no more.
 */
static void test_restore_withdraws_what_was_overtaken_in_private(void **state)
{
	struct net *net = *state;
	post_labelled(net->at_hub, "a", "from the beginning", PRIVATE, NULL);
	post_labelled(net->at_hub, "b", "from the beginning", PRIVATE, NULL);
	struct fake_backup *backup = fake_backup_new(net->hub);
	post_labelled(net->at_hub, "a", "for wales", AUDIENCE, "wales");
	post_labelled(net->at_hub, "b", "for all", MEMBERS, NULL);
	fake_pass(net->world, 2000);
	assert_string_equal(net_last_text(net->wales, "hub", "a"), "for wales");
	assert_string_equal(net_last_text(net->cork, "hub", "b"), "for all");
	net->wales->is_refused = net->cork->is_refused = true;
	net_restore(net, net->hub, backup);
	post_labelled(net->at_hub, "a", "for nobody", PRIVATE, NULL);
	post_labelled(net->at_hub, "b", "for nobody", PRIVATE, NULL);
	fake_remove(net->at_hub, 2, "b");
	fake_settle(net->world);
	assert_int_equal(fake_ack_of(net->at_hub), LYC_OK);
	net->wales->is_refused = net->cork->is_refused = false;
	fake_pass(net->world, 20000);
	assert_int_equal(net->hub->daemon.stream.not_taken_back_count, 2);
	assert_string_equal(net_last_text(net->hub, "hub", "a"), "for nobody");
	assert_string_equal(net_last_text(net->wales, "hub", "a"), "");
	assert_string_equal(net_last_text(net->wales, "hub", "b"), "");
	assert_string_equal(net_last_text(net->cork, "hub", "b"), "");
	assert_int_equal(fake_count_of(net->wales, "for nobody"), 0);
	/* Once is enough, also after a start. */
	uint64_t last_seq = net->hub->daemon.stream.last_seq;
	fake_node_restart(net->hub);
	fake_pass(net->world, 20000);
	assert_int_equal(net->hub->daemon.stream.last_seq, last_seq);
	fake_backup_free(backup);
}

/* ---- positions that others hold ---- */

static void test_restore_keeps_durable_places_that_it_still_has(void **state)
{
	struct net *net = *state;
	struct packet_subscribe durable = {.pattern = fake_text(">"),
					   .durable = fake_text("index"),
					   .credit = 100000,
					   .id = 5};
	struct fake_client *ann = fake_client_add(net->hub, "ann");
	fake_subscribe(ann, &durable);
	fake_settle(net->world);
	for (int i = 0; i < 4; i++)
		post(net->at_hub, "a", "early");
	struct packet consumed = {.kind = PACKET_CONSUMED};
	consumed.consumed = (struct packet_number){.id = 5, .value = 3};
	fake_send(ann, &consumed);
	fake_pass(net->world, 6000);
	struct fake_backup *backup = fake_backup_new(net->hub);
	post(net->at_hub, "b", "late");
	fake_pass(net->world, 1000);
	net_restore(net, net->hub, backup);
	ann = fake_client_add(net->hub, "ann");
	fake_subscribe(ann, &durable);
	fake_pass(net->world, 20000);
	const struct packet *packet;
	uint64_t first = 0;
	size_t count = 0;
	while ((packet = fake_next(ann))) {
		if (packet->kind != PACKET_DELIVER)
			continue;
		first = first ? first : packet->deliver.seq;
		count++;
	}
	assert_int_equal(first, 4);
	assert_int_equal(count, 2);
	fake_backup_free(backup);
}

#define on_net(test) cmocka_unit_test_setup_teardown(test, net_setup, net_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_net(test_restore_of_node_brings_back_what_reached_its_hub),
		on_net(test_restore_of_node_does_not_wait_for_a_quiet_hub),
		on_net(test_restore_keeps_who_and_when_of_what_came_back),
		on_net(test_restore_of_hub_learns_again_from_its_nodes),
		on_net(test_restore_of_hub_counts_what_waits_again),
		on_net(test_restore_alone_keeps_what_was_written_since),
		on_net(test_restore_of_hub_gathers_from_several_nodes),
		on_net(test_restore_twice_from_the_same_backup),
		on_net(test_restore_of_hub_by_a_clock_that_is_behind_is_told),
		on_net(test_restore_of_hub_and_node_together),
		on_net(test_restore_takes_back_only_what_has_its_seal),
		on_net(test_restore_never_gives_back_what_was_hidden),
		on_net(test_restore_takes_back_what_was_cut),
		on_net(test_restore_sends_again_what_follows_a_part),
		on_net(test_restore_of_hub_prefers_the_whole_to_its_withdrawal),
		on_net(test_restore_reaches_who_is_shown_what_stood_before),
		on_net(test_restore_withdraws_what_was_overtaken_in_private),
		on_net(test_restore_keeps_durable_places_that_it_still_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
