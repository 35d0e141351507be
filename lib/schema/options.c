/*
 * The (lyceum.v1.*) options. protoc writes `(rules).min_len = 1, (rules).max_len = 9` as two
 * occurrences of one field, so everything here merges. A list option is counted first, then read.
 */
#include "schema/options.h"

#include <string.h>

#include "base/error.h"
#include "base/pb.h"
#include "base/utf8.h"
#include "schema/set_read.h"

enum {
	OPTION_PACKED = 2,
	OPTION_RULES = 51300,
	OPTION_KEY = 51301,
	OPTION_PERSONAL = 51302,
	OPTION_CLI = 51303,
	OPTION_HEADER = 51304,
	OPTION_COMMAND = 51310,
	OPTION_APPENDS = 51311,
	OPTION_WEB = 51312,
	OPTION_NOUN = 51320,
};

static enum lyc_status malformed(struct lyc_error *error)
{
	return error_set(error, LYC_INVALID_ARGUMENT, "the options are malformed");
}

static enum lyc_status take_text(struct span bytes, struct arena *arena, const char **ret_text,
				 struct lyc_error *error)
{
	if (!utf8_check(bytes.data, bytes.len, NULL) ||
	    (bytes.len > 0 && memchr(bytes.data, '\0', bytes.len)))
		return malformed(error);
	char *text = arena_text(arena, bytes);
	if (!text)
		return set_no_memory(error);
	*ret_text = text;
	return LYC_OK;
}

