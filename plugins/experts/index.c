/*
 * Postings are one varint each: the distance to the document before, times 16, plus the coarse
 * weight. Items are varints, too: field and kind, ordinal, terms in the title, 8 bytes of
 * signature, bytes of terms, then per term the distance to the one before, times 16, plus the
 * strength.
 */
#include "index.h"

#include "grow.h"
#include "words.h"

struct postings {
	uint8_t *bytes;
	uint32_t len;
	uint32_t capacity;
	uint32_t last_doc;
	/* Open documents that have the term. */
	uint32_t open_count;
};

struct document {
	uint8_t *bytes;
	uint32_t len;
	bool is_open;
};

/* A term of the document at hand. */
struct seen {
	uint32_t term;
	uint8_t strength;
};

struct index {
	struct lexicon lexicon;
	struct postings *postings;
	size_t postings_capacity;
	struct document *documents;
	size_t documents_capacity;
	uint32_t document_count;
	uint32_t open_count;

	/* For index_put: terms of the item, terms of the document, its bytes. */
	struct seen *item_terms;
	size_t item_terms_capacity;
	size_t item_term_count;
	struct seen *doc_terms;
	size_t doc_terms_capacity;
	size_t doc_term_count;
	uint8_t *bytes;
	size_t bytes_capacity;
	size_t bytes_len;
};

struct index *index_new(void)
{
	struct index *index = grow_new(1, sizeof(*index));
	lexicon_init(&index->lexicon);
	return index;
}

void index_free(struct index *index)
{
	if (!index)
		return;
	for (uint32_t i = 0; i < index->lexicon.terms.count && i < index->postings_capacity; i++)
		free(index->postings[i].bytes);
	for (uint32_t i = 0; i < index->document_count; i++)
		free(index->documents[i].bytes);
	lexicon_fini(&index->lexicon);
	free(index->postings);
	free(index->documents);
	free(index->item_terms);
	free(index->doc_terms);
	free(index->bytes);
	free(index);
}

struct lexicon *index_lexicon(struct index *index)
{
	return &index->lexicon;
}

uint32_t index_open_count(const struct index *index)
{
	return index->open_count;
}

static uint8_t *put_varint(uint8_t *to, uint64_t value)
{
	while (value >= 0x80) {
		*to++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*to++ = (uint8_t)value;
	return to;
}

static inline uint64_t get_varint(const uint8_t **at)
{
	const uint8_t *byte = *at;
	uint64_t value = *byte & 0x7f;
	unsigned shift = 7;

	while (*byte++ & 0x80) {
		value |= (uint64_t)(*byte & 0x7f) << shift;
		shift += 7;
	}
	*at = byte;
	return value;
}

static size_t varint_len(uint64_t value)
{
	size_t len = 1;

	while (value >= 0x80) {
		value >>= 7;
		len++;
	}
	return len;
}

static void append(struct index *index, uint64_t value)
{
	index->bytes = grow(index->bytes, &index->bytes_capacity, index->bytes_len + 10, 1);
	index->bytes_len =
		(size_t)(put_varint(index->bytes + index->bytes_len, value) - index->bytes);
}

/* ---- Building ---- */

static void see(struct index *index, uint32_t term, uint8_t strength)
{
	index->item_terms = grow(index->item_terms, &index->item_terms_capacity,
				 index->item_term_count + 1, sizeof(struct seen));
	index->item_terms[index->item_term_count++] =
		(struct seen){.term = term, .strength = strength};
}

static void see_text(struct index *index, enum index_field field, bool is_open, const char *text,
		     uint8_t strength)
{
	struct words words;

	if (!text)
		return;
	words_init(&words, text, strlen(text));
	while (words_next(&words)) {
		if (field == INDEX_NAME)
			see(index,
			    lexicon_add_name(&index->lexicon, words.folded, words.folded_len),
			    strength);
		else if (words.folded_len > 1 && !words_is_stop(words.folded))
			see(index,
			    lexicon_add_stem(&index->lexicon, words.folded, words.folded_len,
					     is_open),
			    strength);
	}
}

static int compare_seen(const void *a, const void *b)
{
	const struct seen *one = a, *two = b;

	if (one->term != two->term)
		return one->term < two->term ? -1 : 1;
	return (one->strength < two->strength) - (one->strength > two->strength);
}

/* Sort, and keep each term once with its best strength. */
static size_t sort_seen(struct seen *terms, size_t count)
{
	size_t kept = 0;

	if (count == 0)
		return 0;
	qsort(terms, count, sizeof(terms[0]), compare_seen);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || terms[kept - 1].term != terms[i].term)
			terms[kept++] = terms[i];
	}
	return kept;
}

