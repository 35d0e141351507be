/*
 * Random bodies of any type, in canonical form: fields by number, numbers packed where the type
 * says so, no zero without presence, maps sorted. So a body that went through a text form and back
 * has the same bytes. A seed gives the same body for ever.
 */
#ifndef LYC_TESTS_RANDOM_BODY_H
#define LYC_TESTS_RANDOM_BODY_H

#include <math.h>
#include <string.h>

#include "base/pb.h"
#include "base/rng.h"
#include "schema/schema.h"

static inline void random_body(struct rng *rng, const struct schema_message *message,
			       unsigned depth, struct buf *to);

/* Of a few sizes, zero included. */
static inline uint64_t random_bits(struct rng *rng)
{
	return rng_next(rng) >> rng_below(rng, 64) >> rng_below(rng, 2);
}

static inline uint64_t random_real(struct rng *rng, bool is_float)
{
	static const double values[] = {0, 1, -1.5, 0.1, 1e-30, 123456.789, -7e20, 3};
	uint64_t pick = rng_below(rng, 11);
	double value = pick < 8    ? values[pick]
		       : pick == 8 ? (double)INFINITY
		       : pick == 9 ? -(double)INFINITY
				   : (double)NAN;
	float half = (float)value;
	uint64_t bits = 0;
	if (is_float)
		memcpy(&bits, &half, sizeof(half));
	else
		memcpy(&bits, &value, sizeof(value));
	return bits;
}

static inline struct span random_text(struct rng *rng, bool is_bytes)
{
	static const char *const texts[] = {"",         "a",          "null",    "true",
					    "12",       "Zo\xc3\xab", "q\"\\",   "\t\n\r",
					    "\x01\x7f", "- x",        "a: b # c"};
	static const char bytes[] = "\x00\xff\xfe\x80 abc";
	if (is_bytes)
		return span_of(bytes, rng_below(rng, sizeof(bytes)));
	const char *text = texts[rng_below(rng, sizeof(texts) / sizeof(texts[0]))];
	return span_of(text, strlen(text));
}

/* A number's canonical bits as they go onto the wire; ret_size 0 for a varint. */
static inline uint64_t random_number(struct rng *rng, const struct schema_field *field,
				     size_t *ret_size)
{
	uint64_t bits = random_bits(rng);
	*ret_size = 0;
	switch ((int)field->type) {
	case SCHEMA_DOUBLE:
	case SCHEMA_FLOAT:
		*ret_size = field->type == SCHEMA_FLOAT ? 4 : 8;
		return random_real(rng, field->type == SCHEMA_FLOAT);
	case SCHEMA_FIXED64:
	case SCHEMA_SFIXED64:
		*ret_size = 8;
		return bits;
	case SCHEMA_FIXED32:
	case SCHEMA_SFIXED32:
		*ret_size = 4;
		return (uint32_t)bits;
	case SCHEMA_UINT32:
	case SCHEMA_SINT32:
		return (uint32_t)bits;
	case SCHEMA_INT32:
		return (uint64_t)(int64_t)(int32_t)(uint32_t)bits;
	case SCHEMA_BOOL:
		return bits & 1;
	case SCHEMA_ENUM:
		bits = rng_below(rng, field->enumeration->value_count);
		return (uint64_t)(int64_t)field->enumeration->values[bits].number;
	default:
		return bits;
	}
}

static inline void random_put(struct buf *to, size_t size, uint64_t bits)
{
	for (size_t i = 0; i < size; i++)
		buf_add_byte(to, (uint8_t)(bits >> (8 * i)));
	if (size == 0)
		pb_write_varint(to, bits);
}

static inline void random_one(struct rng *rng, const struct schema_field *field, unsigned depth,
			      bool keep_zero, struct buf *to)
{
	if (field->type == SCHEMA_MESSAGE) {
		size_t mark = pb_begin(to, field->number);
		random_body(rng, field->message, depth + 1, to);
		pb_end(to, mark);
		return;
	}
	if (field->type == SCHEMA_STRING || field->type == SCHEMA_BYTES) {
		struct span text = random_text(rng, field->type == SCHEMA_BYTES);
		if (text.len > 0 || keep_zero)
			pb_write_message(to, field->number, text);
		return;
	}
	size_t size;
	uint64_t bits = random_number(rng, field, &size);
	if (bits == 0 && !keep_zero)
		return;
	pb_write_varint(to, (uint64_t)field->number << 3 | (size == 8 ? 1 : size == 4 ? 5 : 0));
	random_put(to, size, bits);
}

