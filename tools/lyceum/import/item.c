/*
 * Builds an item from rows. A field that takes one value takes the first; a list takes each
 * distinct value; a repeated submessage takes one element a row, equal ones once. Cells of lists
 * are split at
 * ';' and '|', and so are those of a submessage that is only a name for its one value.
 */
#include "import/item.h"

#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "base/pb.h"

struct piece {
	size_t start;
	size_t len;
};

/* What is known of one field of an element. */
struct slot {
	/* Values with their tags; without, if the field is packed. */
	struct buf bytes;
	struct piece *pieces;
	size_t piece_count;

	struct item_element **elements;
	size_t element_count;
	/* The row that brought the last element. */
	uint64_t row;
};

struct item_element {
	const struct schema_message *message;
	struct slot *slots;
	struct buf rendered;
	uint32_t crc;
};

static struct item_element *element_new(const struct schema_message *message)
{
	struct item_element *element = mem_new(struct item_element);
	element->message = message;
	element->slots = mem_get(message->field_count * sizeof(*element->slots));
	return element;
}

static void element_free(struct item_element *element)
{
	if (!element)
		return;
	for (size_t i = 0; i < element->message->field_count; i++) {
		struct slot *slot = &element->slots[i];
		for (size_t j = 0; j < slot->element_count; j++)
			element_free(slot->elements[j]);
		free(slot->elements);
		free(slot->pieces);
		buf_fini(&slot->bytes);
	}
	free(element->slots);
	buf_fini(&element->rendered);
	free(element);
}

void item_begin(struct item *item, const struct schema_message *message)
{
	element_free(item->root);
	item->message = message;
	item->root = element_new(message);
	item->row_count = 0;
}

void item_fini(struct item *item)
{
	element_free(item->root);
	buf_fini(&item->value.payload);
	buf_fini(&item->tagged);
	*item = (struct item){0};
}

static struct slot *slot_of(struct item_element *element, const struct schema_field *field)
{
	return &element->slots[field - element->message->fields];
}

/* The element that this row fills; a new one for a repeated field that the row has not met yet. */
static struct item_element *enter(struct slot *slot, const struct schema_field *field, uint64_t row,
				  bool is_new)
{
	bool has_one = slot->element_count > 0;
	if (has_one && (!field->is_repeated || (slot->row == row && !is_new)))
		return slot->elements[slot->element_count - 1];
	if ((slot->element_count & (slot->element_count - 1)) == 0) {
		size_t cap = slot->element_count ? slot->element_count * 2 : 1;
		slot->elements = realloc(slot->elements, cap * sizeof(struct item_element *));
		ensure(slot->elements);
	}
	struct item_element *element = element_new(field->message);
	slot->elements[slot->element_count++] = element;
	slot->row = row;
	return element;
}

static bool has_piece(const struct slot *slot, struct span bytes)
{
	for (size_t i = 0; i < slot->piece_count; i++) {
		const struct piece *piece = &slot->pieces[i];
		if (piece->len == bytes.len &&
		    memcmp(slot->bytes.data + piece->start, bytes.data, bytes.len) == 0)
			return true;
	}
	return false;
}

static void add_piece(struct slot *slot, struct span bytes)
{
	if ((slot->piece_count & (slot->piece_count - 1)) == 0) {
		size_t cap = slot->piece_count ? slot->piece_count * 2 : 1;
		slot->pieces = realloc(slot->pieces, cap * sizeof(*slot->pieces));
		ensure(slot->pieces);
	}
	slot->pieces[slot->piece_count++] =
		(struct piece){.start = slot->bytes.len, .len = bytes.len};
	buf_add(&slot->bytes, bytes.data, bytes.len);
}

/* Read one value and put it in. *ret_differs: another value is there already. */
static enum lyc_status put(struct item *item, struct slot *slot, const struct schema_field *field,
			   struct span text, bool *ret_differs, struct lyc_error *error)
{
	struct cell_value *value = &item->value;
	enum lyc_status status = cell_value_read(field, text, value, error);
	if (status)
		return status;
	if (value->is_default && !field->is_repeated && !field->has_presence)
		return LYC_OK;
	buf_clear(&item->tagged);
	if (!field->is_repeated || !field->is_packed) {
		pb_write_varint(&item->tagged,
				(uint64_t)field->number << 3 | (unsigned)value->wire);
		if (value->wire == PB_LEN)
			pb_write_varint(&item->tagged, value->payload.len);
	}
	buf_add(&item->tagged, value->payload.data, value->payload.len);
	if (item->tagged.has_failed)
		return LYC_RESOURCE_EXHAUSTED;
	struct span bytes = span_of(item->tagged.data, item->tagged.len);
	if (has_piece(slot, bytes))
		return LYC_OK;
	if (!field->is_repeated && slot->piece_count > 0)
		*ret_differs = true;
	else
		add_piece(slot, bytes);
	return LYC_OK;
}

