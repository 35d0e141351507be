/*
 * The wire check: one pass over the bytes, nothing allocated, nothing decoded that no rule asks
 * for. Per message there is a bit for each field and oneof that has occurred. What a fault is
 * called and where it lies is left to fault.c; the rules of single values to check_value.c.
 */
#include "schema/check.h"

#include <endian.h>
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

/* What a message has had so far, by slot; the first 64 slots are kept in a register. */
struct tally {
	uint64_t seen[CHECK_MAX_WORDS];
	uint32_t counts[CHECK_MAX_COUNTED];
};

/* Where a reader stands after what it read, NULL when that was malformed. */
typedef const uint8_t *place;

static bool check_message(struct checking *checking, struct fault_frame *frame);

/* ---- reading ---- */

/* A tag or a length: of at most 5 bytes, as all parsers of protobuf read them. */
static inline place read_head(place at, place end, uint64_t *ret_value)
{
	return pb_varint_at(at, end - at > 5 ? at + 5 : end, ret_value);
}

static inline place read_span(place at, place end, struct span *ret_span)
{
	uint64_t len;
	at = read_head(at, end, &len);
	if (!at || len > (uint64_t)(end - at))
		return NULL;
	*ret_span = span_of(at, (size_t)len);
	return at + len;
}

static inline place read_fixed64(place at, place end, uint64_t *ret_value)
{
	uint64_t value;
	if (end - at < 8)
		return NULL;
	memcpy(&value, at, 8);
	*ret_value = le64toh(value);
	return at + 8;
}

static inline place read_fixed32(place at, place end, uint64_t *ret_value)
{
	uint32_t value;
	if (end - at < 4)
		return NULL;
	memcpy(&value, at, 4);
	*ret_value = le32toh(value);
	return at + 4;
}

/* ---- faults of the structure ---- */

static FAULT_COLD bool is_cut_off(struct checking *checking, const struct fault_frame *frame)
{
	return fault_at(frame, FAULT_ELEMENT, checking->error, "is cut off or malformed");
}

static FAULT_COLD bool has_too_many(struct checking *checking, const struct fault_frame *frame)
{
	return fault_at(frame, FAULT_MESSAGE, checking->error,
			"the body holds more than %d elements", SCHEMA_MAX_ELEMENTS);
}

static FAULT_COLD bool occurs_again(struct checking *checking, const struct fault_frame *frame,
				    const struct check_field *entry, const struct tally *tally)
{
	bool is_same = (tally->seen[entry->slot >> 6] >> (entry->slot & 63) & 1) != 0;
	if (is_same)
		return fault_at(frame, FAULT_FIELD, checking->error, "occurs twice");
	return fault_at(frame, FAULT_FIELD, checking->error,
			"is set together with another field of the oneof %.80s",
			entry->field->oneof_name);
}

