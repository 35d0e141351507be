/* The types that this daemon knows, by full name. */
#include "route/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/ensure.h"
#include "base/error.h"
#include "base/mem.h"
#include "route/verdict.h"

#define MAX_SCHEMAS 4096
#define SERVICE_NAME_CAP 600

void types_init(struct types *types)
{
	*types = (struct types){.hash_seed = (uintptr_t)types,
				.recent = mem_new(struct types_recent)};
}

void types_fini(struct types *types)
{
	struct type_entry *type;
	struct type_entry *next_type;
	HASH_ITER (by_name, types->messages, type, next_type) {
		HASH_DELETE(by_name, types->messages, type);
		free(type->name);
		free(type->versions);
		free(type);
	}
	struct method_entry *method;
	struct method_entry *next_method;
	HASH_ITER (by_name, types->methods, method, next_method) {
		HASH_DELETE(by_name, types->methods, method);
		free(method->name);
		free(method);
	}
	for (size_t i = 0; i < types->schema_count; i++)
		schema_unref(types->schemas[i]);
	free(types->schemas);
	free(types->aside);
	free(types->recent);
	*types = (struct types){0};
}

/* Seeded, so that a peer cannot choose names that collide. */
static uint32_t hash_of(const struct types *types, struct span name)
{
	return (uint32_t)XXH3_64bits_withSeed(name.data, name.len, types->hash_seed);
}

/* Which word of hash_bits, and which bit of it. */
static size_t word_of(unsigned hash)
{
	return hash % TYPE_HASH_BITS / 64;
}

static uint64_t bit_of(unsigned hash)
{
	return (uint64_t)1 << hash % 64;
}

/* Several times for every record, with every front of its subject, of which one is a type: most are
 * told from the bits alone, without a walk through a bucket. */
static struct type_entry *find(const struct types *types, const void *name, size_t len)
{
	struct type_entry *entry = NULL;
	unsigned hash = hash_of(types, span_of(name, len));
	if (types->hash_bits[word_of(hash)] & bit_of(hash))
		HASH_FIND_BYHASHVALUE(by_name, types->messages, name, len, hash, entry);
	return entry;
}

static struct type_entry *find_message(const struct types *types,
				       const struct schema_message *message)
{
	return find(types, message->full_name, strlen(message->full_name));
}

static enum lyc_status judge_all(const struct types *types, const struct schema *schema,
				 bool is_own, struct verdict *verdict, struct lyc_error *error)
{
	for (size_t i = 0; i < schema_message_count(schema); i++) {
		const struct schema_message *message = schema_message_at(schema, i);
		const struct type_entry *entry = find_message(types, message);
		bool gives_way = entry && is_own && !entry->is_own && !verdict_is_core(entry->name);
		if (!entry || gives_way ||
		    verdict_has(verdict, entry->message->package, entry->message->schema))
			continue;
		enum compatibility is = verdict_judge(types, entry, schema, error);
		if (is == INCOMPATIBLE)
			return LYC_FAILED_PRECONDITION;
		if (!verdict_note(verdict, entry, is))
			return error_set(error, LYC_FAILED_PRECONDITION,
					 "the schema has parts of more than %d packages that are "
					 "known here",
					 VERDICT_MAX_PACKAGES);
	}
	return LYC_OK;
}

static void note_fronts(struct types *types, const char *name)
{
	for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
		unsigned hash = hash_of(types, span_of(name, (size_t)(dot - name)));
		types->front_bits[word_of(hash)] |= bit_of(hash);
	}
}

/* True is certain. */
static bool is_longest(const struct types *types, struct span name)
{
	unsigned hash = hash_of(types, name);
	return (types->front_bits[word_of(hash)] & bit_of(hash)) == 0;
}

static void add_message(struct types *types, const struct schema_message *message, bool is_own)
{
	struct type_entry *entry = find_message(types, message);
	size_t len = strlen(message->full_name);
	if (entry && (verdict_is_core(message->full_name) || (entry->is_own && !is_own)))
		return; /* the daemon's own, as it was built with them */
	if (!entry) {
		entry = mem_new(struct type_entry);
		entry->name = mem_dup(message->full_name);
		unsigned hash = hash_of(types, span_of(entry->name, len));
		HASH_ADD_KEYPTR_BYHASHVALUE(by_name, types->messages, entry->name, len, hash,
					    entry);
		types->hash_bits[word_of(hash)] |= bit_of(hash);
		note_fronts(types, entry->name);
		types->recent->entry = NULL; /* the longest name may be this one now */
	}
	entry->message = message;
	entry->is_own = is_own;
}