/* The next value of a cell that holds a list; empty ones are passed over. */
static bool next_value(struct span *rest, struct span *ret_value)
{
	while (rest->len > 0) {
		size_t len = 0;
		while (len < rest->len && rest->data[len] != ';' && rest->data[len] != '|')
			len++;
		*ret_value = cell_trim(span_of(rest->data, len));
		size_t passed = len < rest->len ? len + 1 : len;
		*rest = span_of(rest->data + passed, rest->len - passed);
		if (ret_value->len > 0)
			return true;
	}
	return false;
}

/* "topic.topic", with no other column below topic: the submessage only wraps its value, so a cell
 * may hold several. */
static bool is_wrapped_list(const struct mapping *mapping, const struct leaf *leaf)
{
	if (leaf->depth < 2 || leaf->is_list)
		return false;
	const struct schema_field *parent = leaf->path[leaf->depth - 2];
	if (!parent->is_repeated || strcmp(parent->name, leaf_field(leaf)->name) != 0)
		return false;
	size_t column_count = 0;
	for (size_t i = 0; i < mapping->count; i++) {
		int index = mapping->columns[i].leaf;
		const struct leaf *other = index >= 0 ? &mapping->leaves->leaves[index] : NULL;
		column_count += other && other->depth >= leaf->depth &&
				other->path[leaf->depth - 2] == parent;
	}
	return column_count == 1;
}

static enum lyc_status add_value(struct item *item, const struct leaf *leaf, struct span text,
				 bool is_new, bool *ret_differs, struct lyc_error *error)
{
	struct item_element *element = item->root;
	for (size_t i = 0; i + 1 < leaf->depth; i++) {
		const struct schema_field *field = leaf->path[i];
		element = enter(slot_of(element, field), field, item->row_count,
				is_new && i + 2 == leaf->depth);
	}
	const struct schema_field *field = leaf_field(leaf);
	return put(item, slot_of(element, field), field, text, ret_differs, error);
}

static enum lyc_status add_cell(struct item *item, const struct mapping *mapping,
				const struct leaf *leaf, struct span cell, bool *ret_differs,
				struct lyc_error *error)
{
	bool is_wrapped = is_wrapped_list(mapping, leaf);
	if (!leaf->is_list && !is_wrapped)
		return add_value(item, leaf, cell, false, ret_differs, error);
	struct span rest = cell;
	struct span text;
	bool is_first = true;
	enum lyc_status status = LYC_OK;
	while (!status && next_value(&rest, &text)) {
		status = add_value(item, leaf, text, is_wrapped && !is_first, ret_differs, error);
		is_first = false;
	}
	return status;
}

enum lyc_status item_add_row(struct item *item, const struct mapping *mapping,
			     const struct sheet_row *row, size_t *ret_column,
			     struct lyc_error *error)
{
	item->row_count++;
	for (size_t i = 0; i < mapping->count && i < row->cell_count; i++) {
		int index = mapping->columns[i].leaf;
		struct span cell = cell_trim(row->cells[i]);
		if (index < 0 || cell.len == 0)
			continue;
		bool differs = false;
		enum lyc_status status = add_cell(item, mapping, &mapping->leaves->leaves[index],
						  cell, &differs, error);
		if (status) {
			*ret_column = i;
			return status;
		}
		if (differs && item->on_note)
			item->on_note(item->note_arg, i, row->line);
	}
	return LYC_OK;
}

static void render(struct item_element *element, struct buf *to);

static void render_elements(struct slot *slot, const struct schema_field *field, struct buf *to)
{
	for (size_t i = 0; i < slot->element_count; i++) {
		struct item_element *element = slot->elements[i];
		struct buf *rendered = &element->rendered;
		bool is_twice = false;
		buf_clear(rendered);
		render(element, rendered);
		element->crc = crc32c(0, rendered->data, rendered->len);
		for (size_t j = 0; j < i && !is_twice; j++) {
			const struct item_element *other = slot->elements[j];
			is_twice = other->crc == element->crc &&
				   span_equal(span_of(other->rendered.data, other->rendered.len),
					      span_of(rendered->data, rendered->len));
		}
		if (rendered->len > 0 && !is_twice)
			pb_write_message(to, field->number, span_of(rendered->data, rendered->len));
	}
}

static void render(struct item_element *element, struct buf *to)
{
	for (size_t i = 0; i < element->message->field_count; i++) {
		const struct schema_field *field = &element->message->fields[i];
		struct slot *slot = &element->slots[i];
		if (field->is_repeated && field->is_packed && slot->bytes.len > 0)
			pb_write_bytes(to, field->number, slot->bytes.data, slot->bytes.len);
		else
			buf_add(to, slot->bytes.data, slot->bytes.len);
		render_elements(slot, field, to);
	}
}

void item_write(struct item *item, struct buf *to)
{
	render(item->root, to);
}
