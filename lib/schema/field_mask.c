/* orcid_id to orcidId and back. */
#include "schema/field_mask.h"

bool field_mask_write_path(struct buf *to, struct span path)
{
	bool is_after_underscore = false;
	for (size_t i = 0; i < path.len; i++) {
		uint8_t c = path.data[i];
		bool is_lower = c >= 'a' && c <= 'z';
		if ((c >= 'A' && c <= 'Z') || (is_after_underscore && !is_lower) || c == ',')
			return false;
		if (c != '_')
			buf_add_byte(to, is_after_underscore ? (uint8_t)(c - 'a' + 'A') : c);
		is_after_underscore = c == '_';
	}
	return !is_after_underscore;
}

bool field_mask_read_path(struct buf *to, struct span path)
{
	for (size_t i = 0; i < path.len; i++) {
		uint8_t c = path.data[i];
		if (c == '_')
			return false;
		bool is_upper = c >= 'A' && c <= 'Z';
		if (is_upper)
			buf_add_byte(to, '_');
		buf_add_byte(to, is_upper ? (uint8_t)(c - 'A' + 'a') : c);
	}
	return true;
}
