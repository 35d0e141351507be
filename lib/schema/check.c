/*
 * The wire check: one pass over the bytes, nothing allocated, nothing decoded that no rule asks
 * for. Per message there is a bit for each field and oneof that has occurred. What a fault is
 * called and where it lies is left to fault.c; the rules of single values to check_value.c.
 */
#include "schema/check.h"

#include <inttypes.h>
#include <string.h>

#include "base/pb.h"
#include "base/utf8.h"
#include "schema/check_value.h"
#include "schema/fault.h"

struct checking {
	struct lyc_error *error;
	size_t element_count;
	bool with_rules;
};

/* What a message has had so far. */
struct tally {
	uint64_t seen[CHECK_MAX_WORDS];
	uint32_t counts[CHECK_MAX_COUNTED];
};

/* The field at hand. */
struct cursor {
	const uint8_t *at;
	const uint8_t *end;
};

static bool check_message(struct checking *checking, struct fault_frame *frame);

static const char *wire_name(unsigned wire)
{
	static const char *const names[] = {"a varint",      "8 bytes",     "length-delimited",
					    "a group start", "a group end", "4 bytes"};
	return wire < 6 ? names[wire] : "an unknown kind";
}

/* ---- reading ---- */

static inline bool read_varint(struct cursor *cursor, uint64_t *ret_value)
{
	if (cursor->at < cursor->end && *cursor->at < 0x80) {
		*ret_value = *cursor->at++;
		return true;
	}
	struct pb_reader reader = {.at = cursor->at, .end = cursor->end};
	if (!pb_read_varint(&reader, ret_value))
		return false;
	cursor->at = reader.at;
	return true;
}

static inline bool read_span(struct cursor *cursor, struct span *ret_span)
{
	uint64_t len;
	if (!read_varint(cursor, &len) || len > (uint64_t)(cursor->end - cursor->at))
		return false;
	*ret_span = span_of(cursor->at, (size_t)len);
	cursor->at += len;
	return true;
}

static inline bool read_fixed(struct cursor *cursor, size_t size, uint64_t *ret_value)
{
	if ((size_t)(cursor->end - cursor->at) < size)
		return false;
	uint64_t value = 0;
	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)cursor->at[i] << (8 * i);
	cursor->at += size;
	*ret_value = value;
	return true;
}

/* Short texts without characters beyond ASCII need no more than two loads. */
static inline bool is_ascii(const uint8_t *at, size_t len)
{
	const uint64_t high = 0x8080808080808080u;
	uint64_t eight;
	uint32_t four;
	if (len >= 8) {
		uint64_t any = 0;
		for (size_t i = 0; i + 8 <= len; i += 8) {
			memcpy(&eight, at + i, 8);
			any |= eight;
		}
		memcpy(&eight, at + len - 8, 8);
		return ((any | eight) & high) == 0;
	}
	if (len >= 4) {
		uint32_t last;
		memcpy(&four, at, 4);
		memcpy(&last, at + len - 4, 4);
		return ((four | last) & (uint32_t)high) == 0;
	}
	uint8_t any = 0;
	for (size_t i = 0; i < len; i++)
		any |= at[i];
	return any < 0x80;
}

/* ---- faults that more than one place finds ---- */

static bool is_cut_off(struct checking *checking, const struct fault_frame *frame)
{
	return fault_at(frame, FAULT_ELEMENT, checking->error, "is cut off or malformed");
}

static bool has_too_many(struct checking *checking, const struct fault_frame *frame)
{
	return fault_at(frame, FAULT_MESSAGE, checking->error,
			"the body holds more than %d elements", SCHEMA_MAX_ELEMENTS);
}

static inline bool count_elements(struct checking *checking, size_t count,
				  const struct fault_frame *frame)
{
	checking->element_count += count;
	if (__builtin_expect(checking->element_count > SCHEMA_MAX_ELEMENTS, 0))
		return has_too_many(checking, frame);
	return true;
}

/* ---- fields ---- */

/* A field that the schema does not have: well-formed is good enough. It counts as an element, since
 * whoever unpacks it keeps it. */
static bool skip_unknown(struct checking *checking, struct fault_frame *frame, uint64_t tag,
			 struct cursor *cursor)
{
	uint64_t number = tag >> 3;
	uint64_t value;
	struct span bytes;
	bool is_good;
	if (number == 0 || number > 536870911)
		return fault_at(frame, FAULT_MESSAGE, checking->error,
				"holds a field with the number %" PRIu64, number);
	switch (tag & 7) {
	case PB_VARINT:
		is_good = read_varint(cursor, &value);
		break;
	case PB_FIXED64:
		is_good = read_fixed(cursor, 8, &value);
		break;
	case PB_FIXED32:
		is_good = read_fixed(cursor, 4, &value);
		break;
	case PB_LEN:
		is_good = read_span(cursor, &bytes);
		break;
	case PB_GROUP_START:
	case PB_GROUP_END:
		return fault_at(frame, FAULT_MESSAGE, checking->error,
				"holds a group (field %" PRIu64 "), which is refused", number);
	default:
		return fault_at(frame, FAULT_MESSAGE, checking->error,
				"holds a field (%" PRIu64 ") of no known wire type", number);
	}
	if (!is_good)
		return fault_at(frame, FAULT_MESSAGE, checking->error,
				"holds an unknown field (%" PRIu64 ") that is cut off or malformed",
				number);
	return count_elements(checking, 1, frame);
}

