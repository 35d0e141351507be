/* Calls of a plugin's test: each has a peer of its own, at the daemon of whoever calls. */
#include "kit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CALL_ID 1

struct lyc_test_call {
	struct lyc_test_call *next;
	struct lyc_test *test;
	struct fake_client *client;
	const ProtobufCMethodDescriptor *method;
	bool is_stream;
	bool has_ended;
	/* Why it could not begin. */
	struct lyc_error refused;
};

static struct person *person_of(struct lyc_test *test, const char *name)
{
	for (size_t i = 0; i < test->person_count; i++) {
		if (strcmp(test->people[i].name, name) == 0)
			return &test->people[i];
	}
	return NULL;
}

void lyc_test_set_groups(struct lyc_test *test, const char *name, const char *const *groups)
{
	struct person *person = person_of(test, name);
	if (!person && test->person_count == KIT_MAX_PEOPLE) {
		kit_fail(test, NULL, LYC_RESOURCE_EXHAUSTED, "", "A test has at most %d people.",
			 KIT_MAX_PEOPLE);
		return;
	}
	if (!person) {
		person = &test->people[test->person_count++];
		person->name = mem_dup(name);
	}
	for (size_t i = 0; i < person->group_count; i++)
		free(person->groups[i]);
	person->group_count = 0;
	for (; *groups && person->group_count < KIT_MAX_GROUPS; groups++)
		person->groups[person->group_count++] = mem_dup(*groups);
}

/* "ann", with a key of that name at the daemon. */
static struct fake_client *person_connect(struct lyc_test *test, struct fake_node *node,
					  const char *as)
{
	char name[64];
	const struct person *person = person_of(test, as);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(as, "@"), as);
	struct grants *grants = policy_grant(&node->daemon.policy, name, "", ROLE_PERSON);
	for (size_t i = 0; i < grants->group_count; i++)
		free(grants->groups[i]);
	free(grants->groups);
	grants->group_count = person ? person->group_count : 0;
	grants->groups = mem_get((grants->group_count + 1) * sizeof(char *));
	for (size_t i = 0; i < grants->group_count; i++) {
		struct buf group = {0};
		buf_add_format(&group, "%s/%s", node->name, person->groups[i]);
		grants->groups[i] = buf_text(&group);
	}
	return kit_client(node, name);
}

static const ProtobufCMethodDescriptor *find_method(const struct lyc_test *test, const char *name)
{
	const char *slash = strchr(name, '/');
	size_t len = slash ? (size_t)(slash - name) : 0;
	for (ProtobufCService *const *at = test->plugin->services; slash && *at; at++) {
		const ProtobufCServiceDescriptor *service = (*at)->descriptor;
		if (strlen(service->name) == len && strncmp(service->name, name, len) == 0)
			return protobuf_c_service_descriptor_get_method_by_name(service, slash + 1);
	}
	return NULL;
}

static struct lyc_test_call *begin(struct lyc_test *test, const char *as, const char *method,
				   struct span body)
{
	struct lyc_test_call *call = mem_new(struct lyc_test_call);
	const char *at = as ? strchr(as, '@') : NULL;
	call->test = test;
	call->next = test->calls;
	test->calls = call;
	call->method = find_method(test, method);
	struct fake_node *node = kit_region(test, at ? at + 1 : as, &call->refused);
	if (!call->method)
		kit_fail(test, &call->refused, LYC_INVALID_ARGUMENT, "",
			 "The plugin \"%s\" has no method %s.", test->plugin->name, method);
	if (call->refused.status != LYC_OK)
		return call;
	const struct schema_method *known = schema_find_method(test->world->schema, method);
	call->is_stream = known && known->is_server_streaming;
	call->client = at ? person_connect(test, node, as) : kit_client(node, "operator");
	struct packet packet = {.kind = PACKET_CALL,
				.call = {.id = CALL_ID, .method = fake_text(method), .body = body}};
	fake_send(call->client, &packet);
	fake_settle(test->world);
	return call;
}

struct lyc_test_call *lyc_test_begin(struct lyc_test *test, const char *as, const char *method,
				     const ProtobufCMessage *request)
{
	struct buf body = kit_pack(request);
	struct lyc_test_call *call = begin(test, as, method, span_of(body.data, body.len));
	buf_fini(&body);
	return call;
}

static void finish(struct lyc_test_call *call)
{
	call->has_ended = true;
	if (call->client)
		fake_client_free(call->client);
	call->client = NULL;
}

