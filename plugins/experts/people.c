/* A key is the home, a line feed, the id. */
#include "people.h"

#include <lyceum/experts/v1/experts.pb-c.h>

#include "grow.h"
#include "name.h"
#include "words.h"

typedef Lyceum__Experts__V1__Expert expert_msg;

#define NAME_KEY_SIZE 300

void people_init(struct people *people)
{
	*people = (struct people){0};
	pool_init(&people->keys);
	pool_init(&people->organisations);
	pool_init(&people->regions);
	pool_init(&people->homes);
	pool_init(&people->languages);
	pool_init(&people->labels);
}

void people_fini(struct people *people)
{
	for (uint32_t i = 0; i < people->doc_count; i++)
		free(people->holdings[i].block);
	for (uint32_t i = 0; i < people->labels.count; i++)
		lyceum__v1__label__free_unpacked(people->unpacked_labels[i], NULL);
	pool_fini(&people->keys);
	pool_fini(&people->organisations);
	pool_fini(&people->regions);
	pool_fini(&people->homes);
	pool_fini(&people->languages);
	pool_fini(&people->labels);
	free(people->facts);
	free(people->label_of);
	free(people->holdings);
	free(people->docs);
	free(people->seqs);
	free(people->unpacked_labels);
	free(people->order);
	*people = (struct people){0};
}

static char *key_text(const char *home, const char *id, size_t *ret_len)
{
	size_t home_len = strlen(home), id_len = strlen(id);
	char *key = grow_new(home_len + id_len + 2, 1);

	memcpy(key, home, home_len);
	key[home_len] = '\n';
	memcpy(key + home_len + 1, id, id_len);
	*ret_len = home_len + 1 + id_len;
	return key;
}

static uint32_t add_key(struct people *people, const char *home, const char *id)
{
	size_t len;
	char *key = key_text(home, id, &len);
	uint32_t count = people->keys.count;
	uint32_t number = pool_add(&people->keys, key, len);

	free(key);
	if (number == count) {
		people->docs = grow(people->docs, &people->docs_capacity, (size_t)number + 1,
				    sizeof(people->docs[0]));
		people->seqs = grow(people->seqs, &people->seqs_capacity, (size_t)number + 1,
				    sizeof(people->seqs[0]));
		people->docs[number] = PEOPLE_NO_DOC;
		people->seqs[number] = 0;
	}
	return number;
}

uint32_t people_find(const struct people *people, const char *home, const char *id,
		     uint64_t *ret_seq)
{
	size_t len;
	char *key = key_text(home, id, &len);
	uint32_t number = pool_find(&people->keys, key, len);

	free(key);
	if (ret_seq)
		*ret_seq = number == POOL_NONE ? 0 : people->seqs[number];
	return number == POOL_NONE ? PEOPLE_NO_DOC : people->docs[number];
}

static uint32_t add_label(struct people *people, const Lyceum__V1__Label *label)
{
	Lyceum__V1__Label private = LYCEUM__V1__LABEL__INIT;
	uint32_t count = people->labels.count;

	private.visibility = LYCEUM__V1__VISIBILITY__PRIVATE;
	if (!label)
		label = &private;
	size_t len = lyceum__v1__label__get_packed_size(label);
	uint8_t *bytes = grow_new(len, 1);
	lyceum__v1__label__pack(label, bytes);
	uint32_t number = pool_add(&people->labels, (char *)bytes, len);
	if (number == count) {
		people->unpacked_labels =
			grow(people->unpacked_labels, &people->unpacked_labels_capacity,
			     (size_t)number + 1, sizeof(people->unpacked_labels[0]));
		people->unpacked_labels[number] =
			grow_check(lyceum__v1__label__unpack(NULL, len, bytes));
	}
	free(bytes);
	return number;
}