static void add_method(struct types *types, const struct schema_service *service,
		       const struct schema_method *method, bool is_own)
{
	struct method_entry *entry;
	size_t len = strlen(method->full_name);
	HASH_FIND(by_name, types->methods, method->full_name, len, entry);
	if (entry && (verdict_is_core(method->full_name) || (entry->is_own && !is_own)))
		return;
	if (!entry) {
		entry = mem_new(struct method_entry);
		entry->name = mem_dup(method->full_name);
		HASH_ADD_KEYPTR(by_name, types->methods, entry->name, len, entry);
	}
	entry->method = method;
	entry->service = service;
	entry->is_own = is_own;
}

static bool is_aside(const struct types *types, uint64_t id)
{
	for (size_t i = 0; i < types->aside_count; i++) {
		if (types->aside[i] == id)
			return true;
	}
	return false;
}

static void put_aside(struct types *types, uint64_t id)
{
	uint64_t *aside = realloc(types->aside, (types->aside_count + 1) * sizeof(*aside));
	if (!aside)
		return;
	types->aside = aside;
	aside[types->aside_count++] = id;
}

static void take_back(struct types *types, uint64_t id)
{
	size_t kept = 0;
	for (size_t i = 0; i < types->aside_count; i++) {
		if (types->aside[i] != id)
			types->aside[kept++] = types->aside[i];
	}
	types->aside_count = kept;
}

static enum lyc_status keep(struct types *types, struct schema *schema, struct lyc_error *error)
{
	if (types_schema(types, schema_id(schema)))
		return LYC_OK;
	if (types->schema_count == MAX_SCHEMAS)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "%d schemas are held already",
				 MAX_SCHEMAS);
	struct schema **schemas =
		realloc(types->schemas, (types->schema_count + 1) * sizeof(*schemas));
	if (!schemas)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "out of memory");
	types->schemas = schemas;
	schemas[types->schema_count++] = schema_ref(schema);
	return LYC_OK;
}

/* "lyceum.experts.v1" of "lyceum.experts.v1.Experts". */
static bool is_of_package(const char *full_name, const char *package)
{
	size_t len = strlen(package);
	return strncmp(full_name, package, len) == 0 && full_name[len] == '.' &&
	       !strchr(full_name + len + 1, '.');
}

static bool is_earlier_service(const struct verdict *verdict, const char *full_name)
{
	for (size_t i = 0; i < verdict->count; i++) {
		if (verdict->packages[i].is == OLDER &&
		    is_of_package(full_name, verdict->packages[i].name))
			return true;
	}
	return false;
}

static void add_all(struct types *types, const struct schema *schema, const struct verdict *verdict,
		    bool is_own)
{
	for (size_t i = 0; i < schema_message_count(schema); i++) {
		const struct schema_message *message = schema_message_at(schema, i);
		if (!verdict_is_earlier(verdict, message->package))
			add_message(types, message, is_own);
	}
	for (size_t i = 0; i < schema_service_count(schema); i++) {
		const struct schema_service *service = schema_service_at(schema, i);
		if (is_earlier_service(verdict, service->full_name))
			continue;
		for (size_t j = 0; j < service->method_count; j++)
			add_method(types, service, &service->methods[j], is_own);
	}
}

static bool has_label(const struct schema_message *message)
{
	return message->label || message->has_label_below;
}

static void note_version(struct types *types, struct type_entry *entry,
			 const struct schema_message *message)
{
	uint64_t id = schema_package_id(message->schema, message->package);
	bool is_labelled = has_label(message);
	for (size_t i = 0; i < entry->version_count; i++) {
		const struct schema_message *known = entry->versions[i];
		if (known == message || schema_package_id(known->schema, known->package) == id)
			return;
		is_labelled = is_labelled || has_label(known);
	}
	if (entry->version_count == TYPE_VERSIONS_MAX)
		return;
	const struct schema_message **versions =
		realloc(entry->versions, (entry->version_count + 1) * sizeof(message));
	ensure(versions != NULL);
	entry->versions = versions;
	versions[entry->version_count++] = message;
	if (entry->version_count > 1 && is_labelled)
		types->has_labelled_versions = true;
}

