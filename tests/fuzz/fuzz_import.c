/* Any bytes as a list to import: every row reads the same from its own offset, and what becomes an
 * item passes the check of its structure and is the same when it is made again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ensure.h"
#include "import/item.h"
#include "import/jsonl_read.h"
#include "import/leaf.h"
#include "import/mapping.h"
#include "import/row_group.h"
#include "import/sheet_read.h"
#include "import/text_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct schema_message *member_type(void)
{
	static struct schema *schema;
	if (!schema) {
		struct lyc_error error;
		struct buf bytes = {0};
		uint8_t part[4096];
		size_t got = 0;
		FILE *file = fopen(ROSTER_SET, "rb");
		ensure(file != NULL);
		while ((got = fread(part, 1, sizeof(part), file)) > 0)
			buf_add(&bytes, part, got);
		fclose(file);
		ensure(!schema_new(bytes.data, bytes.len, &schema, &error));
		buf_fini(&bytes);
	}
	return schema_find_message(schema, "roster.v1.Member");
}

static void try_lines(struct span text)
{
	struct jsonl jsonl = {.text = text, .line = 1};
	size_t offset = 0;
	uint64_t line = 0;
	struct span item;
	struct buf bytes = {0};
	struct lyc_error error;
	while (jsonl_next(&jsonl, &offset, &line, &item)) {
		ensure(span_equal(item, jsonl_line_at(text, offset)));
		buf_clear(&bytes);
		if (!jsonl_item(member_type(), item, &bytes, &error))
			ensure(!schema_check(member_type(), span_of(bytes.data, bytes.len), false,
					     &error));
	}
	buf_fini(&bytes);
}

static void make_item(struct item *item, const struct mapping *mapping, const struct sheet_row *row,
		      struct buf *ret_bytes)
{
	struct lyc_error error;
	size_t column = 0;
	buf_clear(ret_bytes);
	item_begin(item, member_type());
	if (!item_add_row(item, mapping, row, &column, &error) &&
	    !item_add_row(item, mapping, row, &column, &error))
		item_write(item, ret_bytes);
}

static void try_sheet(struct span text)
{
	struct sheet sheet;
	struct sheet_row row = {0};
	struct sheet_row again = {0};
	struct mapping mapping = {0};
	struct leaf_list leaves;
	struct item item = {0};
	struct row_groups groups = {0};
	struct buf first = {0};
	struct buf second = {0};
	struct lyc_error error;
	leaf_list_init(&leaves, member_type());
	sheet_init(&sheet, text);
	if (!sheet_next(&sheet, &row) || row.fault)
		goto out;
	mapping_guess(&mapping, &leaves, &row);
	while (sheet_next(&sheet, &row)) {
		ensure(sheet_read_at(&sheet, row.offset, row.line, &again));
		ensure(again.cell_count == row.cell_count && again.fault == row.fault);
		ensure(span_equal(again.raw, row.raw) && again.line == row.line);
		row_groups_add(&groups, row.cell_count ? row.cells[0] : (struct span){0},
			       row.offset, row.line);
		make_item(&item, &mapping, &row, &first);
		make_item(&item, &mapping, &again, &second);
		ensure(span_equal(span_of(first.data, first.len),
				  span_of(second.data, second.len)));
		ensure(!schema_check(member_type(), span_of(first.data, first.len), false, &error));
	}
	ensure(groups.group_count <= groups.row_count);
out:
	mapping_fini(&mapping);
	leaf_list_fini(&leaves);
	item_fini(&item);
	row_groups_fini(&groups);
	sheet_row_fini(&row);
	sheet_row_fini(&again);
	buf_fini(&first);
	buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct text_input input = {0};
	struct lyc_error error;
	struct buf bytes = {0};
	/* gzip makes a little much; long inputs say nothing new. */
	if (len > 65536)
		return 0;
	buf_add(&bytes, data, len);
	if (!text_input_decode(&bytes, &input, &error) && input.text.len < 1 << 20) {
		try_lines(input.text);
		try_sheet(input.text);
	}
	text_input_fini(&input);
	buf_fini(&bytes);
	return 0;
}