static FAULT_COLD bool has_wrong_wire(struct checking *checking, const struct fault_frame *frame,
				      const struct check_field *entry, unsigned wire)
{
	static const char *const names[] = {"a varint",      "8 bytes",      "length-delimited",
					    "a group start", "a group end",  "4 bytes",
					    "no known kind", "no known kind"};
	if (entry->kind == CHECK_GROUP || wire == PB_GROUP_START || wire == PB_GROUP_END)
		return fault_at(frame, FAULT_ELEMENT, checking->error,
				"is a group, which is refused");
	return fault_at(frame, FAULT_ELEMENT, checking->error, "is written as %s, it has to be %s",
			names[wire], names[entry->tag & 7]);
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

static FAULT_COLD place refuse_unknown(struct checking *checking, const struct fault_frame *frame,
				       uint64_t tag)
{
	uint64_t number = tag >> 3;
	unsigned wire = (unsigned)(tag & 7);
	if (number == 0 || number > 536870911)
		fault_at(frame, FAULT_MESSAGE, checking->error,
			 "holds a field with the number %" PRIu64, number);
	else if (wire == PB_GROUP_START || wire == PB_GROUP_END)
		fault_at(frame, FAULT_MESSAGE, checking->error,
			 "holds a group (field %" PRIu64 "), which is refused", number);
	else if (wire > PB_FIXED32)
		fault_at(frame, FAULT_MESSAGE, checking->error,
			 "holds a field (%" PRIu64 ") of no known wire type", number);
	else
		fault_at(frame, FAULT_MESSAGE, checking->error,
			 "holds an unknown field (%" PRIu64 ") that is cut off or malformed",
			 number);
	return NULL;
}

/* A field that the schema does not have: well-formed is good enough. It counts as an element, since
 * whoever unpacks it keeps it. */
static place skip_unknown(struct checking *checking, struct fault_frame *frame, uint64_t tag,
			  place at, place end)
{
	uint64_t number = tag >> 3;
	uint64_t value;
	struct span bytes;
	switch (tag & 7) {
	case PB_VARINT:
		at = pb_varint_at(at, end, &value);
		break;
	case PB_FIXED64:
		at = read_fixed64(at, end, &value);
		break;
	case PB_FIXED32:
		at = read_fixed32(at, end, &value);
		break;
	case PB_LEN:
		at = read_span(at, end, &bytes);
		break;
	default:
		at = NULL;
		break;
	}
	if (!at || number == 0 || number > 536870911)
		return refuse_unknown(checking, frame, tag);
	return count_elements(checking, 1, frame) ? at : NULL;
}

static FAULT_COLD place refuse_enum(struct checking *checking, const struct fault_frame *frame,
				    const struct check_field *entry, uint64_t value)
{
	fault_at(frame, FAULT_ELEMENT, checking->error, "%" PRId32 " is not a value of %.100s",
		 (int32_t)(uint32_t)value, entry->field->enumeration->full_name);
	return NULL;
}

/* One value of a varint or fixed-size field. */
static __attribute__((always_inline)) inline place check_scalar(struct checking *checking,
								struct fault_frame *frame,
								const struct check_field *entry,
								place at, place end)
{
	uint64_t value;
	switch (entry->kind) {
	case CHECK_FIXED64:
		at = read_fixed64(at, end, &value);
		break;
	case CHECK_FIXED32:
		at = read_fixed32(at, end, &value);
		break;
	case CHECK_CLOSED_ENUM:
		at = pb_varint_at(at, end, &value);
		if (at && !check_closed_enum(entry->field->enumeration, value))
			return refuse_enum(checking, frame, entry, value);
		break;
	default:
		at = pb_varint_at(at, end, &value);
		break;
	}
	if (__builtin_expect(!at, 0)) {
		is_cut_off(checking, frame);
		return NULL;
	}
	if (entry->has_more_rules && checking->with_rules &&
	    !check_number(entry, value, frame, checking->error))
		return NULL;
	return at;
}

static inline bool check_text(struct checking *checking, struct fault_frame *frame,
			      const struct check_field *entry, struct span bytes)
{
	size_t len = bytes.len;
	if (entry->kind == CHECK_STRING && !utf8_is_short_plain(bytes.data, bytes.len) &&
	    !utf8_check(bytes.data, bytes.len, &len))
		return fault_at(frame, FAULT_ELEMENT, checking->error, "is not valid UTF-8");
	if (!entry->rules || !checking->with_rules)
		return true;
	if (len > 0 && len >= entry->min_len && len <= entry->max_len && !entry->has_more_rules)
		return true;
	return check_length(entry, bytes, len, frame, checking->error);
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

static inline uint64_t bit_of(uint16_t slot)
{
	return (uint64_t)1 << (slot & 63);
}

/* A value written otherwise than expected: a run of packed elements, or a fault. */
static place check_packed(struct checking *checking, struct fault_frame *frame,
			  const struct check_field *entry, unsigned wire, place at, place end,
			  size_t *ret_count)
{
	struct span run;
	bool is_packable = entry->kind == CHECK_VARINT || entry->kind == CHECK_CLOSED_ENUM ||
			   entry->kind == CHECK_FIXED64 || entry->kind == CHECK_FIXED32;
	if (wire != PB_LEN || !entry->is_repeated || !is_packable) {
		has_wrong_wire(checking, frame, entry, wire);
		return NULL;
	}
	at = read_span(at, end, &run);
	if (!at) {
		is_cut_off(checking, frame);
		return NULL;
	}
	size_t count = 0;
	bool is_any =
		entry->kind == CHECK_VARINT && !(entry->has_more_rules && checking->with_rules);
	if (is_any && pb_count_varints(run, &count)) {
		*ret_count = count;
		return count_elements(checking, count, frame) ? at : NULL;
	}
	count = 0;
	place inner = run.data;
	for (; inner < run.data + run.len; count++) {
		frame->packed_before = count;
		if (!count_elements(checking, 1, frame))
			return NULL;
		inner = check_scalar(checking, frame, entry, inner, run.data + run.len);
		if (!inner)
			return NULL;
	}
	frame->packed_before = 0;
	*ret_count = count;
	return at;
}

/* The bits of a field that lies beyond the first 64. */
static bool note_wide(struct checking *checking, const struct fault_frame *frame,
		      const struct check_field *entry, struct tally *tally)
{
	uint64_t *own = &tally->seen[entry->slot >> 6];
	bool is_again = (*own & bit_of(entry->slot)) != 0;
	if (entry->oneof_slot != CHECK_NONE) {
		uint64_t *shared = &tally->seen[entry->oneof_slot >> 6];
		is_again = is_again || (*shared & bit_of(entry->oneof_slot)) != 0;
		if (!is_again)
			*shared |= bit_of(entry->oneof_slot);
	}
	if (is_again && !entry->is_repeated)
		return occurs_again(checking, frame, entry, tally);
	*own |= bit_of(entry->slot);
	return true;
}

/* One value in the wire type that belongs to the field. */
static __attribute__((always_inline)) inline place check_value(struct checking *checking,
							       struct fault_frame *frame,
							       const struct check_field *entry,
							       place at, place end)
{
	struct span bytes;
	if (entry->kind < CHECK_STRING)
		return check_scalar(checking, frame, entry, at, end);
	at = read_span(at, end, &bytes);
	if (__builtin_expect(!at, 0)) {
		is_cut_off(checking, frame);
		return NULL;
	}
	if (__builtin_expect(entry->kind != CHECK_MESSAGE, 1))
		return check_text(checking, frame, entry, bytes) ? at : NULL;
	if (!count_elements(checking, 1, frame))
		return NULL;
	return check_below(checking, frame, entry, bytes) ? at : NULL;
}

/* What a field does beyond setting its bit. A submessage is counted where it is entered. */
static inline bool note_more(struct checking *checking, const struct fault_frame *frame,
			     const struct check_field *entry, struct tally *tally, size_t count)
{
	if (entry->is_wide && !note_wide(checking, frame, entry, tally))
		return false;
	if (entry->counter != CHECK_NONE)
		tally->counts[entry->counter] += (uint32_t)count;
	return true;
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

static const struct check_field no_entry = {.tag = CHECK_NO_TAG_BUT_ZERO};
static const struct check_field no_entry_of_zero = {.tag = CHECK_NO_TAG};

static inline const struct check_field *find_entry(const struct check_table *table, uint64_t tag)
{
	uint64_t number = tag >> 3;
	if (__builtin_expect(number < table->dense_count, 1))
		return &table->dense[number];
	/* An entry's tag must not be met by chance: of number 536870911 and wire type 7 it would
	 * be.
	 */
	if (number == 0)
		return &no_entry_of_zero;
	if (number > UINT32_MAX || table->sparse_count == 0)
		return &no_entry;
	const struct check_field *entry = check_find_sparse(table, (uint32_t)number);
	return entry ? entry : &no_entry;
}

/* A field that is not written as the table expects: unknown, packed, or a fault. */
static place check_other(struct checking *checking, struct fault_frame *frame,
			 const struct check_field *entry, uint64_t tag, place at, place end,
			 size_t *ret_count)
{
	if (entry->kind != CHECK_UNKNOWN)
		return check_packed(checking, frame, entry, (unsigned)(tag & 7), at, end,
				    ret_count);
	*ret_count = 0;
	return skip_unknown(checking, frame, tag, at, end);
}

static bool check_message(struct checking *checking, struct fault_frame *frame)
{
	const struct check_table *table = frame->message->check;
	place at = frame->body.data;
	place end = frame->body.len > 0 ? at + frame->body.len : at;
	uint64_t seen = 0;
	struct tally tally;
	tally.seen[0] = 0;
	for (size_t i = 1; i < table->word_count; i++)
		tally.seen[i] = 0;
	for (size_t i = 0; i < table->counted_count; i++)
		tally.counts[i] = 0;
	while (at < end) {
		uint64_t tag;
		size_t count = 1;
		frame->at = at;
		at = read_head(at, end, &tag);
		if (__builtin_expect(!at, 0))
			return fault_at(frame, FAULT_MESSAGE, checking->error,
					"holds a malformed tag");
		const struct check_field *entry = find_entry(table, tag);
		if (__builtin_expect(entry->tag == tag, 1)) {
			if (__builtin_expect((seen & entry->once) != 0, 0)) {
				tally.seen[0] |= seen;
				return occurs_again(checking, frame, entry, &tally);
			}
			if (entry->is_repeated && entry->kind != CHECK_MESSAGE &&
			    !count_elements(checking, 1, frame))
				return false;
			at = check_value(checking, frame, entry, at, end);
		} else {
			at = check_other(checking, frame, entry, tag, at, end, &count);
		}
		if (!at)
			return false;
		if (count == 0)
			continue;
		seen |= entry->set;
		if (entry->has_more && !note_more(checking, frame, entry, &tally, count))
			return false;
	}
	tally.seen[0] |= seen;
	return check_end(checking, frame, &tally);
}

enum lyc_status schema_check(const struct schema_message *message, struct span body,
			     bool with_rules, struct lyc_error *error)
{
	struct checking checking = {.error = error, .with_rules = with_rules};
	struct fault_frame top = {.message = message, .body = body, .depth = 1};
	return check_message(&checking, &top) ? LYC_OK : LYC_INVALID_ARGUMENT;
}
