/* Sends items and reads what became of them. Which rows an item came from is the tag's business. */
#include "import/batch.h"

#include <string.h>

#include "base/error.h"
#include "base/pb.h"

static const struct schema_field *field_of(const struct schema_message *message, const char *name)
{
	return schema_field_by_name(message, name, strlen(name));
}

enum lyc_status batch_init(struct batch *batch, const struct import_sink *sink,
			   const struct schema_method *method, batch_result_fn on_result, void *arg,
			   struct lyc_error *error)
{
	const char *items_name = method->command.import_items;
	const struct schema_field *items = field_of(method->input, items_name);
	const struct schema_field *results = field_of(method->output, "results");
	if (!items || !items->is_repeated || items->is_map || items->type != SCHEMA_MESSAGE)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the schema names \"%.60s\" as the items of %.80s, which is no "
				 "repeated message of its request",
				 items_name, method->full_name);
	if (!results || !results->is_repeated || results->type != SCHEMA_MESSAGE ||
	    !field_of(results->message, "status"))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the reply of %.80s has no repeated field \"results\" with a "
				 "status for each item",
				 method->full_name);
	*batch = (struct batch){.sink = sink,
				.items = items,
				.results = results,
				.on_result = on_result,
				.arg = arg};
	return LYC_OK;
}

static void read_result(const struct batch *batch, struct span bytes, struct batch_result *result)
{
	const struct schema_message *message = batch->results->message;
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field read;
	while (pb_read_field(&reader, &read)) {
		const struct schema_field *field = schema_field_by_number(message, read.number);
		if (!field)
			continue;
		if (strcmp(field->name, "status") == 0)
			result->status = (enum lyc_status)read.value;
		else if (strcmp(field->name, "text") == 0)
			result->text = read.bytes;
		else if (strcmp(field->name, "field") == 0)
			result->field = read.bytes;
		if (strcmp(field->name, "change") != 0 || field->type != SCHEMA_ENUM)
			continue;
		result->changes = field->enumeration;
		for (size_t i = 0; i < result->changes->value_count; i++) {
			if (result->changes->values[i].number == (int32_t)read.value &&
			    read.value != 0)
				result->change = result->changes->values[i].name;
		}
	}
	if (reader.has_failed)
		*result = (struct batch_result){.status = LYC_INTERNAL};
}

static size_t count_results(const struct batch *batch, struct span reply)
{
	struct pb_reader reader = pb_reader_of(reply);
	struct pb_field read;
	size_t count = 0;
	while (pb_read_field(&reader, &read))
		count += read.number == batch->results->number && read.wire == PB_LEN;
	return reader.has_failed ? SIZE_MAX : count;
}

static enum lyc_status take_reply(struct batch *batch, size_t from, size_t to, struct span reply,
				  struct lyc_error *error)
{
	size_t count = count_results(batch, reply);
	if (count != to - from)
		return error_set(error, LYC_INTERNAL,
				 "the service answered for %zu of the %zu items of a request",
				 count == SIZE_MAX ? 0 : count, to - from);
	struct pb_reader reader = pb_reader_of(reply);
	struct pb_field read;
	enum lyc_status status = LYC_OK;
	while (!status && pb_read_field(&reader, &read)) {
		struct batch_result result = {0};
		if (read.number != batch->results->number || read.wire != PB_LEN)
			continue;
		read_result(batch, read.bytes, &result);
		status = batch->on_result(batch->arg, batch->tags[from++], &result, error);
	}
	return status;
}

/* A request whose content is at fault can be told from a daemon that is. */
static bool is_about_content(enum lyc_status status)
{
	return status == LYC_INVALID_ARGUMENT || status == LYC_OUT_OF_RANGE ||
	       status == LYC_RESOURCE_EXHAUSTED;
}

/* At most nine deep: a request has 256 items. */
static enum lyc_status send_range(struct batch *batch, size_t from, size_t to,
				  struct lyc_error *error)
{
	struct buf body = {0};
	struct buf reply = {0};
	struct lyc_error reason = {0};
	size_t start = batch->starts[from];
	buf_add(&body, batch->prefix.data, batch->prefix.len);
	buf_add(&body, batch->bytes.data + start, batch->starts[to] - start);
	enum lyc_status status = LYC_RESOURCE_EXHAUSTED;
	if (body.has_failed)
		error_set(error, status, "there is no memory for a request");
	else
		status = batch->sink->send(batch->sink->arg, span_of(body.data, body.len), &reply,
					   &reason);
	buf_fini(&body);
	if (!status) {
		status = take_reply(batch, from, to, span_of(reply.data, reply.len), error);
	} else if (is_about_content(status) && to - from > 1) {
		size_t middle = from + (to - from) / 2;
		status = send_range(batch, from, middle, error);
		if (!status)
			status = send_range(batch, middle, to, error);
	} else if (is_about_content(status)) {
		struct batch_result result = {.status = status,
					      .text = span_of(reason.text, strlen(reason.text)),
					      .field = span_of(reason.field, strlen(reason.field))};
		status = batch->on_result(batch->arg, batch->tags[from], &result, error);
	} else {
		error_set_field(error, status, reason.field, "%s", reason.text);
	}
	buf_fini(&reply);
	return status;
}

enum lyc_status batch_flush(struct batch *batch, struct lyc_error *error)
{
	if (batch->count == 0)
		return LYC_OK;
	enum lyc_status status = send_range(batch, 0, batch->count, error);
	batch->sent_count += batch->count;
	batch->count = 0;
	buf_clear(&batch->bytes);
	return status;
}

enum lyc_status batch_add(struct batch *batch, struct span item, size_t tag,
			  struct lyc_error *error)
{
	/* Tag and length of the item itself. */
	size_t len = item.len + 12;
	if (batch->prefix.len + len > BATCH_MAX_BODY)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the item has %zu KiB; a request takes at most %zu",
				 item.len / 1024, BATCH_MAX_BODY / 1024);
	if (batch->count == BATCH_MAX_ITEMS ||
	    batch->prefix.len + batch->bytes.len + len > BATCH_MAX_BODY) {
		enum lyc_status status = batch_flush(batch, error);
		if (status)
			return status == LYC_INVALID_ARGUMENT ? LYC_INTERNAL : status;
	}
	batch->starts[batch->count] = batch->bytes.len;
	pb_write_message(&batch->bytes, batch->items->number, item);
	batch->tags[batch->count++] = tag;
	batch->starts[batch->count] = batch->bytes.len;
	if (batch->bytes.has_failed)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "there is no memory for a request");
	return LYC_OK;
}

void batch_fini(struct batch *batch)
{
	buf_fini(&batch->prefix);
	buf_fini(&batch->bytes);
}