static void put_item(struct index *index, bool is_open, const struct index_item *item)
{
	uint32_t term = 0;
	uint64_t signature = 0;
	size_t terms_len = 0, title_len = 0;

	index->item_term_count = 0;
	see_text(index, item->field, is_open, item->title, INDEX_STRENGTH_TITLE);
	see_text(index, item->field, is_open, item->body, INDEX_STRENGTH_BODY);
	index->item_term_count = sort_seen(index->item_terms, index->item_term_count);

	for (size_t i = 0; i < index->item_term_count; i++) {
		const struct seen *seen = &index->item_terms[i];
		signature |= index_signature(seen->term);
		terms_len += varint_len((uint64_t)(seen->term - term) << 4);
		title_len += seen->strength == INDEX_STRENGTH_TITLE;
		term = seen->term;
	}
	append(index, (uint64_t)item->kind << 3 | (uint64_t)item->field);
	append(index, item->ordinal);
	append(index, title_len);
	index->bytes = grow(index->bytes, &index->bytes_capacity, index->bytes_len + 8, 1);
	memcpy(index->bytes + index->bytes_len, &signature, 8);
	index->bytes_len += 8;
	append(index, terms_len);
	term = 0;
	index->doc_terms =
		grow(index->doc_terms, &index->doc_terms_capacity,
		     index->doc_term_count + index->item_term_count, sizeof(struct seen));
	for (size_t i = 0; i < index->item_term_count; i++) {
		const struct seen *seen = &index->item_terms[i];
		append(index, (uint64_t)(seen->term - term) << 4 | seen->strength);
		term = seen->term;
		index->doc_terms[index->doc_term_count++] = *seen;
	}
}

static void post(struct postings *postings, uint32_t doc, unsigned weight)
{
	if (postings->capacity < postings->len + 10) {
		uint32_t capacity = postings->capacity ? postings->capacity * 2 : 16;
		postings->bytes = grow_check(realloc(postings->bytes, capacity));
		postings->capacity = capacity;
	}
	uint8_t *end = put_varint(postings->bytes + postings->len,
				  (uint64_t)(doc - postings->last_doc) << 4 | weight);
	postings->len = (uint32_t)(end - postings->bytes);
	postings->last_doc = doc;
}

/* The best strength, and up to 5 for how many items say it. */
static unsigned coarse_weight(unsigned strength, unsigned item_count)
{
	unsigned more = 0;
	while (item_count > 1 && more < 5) {
		item_count /= 2;
		more++;
	}
	return strength + more;
}

static void post_all(struct index *index, uint32_t doc, bool is_open)
{
	struct seen *terms = index->doc_terms;
	size_t count = index->doc_term_count;

	index->postings = grow(index->postings, &index->postings_capacity,
			       index->lexicon.terms.count, sizeof(struct postings));
	if (count > 0)
		qsort(terms, count, sizeof(terms[0]), compare_seen);
	for (size_t i = 0, next; i < count; i = next) {
		next = i + 1;
		while (next < count && terms[next].term == terms[i].term)
			next++;
		struct postings *postings = &index->postings[terms[i].term];
		post(postings, doc, coarse_weight(terms[i].strength, (unsigned)(next - i)));
		postings->open_count += is_open;
	}
}

void index_put(struct index *index, uint32_t doc, bool is_open, const struct index_item *items,
	       size_t item_count)
{
	index->bytes_len = 0;
	index->doc_term_count = 0;
	for (size_t i = 0; i < item_count; i++)
		put_item(index, is_open, &items[i]);
	post_all(index, doc, is_open);

	index->documents = grow(index->documents, &index->documents_capacity, (size_t)doc + 1,
				sizeof(struct document));
	index->document_count = doc + 1;
	index->documents[doc] = (struct document){
		.bytes = (uint8_t *)grow_copy((char *)index->bytes, index->bytes_len),
		.len = (uint32_t)index->bytes_len,
		.is_open = is_open,
	};
	index->open_count += is_open;
}

