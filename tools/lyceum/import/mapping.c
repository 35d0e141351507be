/*
 * Guesses where columns go. Every leaf has names of three ranks: its path and the headers that the
 * schema gives a field of the item; the headers of fields further down; the bare name of those. The
 * best rank with one leaf wins; two leaves of one rank are ambiguous. Spelling is the last resort.
 * A common word needs company.
 */
#include "import/mapping.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "import/spelling.h"

enum { RANK_EXACT = 0, RANK_HEADER = 1, RANK_BARE = 2, RANK_NUMBERED = 3, RANK_SPELLING = 4 };

struct name {
	char folded[SPELLING_MAX];
	int leaf;
	int rank;
};

struct names {
	struct name *list;
	size_t count;
	size_t cap;
};

static void add_name(struct names *names, const char *text, int leaf, int rank)
{
	if (names->count == names->cap) {
		names->cap = names->cap ? names->cap * 2 : 256;
		names->list = realloc(names->list, names->cap * sizeof(*names->list));
		ensure(names->list);
	}
	struct name *name = &names->list[names->count];
	*name = (struct name){.leaf = leaf, .rank = rank};
	spelling_fold(span_of(text, strlen(text)), name->folded);
	if (name->folded[0])
		names->count++;
}

/* "employer name": a name of a field above, with what follows on the path. */
static void add_names_from_above(struct names *names, const struct leaf *leaf, int index)
{
	struct buf tail = {0};
	for (size_t from = leaf->depth - 1; from > 0; from--) {
		buf_clear(&tail);
		for (size_t i = from; i < leaf->depth; i++)
			buf_add_format(&tail, " %s", leaf->path[i]->name);
		const struct schema_field *above = leaf->path[from - 1];
		const char *rest = buf_text(&tail);
		struct buf whole = {0};
		if (from > 1) {
			buf_add_format(&whole, "%s%s", above->name, rest);
			add_name(names, buf_text(&whole), index, RANK_BARE);
		}
		for (size_t i = 0; i < above->header_count; i++) {
			buf_clear(&whole);
			buf_add_format(&whole, "%s%s", above->headers[i], rest);
			add_name(names, buf_text(&whole), index, RANK_HEADER);
		}
		buf_fini(&whole);
	}
	buf_fini(&tail);
}

/* A column called like a submessage goes to what names the thing: its `name`, or the field that is
 * called like the submessage itself, or its only field; like a label, to the visibility. */
static bool stands_for_parent(const struct leaf *leaf)
{
	const struct schema_field *parent = leaf->path[leaf->depth - 2];
	const char *name = leaf_field(leaf)->name;
	if (strcmp(name, "name") == 0 || strcmp(name, parent->name) == 0)
		return true;
	if (parent->message->known == SCHEMA_LABEL)
		return strcmp(name, "visibility") == 0;
	return parent->message->field_count == 1;
}

/* The label of a part, "contact.label.visibility": a bare "visibility" is the item's own, so this
 * one goes by the part's name, "contact visibility", or by the label's headers. */
static bool is_label_of_part(const struct leaf *leaf)
{
	return leaf->depth > 2 && leaf->path[leaf->depth - 2]->message->known == SCHEMA_LABEL;
}

static void add_names_of_part_label(struct names *names, const struct leaf *leaf, int index)
{
	const struct schema_field *label = leaf->path[leaf->depth - 2];
	const char *part = leaf->path[leaf->depth - 3]->name;
	struct buf name = {0};
	buf_add_format(&name, "%s %s", part, leaf_field(leaf)->name);
	add_name(names, buf_text(&name), index, RANK_BARE);
	if (stands_for_parent(leaf)) {
		buf_clear(&name);
		buf_add_format(&name, "%s %s", part, label->name);
		add_name(names, buf_text(&name), index, RANK_BARE);
		for (size_t i = 0; i < label->header_count; i++)
			add_name(names, label->headers[i], index, RANK_HEADER);
	}
	buf_fini(&name);
}

