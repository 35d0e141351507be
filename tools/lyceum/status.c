/* `lyceum status` and `lyceum plugins`: lyceum.v1.Node/Status for people. */
#include "commands.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "age.h"
#include "contract.h"
#include "lyceum/v1/node.pb-c.h"
#include "outcome.h"
#include "paint.h"
#include "table.h"

static enum lyc_status fetch(struct session *session, Lyceum__V1__StatusReply **ret_reply,
			     struct buf *json, struct lyc_error *error)
{
	Lyceum__V1__StatusRequest request = LYCEUM__V1__STATUS_REQUEST__INIT;
	ProtobufCMessage *reply = NULL;
	enum lyc_status status =
		contract_call(session, "lyceum.v1.Node/Status", &request.base,
			      &lyceum__v1__status_reply__descriptor, &reply, json, error);
	if (status == LYC_OK)
		*ret_reply = (Lyceum__V1__StatusReply *)reply;
	return status;
}

static void set_text(struct table *table, size_t column, const char *text)
{
	table_set(table, column, text, strlen(text));
}

static void set_number(struct table *table, size_t column, uint64_t number)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRIu64, number);
	set_text(table, column, text);
}

static void set_age(struct table *table, size_t column, uint64_t ms, bool is_ago)
{
	struct buf text = {0};
	(is_ago ? age_write_ago : age_write)(&text, ms);
	set_text(table, column, buf_text(&text));
	buf_fini(&text);
}

