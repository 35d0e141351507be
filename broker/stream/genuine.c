/* Two schemas may speak of one record: the one that this daemon has accepted, and the one that it
 * was written with, which may have been set aside. A key that either knows has to fit. */
#include "stream/genuine.h"

#include <string.h>

#include "base/error.h"

struct span genuine_home(const struct schema_message *message, struct span subject, size_t name_len)
{
	if (message->key_count == 0 || strcmp(message->keys[0]->name, "home") != 0 ||
	    subject.len <= name_len + 1)
		return span_of(NULL, 0);
	struct span token = span_of(subject.data + name_len + 1, subject.len - name_len - 1);
	const uint8_t *dot = memchr(token.data, '.', token.len);
	return dot ? span_of(token.data, (size_t)(dot - token.data)) : token;
}

static enum lyc_status check_home(const struct schema_message *message, const struct record *record,
				  size_t name_len, struct lyc_error *error)
{
	struct span home = genuine_home(message, record->subject, name_len);
	if (home.len == 0 || span_equal(home, record->origin))
		return LYC_OK;
	return error_set(error, LYC_PERMISSION_DENIED, "'%.*s' is not the home of %.*s",
			 (int)record->origin.len, (const char *)record->origin.data,
			 (int)(record->subject.len < 120 ? record->subject.len : 120),
			 (const char *)record->subject.data);
}

static enum lyc_status check_body(const struct schema_message *message, const struct record *record,
				  size_t name_len, struct lyc_error *error)
{
	if (message->key_count == 0 || record->removed)
		return LYC_OK;
	struct span tail = record->subject.len > name_len
				   ? span_of(record->subject.data + name_len + 1,
					     record->subject.len - name_len - 1)
				   : span_of(NULL, 0);
	struct buf key = {0};
	enum lyc_status status = schema_key(message, record->body, &key, error);
	if (status == LYC_OK && !span_equal(tail, span_of(key.data, key.len)))
		status = error_set(error, LYC_INVALID_ARGUMENT,
				   "the subject's tokens differ from the key in the body of %.*s",
				   (int)(record->subject.len < 120 ? record->subject.len : 120),
				   (const char *)record->subject.data);
	buf_fini(&key);
	return status;
}

enum lyc_status genuine_check(const struct types *types, const struct record *record,
			      struct lyc_error *error)
{
	size_t name_len = 0;
	const struct schema_message *accepted = types_of_subject(types, record->subject, &name_len);
	if (!accepted)
		return LYC_OK;
	const struct schema_message *written =
		types_of_record(types, record->subject, record->schema, &name_len);
	enum lyc_status status = check_home(accepted, record, name_len, error);
	if (status == LYC_OK && written)
		status = check_home(written, record, name_len, error);
	if (status == LYC_OK)
		status = check_body(accepted, record, name_len, error);
	if (status == LYC_OK && written && written != accepted)
		status = check_body(written, record, name_len, error);
	return status;
}
