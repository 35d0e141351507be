/* Records of a plugin's test: appended at their homes, and looked for in the logs. */
#include "kit/kit.h"

#include <stdio.h>
#include <string.h>

#include "base/ensure.h"
#include "stream/record.h"

/* How long a record has to travel. */
#define TRAVEL_MS 200

struct buf kit_pack(const ProtobufCMessage *message)
{
	struct buf body = {0};
	ensure(buf_reserve(&body, protobuf_c_message_get_packed_size(message) + 1));
	body.len = protobuf_c_message_pack(message, body.data);
	return body;
}

void kit_refused(const struct lyc_test *test, struct lyc_error *error, uint32_t status,
		 struct span field, struct span text)
{
	char name[120];
	snprintf(name, sizeof(name), "%.*s", (int)field.len, (const char *)field.data);
	kit_fail(test, error, (enum lyc_status)status, name, "%.*s", (int)text.len,
		 (const char *)text.data);
}

/* Publish, and wait for the Ack. */
static uint64_t publish(struct lyc_test *test, const char *region,
			const struct packet_publish *what, struct lyc_error *error)
{
	uint64_t seq = 0;
	if (error)
		*error = (struct lyc_error){0};
	struct fake_node *node = kit_region(test, region, error);
	if (!node)
		return 0;
	struct fake_client *client = kit_client(node, "operator");
	struct packet packet = {.kind = PACKET_PUBLISH, .publish = *what};
	packet.publish.id = 1;
	packet.publish.durable = true;
	fake_send(client, &packet);
	const struct packet *answer = kit_next(test, client);
	while (answer && answer->kind != PACKET_ACK)
		answer = kit_next(test, client);
	if (!answer)
		kit_fail(test, error, LYC_UNAVAILABLE, "", "The daemon does not answer.");
	else if (answer->ack.status != LYC_OK)
		kit_refused(test, error, answer->ack.status, answer->ack.field, answer->ack.text);
	else
		seq = answer->ack.seq;
	fake_client_free(client);
	lyc_test_pass_ms(test, TRAVEL_MS);
	return seq;
}

uint64_t lyc_test_append(struct lyc_test *test, const char *region, const ProtobufCMessage *record,
			 struct lyc_error *error)
{
	struct buf body = kit_pack(record);
	const struct packet_publish what = {.subject = fake_text(record->descriptor->name),
					    .body = span_of(body.data, body.len)};
	uint64_t seq = publish(test, region, &what, error);
	buf_fini(&body);
	return seq;
}

uint64_t lyc_test_withdraw(struct lyc_test *test, const char *region,
			   const ProtobufCMessage *with_keys, struct lyc_error *error)
{
	const char *type = with_keys->descriptor->name;
	const struct schema_message *message = schema_find_message(test->world->schema, type);
	struct buf body = kit_pack(with_keys);
	struct buf subject = {0};
	struct lyc_error reason = {.status = LYC_INVALID_ARGUMENT,
				   .text = "the plugin's schema does not define it"};
	uint64_t seq = 0;
	buf_add_format(&subject, "%s.", type);
	if (message &&
	    schema_key(message, span_of(body.data, body.len), &subject, &reason) == LYC_OK) {
		const struct packet_publish what = {.subject = span_of(subject.data, subject.len),
						    .remove = true};
		seq = publish(test, region, &what, error);
	} else {
		kit_fail(test, error, reason.status, reason.field, "A %s cannot be withdrawn: %s",
			 type, reason.text);
	}
	buf_fini(&body);
	buf_fini(&subject);
	return seq;
}

/* The last record of a subject; NULL. */
static const struct fake_record *last_of(const struct fake_node *node, struct span subject)
{
	for (size_t i = node->record_count; i > 0; i--) {
		const struct fake_record *record = &node->records[i - 1];
		if (span_equal(span_of(record->subject.data, record->subject.len), subject))
			return record;
	}
	return NULL;
}

/* What a record says; false for a withdrawal, or what cannot be read. */
static bool read_live(const struct fake_record *kept, struct record *ret_record)
{
	return kept &&
	       record_read(span_of(kept->record.data, kept->record.len), ret_record) == LYC_OK &&
	       !ret_record->removed;
}

const void *lyc_test_record(struct lyc_test *test, const char *region,
			    const ProtobufCMessageDescriptor *type, const char *keys)
{
	const struct fake_node *node = kit_region(test, region, NULL);
	struct buf subject = {0};
	struct record record;
	buf_add_format(&subject, "%s.%s", type->name, keys);
	bool is_there = read_live(last_of(node, span_of(subject.data, subject.len)), &record);
	buf_fini(&subject);
	if (!is_there)
		return NULL;
	ProtobufCMessage *message = protobuf_c_message_unpack(
		type, NULL, record.body.len,
		record.body.data ? record.body.data : (const uint8_t *)"");
	if (message)
		kit_keep(test, message, NULL);
	return message;
}

size_t lyc_test_record_count(const struct lyc_test *test, const char *region,
			     const ProtobufCMessageDescriptor *type)
{
	const struct fake_node *node = kit_region(test, region, NULL);
	size_t len = strlen(type->name);
	size_t count = 0;
	for (size_t i = 0; i < node->record_count; i++) {
		const struct fake_record *kept = &node->records[i];
		struct span subject = span_of(kept->subject.data, kept->subject.len);
		struct record record;
		if (subject.len > len && memcmp(subject.data, type->name, len) == 0 &&
		    subject.data[len] == '.' && last_of(node, subject) == kept)
			count += read_live(kept, &record);
	}
	return count;
}
