/* Topics: a message that one node publishes reaches the subscribers of the others through the hub,
 * and nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inbox.h"

static struct network *network;
static struct node *nhsa;
static struct node *wales;
static struct node *medcity;

static int start(void **state)
{
	(void)state;
	network = network_of_four();
	nhsa = network_node(network, "nhsa");
	wales = network_node(network, "wales");
	medcity = network_node(network, "medcity");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	network_free(network);
	return 0;
}

static void test_topic_reaches_subscribers_at_the_other_nodes(void **state)
{
	(void)state;
	struct inbox *at_nhsa = inbox_open(network, node_client(nhsa), NOTE ".>", NULL);
	struct inbox *at_wales = inbox_open(network, node_client(wales), NOTE ".>", NULL);
	node_barrier(nhsa, medcity);
	node_barrier(wales, medcity);

	note_publish(node_client(medcity), NOTE ".london", "spring meeting", NULL);

	inbox_wait(at_nhsa, 1);
	inbox_wait(at_wales, 1);
	assert_string_equal(at_wales->items[0].text, "spring meeting");
	assert_string_equal(at_wales->items[0].subject, NOTE ".london");
	assert_string_equal(at_wales->items[0].origin, "medcity");
	assert_int_equal(at_wales->items[0].seq, 0);
	inbox_close(at_nhsa);
	inbox_close(at_wales);
}

static void test_topic_is_chosen_by_wildcards(void **state)
{
	(void)state;
	struct lyc_client *client = node_client(wales);
	struct inbox *star = inbox_open(network, client, NOTE ".*.news", NULL);
	struct inbox *tail = inbox_open(network, client, NOTE ".london.>", NULL);
	struct inbox *exact = inbox_open(network, client, NOTE ".london.news", NULL);
	struct inbox *other = inbox_open(network, client, "lyceum.v1.SchemaVersion.>", NULL);
	struct inbox *all = inbox_open(network, client, NOTE ".>", NULL);
	node_barrier(wales, medcity);

	note_publish(node_client(medcity), NOTE ".london.news", "1", NULL);
	note_publish(node_client(medcity), NOTE ".leeds.news", "2", NULL);
	note_publish(node_client(medcity), NOTE ".london.news.late", "3", NULL);
	note_publish(node_client(medcity), NOTE ".london", "4", NULL);

	inbox_wait(all, 4);
	assert_int_equal(all->count, 4);
	assert_int_equal(star->count, 2);
	assert_string_equal(star->items[1].text, "2");
	assert_int_equal(tail->count, 2);
	assert_string_equal(tail->items[1].text, "3");
	assert_int_equal(exact->count, 1);
	assert_int_equal(other->count, 0);
	struct inbox *inboxes[] = {star, tail, exact, other, all};
	for (size_t i = 0; i < 5; i++)
		inbox_close(inboxes[i]);
}

/* Packets between the hub and wales. */
static uint64_t packets_at(struct node *node)
{
	uint8_t *body = NULL;
	size_t len = 0;
	struct lyc_error error = {0};
	assert_int_equal(lyc_client_call(node_client(node), "lyceum.v1.Node/Metrics", NULL, 0, NULL,
					 &body, &len, &error),
			 LYC_OK);
	Lyceum__V1__MetricsReply *reply = lyceum__v1__metrics_reply__unpack(NULL, len, body);
	free(body);
	uint64_t packets = 0;
	for (size_t i = 0; i < reply->n_metric; i++) {
		if (strcmp(reply->metric[i]->name, "lyceum_packets_total") == 0)
			packets = (uint64_t)reply->metric[i]->value;
	}
	lyceum__v1__metrics_reply__free_unpacked(reply, NULL);
	return packets;
}

static void test_topic_stops_travelling_when_nobody_wants_it(void **state)
{
	(void)state;
	struct inbox *inbox = inbox_open(network, node_client(wales), NOTE ".traffic", NULL);
	node_barrier(wales, medcity);
	note_publish(node_client(medcity), NOTE ".traffic", "wanted", NULL);
	inbox_wait(inbox, 1);
	inbox_close(inbox);
	node_barrier(wales, medcity);

	uint64_t before = packets_at(wales);
	for (int i = 0; i < 300; i++)
		note_publish(node_client(medcity), NOTE ".traffic", "unwanted", NULL);
	node_barrier(medcity, wales);

	/* Heartbeats and heads go on; 300 notes do not. */
	assert_true(packets_at(wales) - before < 150);
}