/* Whichever of them a plugin here brings: what any of them labels is labelled. */
static void note_versions(struct types *types, const struct schema *schema)
{
	for (size_t i = 0; i < schema_message_count(schema); i++) {
		const struct schema_message *message = schema_message_at(schema, i);
		struct type_entry *entry = find_message(types, message);
		if (entry && !verdict_is_core(entry->name))
			note_version(types, entry, message);
	}
}

const struct schema_message *const *
types_versions_of(const void *types, const struct schema_message *message, size_t *ret_count)
{
	const struct types *known = types;
	struct type_entry *entry = NULL;
	*ret_count = 0;
	if (known->has_labelled_versions)
		entry = find_message(known, message);
	if (!entry)
		return NULL;
	*ret_count = entry->version_count;
	return entry->versions;
}

static void mark_own(struct types *types, const struct schema *schema)
{
	struct type_entry *type, *next_type;
	struct method_entry *method, *next_method;
	HASH_ITER (by_name, types->messages, type, next_type)
		type->is_own = type->is_own || type->message->schema == schema;
	HASH_ITER (by_name, types->methods, method, next_method)
		method->is_own = method->is_own || method->method->input->schema == schema;
}

/* Another node had brought the same set before, or an earlier time of ours: what it defines is our
 * own from now on, and stands before what others say and before what it goes on from. Something of
 * our own that goes on from it stays. */
static void make_own(struct types *types, const struct schema *schema)
{
	struct verdict verdict = {.count = 0};
	struct lyc_error error;
	for (size_t i = 0; i < schema_message_count(schema); i++) {
		const struct schema_message *message = schema_message_at(schema, i);
		const struct type_entry *entry = find_message(types, message);
		if (!entry || !entry->is_own || verdict_is_core(entry->name) ||
		    entry->message->schema == schema ||
		    verdict_has(&verdict, entry->message->package, entry->message->schema))
			continue;
		bool goes_on = compatibility_of(entry->message->schema, schema,
						entry->message->package, &error) == COMPATIBLE;
		if (!goes_on && !verdict_note(&verdict, entry, OLDER))
			return;
	}
	add_all(types, schema, &verdict, true);
	mark_own(types, schema);
}

enum lyc_status types_add(struct types *types, struct schema *schema, bool is_own,
			  struct lyc_error *error)
{
	uint64_t id = schema_id(schema);
	const struct schema *held = types_schema(types, id);
	struct verdict verdict = {.count = 0};
	/* What was accepted once is accepted again, an earlier version, too. */
	if (held && (!is_own || !is_aside(types, id))) {
		if (is_own)
			make_own(types, held);
		return LYC_OK;
	}
	enum lyc_status status = judge_all(types, schema, is_own, &verdict, error);
	if (status == LYC_OK || !is_own) {
		enum lyc_status kept = keep(types, schema, error);
		if (kept != LYC_OK)
			return kept;
	}
	if (status != LYC_OK) {
		if (!is_own)
			put_aside(types, id);
		return status;
	}
	take_back(types, id);
	add_all(types, held ? held : schema, &verdict, is_own);
	note_versions(types, held ? held : schema);
	return LYC_OK;
}

enum lyc_status types_check_services(const struct types *types, const struct schema *schema,
				     const struct span *services, size_t count,
				     struct lyc_error *error)
{
	struct verdict verdict = {.count = 0};
	if (types_schema(types, schema_id(schema)) && !is_aside(types, schema_id(schema)))
		return LYC_OK;
	for (size_t i = 0; i < schema_message_count(schema); i++) {
		const struct schema_message *message = schema_message_at(schema, i);
		const struct type_entry *entry = find_message(types, message);
		bool is_served = false;
		for (size_t k = 0; entry && entry->is_own && k < count && !is_served; k++) {
			char name[SERVICE_NAME_CAP];
			snprintf(name, sizeof(name), "%.*s", (int)services[k].len,
				 (const char *)services[k].data);
			is_served = is_of_package(name, message->package);
		}
		if (!is_served || verdict_has(&verdict, message->package, entry->message->schema))
			continue;
		if (verdict_judge(types, entry, schema, error) != COMPATIBLE)
			return LYC_FAILED_PRECONDITION;
		verdict_note(&verdict, entry, COMPATIBLE);
	}
	return LYC_OK;
}

