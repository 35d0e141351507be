/* Types by name from a daemon: fetched when asked for, kept, loaded anew; JSON and calls by name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <lyceum/msg.h>

#include "../schema/sample.h"
#include "fake_daemon.h"

#define FIND "lyceum.sample.v1.Samples/Find"
#define IMPORT "lyceum.sample.v1.Samples/Import"

static void reply_bytes(struct fake_daemon *daemon, uint64_t id, const struct buf *body, bool more)
{
	struct packet packet = {
		.kind = PACKET_REPLY,
		.reply = {.id = id, .body = span_of(body->data, body->len), .more = more}};
	fake_send(daemon, &packet);
}

/* Expects a call of this method whose body holds the text. */
static uint64_t expect_call(struct fake_daemon *daemon, const char *method, const char *part)
{
	const struct packet *packet = fake_expect(daemon, PACKET_CALL);
	fake_check(daemon, span_is(packet->call.method, method));
	fake_check(daemon, part[0] ? memmem(packet->call.body.data, packet->call.body.len, part,
					    strlen(part)) != NULL
				   : packet->call.body.len == 0);
	return packet->call.id;
}

static void answer_schema(struct fake_daemon *daemon, uint64_t id, bool is_known)
{
	size_t len;
	uint8_t *set = sample_bytes(&len);
	struct buf body = {0};
	size_t item = pb_begin(&body, 1);
	pb_write_bytes(&body, 2, set, len);
	pb_end(&body, item);
	if (!is_known)
		buf_clear(&body);
	reply_bytes(daemon, id, &body, false);
	buf_fini(&body);
	free(set);
}

static void answer_services(struct fake_daemon *daemon, uint64_t id)
{
	static const char *const names[] = {"lyceum.sample.v1.Samples", "of.no.Schema",
					    "lyceum.sample.v1.Pages"};
	struct buf body = {0};
	for (size_t i = 0; i < 3; i++) {
		size_t item = pb_begin(&body, 1);
		pb_write_text(&body, 1, names[i]);
		pb_end(&body, item);
	}
	reply_bytes(daemon, id, &body, false);
	buf_fini(&body);
}

static struct lyc_types *types_of(struct lyc_client *client)
{
	struct lyc_types *types = NULL;
	assert_int_equal(lyc_types_new(client, &types), LYC_OK);
	return types;
}

/* ---- Fetched by name ---- */