static void add_names(struct names *names, const struct leaf *leaf, int index)
{
	const struct schema_field *field = leaf_field(leaf);
	int header_rank = leaf->depth == 1 ? RANK_EXACT : RANK_HEADER;
	add_name(names, leaf->name, index, RANK_EXACT);
	for (size_t i = 0; i < field->header_count; i++)
		add_name(names, field->headers[i], index, header_rank);
	if (leaf->depth == 1) {
		add_name(names, field->json_name, index, RANK_EXACT);
		return;
	}
	if (is_label_of_part(leaf)) {
		add_names_of_part_label(names, leaf, index);
		return;
	}
	add_name(names, field->name, index, RANK_BARE);
	add_name(names, field->json_name, index, RANK_BARE);
	add_names_from_above(names, leaf, index);
	if (stands_for_parent(leaf)) {
		const struct schema_field *parent = leaf->path[leaf->depth - 2];
		add_name(names, parent->name, index, RANK_BARE);
		for (size_t i = 0; i < parent->header_count; i++)
			add_name(names, parent->headers[i], index, RANK_HEADER);
	}
}

struct match {
	int leaf;
	int other; /* a second leaf of the same rank; -1 */
	int rank;
};

static void take(struct match *match, int leaf, int rank)
{
	if (match->leaf < 0 || rank < match->rank)
		*match = (struct match){.leaf = leaf, .other = -1, .rank = rank};
	else if (rank == match->rank && leaf != match->leaf)
		match->other = leaf;
}

static struct match find_exact(const struct names *names, const char *folded)
{
	struct match match = {.leaf = -1, .other = -1};
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->list[i].folded, folded) == 0)
			take(&match, names->list[i].leaf, names->list[i].rank);
	}
	return match;
}

/* "keyword 1", "keyword 2": the same list. */
static struct match find_numbered(const struct names *names, const struct leaf_list *leaves,
				  const char *folded)
{
	char word[SPELLING_MAX];
	size_t len = strlen(folded);
	while (len > 0 && isdigit((unsigned char)folded[len - 1]))
		len--;
	struct match match = {.leaf = -1, .other = -1};
	if (len == 0 || folded[len] == '\0')
		return match;
	memcpy(word, folded, len);
	word[len] = '\0';
	match = find_exact(names, word);
	if (match.leaf >= 0 && !leaves->leaves[match.leaf].is_list)
		match.leaf = -1;
	match.rank = RANK_NUMBERED;
	return match;
}

static struct match find_near(const struct names *names, const char *folded)
{
	struct match match = {.leaf = -1, .other = -1};
	size_t tolerance = spelling_tolerance(folded);
	for (size_t i = 0; i < names->count; i++) {
		size_t slips = spelling_distance(names->list[i].folded, folded, tolerance);
		if (slips <= tolerance)
			take(&match, names->list[i].leaf, RANK_SPELLING + (int)slips);
	}
	return match;
}

static void guess_column(struct mapping *mapping, const struct names *names,
			 struct mapping_column *column)
{
	const struct leaf *leaves = mapping->leaves->leaves;
	char folded[SPELLING_MAX];
	spelling_fold(span_of(column->header, strlen(column->header)), folded);
	column->leaf = -1;
	if (!folded[0]) {
		snprintf(column->note, sizeof(column->note), "the column has no heading");
		return;
	}
	struct match match = find_exact(names, folded);
	if (match.leaf < 0)
		match = find_numbered(names, mapping->leaves, folded);
	if (match.leaf < 0)
		match = find_near(names, folded);
	if (match.leaf < 0) {
		snprintf(column->note, sizeof(column->note), "no field has a name like this");
		return;
	}
	if (match.other >= 0) {
		snprintf(column->note, sizeof(column->note), "could be %.60s or %.60s",
			 leaves[match.leaf].name, leaves[match.other].name);
		return;
	}
	column->leaf = match.leaf;
	column->rank = match.rank;
	column->how = match.rank >= RANK_SPELLING ? MAPPING_SPELLING : MAPPING_NAME;
	if (column->how == MAPPING_SPELLING)
		snprintf(column->note, sizeof(column->note), "by its spelling");
}

/* A field that takes one value a row has one column: the better guess, else the first. */
static void settle_rivals(struct mapping *mapping)
{
	for (size_t i = 0; i < mapping->count; i++) {
		struct mapping_column *column = &mapping->columns[i];
		if (column->leaf < 0 || mapping->leaves->leaves[column->leaf].is_list)
			continue;
		for (size_t j = i + 1; j < mapping->count && column->leaf >= 0; j++) {
			struct mapping_column *rival = &mapping->columns[j];
			if (rival->leaf != column->leaf)
				continue;
			struct mapping_column *loser = rival->rank < column->rank ? column : rival;
			struct mapping_column *winner = loser == column ? rival : column;
			snprintf(loser->note, sizeof(loser->note),
				 "%.60s is filled by the column \"%.60s\"",
				 mapping->leaves->leaves[column->leaf].name, winner->header);
			loser->leaf = -1;
			loser->how = MAPPING_NONE;
		}
	}
}

