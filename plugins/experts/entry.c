/*
 * Merging leans on protobuf: the bytes of two messages one after the other are their merge. What
 * that leaves twice in a list is then joined, the later in the place of the earlier.
 */
#include "entry.h"

#include <ctype.h>
#include <stdarg.h>
#include <strings.h>

#include "audience.h"
#include "grow.h"
#include "name.h"
#include "near.h"
#include "orcid.h"
#include "pool.h"
#include "region.h"
#include "words.h"

typedef Lyceum__Experts__V1__Expert expert_msg;
typedef Lyceum__Experts__V1__Evidence evidence_msg;

static enum lyc_status refuse(struct lyc_error *error, enum lyc_status status, const char *field,
			      const char *format, ...) LYC_PRINTF(4, 5);

static enum lyc_status refuse(struct lyc_error *error, enum lyc_status status, const char *field,
			      const char *format, ...)
{
	va_list args;

	*error = (struct lyc_error){.status = status};
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	snprintf(error->field, sizeof(error->field), "%s", field);
	return status;
}

/* Replace a string of an unpacked message. `value` may be part of the old one. */
static void set(char **field, const char *value)
{
	char *old = *field;

	*field = value[0] ? grow_copy(value, strlen(value)) : (char *)protobuf_c_empty_string;
	if (old != protobuf_c_empty_string)
		free(old);
}

/* One space between words, none around. */
static void squeeze(char **field)
{
	char *text = grow_copy(*field, strlen(*field));
	size_t used = 0;

	for (const char *at = *field; *at; at++) {
		bool is_space = isspace((unsigned char)*at);
		if (is_space && (used == 0 || text[used - 1] == ' '))
			continue;
		text[used++] = is_space ? ' ' : *at;
	}
	while (used > 0 && text[used - 1] == ' ')
		used--;
	text[used] = '\0';
	if (strcmp(text, *field) != 0)
		set(field, text);
	free(text);
}

expert_msg *entry_copy(const expert_msg *expert)
{
	if (!expert)
		return NULL;
	size_t len = lyceum__experts__v1__expert__get_packed_size(expert);
	uint8_t *bytes = grow_new(len, 1);
	lyceum__experts__v1__expert__pack(expert, bytes);
	expert_msg *copy = grow_check(lyceum__experts__v1__expert__unpack(NULL, len, bytes));
	free(bytes);
	return copy;
}

bool entry_is_equal(const expert_msg *one, const expert_msg *two)
{
	size_t len = lyceum__experts__v1__expert__get_packed_size(one);
	bool is_equal = len == lyceum__experts__v1__expert__get_packed_size(two);

	if (!is_equal)
		return false;
	uint8_t *a = grow_new(len, 1), *b = grow_new(len, 1);
	lyceum__experts__v1__expert__pack(one, a);
	lyceum__experts__v1__expert__pack(two, b);
	is_equal = memcmp(a, b, len) == 0;
	free(a);
	free(b);
	return is_equal;
}

/* ---- Normal form ---- */

static void set_hash(char **field, char prefix, const char *text)
{
	char value[20];

	snprintf(value, sizeof(value), "%c%016llx", prefix,
		 (unsigned long long)pool_hash(text, strlen(text)));
	set(field, value);
}

static enum lyc_status normalise_name(expert_msg *expert, struct lyc_error *error)
{
	struct name name;
	Lyceum__Experts__V1__PersonName *held = expert->name;

	if (!held)
		return LYC_OK;
	name_arrange(held->display, held->family, held->given, &name);
	if (name.display[0] && name_is_placeholder(name.display))
		return refuse(error, LYC_INVALID_ARGUMENT, "name.display",
			      "\"%.100s\" is a placeholder, not a person's name", name.display);
	set(&held->display, name.display);
	set(&held->family, name.family);
	set(&held->given, name.given);
	return LYC_OK;
}

static enum lyc_status normalise_orcid(expert_msg *expert, struct lyc_error *error)
{
	char orcid[ORCID_SIZE];

	squeeze(&expert->orcid);
	if (!expert->orcid[0])
		return LYC_OK;
	switch (orcid_read(expert->orcid, orcid)) {
	case ORCID_OK:
		set(&expert->orcid, orcid);
		return LYC_OK;
	case ORCID_CHECK:
		return refuse(error, LYC_INVALID_ARGUMENT, "orcid",
			      "the ORCID iD's check digit is wrong: a digit was mistyped");
	case ORCID_SHAPE:
		break;
	}
	return refuse(error, LYC_INVALID_ARGUMENT, "orcid",
		      "an ORCID iD has 16 digits, as in 0000-0002-1825-0097");
}