static void write_bytes(uint64_t bytes, struct buf *to)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	size_t unit = 0;
	double size = (double)bytes;
	for (; size >= 1024 && unit < 4; unit++)
		size /= 1024;
	buf_add_format(to, unit && size < 10 ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

static void write_section(const struct session *session, const char *title,
			  const struct table *table, struct buf *to)
{
	bool has_colour = session->output.has_colour;
	if (table->row_count < 2)
		return;
	buf_add_format(to, "\n%s%s%s\n", paint(has_colour, PAINT_BOLD), title,
		       paint(has_colour, PAINT_PLAIN));
	size_t width = session->output.width;
	struct buf text = {0};
	table_write(table, width > 20 ? width - 2 : 0, false, &text);
	for (const char *at = text.len ? buf_text(&text) : ""; *at;) {
		size_t len = strcspn(at, "\n");
		bool is_heading = at == (const char *)text.data;
		buf_add_format(to, "  %s%.*s%s\n", is_heading ? paint(has_colour, PAINT_DIM) : "",
			       (int)len, at, is_heading ? paint(has_colour, PAINT_PLAIN) : "");
		at += len + 1;
	}
	buf_fini(&text);
}

static void write_head(const struct session *session, const Lyceum__V1__StatusReply *reply,
		       struct buf *to)
{
	bool has_colour = session->output.has_colour;
	const Lyceum__V1__Storage *storage = reply->storage;
	buf_add_format(to, "%s%s%s  %s  epoch %" PRIu64 "  up ", paint(has_colour, PAINT_BOLD),
		       reply->name, paint(has_colour, PAINT_PLAIN), reply->software, reply->epoch);
	age_write(to, reply->uptime_ms);
	buf_add_byte(to, '\n');
	if (!storage)
		return;
	if (storage->last_seq < storage->first_seq || storage->last_seq == 0)
		buf_add_text(to, "log     empty");
	else
		buf_add_format(
			to, "log     records %" PRIu64 " to %" PRIu64 " of %" PRIu64 " subjects, ",
			storage->first_seq, storage->last_seq, storage->subject_count);
	if (storage->last_seq > 0) {
		write_bytes(storage->bytes, to);
		buf_add_format(to, " in %u segment%s", storage->segment_count,
			       storage->segment_count == 1 ? "" : "s");
	}
	if (storage->free_bytes > 0) {
		buf_add_text(to, ", ");
		write_bytes(storage->free_bytes, to);
		buf_add_text(to, " free");
	}
	buf_add_format(to, "  %s%s%s\n", paint(has_colour, PAINT_DIM), storage->folder,
		       paint(has_colour, PAINT_PLAIN));
	if (*storage->refusal)
		buf_add_format(to, "        it takes no records: %s\n", storage->refusal);
}

static void write_calls(const Lyceum__V1__Calls *calls, struct buf *to)
{
	if (!calls || calls->remembered == 0)
		return;
	buf_add_format(to, "calls   %" PRIu64 " idempotency key%s remembered for ",
		       calls->remembered, calls->remembered == 1 ? "" : "s");
	age_write(to, 1000 * (uint64_t)calls->remember_s);
	buf_add_text(to, ", ");
	write_bytes(calls->remembered_bytes, to);
	buf_add_byte(to, '\n');
}

static void write_uplink(const struct session *session, const Lyceum__V1__Link *link,
			 struct buf *to)
{
	bool has_colour = session->output.has_colour;
	if (!link) {
		buf_add_text(to, "uplink  none: this daemon has no hub\n");
		return;
	}
	buf_add_format(to, "uplink  %s %s%s%s for ", link->peer,
		       paint(has_colour, link->is_up ? PAINT_GREEN : PAINT_RED),
		       link->is_up ? "up" : "down", paint(has_colour, PAINT_PLAIN));
	age_write(to, link->since_ms);
	if (!link->is_up && *link->text)
		buf_add_format(to, ": %s", link->text);
	if (!link->is_up && link->retry_ms > 0) {
		buf_add_text(to, ", tries again in ");
		age_write(to, link->retry_ms);
	}
	if (link->outbox > 0)
		buf_add_format(to, ", %" PRIu64 " record%s wait%s in the outbox", link->outbox,
			       link->outbox == 1 ? "" : "s", link->outbox == 1 ? "s" : "");
	else
		buf_add_text(to, ", nothing waits");
	if (*link->endpoint)
		buf_add_format(to, "  %s%s%s", paint(has_colour, PAINT_DIM), link->endpoint,
			       paint(has_colour, PAINT_PLAIN));
	buf_add_byte(to, '\n');
}

static void write_backup(const Lyceum__V1__BackupState *backup, struct buf *to)
{
	if (!backup)
		return;
	if (backup->last_ms > 0) {
		buf_add_text(to, "backup  of ");
		age_write_moment(to, backup->last_ms);
		buf_add_format(to, " UTC  %s\n", backup->folder);
	}
	if (*backup->restored)
		buf_add_format(to,
			       "origin  %s; %" PRIu64 " lost record%s came back, %" PRIu64
			       " could not be taken\n",
			       backup->restored, backup->taken_back,
			       backup->taken_back == 1 ? "" : "s", backup->not_taken_back);
	if (backup->taken_back_cut > 0)
		buf_add_format(to,
			       "        %" PRIu64
			       " of them without parts that nobody else had: say "
			       "these again\n",
			       backup->taken_back_cut);
	if (backup->taken_back_withdrawn > 0)
		buf_add_format(to,
			       "        %" PRIu64 " of them as a withdrawal only: nobody else had "
			       "what they said\n",
			       backup->taken_back_withdrawn);
	if (backup->waits_for_hub)
		buf_add_text(to, "        it takes no records until its hub has given back what it "
				 "holds; lyceumd --alone does without\n");
}

static void write_nodes(const struct session *session, const Lyceum__V1__StatusReply *reply,
			struct buf *to)
{
	static const char *const headings[] = {"NAME", "LINK", "FOR", "OUTBOX", "NOTE"};
	struct table table;
	table_init(&table, 5);
	table_add_headings(&table, headings);
	for (size_t i = 0; i < reply->n_node; i++) {
		const Lyceum__V1__Link *link = reply->node[i];
		table_add_row(&table);
		set_text(&table, 0, link->peer);
		set_text(&table, 1, link->is_up ? "up" : "down");
		set_age(&table, 2, link->since_ms, false);
		set_number(&table, 3, link->outbox);
		set_text(&table, 4, link->text);
	}
	write_section(session, "Nodes", &table, to);
	table_fini(&table);
}

static void write_origins(const struct session *session, const Lyceum__V1__StatusReply *reply,
			  struct buf *to)
{
	static const char *const headings[] = {"ORIGIN", "RECORD", "EPOCH", "AS OF"};
	struct table table;
	table_init(&table, 4);
	table_add_headings(&table, headings);
	for (size_t i = 0; i < reply->n_origin; i++) {
		const Lyceum__V1__AsOf *origin = reply->origin[i];
		table_add_row(&table);
		set_text(&table, 0, origin->origin);
		set_number(&table, 1, origin->seq);
		set_number(&table, 2, origin->epoch);
		set_age(&table, 3, origin->age_ms, true);
	}
	write_section(session, "Held, by origin", &table, to);
	table_fini(&table);
}

static const char *state_text(Lyceum__V1__Plugin__State state, char text[24])
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
		&lyceum__v1__plugin__state__descriptor, (int)state);
	snprintf(text, 24, "%s", value ? value->name : "?");
	for (char *at = text; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return text;
}