static uint32_t add_languages(struct people *people, const expert_msg *expert)
{
	char text[512];
	size_t len = 0;

	for (size_t i = 0; i < expert->n_language; i++) {
		size_t more = strlen(expert->language[i]);
		if (len + more + 1 > sizeof(text))
			break;
		if (len > 0)
			text[len++] = ' ';
		memcpy(text + len, expert->language[i], more);
		len += more;
	}
	return pool_add(&people->languages, text, len);
}

static uint32_t add_text(struct pool *strings, const char *text)
{
	return pool_add(strings, text, strlen(text));
}

static struct facts read_facts(struct people *people, const expert_msg *expert)
{
	Lyceum__V1__Visibility visibility =
		expert->label ? expert->label->visibility : LYCEUM__V1__VISIBILITY__PRIVATE;
	uint32_t days = expert->availability ? expert->availability->answers_within_days : 0;

	return (struct facts){
		.organisation = add_text(
			&people->organisations,
			expert->organisation ? expert->organisation->organisation_name : ""),
		.region = add_text(&people->regions, expert->region),
		.home = add_text(&people->homes, expert->home),
		.languages = add_languages(people, expert),
		.answers_within_days = (uint16_t)(days > UINT16_MAX ? UINT16_MAX : days),
		.kind = (uint8_t)((unsigned)expert->kind < 64 ? expert->kind : 0),
		.is_open = visibility == LYCEUM__V1__VISIBILITY__PUBLIC ||
			   visibility == LYCEUM__V1__VISIBILITY__MEMBERS,
	};
}

/* The family name first; returns the length. */
static size_t fold_name(const char *family, const char *given, const char *display,
			char name[NAME_KEY_SIZE])
{
	size_t len = words_fold(family, name, 120);

	if (len > 0)
		name[len++] = ' ';
	return len + words_fold(family[0] ? given : display, name + len, NAME_KEY_SIZE - len);
}

/* The record and the folded name in one block. */
static char *block_of(const expert_msg *expert, const void *body, size_t body_len)
{
	char name[NAME_KEY_SIZE] = "";
	size_t len = 0;

	if (expert->name)
		len = fold_name(expert->name->family, expert->name->given, expert->name->display,
				name);
	char *block = grow_new(body_len + len + 1, 1);
	if (body_len > 0)
		memcpy(block, body, body_len);
	memcpy(block + body_len, name, len + 1);
	return block;
}

uint32_t people_put(struct people *people, const expert_msg *expert, const void *body,
		    size_t body_len, uint64_t seq)
{
	uint32_t doc = people->doc_count++;
	uint32_t key = add_key(people, expert->home, expert->id);

	people->facts = grow(people->facts, &people->facts_capacity, people->doc_count,
			     sizeof(people->facts[0]));
	people->label_of = grow(people->label_of, &people->label_of_capacity, people->doc_count,
				sizeof(people->label_of[0]));
	people->holdings = grow(people->holdings, &people->holdings_capacity, people->doc_count,
				sizeof(people->holdings[0]));
	people->facts[doc] = read_facts(people, expert);
	people->label_of[doc] = add_label(people, expert->label);
	people->holdings[doc] = (struct holding){
		.key = key,
		.lot = pool_hash(pool_at(&people->keys, key), pool_len(&people->keys, key)),
		.body_len = (uint32_t)body_len,
		.block = block_of(expert, body, body_len),
	};
	people->docs[key] = doc;
	people->seqs[key] = seq;
	people->count++;
	people->order_is_right = false;
	return doc;
}

uint32_t people_remove(struct people *people, const char *home, const char *id, uint64_t seq)
{
	uint32_t key = add_key(people, home, id);
	uint32_t doc = people->docs[key];

	people->seqs[key] = seq;
	if (doc == PEOPLE_NO_DOC)
		return PEOPLE_NO_DOC;
	people->docs[key] = PEOPLE_NO_DOC;
	people->label_of[doc] = PEOPLE_GONE;
	free(people->holdings[doc].block);
	people->holdings[doc] = (struct holding){0};
	people->count--;
	people->order_is_right = false;
	return doc;
}

