/*
 * A registration: what it names is checked against its schema and against what others serve, its
 * schema becomes a record, and the offers of the session are what it says from then on.
 */
#include "node/registration.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/pb.h"
#include "log.h"
#include "node/handover.h"
#include "node/session_journal.h"
#include "schema/schema.h"
#include "stream/kept.h"
#include "wire/subject.h"

#define LOG_TOPIC "session"
/* It becomes a record together with the names of its services. */
#define MAX_SCHEMA_LEN (WIRE_MAX_BODY - 64 * 1024)

/* ---- Register ---- */

static void keep_schema(struct daemon *daemon, const struct schema *schema,
			const struct packet_register *reg)
{
	struct buf subject = {0};
	struct buf body = {0};
	char id[20];
	snprintf(id, sizeof(id), "%016llx", (unsigned long long)schema_id(schema));
	buf_add_format(&subject, "lyceum.v1.SchemaVersion.%s.%s", daemon->name, id);
	struct span name = span_of(subject.data, subject.len);
	if (daemon->env.last_of(daemon->env.world, name) == 0) {
		pb_write_text(&body, 1, daemon->name);
		pb_write_text(&body, 2, id);
		struct span set = schema_bytes(schema);
		pb_write_bytes(&body, 3, set.data, set.len);
		size_t label = pb_begin(&body, 4);
		pb_write_uint(&body, 2, 1); /* PUBLIC */
		pb_end(&body, label);
		for (size_t i = 0; i < reg->service_count; i++)
			pb_write_message(&body, 5, reg->services[i]);
		kept_append(&daemon->stream, name, span_of(body.data, body.len));
	}
	buf_fini(&subject);
	buf_fini(&body);
}

/* Two plugins of different names may not both serve one service here. */
static bool is_taken(struct daemon *daemon, struct session *session, struct span service)
{
	struct service_entry *entry = services_find(&daemon->services, service);
	const struct plugin *own = host_find(&daemon->host, session->identity);
	if (!entry)
		return false;
	list_each (node, &entry->here) {
		const struct offer *offer = list_entry(node, struct offer, of_service);
		const struct plugin *other = host_find(&daemon->host, offer->session->identity);
		if (offer->session != session &&
		    (!own || !other || strcmp(own->name, other->name) != 0))
			return true;
	}
	return false;
}

static enum lyc_status check_register(struct daemon *daemon, struct session *session,
				      const struct packet_register *reg, struct schema **ret_schema,
				      struct lyc_error *error)
{
	if (session->kind != SESSION_PLUGIN && session->grants->role != ROLE_OPERATOR)
		return error_set(error, LYC_PERMISSION_DENIED,
				 "'%s' is not a plugin of this daemon and may not serve anything",
				 session->identity);
	enum lyc_status status = LYC_OK;
	if (reg->schema.len > MAX_SCHEMA_LEN)
		status = error_set(error, LYC_INVALID_ARGUMENT,
				   "the schema has %zu bytes, and at most %d are allowed",
				   reg->schema.len, MAX_SCHEMA_LEN);
	else if (reg->schema.len > 0)
		status = schema_new(reg->schema.data, reg->schema.len, ret_schema, error);
	for (size_t i = 0; i < reg->publish_count && status == LYC_OK; i++) {
		if (!subject_pattern_is_valid(reg->publishes[i]))
			status =
				error_set(error, LYC_INVALID_ARGUMENT,
					  "publishes: the pattern %zu of %zu is not valid: tokens "
					  "joined with dots, `*` for one, a final `>` for the rest",
					  i + 1, reg->publish_count);
	}
	for (size_t i = 0; i < reg->service_count && status == LYC_OK; i++) {
		char name[WIRE_MAX_SERVICE_NAME + 1];
		if (!service_name_is_valid(reg->services[i]))
			return error_set(error, LYC_INVALID_ARGUMENT,
					 "a service's name is dotted and has at most %d bytes",
					 WIRE_MAX_SERVICE_NAME);
		snprintf(name, sizeof(name), "%.*s", (int)reg->services[i].len,
			 (const char *)reg->services[i].data);
		bool is_defined = *ret_schema ? schema_find_service(*ret_schema, name) != NULL
					      : types_defining(&daemon->types, name) != NULL;
		if (strncmp(name, "lyceum.v1.", 10) == 0)
			status = error_set(error, LYC_PERMISSION_DENIED,
					   "the package lyceum.v1 is the daemon's own");
		else if (!is_defined)
			status = error_set(error, LYC_INVALID_ARGUMENT,
					   "the schema does not define the service %s", name);
		else if (is_taken(daemon, session, reg->services[i]))
			status = error_set(error, LYC_ALREADY_EXISTS,
					   "another plugin here serves %s already", name);
	}
	return status;
}

static void answer_register(struct daemon *daemon, struct session *session, uint64_t id,
			    enum lyc_status status, const char *text)
{
	struct packet packet = {.kind = PACKET_REGISTERED};
	packet.registered = (struct packet_registered){
		.id = id, .status = (uint32_t)status, .text = span_of(text, strlen(text))};
	session_send(&daemon->sessions, session, &packet);
}

void registration_take(struct daemon *daemon, struct session *session,
		       const struct packet_register *reg)
{
	struct lyc_error error = {0};
	struct schema *schema = NULL;
	struct plugin *plugin = host_find(&daemon->host, session->identity);
	/* A plugin always brings a schema: without one it says that it takes no more calls. */
	if (plugin && reg->service_count == 0 && reg->schema.len == 0) {
		handover_let_go(daemon, plugin);
		answer_register(daemon, session, reg->id, LYC_OK, "");
		return;
	}
	if (plugin && plugin->is_retiring) {
		answer_register(daemon, session, reg->id, LYC_ABORTED,
				"another instance has taken its place");
		return;
	}
	enum lyc_status status = check_register(daemon, session, reg, &schema, &error);
	if (status == LYC_OK && schema)
		status = types_check_services(&daemon->types, schema, reg->services,
					      reg->service_count, &error);
	if (status == LYC_OK && plugin && handover_waits(daemon, plugin, reg)) {
		schema_unref(schema);
		return;
	}
	if (status == LYC_OK && schema)
		status = types_add(&daemon->types, schema, true, &error);
	if (status == LYC_OK) {
		services_withdraw(&daemon->services, session);
		session_set_publishes(session, reg->publishes, reg->publish_count);
		session->speaks_for_people = reg->speaks_for_people;
		session->schema = schema ? schema_id(schema) : 0;
		for (size_t i = 0; i < reg->service_count; i++)
			services_offer(&daemon->services, session, reg->services[i],
				       span_of(NULL, 0));
		if (schema)
			keep_schema(daemon, schema, reg);
		if (plugin)
			host_registered(&daemon->host, plugin, session);
		if (plugin && reg->speaks_for_people)
			log_notice("plugin speaks for people of this node", "plugin",
				   plugin->title);
		links_announce(&daemon->links);
	} else if (plugin) {
		host_refused(&daemon->host, plugin, error.text);
	}
	schema_unref(schema);
	if (status != LYC_OK)
		session_journal_refused(daemon, session->identity, session, JOURNAL_REGISTRATION,
					status == LYC_PERMISSION_DENIED ? RULE_RIGHT : RULE_SCHEMA,
					status, error.text);
	answer_register(daemon, session, reg->id, status, error.text);
}
