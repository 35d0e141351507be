/* Enums, services and methods. */
#include <stdlib.h>
#include <string.h>

#include "base/pb.h"
#include "schema/compile.h"

/* ---- enums ---- */

static int compare_numbers(const void *a, const void *b)
{
	int32_t one = *(const int32_t *)a;
	int32_t two = *(const int32_t *)b;
	return (one > two) - (one < two);
}

static size_t count_of(struct span proto, uint32_t number, bool *ret_has_failed)
{
	size_t count = 0;
	struct pb_reader reader = pb_reader_of(proto);
	struct pb_field field;
	while (pb_read_field(&reader, &field))
		count += field.number == number;
	*ret_has_failed = reader.has_failed;
	return count;
}

static enum lyc_status read_value(struct compiling *compiling, const struct set_symbol *symbol,
				  struct span proto, struct schema_enum_value *value)
{
	struct span name = {0};
	struct pb_reader reader = pb_reader_of(proto);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1)
			name = field.bytes;
		else if (field.number == 2)
			value->number = (int32_t)field.value;
	}
	if (reader.has_failed || !set_is_identifier(name))
		return compile_fault(compiling, symbol, "a value has no proper name");
	value->name = arena_text(compiling->arena, name);
	return value->name ? LYC_OK : set_no_memory(compiling->error);
}

static int compare_value_names(const void *a, const void *b)
{
	const struct schema_enum_value *const *one = a;
	const struct schema_enum_value *const *two = b;
	return strcmp((*one)->name, (*two)->name);
}

static enum lyc_status check_value_names(struct compiling *compiling,
					 const struct set_symbol *symbol,
					 const struct schema_enum_value *values, size_t count)
{
	const struct schema_enum_value **names =
		arena_get_many(compiling->scratch, count, sizeof(names[0]));
	if (!names)
		return set_no_memory(compiling->error);
	for (size_t i = 0; i < count; i++)
		names[i] = &values[i];
	qsort(names, count, sizeof(names[0]), compare_value_names);
	for (size_t i = 1; i < count; i++) {
		if (compare_value_names(&names[i - 1], &names[i]) == 0)
			return compile_fault(compiling, symbol, "two values are called %.80s",
					     names[i]->name);
	}
	return LYC_OK;
}

enum lyc_status compile_enum(struct compiling *compiling, const struct set_symbol *symbol)
{
	struct schema_enum *to = &compiling->schema->enums[symbol->index];
	bool has_failed;
	size_t count = count_of(symbol->proto, 2, &has_failed);
	if (has_failed || count == 0)
		return compile_fault(compiling, symbol, "is malformed or has no values");
	struct schema_enum_value *values =
		arena_get_many(compiling->arena, count, sizeof(values[0]));
	int32_t *numbers = arena_get_many(compiling->arena, count, sizeof(numbers[0]));
	if (!values || !numbers)
		return set_no_memory(compiling->error);
	struct pb_reader reader = pb_reader_of(symbol->proto);
	struct pb_field field;
	for (size_t i = 0; pb_read_field(&reader, &field);) {
		if (field.number != 2)
			continue;
		enum lyc_status status = read_value(compiling, symbol, field.bytes, &values[i]);
		if (status != LYC_OK)
			return status;
		numbers[i] = values[i].number;
		i++;
	}
	if (!symbol->file->is_proto2 && values[0].number != 0)
		return compile_fault(compiling, symbol, "the first value of the enum is not 0");
	qsort(numbers, count, sizeof(numbers[0]), compare_numbers);
	to->full_name = symbol->full_name;
	to->values = values;
	to->value_count = count;
	to->numbers = numbers;
	to->is_closed = symbol->file->is_proto2;
	return check_value_names(compiling, symbol, values, count);
}

/* ---- services ---- */

struct raw_method {
	struct span name;
	struct span input;
	struct span output;
	struct span options;
	bool is_client_streaming;
	bool is_server_streaming;
	bool has_failed;
};

static struct raw_method raw_method_read(struct span proto)
{
	struct raw_method raw = {0};
	struct pb_reader reader = pb_reader_of(proto);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		switch (field.number) {
		case 1:
			raw.name = field.bytes;
			break;
		case 2:
			raw.input = field.bytes;
			break;
		case 3:
			raw.output = field.bytes;
			break;
		case 4:
			raw.options = field.bytes;
			break;
		case 5:
			raw.is_client_streaming = field.value != 0;
			break;
		case 6:
			raw.is_server_streaming = field.value != 0;
			break;
		default:
			break;
		}
	}
	raw.has_failed = reader.has_failed;
	return raw;
}

static const struct schema_message *resolve(struct compiling *compiling, struct span name)
{
	if (name.len < 2 || name.data[0] != '.' || memchr(name.data, '\0', name.len))
		return NULL;
	const struct set_symbol *found =
		set_find(&compiling->set, (const char *)name.data + 1, name.len - 1);
	if (!found || found->kind != SET_MESSAGE)
		return NULL;
	return &compiling->schema->messages[found->index];
}