static bool is_recent(const struct types_recent *recent, struct span subject)
{
	size_t len = recent->is_longest ? recent->name_len : recent->subject_len;
	if (subject.len < len || memcmp(subject.data, recent->subject, len) != 0)
		return false;
	return subject.len == len || (recent->is_longest && subject.data[len] == '.');
}

/* The longest name that the subject's first tokens make. One record is asked about up to nine times
 * in a row. */
static struct type_entry *find_of_subject(const struct types *types, struct span subject,
					  size_t *ret_name_len)
{
	struct types_recent *recent = types->recent;
	if (recent->entry && is_recent(recent, subject)) {
		*ret_name_len = recent->name_len;
		return recent->entry;
	}
	struct type_entry *entry = NULL;
	size_t len = subject.len;
	for (; len > 0 && !entry; len--) {
		if (len == subject.len || subject.data[len] == '.')
			entry = find(types, subject.data, len);
	}
	if (!entry)
		return NULL;
	*ret_name_len = len + 1;
	if (subject.len <= sizeof(recent->subject)) {
		memcpy(recent->subject, subject.data, subject.len);
		recent->subject_len = subject.len;
		recent->name_len = *ret_name_len;
		recent->is_longest = is_longest(types, span_of(subject.data, *ret_name_len));
		recent->entry = entry;
	}
	return entry;
}

bool types_note_record(struct types *types, struct span subject)
{
	size_t len;
	struct type_entry *entry = find_of_subject(types, subject, &len);
	if (!entry)
		return false;
	if (!entry->has_records)
		entry->first_seq = types->seq;
	entry->has_records = true;
	return true;
}

const struct schema *types_schema(const struct types *types, uint64_t id)
{
	for (size_t i = 0; i < types->schema_count; i++) {
		if (schema_id(types->schemas[i]) == id)
			return types->schemas[i];
	}
	return NULL;
}

const struct schema_message *types_message(const struct types *types, struct span full_name)
{
	const struct type_entry *entry = find(types, full_name.data, full_name.len);
	return entry ? entry->message : NULL;
}

struct method_entry *types_method(const struct types *types, struct span full_name)
{
	struct method_entry *entry;
	HASH_FIND(by_name, types->methods, full_name.data, full_name.len, entry);
	return entry;
}

const struct schema_message *types_of_subject(const struct types *types, struct span subject,
					      size_t *ret_name_len)
{
	const struct type_entry *entry = find_of_subject(types, subject, ret_name_len);
	return entry ? entry->message : NULL;
}

const struct schema_message *types_of_record(const struct types *types, struct span subject,
					     uint64_t schema, size_t *ret_name_len)
{
	const struct schema_message *message = types_of_subject(types, subject, ret_name_len);
	if (!message || !schema || schema_id(message->schema) == schema ||
	    verdict_is_core(message->full_name))
		return message;
	const struct schema *written_with = types_schema(types, schema);
	return written_with ? schema_find_message(written_with, message->full_name) : NULL;
}

const struct schema_message *types_nearest(const struct types *types, struct span subject,
					   uint64_t schema, size_t *ret_name_len)
{
	const struct schema_message *message =
		types_of_record(types, subject, schema, ret_name_len);
	return message ? message : types_of_subject(types, subject, ret_name_len);
}

bool types_holds_schema(const struct types *types, struct span subject, uint64_t schema)
{
	size_t name_len;
	const struct schema_message *message = types_of_subject(types, subject, &name_len);
	return message && types_of_record(types, subject, schema, &name_len);
}

const struct schema *types_defining(const struct types *types, const char *full_name)
{
	const struct schema_message *message =
		types_message(types, span_of(full_name, strlen(full_name)));
	if (message)
		return message->schema;
	for (size_t i = types->schema_count; i-- > 0;) {
		const struct schema *schema = types->schemas[i];
		if (is_aside(types, schema_id(schema)))
			continue;
		if (schema_find_message(schema, full_name) || schema_find_enum(schema, full_name) ||
		    schema_find_service(schema, full_name) || schema_find_method(schema, full_name))
			return schema;
	}
	return NULL;
}
