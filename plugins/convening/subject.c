/* The text is cut up in place. */
#include "subject.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <lyceum/client.h>

bool subject_read(const char *text, struct subject *ret_subject)
{
	size_t len = strlen(text), prefix = strlen(SUBJECT_PREFIX);
	char *next;

	if (strncmp(text, SUBJECT_PREFIX, prefix) != 0 || len - prefix >= sizeof(ret_subject->text))
		return false;
	memcpy(ret_subject->text, text + prefix, len - prefix + 1);
	ret_subject->type = ret_subject->text;
	ret_subject->key_count = 0;
	for (size_t i = 0; i < SUBJECT_MAX_KEYS; i++)
		ret_subject->key[i] = "";
	next = strchr(ret_subject->text, '.');
	while (next) {
		char *token = next + 1;
		*next = '\0';
		next = strchr(token, '.');
		if (next)
			*next = '\0';
		if (ret_subject->key_count == SUBJECT_MAX_KEYS || !lyc_subject_unescape(token))
			return false;
		ret_subject->key[ret_subject->key_count++] = token;
	}
	return true;
}

/* As the daemon writes it into a subject. */
static const char *write_key(const ProtobufCFieldDescriptor *field, const void *at, char to[24])
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return *(char *const *)at ? *(char *const *)at : "";
	case PROTOBUF_C_TYPE_UINT32:
		snprintf(to, 24, "%" PRIu32, *(const uint32_t *)at);
		return to;
	case PROTOBUF_C_TYPE_UINT64:
		snprintf(to, 24, "%" PRIu64, *(const uint64_t *)at);
		return to;
	case PROTOBUF_C_TYPE_SINT64:
		snprintf(to, 24, "%" PRId64, *(const int64_t *)at);
		return to;
	default:
		return "";
	}
}

bool subject_agrees(const struct subject *subject, const ProtobufCMessage *message)
{
	char number[24];

	for (size_t i = 0; i < subject->key_count; i++) {
		const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
			message->descriptor, (unsigned)i + 1);
		if (!field ||
		    strcmp(write_key(field, (const char *)message + field->offset, number),
			   subject->key[i]) != 0)
			return false;
	}
	return true;
}