static void normalise_organisation(expert_msg *expert)
{
	Lyceum__Experts__V1__Organisation *organisation = expert->organisation;
	char ror[60];

	if (!organisation)
		return;
	squeeze(&organisation->organisation_name);
	squeeze(&organisation->department);
	size_t len = strlen(organisation->ror);
	if (len >= 9) {
		snprintf(ror, sizeof(ror), "https://ror.org/%s", organisation->ror + len - 9);
		set(&organisation->ror, ror);
	}
}

/* A region elsewhere is right; one that is nearly a usual name may be mistyped. */
static void ask_region(const char *region, char *note)
{
	struct near near;
	char folded[WORD_MAX * 2];

	near_init(&near, region);
	for (size_t i = 0; region_at(i); i++) {
		words_fold(region_at(i), folded, sizeof(folded));
		near_offer(&near, region_at(i), folded, 0);
	}
	if (near.best)
		snprintf(note, ENTRY_NOTE_SIZE, "the region \"%.60s\" is new: did you mean \"%s\"?",
			 region, near.best);
}

static void normalise_region(expert_msg *expert, char *note)
{
	squeeze(&expert->region);
	const char *name = region_name(expert->region);
	if (!name) {
		ask_region(expert->region, note);
		return;
	}
	if (!name[0] && expert->region[0])
		snprintf(note, ENTRY_NOTE_SIZE, "the region \"%.60s\" is left out", expert->region);
	set(&expert->region, name);
}

static void normalise_language(char **tag)
{
	size_t part = 0, part_len = 0;

	squeeze(tag);
	char *text = grow_copy(*tag, strlen(*tag));
	for (char *at = text; *at; at++) {
		part_len = at == text || at[-1] == '-' ? strcspn(at, "-") : part_len;
		part += at > text && at[-1] == '-';
		bool is_first = at == text || at[-1] == '-';
		bool is_upper = part > 0 && (part_len == 2 || (part_len == 4 && is_first));
		*at = (char)(is_upper ? toupper((unsigned char)*at) : tolower((unsigned char)*at));
	}
	set(tag, text);
	free(text);
}

static void normalise_evidence(evidence_msg *evidence)
{
	squeeze(&evidence->ref);
	squeeze(&evidence->title);
	squeeze(&evidence->source);
	squeeze(&evidence->category);
	if (evidence->kind == LYCEUM__EXPERTS__V1__EVIDENCE__KIND__KIND_UNSPECIFIED)
		evidence->kind = evidence->source[0] || evidence->amount[0]
					 ? LYCEUM__EXPERTS__V1__EVIDENCE__KIND__GRANT
					 : LYCEUM__EXPERTS__V1__EVIDENCE__KIND__WORK;
	if (!evidence->ref[0]) {
		char key[2100];
		int len = snprintf(key, 40, "%d\n%u\n", (int)evidence->kind,
				   (unsigned)evidence->year);
		words_fold(evidence->title[0] ? evidence->title : evidence->abstract, key + len,
			   sizeof(key) - (size_t)len);
		set_hash(&evidence->ref, 'e', key);
	}
}

static void normalise_lists(expert_msg *expert)
{
	size_t kept = 0;

	for (size_t i = 0; i < expert->n_evidence; i++) {
		evidence_msg *evidence = expert->evidence[i];
		if (!evidence->title[0] && !evidence->abstract[0] && !evidence->ref[0]) {
			lyceum__experts__v1__evidence__free_unpacked(evidence, NULL);
			continue;
		}
		normalise_evidence(evidence);
		expert->evidence[kept++] = evidence;
	}
	expert->n_evidence = kept;
	kept = 0;
	for (size_t i = 0; i < expert->n_topic; i++) {
		squeeze(&expert->topic[i]->topic);
		if (expert->topic[i]->topic[0] || expert->topic[i]->code[0])
			expert->topic[kept++] = expert->topic[i];
		else
			lyceum__experts__v1__topic__free_unpacked(expert->topic[i], NULL);
	}
	expert->n_topic = kept;
	for (size_t i = 0; i < expert->n_role; i++) {
		squeeze(&expert->role[i]->post);
		squeeze(&expert->role[i]->at);
	}
	for (size_t i = 0; i < expert->n_language; i++)
		normalise_language(&expert->language[i]);
}

