/* Two versions of a service: methods that both have. */
#include <string.h>

#include "base/pb.h"
#include "schema/differ.h"

/* Of ServiceDescriptorProto, MethodDescriptorProto and MethodOptions. */
enum { SERVICE_METHOD = 2, METHOD_OPTIONS = 4, OPTIONS_IDEMPOTENCY = 34 };

static uint64_t number_of(struct span bytes, uint32_t number)
{
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	uint64_t value = 0;
	while (pb_read_field(&reader, &field)) {
		if (field.number == number)
			value = field.value;
	}
	return value;
}

/* The idempotency_level of the method at that place. */
static uint64_t idempotency_of(const struct set_symbol *service, size_t index)
{
	struct pb_reader reader = pb_reader_of(service->proto);
	struct pb_field field;
	uint64_t level = 0;
	while (pb_read_field(&reader, &field)) {
		if (field.number != SERVICE_METHOD || index-- > 0)
			continue;
		struct pb_reader inner = pb_reader_of(field.bytes);
		while (pb_read_field(&inner, &field)) {
			if (field.number == METHOD_OPTIONS)
				level = number_of(field.bytes, OPTIONS_IDEMPOTENCY);
		}
		break;
	}
	return level;
}

static const char *idempotency_name(uint64_t level)
{
	static const char *const names[] = {"IDEMPOTENCY_UNKNOWN", "NO_SIDE_EFFECTS", "IDEMPOTENT"};
	return level < 3 ? names[level] : "one that is not known";
}

static const char *flow(bool is_streaming)
{
	return is_streaming ? "a stream" : "one message";
}

static void diff_methods(struct differ *differ, const struct diff_pair *pair,
			 const struct schema_method *older, const struct schema_method *newer,
			 const struct set_path *path)
{
	const struct set_file *file = pair->newer->file;
	const char *name = newer->full_name;
	if (older->is_client_streaming != newer->is_client_streaming)
		differ_report(differ, RPC_SAME_CLIENT_STREAMING, file, path,
			      "%s took %s and takes %s", name, flow(older->is_client_streaming),
			      flow(newer->is_client_streaming));
	if (older->is_server_streaming != newer->is_server_streaming)
		differ_report(differ, RPC_SAME_SERVER_STREAMING, file, path,
			      "%s answered with %s and answers with %s", name,
			      flow(older->is_server_streaming), flow(newer->is_server_streaming));
	if (strcmp(older->input->full_name, newer->input->full_name) != 0)
		differ_report(differ, RPC_SAME_REQUEST_TYPE, file, path, "%s took %s and takes %s",
			      name, older->input->full_name, newer->input->full_name);
	if (strcmp(older->output->full_name, newer->output->full_name) != 0)
		differ_report(differ, RPC_SAME_RESPONSE_TYPE, file, path,
			      "%s answered with %s and answers with %s", name,
			      older->output->full_name, newer->output->full_name);
	if (!older->appends && newer->appends)
		differ_report(differ, LYCEUM_RPC_APPENDS_NOT_ADDED, file, path,
			      "%s appended nothing and now does", name);
}

void diff_services(struct differ *differ, const struct diff_pair *pair)
{
	const struct schema_service *older =
		schema_find_service(differ->older, pair->older->full_name);
	const struct schema_service *newer =
		schema_find_service(differ->newer, pair->newer->full_name);
	for (size_t i = 0; older && newer && i < older->method_count; i++) {
		size_t k = 0;
		while (k < newer->method_count &&
		       strcmp(newer->methods[k].name, older->methods[i].name) != 0)
			k++;
		if (k == newer->method_count)
			continue;
		struct set_path path =
			set_path_down(&pair->newer->path, SERVICE_METHOD, (uint32_t)k);
		diff_methods(differ, pair, &older->methods[i], &newer->methods[k], &path);
		uint64_t was = idempotency_of(pair->older, i);
		uint64_t is = idempotency_of(pair->newer, k);
		if (was != is)
			differ_report(differ, RPC_SAME_IDEMPOTENCY_LEVEL, pair->newer->file, &path,
				      "the idempotency_level of %s was %s and is %s",
				      newer->methods[k].full_name, idempotency_name(was),
				      idempotency_name(is));
	}
}