/* Words that head columns of any list: "Title" may be a paper's or a person's. */
static bool is_common_word(const char *header)
{
	static const char *const words[] = {"title", "type",   "kind",     "code",     "source",
					    "value", "status", "category", "position", "date"};
	char folded[SPELLING_MAX];
	spelling_fold(span_of(header, strlen(header)), folded);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(folded, words[i]) == 0)
			return true;
	}
	return false;
}

static const struct schema_field *list_above(const struct mapping *mapping,
					     const struct mapping_column *column)
{
	if (column->leaf < 0)
		return NULL;
	const struct leaf *leaf = &mapping->leaves->leaves[column->leaf];
	const struct schema_field *above = leaf->depth > 1 ? leaf->path[leaf->depth - 2] : NULL;
	return above && above->is_repeated ? above : NULL;
}

/* A common word means a field of a repeated submessage only where another column fills that one,
 * too: otherwise every row would bring an element made of it alone. */
static void drop_unsupported(struct mapping *mapping)
{
	for (size_t i = 0; i < mapping->count; i++) {
		struct mapping_column *column = &mapping->columns[i];
		const struct schema_field *above = list_above(mapping, column);
		if (!above || column->rank != RANK_BARE || !is_common_word(column->header))
			continue;
		bool is_supported = false;
		for (size_t j = 0; j < mapping->count; j++)
			is_supported |= list_above(mapping, &mapping->columns[j]) == above &&
					!is_common_word(mapping->columns[j].header);
		if (is_supported)
			continue;
		snprintf(column->note, sizeof(column->note),
			 "could be %.60s, but no other column is about %.60s",
			 mapping->leaves->leaves[column->leaf].name, above->name);
		column->leaf = -1;
		column->how = MAPPING_NONE;
	}
}

static void mark_refused(struct mapping *mapping)
{
	for (size_t i = 0; i < mapping->count; i++) {
		struct mapping_column *column = &mapping->columns[i];
		if (strcmp(column->header, MAPPING_REFUSED_LINE) != 0 &&
		    strcmp(column->header, MAPPING_REFUSED_REASON) != 0)
			continue;
		column->leaf = -1;
		column->how = MAPPING_REFUSED;
		snprintf(column->note, sizeof(column->note), "from an earlier import");
	}
	size_t n = mapping->count;
	mapping->ends_refused = n > 2 && mapping->columns[n - 1].how == MAPPING_REFUSED &&
				mapping->columns[n - 2].how == MAPPING_REFUSED;
}

void mapping_guess(struct mapping *mapping, const struct leaf_list *leaves,
		   const struct sheet_row *header)
{
	struct names names = {0};
	for (size_t i = 0; i < leaves->count; i++)
		add_names(&names, &leaves->leaves[i], (int)i);
	*mapping = (struct mapping){.count = header->cell_count, .leaves = leaves};
	mapping->columns = mem_get(header->cell_count * sizeof(*mapping->columns));
	for (size_t i = 0; i < mapping->count; i++) {
		struct span text = cell_trim(header->cells[i]);
		mapping->columns[i].header = mem_dup_try((const char *)text.data, text.len);
		ensure(mapping->columns[i].header);
		guess_column(mapping, &names, &mapping->columns[i]);
	}
	mark_refused(mapping);
	settle_rivals(mapping);
	drop_unsupported(mapping);
	free(names.list);
}

void mapping_fini(struct mapping *mapping)
{
	for (size_t i = 0; i < mapping->count; i++)
		free(mapping->columns[i].header);
	free(mapping->columns);
	*mapping = (struct mapping){0};
}

size_t mapping_used_count(const struct mapping *mapping)
{
	size_t used_count = 0;
	for (size_t i = 0; i < mapping->count; i++)
		used_count += mapping->columns[i].leaf >= 0;
	return used_count;
}

int mapping_column_of(const struct mapping *mapping, int leaf)
{
	for (size_t i = 0; i < mapping->count; i++) {
		if (mapping->columns[i].leaf == leaf)
			return (int)i;
	}
	return -1;
}