void people_renumber(struct people *people, uint32_t *map)
{
	uint32_t next = 0;

	for (uint32_t doc = 0; doc < people->doc_count; doc++) {
		map[doc] = PEOPLE_NO_DOC;
		if (people_is_gone(people, doc))
			continue;
		map[doc] = next;
		people->facts[next] = people->facts[doc];
		people->label_of[next] = people->label_of[doc];
		people->holdings[next] = people->holdings[doc];
		people->docs[people->holdings[next].key] = next;
		next++;
	}
	people->doc_count = next;
	people->order_is_right = false;
}

expert_msg *people_unpack(const struct people *people, uint32_t doc)
{
	const struct holding *holding = &people->holdings[doc];
	return grow_check(lyceum__experts__v1__expert__unpack(NULL, holding->body_len,
							      (const uint8_t *)holding->block));
}

const char *people_home(const struct people *people, uint32_t doc)
{
	return pool_at(&people->homes, people->facts[doc].home);
}

const char *people_id(const struct people *people, uint32_t doc)
{
	return strchr(pool_at(&people->keys, people->holdings[doc].key), '\n') + 1;
}

size_t people_named(const struct people *people, const char *name,
		    bool (*seen)(uint32_t doc, void *arg), void *arg, uint32_t *to, size_t max)
{
	struct name arranged;
	char key[NAME_KEY_SIZE];
	size_t count = 0;

	name_arrange(name, "", "", &arranged);
	if (fold_name(arranged.family, arranged.given, arranged.display, key) == 0)
		return 0;
	for (uint32_t doc = 0; doc < people->doc_count; doc++) {
		const struct holding *holding = &people->holdings[doc];
		if (people_is_gone(people, doc) ||
		    strcmp(holding->block + holding->body_len, key) != 0 || !seen(doc, arg))
			continue;
		if (count < max)
			to[count] = doc;
		count++;
	}
	return count;
}

static int compare_names(const void *a, const void *b, void *arg)
{
	const struct people *people = arg;
	const struct holding *one = &people->holdings[*(const uint32_t *)a];
	const struct holding *two = &people->holdings[*(const uint32_t *)b];
	int order = strcmp(one->block + one->body_len, two->block + two->body_len);

	if (order != 0)
		return order;
	return strcmp(pool_at(&people->keys, one->key), pool_at(&people->keys, two->key));
}

const uint32_t *people_in_order(struct people *people)
{
	if (people->order_is_right)
		return people->order;
	people->order = grow(people->order, &people->order_capacity, people->count,
			     sizeof(people->order[0]));
	people->order_count = 0;
	for (uint32_t doc = 0; doc < people->doc_count; doc++) {
		if (!people_is_gone(people, doc))
			people->order[people->order_count++] = doc;
	}
	if (people->order_count > 0)
		qsort_r(people->order, people->order_count, sizeof(people->order[0]), compare_names,
			people);
	people->order_is_right = true;
	return people->order;
}

size_t people_memory(const struct people *people)
{
	size_t bytes = people->facts_capacity * sizeof(people->facts[0]) +
		       people->label_of_capacity * sizeof(people->label_of[0]) +
		       people->holdings_capacity * sizeof(people->holdings[0]) +
		       people->docs_capacity * sizeof(people->docs[0]) +
		       people->seqs_capacity * sizeof(people->seqs[0]) +
		       people->order_capacity * sizeof(people->order[0]) +
		       pool_memory(&people->keys) + pool_memory(&people->organisations) +
		       pool_memory(&people->labels);

	for (uint32_t doc = 0; doc < people->doc_count; doc++) {
		const struct holding *holding = &people->holdings[doc];
		if (holding->block)
			bytes += holding->body_len + strlen(holding->block + holding->body_len) + 1;
	}
	return bytes;
}
