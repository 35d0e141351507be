/* Reads a cell by the type of its field. Numbers and dates have files of their own; what a text
 * means in the field's trade (an identifier, a name) is left to whoever takes the item. */
#include "import/cell_value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "import/spelling.h"

#define SHOWN(cell) (int)((cell).len < 60 ? (cell).len : 60), (const char *)(cell).data

static enum lyc_status refuse(struct span cell, const char *why, struct lyc_error *error)
{
	return error_set(error, LYC_INVALID_ARGUMENT, "\"%.*s\" %s", SHOWN(cell), why);
}

static void put_fixed(struct buf *to, uint64_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_add_byte(to, (uint8_t)(value >> (8 * i)));
}

/* Cuts ".0" off; false when there is another fraction or a power. */
static bool is_whole(char *plain)
{
	char *point = strchr(plain, '.');
	if (!point)
		return !strpbrk(plain, "eE");
	if (point[1 + strspn(point + 1, "0")] != '\0')
		return false;
	*point = '\0';
	return true;
}

static enum lyc_status read_signed(enum schema_type type, struct span cell, int64_t *ret_value,
				   struct lyc_error *error)
{
	bool is_short = type == SCHEMA_INT32 || type == SCHEMA_SINT32 || type == SCHEMA_SFIXED32;
	char plain[80];
	enum lyc_status status = number_text_read(cell, plain, sizeof(plain), error);
	if (status)
		return status;
	if (!is_whole(plain))
		return refuse(cell, "is not a whole number", error);
	errno = 0;
	char *end = NULL;
	long long value = strtoll(plain, &end, 10);
	if (errno || *end || (is_short && (value < INT32_MIN || value > INT32_MAX)))
		return refuse(cell, "is too large a number for this field", error);
	*ret_value = value;
	return LYC_OK;
}

static enum lyc_status read_unsigned(enum schema_type type, struct span cell, uint64_t *ret_value,
				     struct lyc_error *error)
{
	bool is_short = type == SCHEMA_UINT32 || type == SCHEMA_FIXED32;
	char plain[80];
	enum lyc_status status = number_text_read(cell, plain, sizeof(plain), error);
	if (status)
		return status;
	if (!is_whole(plain))
		return refuse(cell, "is not a whole number", error);
	if (plain[0] == '-' && strspn(plain + 1, "0") != strlen(plain + 1))
		return refuse(cell, "is below zero", error);
	errno = 0;
	char *end = NULL;
	unsigned long long value = strtoull(plain + (plain[0] == '-'), &end, 10);
	if (errno || *end || (is_short && value > UINT32_MAX))
		return refuse(cell, "is too large a number for this field", error);
	*ret_value = value;
	return LYC_OK;
}

static enum lyc_status read_real(struct span cell, double *ret_value, struct lyc_error *error)
{
	char plain[80];
	enum lyc_status status = number_text_read(cell, plain, sizeof(plain), error);
	if (status)
		return status;
	double value = strtod(plain, NULL);
	if (!isfinite(value))
		return refuse(cell, "is too large a number for this field", error);
	*ret_value = value;
	return LYC_OK;
}

static enum lyc_status read_bool(struct span cell, bool *ret_value, struct lyc_error *error)
{
	static const char *const yes[] = {"yes", "true", "y", "t", "1", "x"};
	static const char *const no[] = {"no", "false", "n", "f", "0"};
	char folded[SPELLING_MAX];
	spelling_fold(cell, folded);
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcmp(folded, yes[i]) == 0) {
			*ret_value = true;
			return LYC_OK;
		}
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (strcmp(folded, no[i]) == 0) {
			*ret_value = false;
			return LYC_OK;
		}
	}
	return refuse(cell, "is neither yes nor no", error);
}

/* Values may be written without the enum's own name in front: ROLE_CHAIR is "chair". */
static const char *without_prefix(const struct schema_enum *enumeration, const char *folded)
{
	const char *name = strrchr(enumeration->full_name, '.');
	char prefix[SPELLING_MAX];
	name = name ? name + 1 : enumeration->full_name;
	spelling_fold(span_of(name, strlen(name)), prefix);
	size_t len = strlen(prefix);
	return strncmp(folded, prefix, len) == 0 && folded[len] ? folded + len : folded;
}

static enum lyc_status read_enum(const struct schema_enum *enumeration, struct span cell,
				 int32_t *ret_value, struct lyc_error *error)
{
	char wanted[SPELLING_MAX];
	char folded[SPELLING_MAX];
	spelling_fold(cell, wanted);
	for (size_t i = 0; i < enumeration->value_count; i++) {
		const char *name = enumeration->values[i].name;
		spelling_fold(span_of(name, strlen(name)), folded);
		if (wanted[0] && (strcmp(wanted, folded) == 0 ||
				  strcmp(wanted, without_prefix(enumeration, folded)) == 0)) {
			*ret_value = enumeration->values[i].number;
			return LYC_OK;
		}
	}
	struct buf names = {0};
	for (size_t i = 0; i < enumeration->value_count && names.len < 140; i++) {
		if (enumeration->values[i].number != 0)
			buf_add_format(&names, "%s%s", names.len ? ", " : "",
				       enumeration->values[i].name);
	}
	const char *list = buf_text(&names);
	error_set(error, LYC_INVALID_ARGUMENT, "\"%.*s\" is none of %.150s", SHOWN(cell),
		  list ? list : "");
	buf_fini(&names);
	return LYC_INVALID_ARGUMENT;
}