/* At most two entries, the first with the zero key: sorted. Text keys: "" and "k". */
static inline void random_map(struct rng *rng, const struct schema_field *field, unsigned depth,
			      struct buf *to)
{
	const struct schema_field *key = schema_field_by_number(field->message, 1);
	const struct schema_field *value = schema_field_by_number(field->message, 2);
	for (uint64_t i = rng_below(rng, 2); i < 2; i++) {
		bool is_8 = key->type == SCHEMA_FIXED64 || key->type == SCHEMA_SFIXED64;
		bool is_4 = key->type == SCHEMA_FIXED32 || key->type == SCHEMA_SFIXED32;
		size_t mark = pb_begin(to, field->number);
		if (key->type == SCHEMA_STRING) {
			pb_write_message(to, 1, span_of("k", i));
		} else {
			pb_write_varint(to, 8 | (is_8 ? 1 : is_4 ? 5 : 0));
			random_put(to, is_8 ? 8 : is_4 ? 4 : 0, i);
		}
		random_one(rng, value, depth, true, to);
		pb_end(to, mark);
	}
}

static inline void random_list(struct rng *rng, const struct schema_field *field, unsigned depth,
			       struct buf *to)
{
	uint64_t count = 1 + rng_below(rng, 3);
	size_t mark = field->is_packed ? pb_begin(to, field->number) : 0;
	for (uint64_t i = 0; i < count; i++) {
		size_t size;
		if (!field->is_packed) {
			random_one(rng, field, depth, true, to);
			continue;
		}
		uint64_t bits = random_number(rng, field, &size);
		random_put(to, size, bits);
	}
	if (field->is_packed)
		pb_end(to, mark);
}

/* The types of which not every body has a JSON form. False for any other. */
static inline bool random_known(struct rng *rng, const struct schema_message *message,
				unsigned depth, struct buf *to)
{
	uint64_t pick = rng_below(rng, 6);
	switch ((int)message->known) {
	case SCHEMA_TIMESTAMP:
	case SCHEMA_DURATION:
		pb_write_uint(to, 1, rng_below(rng, 250000000000));
		pb_write_uint(to, 2, rng_below(rng, 1000) * (pick < 3 ? 1000000 : 1));
		return true;
	case SCHEMA_FIELD_MASK:
		for (uint64_t i = 0; i < pick; i++)
			pb_write_text(to, 1, i % 2 ? "orcid_id.name" : "a");
		return true;
	case SCHEMA_ANY:
		if (pick > 0) {
			pb_write_text(to, 1, "type.googleapis.com/google.protobuf.Duration");
			pb_write_message(to, 2, span_of("\x08\x05", 2));
		}
		return true;
	case SCHEMA_VALUE:
		if (depth > 8 && pick > 3)
			pick = 0;
		if (pick == 1)
			pb_write_fixed64(to, 2, 0x3ff8000000000000);
		else
			random_one(rng, schema_field_by_number(message, (uint32_t)pick + 1), depth,
				   true, to);
		return true;
	default:
		return false;
	}
}

static inline void random_body(struct rng *rng, const struct schema_message *message,
			       unsigned depth, struct buf *to)
{
	uint64_t oneof_pick = rng_below(rng, 8);
	int last_oneof = -1;
	if (random_known(rng, message, depth, to))
		return;
	for (size_t i = 0; i < message->field_count; i++) {
		const struct schema_field *field = &message->fields[i];
		bool is_deep = depth > 8 && field->type == SCHEMA_MESSAGE;
		bool is_left_out = rng_below(rng, 2) == 0 || is_deep ||
				   (field->oneof >= 0 && field->oneof == last_oneof) ||
				   (field->oneof >= 0 && i % 8 < oneof_pick % 4);
		if (is_left_out && !field->is_required)
			continue;
		if (field->oneof >= 0)
			last_oneof = field->oneof;
		if (field->is_map)
			random_map(rng, field, depth, to);
		else if (field->is_repeated)
			random_list(rng, field, depth, to);
		else
			random_one(rng, field, depth, field->has_presence, to);
	}
}

#endif