static const char *full_method_name(struct arena *arena, const char *service, const char *method)
{
	size_t service_len = strlen(service);
	size_t method_len = strlen(method);
	char *text = arena_get(arena, service_len + 1 + method_len + 1);
	if (!text)
		return NULL;
	memcpy(text, service, service_len);
	text[service_len] = '/';
	memcpy(text + service_len + 1, method, method_len);
	return text;
}

static enum lyc_status read_method(struct compiling *compiling, const struct set_symbol *symbol,
				   struct span proto, uint32_t index, struct schema_method *method)
{
	struct raw_method raw = raw_method_read(proto);
	if (raw.has_failed || !set_is_identifier(raw.name))
		return compile_fault(compiling, symbol, "a method has no proper name");
	method->name = arena_text(compiling->arena, raw.name);
	if (!method->name)
		return set_no_memory(compiling->error);
	method->full_name = full_method_name(compiling->arena, symbol->full_name, method->name);
	struct set_path path = set_path_down(&symbol->path, 2, index);
	method->comment = set_comment(symbol->file, &path, compiling->arena);
	if (!method->full_name || !method->comment)
		return set_no_memory(compiling->error);
	method->input = resolve(compiling, raw.input);
	method->output = resolve(compiling, raw.output);
	if (!method->input || !method->output)
		return compile_fault(compiling, symbol, "the %s of method %.80s is not in the set",
				     method->input ? "reply" : "request", method->name);
	method->is_client_streaming = raw.is_client_streaming;
	method->is_server_streaming = raw.is_server_streaming;
	struct lyc_error reason = {0};
	enum lyc_status status =
		method_options_read(raw.options, compiling->arena, method, &reason);
	if (status == LYC_INVALID_ARGUMENT)
		return compile_fault(compiling, symbol, "method %.80s: %.80s", method->name,
				     reason.text);
	return status == LYC_OK ? LYC_OK : set_no_memory(compiling->error);
}

static int compare_methods(const void *a, const void *b)
{
	const struct schema_method *const *one = a;
	const struct schema_method *const *two = b;
	return strcmp((*one)->name, (*two)->name);
}

static enum lyc_status check_method_names(struct compiling *compiling,
					  const struct set_symbol *symbol,
					  const struct schema_service *service)
{
	size_t count = service->method_count;
	const struct schema_method **names =
		arena_get_many(compiling->scratch, count, sizeof(names[0]));
	if (!names)
		return set_no_memory(compiling->error);
	for (size_t i = 0; i < count; i++)
		names[i] = &service->methods[i];
	if (count > 0)
		qsort(names, count, sizeof(names[0]), compare_methods);
	for (size_t i = 1; i < count; i++) {
		if (compare_methods(&names[i - 1], &names[i]) == 0)
			return compile_fault(compiling, symbol, "two methods are called %.80s",
					     names[i]->name);
	}
	return LYC_OK;
}

/* The last part of the package that is not a version: "experts" of "lyceum.experts.v1". */
static const char *make_package_word(struct arena *arena, const char *package)
{
	size_t end = strlen(package);
	for (;;) {
		size_t from = end;
		while (from > 0 && package[from - 1] != '.')
			from--;
		bool is_version = end - from > 1 && package[from] == 'v' &&
				  package[from + 1] >= '0' && package[from + 1] <= '9';
		if (!is_version || from == 0)
			return arena_text(arena, span_of(package + from, end - from));
		end = from - 1;
	}
}

enum lyc_status compile_service(struct compiling *compiling, const struct set_symbol *symbol)
{
	struct schema_service *service = &compiling->schema->services[symbol->index];
	bool has_failed;
	size_t count = count_of(symbol->proto, 2, &has_failed);
	if (has_failed)
		return compile_fault(compiling, symbol, "is malformed");
	struct schema_method *methods = arena_get_many(compiling->arena, count, sizeof(methods[0]));
	service->full_name = symbol->full_name;
	service->comment = set_comment(symbol->file, &symbol->path, compiling->arena);
	if (!methods || !service->comment)
		return set_no_memory(compiling->error);
	struct pb_reader reader = pb_reader_of(symbol->proto);
	struct pb_field field;
	uint32_t index = 0;
	enum lyc_status status;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 3) {
			struct lyc_error reason = {0};
			status = service_options_read(field.bytes, compiling->arena, &service->noun,
						      &reason);
			if (status != LYC_OK)
				return compile_fault(compiling, symbol, "%.80s", reason.text);
		}
		if (field.number != 2)
			continue;
		status = read_method(compiling, symbol, field.bytes, index, &methods[index]);
		if (status != LYC_OK)
			return status;
		index++;
	}
	service->package_word = make_package_word(compiling->arena, symbol->file->package);
	if (!service->package_word)
		return set_no_memory(compiling->error);
	if (!service->noun)
		service->noun = service->package_word;
	service->methods = methods;
	service->method_count = count;
	return check_method_names(compiling, symbol, service);
}