static void fill_plugins(const Lyceum__V1__StatusReply *reply, struct table *table)
{
	static const char *const headings[] = {"PLUGIN",   "VERSION", "STATE",  "RUNS AS",
					       "RESTARTS", "FAULTS",  "BEHIND", "NOTE"};
	table_init(table, 8);
	table_add_headings(table, headings);
	for (size_t i = 0; i < reply->n_plugin; i++) {
		const Lyceum__V1__Plugin *plugin = reply->plugin[i];
		char text[40];
		table_add_row(table);
		set_text(table, 0, plugin->name);
		set_text(table, 1, plugin->version);
		set_text(table, 2, state_text(plugin->state, text));
		if (plugin->in_thread)
			snprintf(text, sizeof(text), "thread");
		else if (plugin->pid > 0)
			snprintf(text, sizeof(text), "process %" PRId64, plugin->pid);
		else
			snprintf(text, sizeof(text), "process");
		set_text(table, 3, text);
		set_number(table, 4, plugin->restarts);
		set_number(table, 5, plugin->faults);
		set_number(table, 6, plugin->behind);
		set_text(table, 7, *plugin->text ? plugin->text : plugin->last_fault);
	}
}

static void write_sessions(const struct session *session, const Lyceum__V1__StatusReply *reply,
			   struct buf *to)
{
	static const char *const headings[] = {"SESSION", "SOFTWARE", "FOR", "CALLS",
					       "SUBSCRIPTIONS"};
	struct table table;
	table_init(&table, 5);
	table_add_headings(&table, headings);
	for (size_t i = 0; i < reply->n_session; i++) {
		const Lyceum__V1__Session *peer = reply->session[i];
		table_add_row(&table);
		set_text(&table, 0, peer->identity);
		set_text(&table, 1, peer->software);
		set_age(&table, 2, peer->since_ms, false);
		set_number(&table, 3, peer->calls_outstanding);
		set_number(&table, 4, peer->subscriptions);
	}
	write_section(session, "Sessions", &table, to);
	table_fini(&table);
}

static void write_held(const struct session *session, const Lyceum__V1__StatusReply *reply,
		       struct buf *to)
{
	static const char *const headings[] = {"TYPE", "SCHEMA", "RECORDS", "NOTE"};
	struct table table;
	table_init(&table, 4);
	table_add_headings(&table, headings);
	for (size_t i = 0; i < reply->n_held; i++) {
		table_add_row(&table);
		set_text(&table, 0, reply->held[i]->type);
		set_text(&table, 1, reply->held[i]->schema);
		set_number(&table, 2, reply->held[i]->count);
		set_text(&table, 3, reply->held[i]->text);
	}
	write_section(session, "Kept back until their schema arrives", &table, to);
	table_fini(&table);
}

static void write_streams(const struct session *session, const Lyceum__V1__StatusReply *reply,
			  struct buf *to)
{
	static const char *const headings[] = {"STREAM", "RECORDS", "BYTES", "REMOVED"};
	struct table table;
	table_init(&table, 4);
	table_add_headings(&table, headings);
	for (size_t i = 0; reply->storage && i < reply->storage->n_stream; i++) {
		const Lyceum__V1__StreamState *stream = reply->storage->stream[i];
		struct buf bytes = {0};
		write_bytes(stream->bytes, &bytes);
		table_add_row(&table);
		set_text(&table, 0, stream->name);
		set_number(&table, 1, stream->records);
		set_text(&table, 2, bytes.len ? buf_text(&bytes) : "");
		set_number(&table, 3, stream->removed);
		buf_fini(&bytes);
	}
	write_section(session, "Streams", &table, to);
	table_fini(&table);
}

static void set_names(struct table *table, size_t column, char *const *names, size_t count)
{
	struct buf text = {0};
	for (size_t i = 0; i < count; i++)
		buf_add_format(&text, "%s%s", i ? ", " : "", names[i]);
	set_text(table, column, text.len ? buf_text(&text) : "");
	buf_fini(&text);
}