void index_remove(struct index *index, uint32_t doc)
{
	struct document *document = &index->documents[doc];
	struct index_reader reader = index_read(index, doc);

	index->doc_term_count = 0;
	while (index_read_item(&reader)) {
		while (index_read_term(&reader)) {
			index->doc_terms = grow(index->doc_terms, &index->doc_terms_capacity,
						index->doc_term_count + 1, sizeof(struct seen));
			index->doc_terms[index->doc_term_count++] =
				(struct seen){.term = reader.term};
		}
	}
	if (document->is_open) {
		size_t count = sort_seen(index->doc_terms, index->doc_term_count);
		for (size_t i = 0; i < count; i++)
			index->postings[index->doc_terms[i].term].open_count--;
		index->open_count--;
	}
	free(document->bytes);
	*document = (struct document){0};
}

static void renumber_postings(struct postings *postings, const uint32_t *map)
{
	struct postings next = {.open_count = postings->open_count};
	const uint8_t *at = postings->bytes, *end = postings->bytes + postings->len;
	uint32_t doc = 0;

	while (at < end) {
		uint64_t value = get_varint(&at);
		doc += (uint32_t)(value >> 4);
		if (map[doc] != INDEX_NO_DOC)
			post(&next, map[doc], (unsigned)value & 15);
	}
	free(postings->bytes);
	*postings = next;
}

void index_renumber(struct index *index, const uint32_t *map, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < index->lexicon.terms.count; i++) {
		if (index->postings[i].len > 0)
			renumber_postings(&index->postings[i], map);
	}
	for (uint32_t doc = 0; doc < count && doc < index->document_count; doc++) {
		if (map[doc] == INDEX_NO_DOC)
			continue;
		kept = map[doc] + 1;
		if (map[doc] == doc)
			continue;
		index->documents[map[doc]] = index->documents[doc];
		index->documents[doc] = (struct document){0};
	}
	index->document_count = kept;
}

/* ---- Reading ---- */

uint32_t index_frequency(const struct index *index, uint32_t term)
{
	return term < index->postings_capacity ? index->postings[term].open_count : 0;
}

void index_add_up(const struct index *index, uint32_t term, uint32_t weight, uint32_t *sums)
{
	if (term >= index->postings_capacity)
		return;
	const struct postings *postings = &index->postings[term];
	const uint8_t *at = postings->bytes, *end = postings->bytes + postings->len;
	uint32_t doc = 0;

	while (at < end) {
		uint64_t value = get_varint(&at);
		doc += (uint32_t)(value >> 4);
		sums[doc] += weight * ((uint32_t)value & 15);
	}
}

void index_each(const struct index *index, uint32_t term, index_doc_fn fn, void *arg)
{
	if (term >= index->postings_capacity)
		return;
	const struct postings *postings = &index->postings[term];
	const uint8_t *at = postings->bytes, *end = postings->bytes + postings->len;
	uint32_t doc = 0;

	while (at < end) {
		doc += (uint32_t)(get_varint(&at) >> 4);
		fn(doc, arg);
	}
}

struct index_reader index_read(const struct index *index, uint32_t doc)
{
	const struct document *document = &index->documents[doc];
	return (struct index_reader){.at = document->bytes,
				     .end = document->bytes + document->len,
				     .item_end = document->bytes};
}

bool index_read_item(struct index_reader *reader)
{
	reader->at = reader->item_end;
	if (reader->at == reader->end)
		return false;
	uint64_t head = get_varint(&reader->at);
	reader->field = (enum index_field)(head & 7);
	reader->kind = (uint8_t)(head >> 3);
	reader->ordinal = (uint32_t)get_varint(&reader->at);
	reader->title_len = (uint32_t)get_varint(&reader->at);
	memcpy(&reader->signature, reader->at, 8);
	reader->at += 8;
	size_t terms_len = (size_t)get_varint(&reader->at);
	reader->item_end = reader->at + terms_len;
	reader->term = 0;
	return true;
}

bool index_read_term(struct index_reader *reader)
{
	if (reader->at == reader->item_end)
		return false;
	uint64_t value = get_varint(&reader->at);
	reader->term += (uint32_t)(value >> 4);
	reader->strength = (uint8_t)(value & 15);
	return true;
}

size_t index_memory(const struct index *index)
{
	size_t bytes = index->postings_capacity * sizeof(struct postings) +
		       index->documents_capacity * sizeof(struct document) +
		       pool_memory(&index->lexicon.words) + pool_memory(&index->lexicon.terms) +
		       index->lexicon.stems_capacity * sizeof(uint32_t);

	for (uint32_t i = 0; i < index->lexicon.terms.count && i < index->postings_capacity; i++)
		bytes += index->postings[i].capacity;
	for (uint32_t i = 0; i < index->document_count; i++)
		bytes += index->documents[i].len;
	return bytes;
}