static double double_of(uint64_t bits)
{
	double value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static bool read_ranges(struct schema_rules *rules, const struct pb_field *range)
{
	struct pb_reader reader = pb_reader_of(range->bytes);
	struct pb_field field;
	if (range->number == 6)
		rules->has_int_range = true;
	else
		rules->has_float_range = true;
	while (pb_read_field(&reader, &field)) {
		if (range->number == 6 && field.number == 1)
			rules->int_min = pb_zigzag_decode(field.value);
		else if (range->number == 6 && field.number == 2)
			rules->int_max = pb_zigzag_decode(field.value);
		else if (range->number == 7 && field.number == 1)
			rules->float_min = double_of(field.value);
		else if (range->number == 7 && field.number == 2)
			rules->float_max = double_of(field.value);
	}
	return !reader.has_failed;
}

static enum lyc_status read_rules(struct span bytes, struct arena *arena,
				  struct schema_rules *rules, struct lyc_error *error)
{
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	enum lyc_status status = LYC_OK;
	while (status == LYC_OK && pb_read_field(&reader, &field)) {
		switch (field.number) {
		case 1:
			rules->is_required = field.value != 0;
			break;
		case 2:
			rules->min_len = (uint32_t)field.value;
			break;
		case 3:
			rules->max_len = (uint32_t)field.value;
			break;
		case 4:
			rules->min_items = (uint32_t)field.value;
			break;
		case 5:
			rules->max_items = (uint32_t)field.value;
			break;
		case 6:
		case 7:
			if (!read_ranges(rules, &field))
				status = malformed(error);
			break;
		case 8:
			status = take_text(field.bytes, arena, &rules->pattern_text, error);
			break;
		default:
			break;
		}
	}
	if (rules->pattern_text && rules->pattern_text[0] == '\0')
		rules->pattern_text = NULL;
	return status == LYC_OK && reader.has_failed ? malformed(error) : status;
}

static enum lyc_status read_cli(struct span bytes, struct arena *arena,
				struct field_options *options, struct lyc_error *error)
{
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	enum lyc_status status = LYC_OK;
	while (status == LYC_OK && pb_read_field(&reader, &field)) {
		if (field.number == 1)
			options->cli_positional = (uint32_t)field.value;
		else if (field.number == 2 && field.bytes.len > 0)
			status = take_text(field.bytes, arena, &options->cli_flag, error);
	}
	return status == LYC_OK && reader.has_failed ? malformed(error) : status;
}

/* A list of texts that grows by one; there is room for `cap`. */
struct text_list {
	const char **texts;
	size_t count;
	size_t cap;
};

static enum lyc_status text_list_add(struct text_list *list, struct span bytes, struct arena *arena,
				     struct lyc_error *error)
{
	if (list->count == list->cap) {
		size_t cap = list->cap > 0 ? list->cap * 2 : 8;
		const char **texts = arena_get_many(arena, cap, sizeof(texts[0]));
		if (!texts)
			return set_no_memory(error);
		if (list->count > 0)
			memcpy(texts, list->texts, list->count * sizeof(texts[0]));
		list->texts = texts;
		list->cap = cap;
	}
	enum lyc_status status = take_text(bytes, arena, &list->texts[list->count], error);
	if (status == LYC_OK)
		list->count++;
	return status;
}

enum lyc_status field_options_read(struct span bytes, struct arena *arena,
				   struct field_options *ret_options, struct lyc_error *error)
{
	struct field_options options = {0};
	struct text_list headers = {0};
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	enum lyc_status status = LYC_OK;
	while (status == LYC_OK && pb_read_field(&reader, &field)) {
		switch (field.number) {
		case OPTION_PACKED:
			options.has_packed = true;
			options.is_packed = field.value != 0;
			break;
		case OPTION_RULES:
			options.has_rules = true;
			status = read_rules(field.bytes, arena, &options.rules, error);
			break;
		case OPTION_KEY:
			options.key = (uint32_t)field.value;
			break;
		case OPTION_PERSONAL:
			options.is_personal = field.value != 0;
			break;
		case OPTION_CLI:
			status = read_cli(field.bytes, arena, &options, error);
			break;
		case OPTION_HEADER:
			status = text_list_add(&headers, field.bytes, arena, error);
			break;
		default:
			break;
		}
	}
	if (status != LYC_OK)
		return status;
	if (reader.has_failed)
		return malformed(error);
	options.headers = headers.texts;
	options.header_count = headers.count;
	*ret_options = options;
	return LYC_OK;
}

static enum lyc_status read_command(struct span bytes, struct arena *arena,
				    struct schema_command *command, struct text_list lists[3],
				    struct lyc_error *error)
{
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	enum lyc_status status = LYC_OK;
	while (status == LYC_OK && pb_read_field(&reader, &field)) {
		switch (field.number) {
		case 1:
			status = take_text(field.bytes, arena, &command->verb, error);
			break;
		case 2:
			status = take_text(field.bytes, arena, &command->rows, error);
			break;
		case 3:
			status = text_list_add(&lists[0], field.bytes, arena, error);
			break;
		case 4:
			status = take_text(field.bytes, arena, &command->detail, error);
			break;
		case 5:
			status = text_list_add(&lists[1], field.bytes, arena, error);
			break;
		case 6:
			status = take_text(field.bytes, arena, &command->import_items, error);
			break;
		case 7:
			status = take_text(field.bytes, arena, &command->headline, error);
			break;
		case 8:
			status = text_list_add(&lists[2], field.bytes, arena, error);
			break;
		case 9:
			command->is_bare = field.value != 0;
			break;
		default:
			break;
		}
	}
	return status == LYC_OK && reader.has_failed ? malformed(error) : status;
}

static enum lyc_status read_web(struct span bytes, struct arena *arena, struct schema_web *web,
				struct lyc_error *error)
{
	const char **const texts[] = {&web->get, &web->post, &web->body, &web->content_type};
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	enum lyc_status status = LYC_OK;
	while (status == LYC_OK && pb_read_field(&reader, &field)) {
		if (field.number >= 1 && field.number <= 4)
			status = take_text(field.bytes, arena, texts[field.number - 1], error);
		else if (field.number == 5)
			web->is_open = field.value != 0;
	}
	return status == LYC_OK && reader.has_failed ? malformed(error) : status;
}

enum lyc_status method_options_read(struct span bytes, struct arena *arena,
				    struct schema_method *method, struct lyc_error *error)
{
	struct schema_command command = {
		.verb = "", .rows = "", .detail = "", .import_items = "", .headline = ""};
	struct schema_web web = {.get = "", .post = "", .body = "", .content_type = ""};
	struct text_list lists[3] = {{0}};
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	enum lyc_status status = LYC_OK;
	while (status == LYC_OK && pb_read_field(&reader, &field)) {
		if (field.number == OPTION_COMMAND)
			status = read_command(field.bytes, arena, &command, lists, error);
		else if (field.number == OPTION_APPENDS)
			method->appends = field.value != 0;
		else if (field.number == OPTION_WEB)
			status = read_web(field.bytes, arena, &web, error);
	}
	if (status != LYC_OK)
		return status;
	if (reader.has_failed)
		return malformed(error);
	command.columns = lists[0].texts;
	command.column_count = lists[0].count;
	command.detail_columns = lists[1].texts;
	command.detail_column_count = lists[1].count;
	command.notes = lists[2].texts;
	command.note_count = lists[2].count;
	method->command = command;
	method->web = web;
	return LYC_OK;
}

enum lyc_status service_options_read(struct span bytes, struct arena *arena, const char **ret_noun,
				     struct lyc_error *error)
{
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	enum lyc_status status = LYC_OK;
	*ret_noun = NULL;
	while (status == LYC_OK && pb_read_field(&reader, &field)) {
		if (field.number == OPTION_NOUN)
			status = take_text(field.bytes, arena, ret_noun, error);
	}
	return status == LYC_OK && reader.has_failed ? malformed(error) : status;
}
