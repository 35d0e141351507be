/*
 * What is noted of an event under the Chatham House rule: who said it is in no record, no file, no
 * log and no packet, and a text may not name a participant.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/ensure.h"
#include "base/pb.h"
#include "raw_peer.h"
#include "regions.h"

static void test_event_under_chatham_house_keeps_no_speaker(void **state)
{
	static const char *const speakers[] = {"Quentin Zyxwell", "Hildegard Vorpalstein",
					       "Xanthippe Ollerenshaw"};
	struct node *all[] = {hub, nhsa, wales};
	(void)state;
	RUN(nhsa, "event", "create", "Behind doors", "--start", "2027-04-01T10:00", "--chatham");
	for (size_t i = 0; i < 3; i++) {
		char text[80];
		snprintf(text, sizeof(text), "The fund should double, said remark %zu", i);
		RUN(nhsa, "event", "note", "behind-doors", text, "--speaker", speakers[i]);
		assert_non_null(strstr(result.out, "Who said it is not kept."));
		/* A text that names who spoke is refused. */
		snprintf(text, sizeof(text), "As %s put it, no.", speakers[i]);
		struct shell_result refused = shell_run(nhsa, "event", "note", "behind-doors", text,
							"--speaker", speakers[i], NULL);
		assert_int_not_equal(refused.code, 0);
		assert_non_null(strstr(refused.err, "names a participant"));
		shell_result_fini(&refused);
	}
	/* Nor may it name who is invited, in whole or in part. */
	RUN(nhsa, "event", "invite", "behind-doors", "--email", "Bob Price <" BOB ">", "--expert",
	    "P1@wales", "--member", "kit@nhsa");
	static const char *const naming[] = {"Price was against it", "So P1 thinks", "Kit agreed",
					     ("Ask " BOB)};
	for (size_t i = 0; i < 4; i++)
		REFUSED(nhsa, "names a participant", "event", "note", "behind-doors", naming[i]);
	/* Attributable elsewhere: so the search would find one. */
	RUN(nhsa, "event", "create", "In the open", "--start", "2027-04-02T10:00");
	RUN(nhsa, "event", "note", "in-the-open", "Welcome", "--speaker", "Rosalind Openly");
	node_wait_until_holds(wales, nhsa);
	RUN(wales, "event", "notes", "--text", "rosalind");
	assert_non_null(strstr(result.out, "Rosalind Openly"));
	RUN(wales, "event", "notes", "behind-doors@nhsa");
	assert_non_null(strstr(result.out, "said remark 2"));
	for (size_t i = 0; i < 3; i++) {
		const char *family = strchr(speakers[i], ' ') + 1;
		RUN(nhsa, "event", "notes", "--text", family);
		assert_null(strstr(result.out, family));
		RUN(nhsa, "log", "lyceum.convening.>");
		assert_null(strstr(result.out, family));
		for (size_t j = 0; j < 3; j++) {
			char log[90];
			assert_false(network_files_hold(all[j]->folder, family));
			snprintf(log, sizeof(log), "%s.log", all[j]->folder);
			FILE *file = fopen(log, "re");
			ensure(file);
			char line[4000];
			while (fgets(line, sizeof(line), file))
				assert_null(strstr(line, family));
			fclose(file);
		}
	}
	assert_true(network_files_hold(wales->folder, "Rosalind Openly"));
}

static void add_note(struct node *node, const char *text, const char *principal)
{
	struct lyc_call_options options = {.timeout_ms = NETWORK_DEADLINE_MS,
					   .principal = principal};
	struct lyc_error error = {0};
	uint8_t *reply = NULL;
	size_t len;
	struct buf body = {0};
	pb_write_text(&body, 1, "closed");
	pb_write_text(&body, 2, text);
	pb_write_text(&body, 3, principal);
	if (lyc_client_call(node_client(node), "lyceum.convening.v1.Notes/AddNote", body.data,
			    body.len, &options, &reply, &len, &error) != LYC_OK)
		fail_msg("%s", error.text);
	buf_fini(&body);
	free(reply);
}

/* Forty speakers who write down themselves what they said: as speaker of the note, as principal of
 * the call. Neither the packets of the link nor any file of the node has one of them. */
static void test_note_speaker_is_in_no_packet_and_no_file(void **state)
{
	char principals[40][40], text[120];
	(void)state;
	struct network *own = network_new();
	struct node *false_hub = network_add(own, "hub", NULL);
	struct node *leeds = network_add(own, "leeds", false_hub);
	struct raw_peer *peer = raw_peer_listen(&false_hub->keys, leeds->hub_tcp);
	node_add_plugin(leeds, "convening", NULL, "process");
	node_start(leeds);
	node_wait_for_plugin(leeds, "convening", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	RUN(leeds, "event", "create", "Closed", "--start", "2027-04-01T10:00", "--chatham");
	uint32_t seed = 1;
	for (int i = 0; i < 40; i++) {
		char name[16] = "";
		for (int j = 0; j < 10; j++) {
			seed = seed * 1103515245 + 12345;
			name[j] = (char)('a' + (seed >> 16) % 26);
		}
		snprintf(principals[i], sizeof(principals[i]), "%s@leeds", name);
		snprintf(text, sizeof(text), "remark %d of forty", i);
		add_note(leeds, text, principals[i]);
	}
	assert_true(
		raw_peer_hear_as_hub(peer, "leeds", "remark 39 of forty", 18, NETWORK_DEADLINE_MS));
	for (int i = 0; i < 40; i++) {
		char *at = strchr(principals[i], '@');
		*at = '\0';
		assert_null(memmem(peer->heard.data, peer->heard.len, principals[i], 10));
		assert_false(network_files_hold(own->folder, principals[i]));
	}
	assert_true(network_files_hold(own->folder, "remark 39 of forty"));
	raw_peer_free(peer);
	network_free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_under_chatham_house_keeps_no_speaker),
		cmocka_unit_test(test_note_speaker_is_in_no_packet_and_no_file),
	};
	return cmocka_run_group_tests(tests, regions_start, regions_stop);
}