static void test_topic_is_shared_by_a_group(void **state)
{
	(void)state;
	struct lyc_subscribe_options options = {.group = "desk"};
	struct lyc_client *client = node_client(wales);
	struct inbox *one = inbox_open(network, client, NOTE ".>", &options);
	struct inbox *two = inbox_open(network, client, NOTE ".>", &options);
	struct inbox *three = inbox_open(network, client, NOTE ".>", NULL);
	char subject[64];
	node_barrier(wales, medcity);
	for (int i = 0; i < 60; i++) {
		snprintf(subject, sizeof(subject), NOTE ".case.%d", i % 20);
		note_publish(node_client(medcity), subject, "shared", NULL);
	}
	inbox_wait(three, 60);
	assert_int_equal(one->count + two->count, 60);
	assert_true(one->count > 0 && two->count > 0);
	/* A subject stays with one of them. */
	for (size_t i = 0; i < one->count; i++) {
		for (size_t j = 0; j < two->count; j++)
			assert_string_not_equal(one->items[i].subject, two->items[j].subject);
	}
	inbox_close(one);
	inbox_close(two);
	inbox_close(three);
}

static void test_topic_goes_as_far_as_its_label(void **state)
{
	(void)state;
	const struct lyc_publish_options private_one = {.visibility = LYC_PRIVATE};
	const struct lyc_publish_options for_wales = {.to = "wales"};
	struct inbox *at_home = inbox_open(network, node_client(medcity), NOTE ".>", NULL);
	struct inbox *at_wales = inbox_open(network, node_client(wales), NOTE ".>", NULL);
	struct inbox *at_nhsa = inbox_open(network, node_client(nhsa), NOTE ".>", NULL);
	node_barrier(wales, medcity);
	node_barrier(nhsa, medcity);

	note_publish(node_client(medcity), NOTE ".label", "private", &private_one);
	note_publish(node_client(medcity), NOTE ".label", "for wales", &for_wales);
	note_publish(node_client(medcity), NOTE ".label", "for all", NULL);

	inbox_wait(at_home, 2);
	inbox_wait(at_wales, 2);
	inbox_wait(at_nhsa, 1);
	assert_int_equal(inbox_count(at_home, "private"), 1);
	assert_int_equal(at_wales->count, 2);
	assert_int_equal(inbox_count(at_wales, "for wales"), 1);
	assert_int_equal(at_nhsa->count, 1);
	assert_string_equal(at_nhsa->items[0].text, "for all");
	inbox_close(at_home);
	inbox_close(at_wales);
	inbox_close(at_nhsa);
}

static void test_topic_of_an_unknown_type_is_refused(void **state)
{
	(void)state;
	struct lyc_error error = {0};
	assert_int_equal(note_try(node_client(wales), "lyceum.nobody.v1.None.x", "?", NULL, &error),
			 LYC_NOT_FOUND);
	assert_int_equal(note_try(node_client(wales), NOTE ".x", "", NULL, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "text");
}

/* Two share the records of a desk; one goes without having handled any, and the other gets its
 * share. */
static void test_records_are_shared_by_a_group(void **state)
{
	(void)state;
	char text[20];
	char subject[60];
	const struct lyc_publish_options durable = {.durable = true};
	struct lyc_subscribe_options options = {
		.group = "clerks", .durable = "clerks", .records_only = true};
	struct inbox *busy = inbox_open(network, node_client(nhsa), NOTE ".desk.*", &options);
	options.manual = true;
	struct inbox *idle = inbox_open(network, node_client(nhsa), NOTE ".desk.*", &options);
	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "case %d", i);
		snprintf(subject, sizeof(subject), NOTE ".desk.n%d", i);
		note_publish(node_client(nhsa), subject, text, &durable);
	}
	inbox_wait(idle, 1);
	inbox_wait(busy, 1);
	inbox_close(idle);
	inbox_wait(busy, 20);
	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "case %d", i);
		assert_int_equal(inbox_count(busy, text), 1);
	}
	inbox_close(busy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_topic_reaches_subscribers_at_the_other_nodes),
		cmocka_unit_test(test_topic_is_chosen_by_wildcards),
		cmocka_unit_test(test_topic_stops_travelling_when_nobody_wants_it),
		cmocka_unit_test(test_topic_is_shared_by_a_group),
		cmocka_unit_test(test_topic_goes_as_far_as_its_label),
		cmocka_unit_test(test_topic_of_an_unknown_type_is_refused),
		/* Last: its records travel to the other nodes, too. */
		cmocka_unit_test(test_records_are_shared_by_a_group),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