/* One value of a varint or fixed-size field. */
static inline bool check_scalar(struct checking *checking, struct fault_frame *frame,
				const struct check_field *entry, struct cursor *cursor)
{
	uint64_t value;
	bool is_good = entry->wire == PB_VARINT    ? read_varint(cursor, &value)
		       : entry->wire == PB_FIXED64 ? read_fixed(cursor, 8, &value)
						   : read_fixed(cursor, 4, &value);
	if (!is_good)
		return is_cut_off(checking, frame);
	if (entry->kind == CHECK_CLOSED_ENUM &&
	    !check_closed_enum(entry->field->enumeration, value))
		return fault_at(frame, FAULT_ELEMENT, checking->error,
				"%" PRId32 " is not a value of %.100s", (int32_t)(uint32_t)value,
				entry->field->enumeration->full_name);
	if (entry->rules && checking->with_rules)
		return check_number(entry, value, frame, checking->error);
	return true;
}

static bool check_text(struct checking *checking, struct fault_frame *frame,
		       const struct check_field *entry, struct span bytes)
{
	size_t char_count = bytes.len;
	if (entry->kind == CHECK_STRING && !is_ascii(bytes.data, bytes.len) &&
	    !utf8_check(bytes.data, bytes.len, &char_count))
		return fault_at(frame, FAULT_ELEMENT, checking->error, "is not valid UTF-8");
	if (entry->rules && checking->with_rules)
		return check_length(entry, bytes, char_count, frame, checking->error);
	return true;
}

static bool check_below(struct checking *checking, struct fault_frame *frame,
			const struct check_field *entry, struct span bytes)
{
	struct fault_frame below = {.parent = frame,
				    .message = entry->message,
				    .body = bytes,
				    .depth = frame->depth + 1};
	if (below.depth > SCHEMA_MAX_DEPTH)
		return fault_at(frame, FAULT_ELEMENT, checking->error, "is nested deeper than %d",
				SCHEMA_MAX_DEPTH);
	return check_message(checking, &below);
}

/* A run of packed elements. */
static bool check_packed(struct checking *checking, struct fault_frame *frame,
			 const struct check_field *entry, struct cursor *cursor, size_t *ret_count)
{
	struct span run;
	if (!read_span(cursor, &run))
		return is_cut_off(checking, frame);
	struct cursor inner = {.at = run.data, .end = run.data + run.len};
	size_t count = 0;
	for (; inner.at < inner.end; count++) {
		frame->packed_before = count;
		if (!count_elements(checking, 1, frame) ||
		    !check_scalar(checking, frame, entry, &inner))
			return false;
	}
	frame->packed_before = 0;
	*ret_count = count;
	return true;
}

/* Is it packed where one value was expected, or the other way round? Otherwise it is a fault. */
static bool may_be_packed(const struct check_field *entry, unsigned wire)
{
	return wire == PB_LEN && entry->is_repeated &&
	       (entry->kind == CHECK_VARINT || entry->kind == CHECK_CLOSED_ENUM ||
		entry->kind == CHECK_FIXED64 || entry->kind == CHECK_FIXED32);
}

static bool has_wrong_wire(struct checking *checking, const struct fault_frame *frame,
			   const struct check_field *entry, unsigned wire)
{
	if (wire == PB_GROUP_START || wire == PB_GROUP_END)
		return fault_at(frame, FAULT_ELEMENT, checking->error,
				"is written as a group, which is refused");
	return fault_at(frame, FAULT_ELEMENT, checking->error, "is written as %s, it has to be %s",
			wire_name(wire), wire_name(entry->wire));
}

static inline uint64_t bit_of(uint16_t slot)
{
	return (uint64_t)1 << (slot & 63);
}

/* Note that a singular field occurs; once is all it may. */
static inline bool note_once(struct checking *checking, const struct fault_frame *frame,
			     const struct check_field *entry, struct tally *tally)
{
	uint64_t *word = &tally->seen[entry->slot >> 6];
	if (__builtin_expect((*word & bit_of(entry->slot)) != 0, 0))
		return fault_at(frame, FAULT_FIELD, checking->error, "occurs twice");
	*word |= bit_of(entry->slot);
	if (entry->oneof_slot == CHECK_NONE)
		return true;
	word = &tally->seen[entry->oneof_slot >> 6];
	if ((*word & bit_of(entry->oneof_slot)) != 0)
		return fault_at(frame, FAULT_FIELD, checking->error,
				"is set together with another field of the oneof %.80s",
				frame->field->oneof_name);
	*word |= bit_of(entry->oneof_slot);
	return true;
}

