/* `lyceum services` and `lyceum metrics`: two tables of what the daemon says of itself. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "contract.h"
#include "lyceum/v1/node.pb-c.h"
#include "outcome.h"
#include "table.h"

static void set_text(struct table *table, size_t column, const char *text)
{
	table_set(table, column, text, strlen(text));
}

static void print_table(const struct session *session, struct table *table)
{
	struct buf text = {0};
	table_write(table, session->output.width, session->output.has_colour, &text);
	fwrite(text.data, 1, text.len, stdout);
	buf_fini(&text);
	table_fini(table);
}

static void join(char *const *words, size_t count, struct buf *to)
{
	for (size_t i = 0; i < count; i++)
		buf_add_format(to, "%s%s", i ? ", " : "", words[i]);
}

static void print_services(const struct session *session, const Lyceum__V1__ServicesReply *reply)
{
	static const char *const headings[] = {"SERVICE", "METHODS", "AT", "BY", "WHAT IT DOES"};
	struct table table;
	struct buf text = {0};
	table_init(&table, 5);
	table_add_headings(&table, headings);
	for (size_t i = 0; i < reply->n_service; i++) {
		const Lyceum__V1__ServiceInfo *service = reply->service[i];
		table_add_row(&table);
		set_text(&table, 0, service->name);
		buf_clear(&text);
		join(service->method, service->n_method, &text);
		table_set(&table, 1, text.data ? (char *)text.data : "", text.len);
		buf_clear(&text);
		join(service->at, service->n_at, &text);
		table_set(&table, 2, text.data ? (char *)text.data : "", text.len);
		set_text(&table, 3, service->by);
		set_text(&table, 4, service->help);
	}
	buf_fini(&text);
	print_table(session, &table);
}

static void print_metrics(const struct session *session, const Lyceum__V1__MetricsReply *reply)
{
	static const char *const headings[] = {"METRIC", "VALUE", "UNIT", "WHAT IT COUNTS"};
	struct table table;
	table_init(&table, 4);
	table_add_headings(&table, headings);
	for (size_t i = 0; i < reply->n_metric; i++) {
		const Lyceum__V1__Metric *metric = reply->metric[i];
		char value[40];
		snprintf(value, sizeof(value), "%.15g", metric->value);
		table_add_row(&table);
		set_text(&table, 0, metric->name);
		set_text(&table, 1, value);
		set_text(&table, 2, strcmp(metric->unit, "1") == 0 ? "" : metric->unit);
		set_text(&table, 3, metric->help);
	}
	print_table(session, &table);
}

typedef void (*print_fn)(const struct session *session, const ProtobufCMessage *reply);

static int run(struct session *session, const char *method, const ProtobufCMessage *request,
	       const ProtobufCMessageDescriptor *reply_type, print_fn print)
{
	struct lyc_error error = {0};
	struct buf json = {0};
	ProtobufCMessage *reply = NULL;
	int code = OUTCOME_OK;
	if (contract_call(session, method, request, reply_type, &reply, &json, &error) != LYC_OK)
		code = session_fail(session, &error);
	else if (session->output.is_json)
		puts(buf_text(&json));
	else
		print(session, reply);
	if (reply)
		protobuf_c_message_free_unpacked(reply, NULL);
	buf_fini(&json);
	return code;
}

static void print_services_reply(const struct session *session, const ProtobufCMessage *reply)
{
	print_services(session, (const Lyceum__V1__ServicesReply *)reply);
}

static void print_metrics_reply(const struct session *session, const ProtobufCMessage *reply)
{
	print_metrics(session, (const Lyceum__V1__MetricsReply *)reply);
}

int services_run(struct session *session, const struct command *command, int argc, char **argv)
{
	Lyceum__V1__ServicesRequest request = LYCEUM__V1__SERVICES_REQUEST__INIT;
	int code = command_read(session, command, NULL, 0, 0, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	return run(session, "lyceum.v1.Node/Services", &request.base,
		   &lyceum__v1__services_reply__descriptor, print_services_reply);
}

int metrics_run(struct session *session, const struct command *command, int argc, char **argv)
{
	Lyceum__V1__MetricsRequest request = LYCEUM__V1__METRICS_REQUEST__INIT;
	int code = command_read(session, command, NULL, 0, 0, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	return run(session, "lyceum.v1.Node/Metrics", &request.base,
		   &lyceum__v1__metrics_reply__descriptor, print_metrics_reply);
}
