/* Leaves out the source info of google/protobuf/, field by field on the wire bytes. */
#include "schema/strip.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/pb.h"

/* Of google.protobuf.FileDescriptorSet and FileDescriptorProto. */
enum { SET_FILE = 1, FILE_NAME = 1, FILE_SOURCE_INFO = 9 };

static bool is_google(struct span file)
{
	static const char folder[] = "google/protobuf/";
	struct pb_reader reader = pb_reader_of(file);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == FILE_NAME && field.wire == PB_LEN)
			return field.bytes.len >= sizeof(folder) - 1 &&
			       memcmp(field.bytes.data, folder, sizeof(folder) - 1) == 0;
	}
	return false;
}

/* The fields of one file but its source info. */
static bool copy_file(struct span file, struct buf *to)
{
	struct pb_reader reader = pb_reader_of(file);
	struct pb_field field;
	const uint8_t *from = reader.at;
	size_t mark = pb_begin(to, SET_FILE);
	while (pb_read_field(&reader, &field)) {
		if (field.number != FILE_SOURCE_INFO)
			buf_add(to, from, (size_t)(reader.at - from));
		from = reader.at;
	}
	pb_end(to, mark);
	return !reader.has_failed;
}

enum lyc_status strip_google_comments(struct span set, struct buf *to, struct lyc_error *error)
{
	struct pb_reader reader = pb_reader_of(set);
	struct pb_field field;
	bool is_ok = true;
	while (is_ok && pb_read_field(&reader, &field)) {
		is_ok = field.number == SET_FILE && field.wire == PB_LEN;
		if (is_ok && is_google(field.bytes))
			is_ok = copy_file(field.bytes, to);
		else if (is_ok)
			pb_write_message(to, SET_FILE, field.bytes);
	}
	if (!is_ok || reader.has_failed)
		return error_set(error, LYC_INVALID_ARGUMENT, "the file is no FileDescriptorSet");
	return to->has_failed ? error_set(error, LYC_RESOURCE_EXHAUSTED, "out of memory") : LYC_OK;
}