static enum lyc_status read_text(struct span cell, struct cell_value *value,
				 struct lyc_error *error)
{
	if (!utf8_check(cell.data, cell.len, NULL))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the text has bytes that are not UTF-8");
	value->wire = PB_LEN;
	buf_add(&value->payload, cell.data, cell.len);
	value->is_default = cell.len == 0;
	return LYC_OK;
}

static enum lyc_status read_timestamp(struct span cell, struct cell_value *value,
				      struct lyc_error *error)
{
	int64_t seconds = 0;
	int32_t nanos = 0;
	enum lyc_status status = date_text_read(cell, &seconds, &nanos, error);
	if (status)
		return status;
	value->wire = PB_LEN;
	pb_write_uint(&value->payload, 1, (uint64_t)seconds);
	pb_write_uint(&value->payload, 2, (uint64_t)nanos);
	return LYC_OK;
}

static enum lyc_status read_integer(const struct schema_field *field, struct span cell,
				    struct cell_value *value, struct lyc_error *error)
{
	enum schema_type type = field->type;
	bool is_unsigned = type == SCHEMA_UINT32 || type == SCHEMA_UINT64 ||
			   type == SCHEMA_FIXED32 || type == SCHEMA_FIXED64;
	uint64_t bits = 0;
	int64_t number = 0;
	enum lyc_status status = is_unsigned ? read_unsigned(type, cell, &bits, error)
					     : read_signed(type, cell, &number, error);
	if (status)
		return status;
	if (!is_unsigned)
		bits = type == SCHEMA_SINT32 || type == SCHEMA_SINT64 ? pb_zigzag_encode(number)
								      : (uint64_t)number;
	value->is_default = bits == 0;
	if (type == SCHEMA_FIXED32 || type == SCHEMA_SFIXED32) {
		value->wire = PB_FIXED32;
		put_fixed(&value->payload, bits, 4);
	} else if (type == SCHEMA_FIXED64 || type == SCHEMA_SFIXED64) {
		value->wire = PB_FIXED64;
		put_fixed(&value->payload, bits, 8);
	} else {
		value->wire = PB_VARINT;
		pb_write_varint(&value->payload, bits);
	}
	return LYC_OK;
}

static enum lyc_status read_float(enum schema_type type, struct span cell, struct cell_value *value,
				  struct lyc_error *error)
{
	double number = 0;
	enum lyc_status status = read_real(cell, &number, error);
	if (status)
		return status;
	if (type == SCHEMA_FLOAT) {
		float single = (float)number;
		uint32_t bits = 0;
		if (!isfinite(single))
			return refuse(cell, "is too large a number for this field", error);
		memcpy(&bits, &single, sizeof(bits));
		value->wire = PB_FIXED32;
		put_fixed(&value->payload, bits, 4);
		value->is_default = bits == 0;
		return LYC_OK;
	}
	uint64_t bits = 0;
	memcpy(&bits, &number, sizeof(bits));
	value->wire = PB_FIXED64;
	put_fixed(&value->payload, bits, 8);
	value->is_default = bits == 0;
	return LYC_OK;
}

/* A wrapper message: its one field, inside. */
static enum lyc_status read_wrapped(const struct schema_field *inner, struct span cell,
				    struct cell_value *value, struct lyc_error *error)
{
	struct cell_value held = {0};
	enum lyc_status status = cell_value_read(inner, cell, &held, error);
	if (!status) {
		value->wire = PB_LEN;
		if (!held.is_default) {
			pb_write_varint(&value->payload,
					(uint64_t)inner->number << 3 | (unsigned)held.wire);
			if (held.wire == PB_LEN)
				pb_write_varint(&value->payload, held.payload.len);
			buf_add(&value->payload, held.payload.data, held.payload.len);
		}
		value->is_default = false;
	}
	buf_fini(&held.payload);
	return status;
}

enum lyc_status cell_value_read(const struct schema_field *field, struct span cell,
				struct cell_value *value, struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	bool flag = false;
	int32_t number = 0;
	buf_clear(&value->payload);
	value->is_default = false;
	switch (field->type) {
	case SCHEMA_STRING:
		return read_text(cell, value, error);
	case SCHEMA_DOUBLE:
	case SCHEMA_FLOAT:
		return read_float(field->type, cell, value, error);
	case SCHEMA_BOOL:
		status = read_bool(cell, &flag, error);
		number = flag;
		break;
	case SCHEMA_ENUM:
		status = read_enum(field->enumeration, cell, &number, error);
		break;
	case SCHEMA_MESSAGE:
		if (field->message->known == SCHEMA_WRAPPER)
			return read_wrapped(&field->message->fields[0], cell, value, error);
		return read_timestamp(cell, value, error);
	default:
		return read_integer(field, cell, value, error);
	}
	if (status)
		return status;
	value->wire = PB_VARINT;
	value->is_default = number == 0;
	pb_write_varint(&value->payload, (uint64_t)(int64_t)number);
	return LYC_OK;
}
