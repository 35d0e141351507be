/* A flipped bit in a node's log: its hub gives back what it holds, and what it never had is named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inbox.h"
#include "shell.h"

#define FIRST "log/00000000000000000001.log"

static const struct lyc_publish_options durable = {.durable = true};
static const struct lyc_publish_options private = {.durable = true, .visibility = LYC_PRIVATE};
static const struct lyc_subscribe_options whole = {
	.start = LYC_START_SEQ, .from = 1, .records_only = true};

static struct network *network;
static struct node *hub;
static struct node *wales;

static int start(void **state)
{
	(void)state;
	network = network_new();
	hub = network_add(network, "hub", NULL);
	wales = network_add(network, "wales", hub);
	node_add_plugin(hub, "echo", NULL, "process");
	node_add_plugin(wales, "echo", NULL, "process");
	snprintf(wales->extra, sizeof(wales->extra), "store: {segment_mib: 1}\n");
	snprintf(hub->extra, sizeof(hub->extra), "store: {segment_mib: 1}\n");
	node_start(hub);
	node_start(wales);
	node_wait_for_plugin(hub, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	node_wait_for_plugin(wales, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	network_settle(network);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	network_free(network);
	return 0;
}

/* Flip one bit of the byte before the last of a text in the node's log. */
static void flip(struct node *node, const char *text)
{
	char path[120];
	static char bytes[2u << 20];
	snprintf(path, sizeof(path), "%s/" FIRST, node->folder);
	FILE *file = fopen(path, "r+e");
	assert_non_null(file);
	size_t len = fread(bytes, 1, sizeof(bytes), file);
	char *at = memmem(bytes, len, text, strlen(text));
	assert_non_null(at);
	long offset = at - bytes + (long)strlen(text) - 2;
	assert_int_equal(fseek(file, offset, SEEK_SET), 0);
	assert_int_equal(fputc(bytes[offset] ^ 4, file), bytes[offset] ^ 4);
	assert_int_equal(fclose(file), 0);
}

static bool has_lost(const Lyceum__V1__StatusReply *status, const void *arg)
{
	const uint64_t *count = arg;
	return status->storage && status->storage->lost == *count && status->n_lost == *count;
}

static void check_texts(struct node *node, const char *const *texts, size_t count, uint64_t missed)
{
	struct inbox *inbox = inbox_open(network, node_client(node), NOTE ".ledger", &whole);
	inbox_wait_caught_up(inbox);
	for (size_t i = 0; i < count; i++) {
		if (inbox_count(inbox, texts[i]) != 1)
			fail_msg("%s does not have '%s'", node->name, texts[i]);
	}
	assert_int_equal(inbox->count, count);
	assert_int_equal(inbox->missed, missed);
	inbox_close(inbox);
}

static void test_damage_is_healed_from_the_hub_and_else_named(void **state)
{
	(void)state;
	static const char *const all[] = {"first of all", "second of all", "third of all"};
	const uint64_t none = 0;
	const uint64_t one = 1;
	/* Given records that the hub has, and one that never left. */
	for (size_t i = 0; i < 3; i++)
		note_publish(node_client(wales), NOTE ".ledger", all[i], &durable);
	uint64_t seq =
		note_publish(node_client(wales), NOTE ".ledger", "for nobody else", &private);
	node_wait_until_holds(hub, wales);
	node_stop(wales);

	/* When two of them are damaged while the node is down, */
	flip(wales, "second of all");
	flip(wales, "for nobody else");
	node_start(wales);

	/* it starts, the hub gives back the one, and the other is named. */
	node_wait_for_status(wales, has_lost, &one, "one lost record");
	Lyceum__V1__StatusReply *status = node_status(wales);
	assert_int_equal(status->n_lost, 1);
	assert_int_equal(status->lost[0]->first_seq, seq);
	assert_string_equal(status->lost[0]->subject, NOTE ".ledger");
	assert_non_null(strstr(status->lost[0]->file, ".damaged-"));
	assert_true(status->lost[0]->offset > 0);
	assert_true(status->storage->damaged_files >= 1);
	lyceum__v1__status_reply__free_unpacked(status, NULL);
	check_texts(wales, all, 3, 1);
	check_texts(hub, all, 3, 0);
	/* The log goes on, and it stays so. */
	note_publish(node_client(wales), NOTE ".other", "after", &durable);
	node_wait_until_holds(hub, wales);
	node_stop(wales);
	node_start(wales);
	node_wait_for_status(wales, has_lost, &one, "one lost record");
	check_texts(wales, all, 3, 1);

	/* A copy that the hub holds comes back from its home. */
	node_stop(hub);
	flip(hub, "third of all");
	node_start(hub);
	node_wait_for_status(hub, has_lost, &none, "nothing lost");
	node_wait_for_link(wales, true);
	check_texts(hub, all, 3, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage_is_healed_from_the_hub_and_else_named),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