void entry_id_of_orcid(const char *orcid, char to[20])
{
	snprintf(to, 20, "o%016llx", (unsigned long long)pool_hash(orcid, strlen(orcid)));
}

static enum lyc_status give_id(expert_msg *expert, struct lyc_error *error)
{
	char key[2 * NAME_SIZE];
	size_t len;

	squeeze(&expert->id);
	if (expert->id[0])
		return LYC_OK;
	if (expert->orcid[0]) {
		entry_id_of_orcid(expert->orcid, key);
		set(&expert->id, key);
		return LYC_OK;
	}
	if (!expert->name || !expert->name->display[0])
		return refuse(error, LYC_INVALID_ARGUMENT, "name.display", "the name is missing");
	len = words_fold(expert->name->display, key, NAME_SIZE);
	key[len++] = '\n';
	words_fold(expert->organisation ? expert->organisation->organisation_name : "", key + len,
		   sizeof(key) - len);
	set_hash(&expert->id, 'n', key);
	return LYC_OK;
}

enum lyc_status entry_normalise(expert_msg *expert, const char *home, char note[ENTRY_NOTE_SIZE],
				struct lyc_error *error)
{
	enum lyc_status status;

	note[0] = '\0';
	if (expert->home[0] && strcmp(expert->home, home) != 0)
		return refuse(error, LYC_FAILED_PRECONDITION, "home",
			      "this expert's home is %.64s: change the record there", expert->home);
	set(&expert->home, home);
	if ((status = normalise_name(expert, error)) != LYC_OK ||
	    (status = normalise_orcid(expert, error)) != LYC_OK)
		return status;
	normalise_organisation(expert);
	normalise_region(expert, note);
	normalise_lists(expert);
	return give_id(expert, error);
}

/* ---- Merging ---- */

typedef bool (*same_fn)(const void *one, const void *two);

static bool same_text(const char *one, const char *two)
{
	char a[1000], b[1000];

	if (strcmp(one, two) == 0)
		return true;
	words_fold(one, a, sizeof(a));
	words_fold(two, b, sizeof(b));
	return a[0] && strcmp(a, b) == 0;
}

static bool same_evidence(const void *one, const void *two)
{
	return strcmp(((const evidence_msg *)one)->ref, ((const evidence_msg *)two)->ref) == 0;
}

static bool same_topic(const void *one, const void *two)
{
	const Lyceum__Experts__V1__Topic *a = one, *b = two;
	return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->code, b->code) == 0 &&
	       same_text(a->topic, b->topic);
}

static bool same_role(const void *one, const void *two)
{
	const Lyceum__Experts__V1__Role *a = one, *b = two;
	return a->from_year == b->from_year && same_text(a->post, b->post) &&
	       same_text(a->at, b->at);
}

static bool same_language(const void *one, const void *two)
{
	return strcmp(one, two) == 0;
}

/* Join what is the same. Elements from `first_new` on are the entry's. */
static size_t join(void **elements, size_t count, size_t first_new, same_fn is_same,
		   void (*drop)(void *element))
{
	size_t kept = first_new;

	for (size_t i = first_new; i < count; i++) {
		size_t at = 0;
		while (at < kept && !is_same(elements[at], elements[i]))
			at++;
		if (at < kept)
			drop(elements[at]);
		elements[at] = elements[i];
		kept += at == kept;
	}
	return kept;
}

static void drop_message(void *message)
{
	protobuf_c_message_free_unpacked(message, NULL);
}

static void drop_string(void *text)
{
	if (text != protobuf_c_empty_string)
		free(text);
}

/* The two messages' bytes, read as one. A label that the entry brings replaces the held one. */
static expert_msg *concatenate(const expert_msg *held, const expert_msg *entry)
{
	expert_msg base = *held;
	Lyceum__Experts__V1__Contact contact;

	if (entry->label)
		base.label = NULL;
	if (held->contact && entry->contact && entry->contact->label) {
		contact = *held->contact;
		contact.label = NULL;
		base.contact = &contact;
	}
	size_t first = lyceum__experts__v1__expert__get_packed_size(&base);
	size_t second = lyceum__experts__v1__expert__get_packed_size(entry);
	uint8_t *bytes = grow_new(first + second, 1);
	lyceum__experts__v1__expert__pack(&base, bytes);
	lyceum__experts__v1__expert__pack(entry, bytes + first);
	expert_msg *merged =
		grow_check(lyceum__experts__v1__expert__unpack(NULL, first + second, bytes));
	free(bytes);
	return merged;
}

