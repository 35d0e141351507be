/* Finds methods, messages, enums and services of the loaded schemas by name or by its end. */
#include "resolve.h"

#include <string.h>

#include "base/error.h"
#include "suggest.h"

enum kind { KIND_METHOD = 1, KIND_MESSAGE = 2, KIND_SERVICE = 4, KIND_ENUM = 8 };

/* One search over all names. */
struct search {
	const struct session *session;
	const char *word;
	unsigned kinds;

	const void *found;
	const char *found_name;
	const struct schema *found_schema;
	/* Another full name that ends like the word. */
	const char *other_name;
	bool is_exact;
	struct suggest suggest;
};

static bool is_end(const char *name, const char *word)
{
	size_t len = strlen(name), end = strlen(word);
	if (end >= len || strcmp(name + len - end, word) != 0)
		return false;
	return name[len - end - 1] == '.' || name[len - end - 1] == '/';
}

static void consider(struct search *search, const char *name, const void *thing,
		     const struct schema *schema)
{
	if (search->is_exact)
		return;
	suggest_offer(&search->suggest, name);
	bool is_exact = strcmp(name, search->word) == 0;
	if (!is_exact && !is_end(name, search->word))
		return;
	if (search->found && !is_exact && strcmp(search->found_name, name) != 0) {
		search->other_name = name;
		return;
	}
	search->found = thing;
	search->found_name = name;
	search->found_schema = schema;
	search->is_exact = is_exact;
}

static void consider_schema(struct search *search, const struct schema *schema)
{
	for (size_t i = 0; i < schema_service_count(schema); i++) {
		const struct schema_service *service = schema_service_at(schema, i);
		/* The version that session_find_service chooses stands for all. */
		if (session_find_service(search->session, service->full_name) != service)
			continue;
		if (search->kinds & KIND_SERVICE)
			consider(search, service->full_name, service, schema);
		for (size_t j = 0; j < service->method_count && search->kinds & KIND_METHOD; j++)
			consider(search, service->methods[j].full_name, &service->methods[j],
				 schema);
	}
	for (size_t i = 0; i < schema_message_count(schema) && search->kinds & KIND_MESSAGE; i++) {
		const struct schema_message *message = schema_message_at(schema, i);
		if (!message->is_map_entry &&
		    session_find_message(search->session, message->full_name) == message)
			consider(search, message->full_name, message, schema);
	}
	for (size_t i = 0; i < schema_enum_count(schema) && search->kinds & KIND_ENUM; i++) {
		const struct schema_enum *enumeration = schema_enum_at(schema, i);
		consider(search, enumeration->full_name, enumeration, schema);
	}
}

static const void *run(struct search *search, const char *what, struct lyc_error *error)
{
	struct buf near = {0};
	suggest_start(&search->suggest, search->word);
	for (size_t i = 0; i < search->session->schema_count; i++)
		consider_schema(search, search->session->schemas[i]);
	if (search->found && (search->is_exact || !search->other_name))
		return search->found;
	if (search->found) {
		error_set(error, LYC_INVALID_ARGUMENT, "%s may be %s or %s: say which",
			  search->word, search->found_name, search->other_name);
		return NULL;
	}
	suggest_write(&search->suggest, "", &near);
	error_set(error, LYC_NOT_FOUND, "there is no %s %s%s", what, search->word,
		  near.len ? buf_text(&near) : ": lyceum describe lists what there is");
	buf_fini(&near);
	return NULL;
}

const struct schema_method *resolve_method(const struct session *session, const char *name,
					   struct lyc_error *error)
{
	struct search search = {.session = session, .word = name, .kinds = KIND_METHOD};
	return run(&search, "method", error);
}

const struct schema_message *resolve_message(const struct session *session, const char *name,
					     struct lyc_error *error)
{
	struct search search = {.session = session, .word = name, .kinds = KIND_MESSAGE};
	return run(&search, "message type", error);
}

const struct schema *resolve_any(const struct session *session, const char *name,
				 struct buf *ret_full_name, struct lyc_error *error)
{
	struct search search = {.session = session,
				.word = name,
				.kinds = KIND_METHOD | KIND_MESSAGE | KIND_SERVICE | KIND_ENUM};
	if (!run(&search, "message, enum, service or method", error))
		return NULL;
	buf_add_text(ret_full_name, search.found_name);
	return search.found_schema;
}

static const struct schema_message *longest_type(const struct schema *schema, const char *subject)
{
	char name[512];
	size_t len = strlen(subject);
	if (len >= sizeof(name))
		return NULL;
	memcpy(name, subject, len + 1);
	for (;;) {
		const struct schema_message *message = schema_find_message(schema, name);
		if (message)
			return message;
		char *dot = strrchr(name, '.');
		if (!dot)
			return NULL;
		*dot = '\0';
	}
}

const struct schema_message *resolve_subject(const struct session *session, const char *subject,
					     uint64_t schema)
{
	const struct schema_message *best = NULL;
	for (size_t i = 0; i < session->schema_count; i++) {
		const struct schema_message *message = longest_type(session->schemas[i], subject);
		if (!message)
			continue;
		if (schema && schema_id(session->schemas[i]) == schema)
			return message;
		if (!best || strlen(message->full_name) >= strlen(best->full_name))
			best = message;
	}
	return best;
}
