/* `lyceum describe`: the contract of anything by name, as .proto text, or a list of all names. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "noun.h"
#include "outcome.h"
#include "paint.h"
#include "resolve.h"
#include "usage.h"

static void list_services(const struct session *session, struct buf *to)
{
	for (size_t i = 0; i < session->schema_count; i++) {
		for (size_t j = 0; j < schema_service_count(session->schemas[i]); j++) {
			const struct schema_service *service =
				schema_service_at(session->schemas[i], j);
			struct buf text = {0};
			if (session_find_service(session, service->full_name) != service)
				continue;
			noun_write_summary(service->comment, &text);
			usage_write_entry(service->full_name, text.len ? buf_text(&text) : "", 38,
					  to);
			buf_fini(&text);
		}
	}
}

static void list_types(const struct session *session, struct buf *to)
{
	for (size_t i = 0; i < session->schema_count; i++) {
		for (size_t j = 0; j < schema_message_count(session->schemas[i]); j++) {
			const struct schema_message *message =
				schema_message_at(session->schemas[i], j);
			struct buf text = {0};
			if (session_find_message(session, message->full_name) != message ||
			    message->is_map_entry ||
			    strncmp(message->full_name, "google.protobuf.", 16) == 0)
				continue;
			noun_write_summary(message->comment, &text);
			usage_write_entry(message->full_name, text.len ? buf_text(&text) : "", 38,
					  to);
			buf_fini(&text);
		}
	}
}

static void write_list(const struct session *session, struct buf *to)
{
	bool has_colour = session->output.has_colour;
	buf_add_format(to, "%sServices%s\n", paint(has_colour, PAINT_BOLD),
		       paint(has_colour, PAINT_PLAIN));
	list_services(session, to);
	buf_add_format(to, "\n%sMessages%s\n", paint(has_colour, PAINT_BOLD),
		       paint(has_colour, PAINT_PLAIN));
	list_types(session, to);
}

int describe_run(struct session *session, const struct command *command, int argc, char **argv)
{
	bool with_below = false;
	const struct option options[] = {
		{"all", OPTION_FLAG, &with_below, NULL, "also the messages and enums that it uses"},
		{0},
	};
	struct lyc_error error = {0};
	struct buf text = {0};
	struct buf name = {0};
	int code = command_read(session, command, options, 0, 1, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	enum lyc_status status = session_load(session, &error);
	if (status == LYC_OK && argc == 0) {
		write_list(session, &text);
	} else if (status == LYC_OK) {
		const struct schema *schema = resolve_any(session, argv[0], &name, &error);
		status = schema ? describe_write(schema, buf_text(&name), with_below, &text)
				: error.status;
	}
	if (status == LYC_OK)
		fwrite(text.data ? (char *)text.data : "", 1, text.len, stdout);
	code = status == LYC_OK ? OUTCOME_OK : session_fail(session, &error);
	buf_fini(&text);
	buf_fini(&name);
	return code;
}