static void give_one_schema(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	answer_schema(daemon, expect_call(daemon, "lyceum.v1.Node/Schema", "Sample"), false);
	answer_schema(daemon, expect_call(daemon, "lyceum.v1.Node/Schema", ".Evidence"), true);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_types_are_fetched_by_name_once(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, give_one_schema, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_types *types = types_of(client);
	struct lyc_error error = {0};
	uint8_t *body = NULL;
	size_t len = 0;
	char *json = NULL;
	static const char text[] = "{\"doi\":\"10.1/abc\",\"note\":\"ok\"}";
	assert_int_equal(lyc_json_to_body(types, "no.Sample", "{}", 2, &body, &len, &error),
			 LYC_NOT_FOUND);
	assert_string_equal(error.text, "there is no message type no.Sample");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lyc_json_to_body(types, "lyceum.sample.v1.Evidence", text,
						  strlen(text), &body, &len, &error),
				 LYC_OK);
		assert_int_equal(lyc_body_to_json(types, "lyceum.sample.v1.Evidence", body, len,
						  &json, &error),
				 LYC_OK);
		assert_string_equal(json, text);
		const uint8_t *note = NULL;
		size_t note_len = 0;
		assert_int_equal(lyc_body_text(types, "lyceum.sample.v1.Evidence", body, len,
					       "note", &note, &note_len, &error),
				 LYC_OK);
		assert_int_equal(note_len, 2);
		assert_memory_equal(note, "ok", 2);
		assert_int_equal(lyc_body_text(types, "lyceum.sample.v1.Evidence", body, len,
					       "label", &note, &note_len, &error),
				 LYC_INVALID_ARGUMENT);
		free(json);
		free(body);
	}
	/* The other types of its schema need no second question. */
	assert_int_equal(lyc_json_to_body(types, "lyceum.sample.v1.Expert", "{\"nme\":1}", 9, &body,
					  &len, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "nme");
	assert_int_equal(
		lyc_body_to_json(types, "lyceum.sample.v1.Expert", "\xff", 1, &json, &error),
		LYC_INVALID_ARGUMENT);
	lyc_types_free(types);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

/* ---- Loaded as a whole ---- */

static void give_all_twice(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	for (int i = 0; i < 2; i++) {
		answer_schema(daemon, expect_call(daemon, "lyceum.v1.Node/Schema", ""), true);
		answer_services(daemon, expect_call(daemon, "lyceum.v1.Node/Services", ""));
	}
	fake_reply(daemon, expect_call(daemon, "lyceum.v1.Node/Schema", ""), LYC_UNAVAILABLE, "",
		   false);
	fake_expect(daemon, PACKET_GOODBYE);
}

struct loaded {
	int count;
	enum lyc_status status;
};

static void on_loaded(enum lyc_status status, const char *text, void *arg)
{
	struct loaded *loaded = arg;
	(void)text;
	loaded->count++;
	loaded->status = status;
}

static void test_types_list_what_is_served(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, give_all_twice, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_types *types = types_of(client);
	struct lyc_error error = {0};
	struct loaded loaded = {0};
	assert_int_equal(lyc_service_count(types), 0);
	assert_int_equal(lyc_types_load(types, &error), LYC_OK);
	assert_int_equal(lyc_service_count(types), 2);
	const struct lyc_service *service = lyc_service_at(types, 1);
	assert_string_equal(service->name, "lyceum.sample.v1.Samples");
	assert_string_equal(service->noun, "sample");
	assert_string_equal(service->help, "Finds samples.");
	assert_false(service->is_core);
	assert_null(lyc_service_at(types, 2));
	const struct lyc_method *find = lyc_method_find(types, FIND);
	assert_ptr_equal(find, &service->methods[0]);
	assert_string_equal(find->verb, "find");
	assert_string_equal(find->input, "lyceum.sample.v1.FindRequest");
	assert_string_equal(find->output, "lyceum.sample.v1.FindReply");
	assert_true(find->streams);
	assert_false(find->appends);
	assert_true(lyc_method_find(types, IMPORT)->appends);
	assert_string_equal(find->web_get, "");
	const struct lyc_method *read = lyc_method_find(types, "lyceum.sample.v1.Pages/Read");
	assert_ptr_equal(read, &lyc_service_at(types, 0)->methods[0]);
	assert_string_equal(lyc_service_at(types, 0)->noun, "page");
	assert_string_equal(read->web_get, "/page/{token}");
	assert_string_equal(read->web_post, "");
	assert_string_equal(read->web_body, "text");
	assert_string_equal(read->web_content_type, "text/plain");
	assert_true(read->web_open);
	assert_null(lyc_method_find(types, "lyceum.sample.v1.Samples/Fin"));
	assert_null(lyc_method_find(types, "lyceum.sample.v1.Samples"));

	/* The same again changes nothing. */
	uint64_t generation = lyc_types_generation(types);
	assert_int_equal(lyc_types_load_start(types, on_loaded, &loaded), LYC_OK);
	assert_int_equal(lyc_types_load_start(types, on_loaded, &loaded), LYC_FAILED_PRECONDITION);
	fake_run_until(client, &loaded.count, 1);
	assert_int_equal(loaded.status, LYC_OK);
	assert_true(lyc_types_generation(types) == generation);
	assert_ptr_equal(lyc_method_find(types, FIND), find);
	/* Nor does a failure. */
	assert_int_equal(lyc_types_load_start(types, on_loaded, &loaded), LYC_OK);
	fake_run_until(client, &loaded.count, 2);
	assert_int_equal(loaded.status, LYC_UNAVAILABLE);
	assert_ptr_equal(lyc_method_find(types, FIND), find);
	lyc_types_free(types);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

static void give_nothing(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	expect_call(daemon, "lyceum.v1.Node/Schema", "");
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_types_may_be_freed_while_they_load(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	struct loaded loaded = {0};
	fake_daemon_start(&daemon, FAKE_ROUTER, give_nothing, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_types *types = types_of(client);
	assert_int_equal(lyc_types_load_start(types, on_loaded, &loaded), LYC_OK);
	lyc_types_free(types);
	lyc_client_close(client);
	assert_int_equal(loaded.count, 0);
	fake_daemon_stop(&daemon);
}

/* ---- What others say of a service ---- */

#define PACKAGE "lyceum.forged.v1"
#define SERVICE PACKAGE ".Pages"

/* A set with one service whose method Read answers a Page; `is_forged`: and with a second method
 * and a field more. */
static void write_pages(struct buf *to, bool is_forged)
{
	size_t file = pb_begin(to, 1);
	pb_write_text(to, 1, "pages.proto");
	pb_write_text(to, 2, PACKAGE);
	size_t message = pb_begin(to, 4);
	pb_write_text(to, 1, "Page");
	for (uint64_t i = 1; i <= (is_forged ? 2 : 1); i++) {
		size_t field = pb_begin(to, 2);
		pb_write_text(to, 1, i == 1 ? "text" : "more");
		pb_write_uint(to, 3, i);
		pb_write_uint(to, 4, 1);
		pb_write_uint(to, 5, SCHEMA_STRING);
		pb_end(to, field);
	}
	pb_end(to, message);
	size_t service = pb_begin(to, 6);
	pb_write_text(to, 1, "Pages");
	for (int i = 0; i < (is_forged ? 2 : 1); i++) {
		size_t method = pb_begin(to, 2);
		pb_write_text(to, 1, i == 0 ? "Read" : "Take");
		pb_write_text(to, 2, "." PACKAGE ".Page");
		pb_write_text(to, 3, "." PACKAGE ".Page");
		pb_end(to, method);
	}
	pb_end(to, service);
	pb_write_text(to, 12, "proto3");
	pb_end(to, file);
}

static void write_schema(struct buf *to, bool is_forged)
{
	struct buf set = {0};
	write_pages(&set, is_forged);
	size_t item = pb_begin(to, 1);
	pb_write_bytes(to, 2, set.data, set.len);
	pb_end(to, item);
	buf_fini(&set);
}

static uint64_t id_of_pages(bool is_forged)
{
	struct buf set = {0};
	struct schema *schema = NULL;
	write_pages(&set, is_forged);
	fake_check(NULL, schema_new(set.data, set.len, &schema, NULL) == LYC_OK);
	uint64_t id = schema_id(schema);
	schema_unref(schema);
	buf_fini(&set);
	return id;
}

static void answer_pages(struct fake_daemon *daemon, uint64_t id, const char *by)
{
	struct buf body = {0};
	size_t item = pb_begin(&body, 1);
	pb_write_text(&body, 1, SERVICE);
	pb_write_text(&body, 2, "somewhere");
	pb_write_text(&body, 3, by);
	pb_write_fixed64(&body, 6, id_of_pages(false));
	pb_end(&body, item);
	reply_bytes(daemon, id, &body, false);
	buf_fini(&body);
}

/* Another node's schema comes first, as the newest. */
static void give_forged(struct fake_daemon *daemon, void *arg)
{
	struct buf body = {0};
	(void)arg;
	fake_greet(daemon);
	write_schema(&body, true);
	write_schema(&body, false);
	for (int i = 0; i < 2; i++) {
		reply_bytes(daemon, expect_call(daemon, "lyceum.v1.Node/Schema", ""), &body, false);
		answer_pages(daemon, expect_call(daemon, "lyceum.v1.Node/Services", ""),
			     i == 0 ? "pages" : "");
	}
	buf_clear(&body);
	pb_write_uint(&body, 1, 3);
	reply_bytes(daemon, expect_call(daemon, SERVICE "/Read", ""), &body, false);
	reply_bytes(daemon, expect_call(daemon, SERVICE "/Read", ""), &body, false);
	fake_expect(daemon, PACKET_GOODBYE);
	buf_fini(&body);
}

static void on_refused(const struct lyc_reply *reply, const char *json, void *arg)
{
	struct loaded *loaded = arg;
	assert_null(json);
	assert_non_null(strstr(reply->text, PACKAGE ".Page"));
	loaded->status = reply->status;
	loaded->count++;
}

static void test_types_service_is_what_the_daemon_says_of_it(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, give_forged, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_types *types = types_of(client);
	struct lyc_error error = {0};
	uint8_t *body = NULL;
	char *json = NULL;
	size_t len = 0;
	assert_int_equal(lyc_types_load(types, &error), LYC_OK);
	assert_int_equal(lyc_service_count(types), 1);
	assert_int_equal(lyc_service_at(types, 0)->method_count, 1);
	assert_true(lyc_service_at(types, 0)->served_here);
	assert_non_null(lyc_method_find(types, SERVICE "/Read"));
	assert_null(lyc_method_find(types, SERVICE "/Take"));
	/* So are its messages. */
	assert_int_equal(lyc_json_to_body(types, PACKAGE ".Page", "{\"more\":\"x\"}", 12, &body,
					  &len, &error),
			 LYC_INVALID_ARGUMENT);
	/* The plugin ends: others serve it still. */
	assert_int_equal(lyc_types_load(types, &error), LYC_OK);
	assert_false(lyc_service_at(types, 0)->served_here);

	/* A reply is looked at before it is written as JSON. */
	struct loaded refused = {0};
	assert_int_equal(lyc_json_call(types, SERVICE "/Read", NULL, NULL, &json, &error),
			 LYC_INTERNAL);
	assert_null(json);
	assert_int_equal(lyc_json_call_start(types, SERVICE "/Read", NULL, 0, NULL, on_refused,
					     &refused, NULL, &error),
			 LYC_OK);
	fake_run_until(client, &refused.count, 1);
	assert_int_equal(refused.status, LYC_INTERNAL);
	lyc_types_free(types);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

/* ---- Calls ---- */

static void answer_calls(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	struct buf body = {0};
	fake_greet(daemon);
	answer_schema(daemon, expect_call(daemon, "lyceum.v1.Node/Schema", IMPORT), true);
	pb_write_uint(&body, 2, 3);
	reply_bytes(daemon, expect_call(daemon, IMPORT, "wanted"), &body, false);
	fake_reply(daemon, expect_call(daemon, IMPORT, ""), LYC_PERMISSION_DENIED, "", false);
	uint64_t id = expect_call(daemon, FIND, "many");
	const struct packet *packet = &daemon->packet;
	fake_check(daemon, packet->call.group_count == 2);
	fake_check(daemon, span_is(packet->call.groups[1], "wales/staff"));
	reply_bytes(daemon, id, &body, true);
	reply_bytes(daemon, id, &body, true);
	buf_clear(&body);
	reply_bytes(daemon, id, &body, false);
	fake_expect(daemon, PACKET_GOODBYE);
	buf_fini(&body);
}

struct answers {
	int count;
	int with_json;
	enum lyc_status status;
	bool has_ended;
};

static void on_answer(const struct lyc_reply *reply, const char *json, void *arg)
{
	struct answers *answers = arg;
	answers->count++;
	answers->status = reply->status;
	answers->has_ended = !reply->more;
	if (json) {
		assert_string_equal(json, "{\"count\":3}");
		answers->with_json++;
	}
}

static void test_types_call_with_json(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, answer_calls, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_types *types = types_of(client);
	struct lyc_error error = {0};
	struct answers answers = {0};
	char *json = NULL;
	assert_int_equal(lyc_json_call(types, IMPORT, "{\"text\":\"wanted\"}", NULL, &json, &error),
			 LYC_OK);
	assert_string_equal(json, "{\"count\":3}");
	free(json);
	json = NULL;
	/* Refused here, with the field; then by the daemon. */
	assert_int_equal(lyc_json_call(types, IMPORT, "{\"inner\":{\"values\":[1,\"x\"]}}", NULL,
				       &json, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "inner.values[1]");
	assert_int_equal(lyc_json_call(types, IMPORT, NULL, NULL, &json, &error),
			 LYC_PERMISSION_DENIED);
	assert_int_equal(lyc_json_call(types, "Import", NULL, NULL, &json, &error),
			 LYC_INVALID_ARGUMENT);
	assert_null(json);
	static const char *const groups[] = {"wales/policy", "wales/staff"};
	const struct lyc_call_options options = {
		.principal = "ann@wales", .groups = groups, .group_count = 2};
	assert_int_equal(lyc_json_call_start(types, FIND, "{\"text\":\"many\"}", 15, &options,
					     on_answer, &answers, NULL, &error),
			 LYC_OK);
	lyc_types_free(types);
	fake_run_until(client, &answers.count, 3);
	assert_int_equal(answers.with_json, 2);
	assert_int_equal(answers.status, LYC_OK);
	assert_true(answers.has_ended);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types_are_fetched_by_name_once),
		cmocka_unit_test(test_types_list_what_is_served),
		cmocka_unit_test(test_types_may_be_freed_while_they_load),
		cmocka_unit_test(test_types_service_is_what_the_daemon_says_of_it),
		cmocka_unit_test(test_types_call_with_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