static void write_erasures(const struct session *session, const Lyceum__V1__StatusReply *reply,
			   struct buf *to)
{
	static const char *const headings[] = {"ERASED", "HERE", "GONE AT", "NOT YET CONFIRMED BY"};
	struct table table;
	table_init(&table, 4);
	table_add_headings(&table, headings);
	for (size_t i = 0; i < reply->n_erasure; i++) {
		const Lyceum__V1__Erasure *erasure = reply->erasure[i];
		table_add_row(&table);
		set_text(&table, 0, erasure->subject);
		set_text(&table, 1, erasure->is_done ? "gone" : "not yet");
		set_names(&table, 2, erasure->confirmed, erasure->n_confirmed);
		set_names(&table, 3, erasure->waiting, erasure->n_waiting);
	}
	write_section(session, "Erasures that are not done everywhere", &table, to);
	table_fini(&table);
}

/* What was damaged and has not come back. */
static void write_lost(const struct session *session, const Lyceum__V1__StatusReply *reply,
		       struct buf *to)
{
	static const char *const headings[] = {"RECORD", "SUBJECT", "FILE", "OFFSET", "NOTE"};
	static const char *const value_headings[] = {"MARK", "LOST"};
	struct table table;
	table_init(&table, 5);
	table_add_headings(&table, headings);
	for (size_t i = 0; i < reply->n_lost; i++) {
		const Lyceum__V1__LostRecord *lost = reply->lost[i];
		char range[48];
		snprintf(range, sizeof(range), "%" PRIu64 " to %" PRIu64, lost->first_seq,
			 lost->last_seq);
		table_add_row(&table);
		if (lost->first_seq == lost->last_seq)
			set_number(&table, 0, lost->first_seq);
		else
			set_text(&table, 0, range);
		set_text(&table, 1, *lost->subject ? lost->subject : "not known");
		set_text(&table, 2, lost->file);
		set_number(&table, 3, lost->offset);
		set_text(&table, 4, lost->text);
	}
	write_section(session, "Lost records", &table, to);
	table_fini(&table);
	table_init(&table, 2);
	table_add_headings(&table, value_headings);
	for (size_t i = 0; reply->storage && i < reply->storage->n_damaged_value; i++) {
		const Lyceum__V1__DamagedValue *value = reply->storage->damaged_value[i];
		table_add_row(&table);
		set_text(&table, 0, value->file);
		set_text(&table, 1, value->text);
	}
	write_section(session, "Damaged beside the log", &table, to);
	table_fini(&table);
}

static void write_status(const struct session *session, const Lyceum__V1__StatusReply *reply,
			 struct buf *to)
{
	struct table plugins;
	write_head(session, reply, to);
	write_calls(reply->calls, to);
	write_uplink(session, reply->uplink, to);
	write_backup(reply->backup, to);
	write_lost(session, reply, to);
	write_nodes(session, reply, to);
	write_origins(session, reply, to);
	fill_plugins(reply, &plugins);
	write_section(session, "Plugins", &plugins, to);
	table_fini(&plugins);
	write_streams(session, reply, to);
	write_erasures(session, reply, to);
	write_sessions(session, reply, to);
	write_held(session, reply, to);
}

/* Both commands: the same call, more or less of its reply. */
static int run(struct session *session, const struct command *command, int argc, char **argv,
	       bool only_plugins)
{
	struct lyc_error error = {0};
	struct buf text = {0};
	struct buf json = {0};
	Lyceum__V1__StatusReply *reply = NULL;
	int code = command_read(session, command, NULL, 0, 0, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	if (fetch(session, &reply, &json, &error) != LYC_OK) {
		code = session_fail(session, &error);
		goto out;
	}
	code = OUTCOME_OK;
	if (session->output.is_json) {
		puts(buf_text(&json));
	} else if (only_plugins) {
		struct table table;
		fill_plugins(reply, &table);
		if (table.row_count > 1)
			table_write(&table, session->output.width, session->output.has_colour,
				    &text);
		else
			fputs("This daemon has no plugins.\n", stderr);
		table_fini(&table);
	} else {
		write_status(session, reply, &text);
	}
	fwrite(text.data ? (char *)text.data : "", 1, text.len, stdout);
	lyceum__v1__status_reply__free_unpacked(reply, NULL);
out:
	buf_fini(&text);
	buf_fini(&json);
	return code;
}

int status_run(struct session *session, const struct command *command, int argc, char **argv)
{
	return run(session, command, argc, argv, false);
}

int plugins_run(struct session *session, const struct command *command, int argc, char **argv)
{
	return run(session, command, argc, argv, true);
}
