/* Who may make a backup, one at a time, and what is told about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_world.h"
#include "lyceum/v1/node.pb-c.h"

static struct backup_job *given; /* to the world, and not answered yet */

static void take_job(void *world, struct backup_job *job)
{
	(void)world;
	assert_null(given);
	given = job;
}

static struct fake_client *client_of_hub(struct fake_world *world, const char *identity)
{
	struct fake_node *hub = world->nodes[0];
	hub->daemon.env.backup = take_job;
	return fake_client_add(hub, identity);
}

static void ask(struct fake_client *client, uint64_t id, const char *folder)
{
	uint8_t body[300];
	Lyceum__V1__BackupRequest request = LYCEUM__V1__BACKUP_REQUEST__INIT;
	request.folder = (char *)(uintptr_t)folder;
	size_t len = lyceum__v1__backup_request__pack(&request, body);
	struct packet packet = {.kind = PACKET_CALL};
	packet.call = (struct packet_call){
		.id = id, .method = fake_text("lyceum.v1.Node/Backup"), .body = span_of(body, len)};
	fake_send(client, &packet);
	fake_settle(client->node->world);
}

static void expect_refusal(struct fake_client *client, enum lyc_status status, const char *text)
{
	const struct packet *packet = fake_expect(client, PACKET_REPLY);
	assert_int_equal(packet->reply.status, status);
	if (!memmem(packet->reply.text.data, packet->reply.text.len, text, strlen(text)))
		fail_msg("'%.*s'", (int)packet->reply.text.len,
			 (const char *)packet->reply.text.data);
}

static int setup(void **state)
{
	struct fake_world *world = fake_world_new(1);
	fake_node_add(world, "hub", NULL);
	given = NULL;
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	fake_world_free(*state);
	return 0;
}

static void finish(enum lyc_status status, const char *text)
{
	struct backup_job *job = given;
	given = NULL;
	job->status = status;
	snprintf(job->text, sizeof(job->text), "%s", text);
	job->record_count = 12;
	job->last_seq = 34;
	job->bytes = 56;
	job->on_done(job);
}

static void test_backup_is_answered_when_it_is_made(void **state)
{
	struct fake_client *root = client_of_hub(*state, "root");
	ask(root, 1, "/backups/monday");
	fake_expect_nothing(root);
	assert_non_null(given);
	assert_string_equal(given->folder, "/backups/monday");
	assert_null(given->earlier);
	uint64_t time_ms = given->time_ms;
	/* One at a time. */
	ask(root, 2, "/backups/tuesday");
	expect_refusal(root, LYC_FAILED_PRECONDITION, "under way");
	finish(LYC_OK, "");
	fake_settle(*state);
	const struct packet *packet = fake_expect(root, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 1);
	assert_int_equal(packet->reply.status, LYC_OK);
	Lyceum__V1__BackupReply *reply = lyceum__v1__backup_reply__unpack(
		NULL, packet->reply.body.len, packet->reply.body.data);
	assert_non_null(reply);
	assert_int_equal(reply->record_count, 12);
	assert_int_equal(reply->last_seq, 34);
	assert_int_equal(reply->bytes, 56);
	assert_true(reply->time_ms == time_ms);
	lyceum__v1__backup_reply__free_unpacked(reply, NULL);
	/* It is remembered over restarts. */
	struct fake_node *hub = ((struct fake_world *)*state)->nodes[0];
	fake_node_restart(hub);
	assert_true(hub->daemon.backups.last_ms == time_ms);
	assert_string_equal(hub->daemon.backups.folder, "/backups/monday");
}

static void test_backup_that_fails_says_why(void **state)
{
	struct fake_client *root = client_of_hub(*state, "root");
	ask(root, 1, "/backups/monday");
	finish(LYC_RESOURCE_EXHAUSTED, "No space is left.");
	fake_settle(*state);
	expect_refusal(root, LYC_RESOURCE_EXHAUSTED, "No space is left.");
	ask(root, 2, "/backups/monday");
	assert_non_null(given);
	finish(LYC_OK, "");
}

static void test_backup_is_for_the_operator_and_absolute(void **state)
{
	struct fake_client *ann = client_of_hub(*state, "ann");
	ask(ann, 1, "/backups/monday");
	expect_refusal(ann, LYC_PERMISSION_DENIED, "operator");
	struct fake_client *root = client_of_hub(*state, "root");
	ask(root, 1, "backups/monday");
	expect_refusal(root, LYC_INVALID_ARGUMENT, "absolute path");
	assert_null(given);
}

/* Whoever asked may be gone, or have waited long enough. */
static void test_backup_goes_on_without_who_asked(void **state)
{
	struct fake_client *root = client_of_hub(*state, "root");
	ask(root, 1, "/backups/monday");
	fake_pass(*state, 40000);
	finish(LYC_OK, "");
	fake_settle(*state);
	assert_true(((struct fake_world *)*state)->nodes[0]->daemon.backups.last_ms > 0);
}

#define on_hub(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_hub(test_backup_is_answered_when_it_is_made),
		on_hub(test_backup_that_fails_says_why),
		on_hub(test_backup_is_for_the_operator_and_absolute),
		on_hub(test_backup_goes_on_without_who_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