static inline void note_elements(const struct check_field *entry, struct tally *tally, size_t count)
{
	if (count > 0)
		tally->seen[entry->slot >> 6] |= bit_of(entry->slot);
	if (entry->counter != CHECK_NONE)
		tally->counts[entry->counter] += (uint32_t)count;
}

static inline bool check_field(struct checking *checking, struct fault_frame *frame,
			       const struct check_field *entry, unsigned wire,
			       struct cursor *cursor, struct tally *tally)
{
	struct span bytes;
	frame->field = entry->field;
	if (__builtin_expect(wire != entry->wire || entry->kind == CHECK_GROUP, 0)) {
		size_t count = 0;
		if (!may_be_packed(entry, wire))
			return has_wrong_wire(checking, frame, entry, wire);
		if (!check_packed(checking, frame, entry, cursor, &count))
			return false;
		note_elements(entry, tally, count);
		return true;
	}
	if (entry->is_repeated) {
		if (!count_elements(checking, 1, frame))
			return false;
		note_elements(entry, tally, 1);
	} else if (!note_once(checking, frame, entry, tally)) {
		return false;
	}
	switch (entry->kind) {
	case CHECK_STRING:
	case CHECK_BYTES:
		if (!read_span(cursor, &bytes))
			return is_cut_off(checking, frame);
		return check_text(checking, frame, entry, bytes);
	case CHECK_MESSAGE:
		if (!read_span(cursor, &bytes))
			return is_cut_off(checking, frame);
		if (!entry->is_repeated && !count_elements(checking, 1, frame))
			return false;
		return check_below(checking, frame, entry, bytes);
	default:
		return check_scalar(checking, frame, entry, cursor);
	}
}

/* ---- messages ---- */

static bool check_end(struct checking *checking, const struct fault_frame *frame,
		      const struct tally *tally)
{
	const struct check_table *table = frame->message->check;
	const uint64_t *required = checking->with_rules ? table->required_by_rule : table->required;
	for (size_t i = 0; required && i < table->word_count; i++) {
		uint64_t missing = required[i] & ~tally->seen[i];
		if (missing == 0)
			continue;
		size_t index = i * 64 + (size_t)__builtin_ctzll(missing);
		return fault_of(frame, &frame->message->fields[index], checking->error,
				"is required");
	}
	for (size_t i = 0; checking->with_rules && i < table->counted_count; i++) {
		if (!check_items(table->counted[i], tally->counts[i], frame, checking->error))
			return false;
	}
	return true;
}

/* Most tags are one byte, nearly all others two. */
static inline bool read_tag(struct cursor *cursor, uint64_t *ret_tag)
{
	const uint8_t *at = cursor->at;
	if (cursor->end - at >= 2 && at[0] >= 0x80 && at[1] < 0x80) {
		*ret_tag = (uint64_t)(at[0] & 0x7f) | (uint64_t)at[1] << 7;
		cursor->at += 2;
		return true;
	}
	return read_varint(cursor, ret_tag);
}

static bool check_message(struct checking *checking, struct fault_frame *frame)
{
	const struct check_table *table = frame->message->check;
	struct cursor cursor = {.at = frame->body.data, .end = frame->body.data + frame->body.len};
	struct tally tally;
	for (size_t i = 0; i < table->word_count; i++)
		tally.seen[i] = 0;
	for (size_t i = 0; i < table->counted_count; i++)
		tally.counts[i] = 0;
	while (cursor.at < cursor.end) {
		uint64_t tag;
		frame->at = cursor.at;
		if (!read_tag(&cursor, &tag))
			return fault_at(frame, FAULT_MESSAGE, checking->error,
					"holds a malformed tag");
		uint64_t number = tag >> 3;
		const struct check_field *entry =
			number < table->dense_count ? &table->dense[number]
			: number <= UINT32_MAX      ? check_find_sparse(table, (uint32_t)number)
						    : NULL;
		bool is_good = entry && entry->kind != CHECK_UNKNOWN
				       ? check_field(checking, frame, entry, (unsigned)(tag & 7),
						     &cursor, &tally)
				       : skip_unknown(checking, frame, tag, &cursor);
		if (!is_good)
			return false;
	}
	return check_end(checking, frame, &tally);
}

enum lyc_status schema_check(const struct schema_message *message, struct span body,
			     bool with_rules, struct lyc_error *error)
{
	struct checking checking = {.error = error, .with_rules = with_rules};
	struct fault_frame top = {.message = message, .body = body, .depth = 1};
	return check_message(&checking, &top) ? LYC_OK : LYC_INVALID_ARGUMENT;
}