static void join_lists(expert_msg *merged, const expert_msg *held)
{
	merged->n_evidence = join((void **)merged->evidence, merged->n_evidence,
				  held ? held->n_evidence : 0, same_evidence, drop_message);
	merged->n_topic = join((void **)merged->topic, merged->n_topic, held ? held->n_topic : 0,
			       same_topic, drop_message);
	merged->n_role = join((void **)merged->role, merged->n_role, held ? held->n_role : 0,
			      same_role, drop_message);
	merged->n_language = join((void **)merged->language, merged->n_language,
				  held ? held->n_language : 0, same_language, drop_string);
}

/* A name that is entered anew as a whole does not keep a half of the old one; one that differs in
 * case only is held well enough. */
static void settle_name(expert_msg *merged, const expert_msg *held, const expert_msg *entry)
{
	if (!entry->name || !entry->name->display[0])
		return;
	if (held && held->name && strcasecmp(held->name->display, entry->name->display) == 0) {
		set(&merged->name->display, held->name->display);
		set(&merged->name->family, held->name->family);
		set(&merged->name->given, held->name->given);
		return;
	}
	set(&merged->name->family, entry->name->family);
	set(&merged->name->given, entry->name->given);
}

static const Lyceum__V1__Label nobodys = LYCEUM__V1__LABEL__INIT;

/* A label of this home where there is none. */
static void give_label(Lyceum__V1__Label **label, const char *home)
{
	if (!*label) {
		*label = grow_new(1, sizeof(**label));
		lyceum__v1__label__init(*label);
	}
	set(&(*label)->home, home);
}

/* How somebody is reached stays at home unless an entry has said otherwise, once. */
static enum lyc_status settle_contact(expert_msg *merged, const expert_msg *held,
				      const expert_msg *entry, struct lyc_error *error)
{
	Lyceum__Experts__V1__Contact *contact = merged->contact;
	const Lyceum__V1__Label *label = held && held->contact ? held->contact->label : NULL;

	if (!contact)
		return LYC_OK;
	if (!contact->email[0] && !contact->phone[0] && !contact->url[0]) {
		lyceum__experts__v1__contact__free_unpacked(contact, NULL);
		merged->contact = NULL;
		return LYC_OK;
	}
	give_label(&contact->label, merged->home);
	if (label && !(entry->contact && entry->contact->label))
		return LYC_OK;
	enum lyc_status status = audience_settle(contact->label, label ? label : &nobodys, error);
	if (status != LYC_OK)
		snprintf(error->field, sizeof(error->field), "contact.label.audience");
	return status;
}

/* `merged` has the entry's label where it has one, else the held one. */
static enum lyc_status settle_label(expert_msg *merged, const expert_msg *held,
				    const expert_msg *entry, struct lyc_error *error)
{
	give_label(&merged->label, merged->home);
	if (held && !entry->label && held->label)
		return LYC_OK;
	return audience_settle(merged->label,
			       !held         ? NULL
			       : held->label ? held->label
					     : &nobodys,
			       error);
}

enum lyc_status entry_merge(const expert_msg *held, const expert_msg *entry,
			    expert_msg **ret_expert, struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	expert_msg *merged = held ? concatenate(held, entry) : entry_copy(entry);

	join_lists(merged, held);
	settle_name(merged, held, entry);
	if (!merged->name || !merged->name->display[0])
		status = refuse(error, LYC_INVALID_ARGUMENT, "name.display", "the name is missing");
	else if (merged->n_evidence > ENTRY_MAX_EVIDENCE)
		status = refuse(error, LYC_RESOURCE_EXHAUSTED, "evidence",
				"an expert has at most %d works, grants and cases",
				ENTRY_MAX_EVIDENCE);
	else if ((status = settle_label(merged, held, entry, error)) == LYC_OK)
		status = settle_contact(merged, held, entry, error);
	if (status == LYC_OK)
		*ret_expert = merged;
	else
		lyceum__experts__v1__expert__free_unpacked(merged, NULL);
	return status;
}