/* The next reply; NULL, with the error told, when it says no or none comes. */
static const struct packet_reply *next_reply(struct lyc_test_call *call, struct lyc_error *error)
{
	struct lyc_test *test = call->test;
	if (call->refused.status != LYC_OK) {
		kit_fail(test, error, call->refused.status, "", "%s", call->refused.text);
		return NULL;
	}
	const struct packet *packet = kit_next(test, call->client);
	while (packet && packet->kind != PACKET_REPLY && packet->kind != PACKET_GOODBYE)
		packet = kit_next(test, call->client);
	if (!packet || packet->kind == PACKET_GOODBYE) {
		kit_fail(test, error, LYC_UNAVAILABLE, "", "The daemon does not answer.");
		finish(call);
		return NULL;
	}
	const struct packet_reply *reply = &packet->reply;
	if (reply->status == LYC_OK)
		return reply;
	kit_refused(test, error, reply->status, reply->field, reply->text);
	finish(call);
	return NULL;
}

/* The caller has taken one reply of the stream. */
static void give_credit(struct lyc_test_call *call, size_t body_len)
{
	struct packet packet = {
		.kind = PACKET_CREDIT,
		.credit = {.call = CALL_ID, .value = (uint64_t)wire_reply_cost(body_len)}};
	fake_send(call->client, &packet);
}

const void *lyc_test_next(struct lyc_test_call *call, struct lyc_error *error)
{
	if (error)
		*error = (struct lyc_error){0};
	if (call->has_ended)
		return NULL;
	const struct packet_reply *reply = next_reply(call, error);
	if (!reply)
		return NULL;
	const ProtobufCMessageDescriptor *type = call->method->output;
	bool is_last = !reply->more;
	struct span body = reply->body;
	/* As lyc_call_end says it. */
	if (is_last && call->is_stream && body.len == 0) {
		finish(call);
		return NULL;
	}
	ProtobufCMessage *message = protobuf_c_message_unpack(
		type, NULL, body.len, body.data ? body.data : (const uint8_t *)"");
	if (is_last)
		finish(call);
	else
		give_credit(call, body.len);
	if (message)
		kit_keep(call->test, message, NULL);
	else
		kit_fail(call->test, error, LYC_INTERNAL, "", "The reply is not a %s.", type->name);
	return message;
}

void lyc_test_cancel(struct lyc_test_call *call)
{
	struct packet packet = {.kind = PACKET_CANCEL, .cancel = {.id = CALL_ID}};
	if (!call->client)
		return;
	fake_send(call->client, &packet);
	fake_settle(call->test->world);
}

const void *lyc_test_call(struct lyc_test *test, const char *as, const char *method,
			  const ProtobufCMessage *request, struct lyc_error *error)
{
	return lyc_test_next(lyc_test_begin(test, as, method, request), error);
}

const char *lyc_test_call_json(struct lyc_test *test, const char *as, const char *method,
			       const char *json, struct lyc_error *error)
{
	const struct schema_method *found = schema_find_method(test->world->schema, method);
	struct lyc_error reason = {0};
	struct buf body = {0};
	struct buf text = {0};
	if (error)
		*error = (struct lyc_error){0};
	if (!found) {
		kit_fail(test, error, LYC_INVALID_ARGUMENT, "", "The schema has no method %s.",
			 method);
		return NULL;
	}
	if (json_read(found->input, json, strlen(json), &body, &reason) != LYC_OK) {
		kit_fail(test, error, reason.status, reason.field, "%s", reason.text);
		buf_fini(&body);
		return NULL;
	}
	struct lyc_test_call *call = begin(test, as, method, span_of(body.data, body.len));
	buf_fini(&body);
	const struct packet_reply *reply = next_reply(call, error);
	if (!reply)
		return NULL;
	enum lyc_status status = json_write(found->output, reply->body, NULL, &text, &reason);
	finish(call);
	if (status != LYC_OK) {
		kit_fail(test, error, LYC_INTERNAL, "", "The reply is not a %s: %s",
			 found->output->full_name, reason.text);
		buf_fini(&text);
		return NULL;
	}
	char *result = buf_text(&text);
	kit_keep(test, NULL, result);
	return result;
}

void kit_calls_free(struct lyc_test *test)
{
	while (test->calls) {
		struct lyc_test_call *call = test->calls;
		test->calls = call->next;
		finish(call);
		free(call);
	}
}
