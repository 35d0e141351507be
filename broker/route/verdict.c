/* Packages held against each other. */
#include "route/verdict.h"

#include <string.h>

#define CORE_PACKAGE "lyceum.v1"

bool verdict_is_core(const char *full_name)
{
	return strncmp(full_name, "lyceum.v1.", 10) == 0 ||
	       strncmp(full_name, "google.protobuf.", 16) == 0;
}

static bool holds_records(const struct types *types, const char *package)
{
	struct type_entry *entry;
	struct type_entry *next;
	HASH_ITER (by_name, types->messages, entry, next) {
		if (entry->has_records && strcmp(entry->message->package, package) == 0)
			return true;
	}
	return false;
}

enum compatibility verdict_judge(const struct types *types, const struct type_entry *entry,
				 const struct schema *coming, struct lyc_error *error)
{
	const char *package = entry->message->package;
	bool is_daemons = strcmp(package, CORE_PACKAGE) == 0;
	if (!is_daemons && (verdict_is_core(entry->name) || !holds_records(types, package)))
		return COMPATIBLE;
	enum compatibility result =
		compatibility_of(entry->message->schema, coming, package, error);
	return result == OLDER && is_daemons ? COMPATIBLE : result;
}

bool verdict_has(const struct verdict *verdict, const char *package, const struct schema *known)
{
	for (size_t i = 0; i < verdict->count; i++) {
		if (verdict->packages[i].known == known &&
		    strcmp(verdict->packages[i].name, package) == 0)
			return true;
	}
	return false;
}

bool verdict_note(struct verdict *verdict, const struct type_entry *entry, enum compatibility is)
{
	if (verdict->count == VERDICT_MAX_PACKAGES)
		return false;
	verdict->packages[verdict->count].name = entry->message->package;
	verdict->packages[verdict->count].known = entry->message->schema;
	verdict->packages[verdict->count++].is = is;
	return true;
}

bool verdict_is_earlier(const struct verdict *verdict, const char *package)
{
	for (size_t i = 0; i < verdict->count; i++) {
		if (verdict->packages[i].is == OLDER &&
		    strcmp(verdict->packages[i].name, package) == 0)
			return true;
	}
	return false;
}
