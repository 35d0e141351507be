/*
 * Reads a pattern's text into a graph. Each part becomes a fragment with one way in and one way
 * out; a repetition reads its part again for each copy, so that no tree is needed. Every part costs
 * at least one node, and nodes are limited: that bounds nested repetitions.
 */
#include "schema/nfa.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "schema/code_set.h"

#define MAX_GROUPS 32
#define MAX_REPEAT 1000

struct parser {
	struct nfa *nfa;
	const uint8_t *from;
	const uint8_t *at;
	const uint8_t *end;
	uint64_t *work;
	struct lyc_error *error;
	enum lyc_status status;
};

/* `out` is a SPLIT whose `next` is still open. */
struct fragment {
	uint32_t in;
	uint32_t out;
};

static LYC_PRINTF(2, 3) void fail(struct parser *parser, const char *format, ...)
{
	if (parser->status != LYC_OK)
		return;
	char reason[120];
	va_list args;
	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	size_t position = 0;
	utf8_check(parser->from, (size_t)(parser->at - parser->from), &position);
	parser->status = error_set(parser->error, LYC_INVALID_ARGUMENT, "at character %zu: %s",
				   position + 1, reason);
}

static uint32_t add_node(struct parser *parser, struct nfa_node node)
{
	struct nfa *nfa = parser->nfa;
	if (parser->status != LYC_OK)
		return 0;
	if (nfa->count == NFA_MAX_NODES || *parser->work == 0) {
		fail(parser, "the pattern is too large");
		return 0;
	}
	*parser->work -= 1;
	if (nfa->count == nfa->cap) {
		size_t cap = nfa->cap > 0 ? nfa->cap * 2 : 64;
		struct nfa_node *nodes = realloc(nfa->nodes, cap * sizeof(nodes[0]));
		if (!nodes) {
			parser->status = error_set(parser->error, LYC_RESOURCE_EXHAUSTED,
						   "there is no memory for the pattern");
			return 0;
		}
		nfa->nodes = nodes;
		nfa->cap = cap;
	}
	nfa->nodes[nfa->count] = node;
	return (uint32_t)nfa->count++;
}

static uint32_t add_split(struct parser *parser, uint32_t next, uint32_t other)
{
	return add_node(parser, (struct nfa_node){.kind = NFA_SPLIT, .next = next, .other = other});
}

static void connect(struct parser *parser, uint32_t out, uint32_t next)
{
	if (parser->status == LYC_OK)
		parser->nfa->nodes[out].next = next;
}

static struct fragment empty(struct parser *parser)
{
	uint32_t node = add_split(parser, NFA_NONE, NFA_NONE);
	return (struct fragment){node, node};
}

static struct fragment join(struct parser *parser, struct fragment a, struct fragment b)
{
	connect(parser, a.out, b.in);
	return (struct fragment){a.in, b.out};
}

/* ---- characters ---- */

/* A step that goes on to `next`: an equal one among the nodes since `first` is shared, which keeps
 * the tails of a class together. */
static uint32_t add_step(struct parser *parser, size_t first, uint8_t low, uint8_t high,
			 uint32_t next)
{
	for (size_t i = first; i < parser->nfa->count && parser->status == LYC_OK; i++) {
		const struct nfa_node *node = &parser->nfa->nodes[i];
		if (node->kind == NFA_STEP && node->low == low && node->high == high &&
		    node->next == next)
			return (uint32_t)i;
	}
	return add_node(parser, (struct nfa_node){.kind = NFA_STEP,
						  .low = low,
						  .high = high,
						  .next = next,
						  .other = NFA_NONE});
}

/* The characters from low to high, which all have `len` bytes and differ only in a way that byte
 * ranges can say. */
static uint32_t add_sequence(struct parser *parser, size_t first, uint32_t low, uint32_t high,
			     uint32_t next)
{
	uint8_t from[4];
	uint8_t to[4];
	size_t len = utf8_put(from, low);
	utf8_put(to, high);
	for (size_t i = len; i-- > 0;)
		next = add_step(parser, first, from[i], to[i], next);
	return next;
}

/* Split a range until each piece is a sequence of byte ranges. Source: Russ Cox, "Regular
 * Expression Matching in the Wild", on UTF-8 ranges. */
static void add_range(struct parser *parser, size_t first, struct code_range range, uint32_t out,
		      uint32_t *ways)
{
	static const uint32_t last_of_len[] = {0x7f, 0x7ff, 0xffff, CODE_MAX};
	uint32_t low = range.low;
	while (low <= range.high && parser->status == LYC_OK) {
		uint32_t high = range.high;
		for (size_t i = 0; i < 4; i++) {
			if (low <= last_of_len[i]) {
				if (high > last_of_len[i])
					high = last_of_len[i];
				break;
			}
		}
		/* From the lowest byte up: a part that does not span its whole block is cut off. */
		for (unsigned bits = 6; high > 0x7f && bits <= 18; bits += 6) {
			uint32_t mask = ((uint32_t)1 << bits) - 1;
			if ((low & ~mask) == (high & ~mask))
				break;
			if ((low & mask) != 0) {
				high = low | mask;
				break;
			}
			if ((high & mask) != mask)
				high = (high & ~mask) - 1;
		}
		uint32_t in = add_sequence(parser, first, low, high, out);
		*ways = *ways == NFA_NONE ? in : add_split(parser, in, *ways);
		low = high + 1;
	}
}

static struct fragment characters(struct parser *parser, const struct code_set *set)
{
	uint32_t out = add_split(parser, NFA_NONE, NFA_NONE);
	size_t first = parser->nfa->count;
	uint32_t ways = NFA_NONE;
	for (size_t i = 0; i < set->count; i++)
		add_range(parser, first, set->ranges[i], out, &ways);
	uint32_t in = add_split(parser, ways, NFA_NONE);
	return (struct fragment){in, out};
}

/* ---- text ---- */

static bool is_at(const struct parser *parser, char c)
{
	return parser->at < parser->end && *parser->at == (uint8_t)c;
}

/* The character after a backslash, for those that mean one character. */
static bool escaped(struct parser *parser, char escape, uint32_t *ret_code)
{
	switch (escape) {
	case 'n':
		*ret_code = '\n';
		return true;
	case 'r':
		*ret_code = '\r';
		return true;
	case 't':
		*ret_code = '\t';
		return true;
	default:
		break;
	}
	if (escape < '!' || escape > '~' || (escape >= '0' && escape <= '9') ||
	    (escape >= 'A' && escape <= 'Z') || (escape >= 'a' && escape <= 'z')) {
		fail(parser, "this escape is not known");
		return false;
	}
	*ret_code = (uint8_t)escape;
	return true;
}

/* One member of a class, or one escape outside: adds a whole class and answers false, or gives a
 * character. */
static bool member(struct parser *parser, struct code_set *set, uint32_t *ret_code)
{
	if (!is_at(parser, '\\')) {
		*ret_code = utf8_next(&parser->at, parser->end);
		return true;
	}
	parser->at++;
	if (parser->at == parser->end) {
		fail(parser, "a backslash ends the pattern");
		return false;
	}
	char escape = (char)*parser->at;
	bool is_class = escape != '\0' && strchr("dwsDWS", escape) != NULL;
	bool is_code = false;
	if (is_class) {
		if (!code_set_add_class(set, escape))
			fail(parser, "the class has too many parts");
	} else {
		is_code = escaped(parser, escape, ret_code);
	}
	parser->at++;
	return is_code;
}

static struct fragment class(struct parser *parser)
{
	struct code_set set = {.count = 0};
	parser->at++;
	bool is_negated = is_at(parser, '^');
	if (is_negated)
		parser->at++;
	if (is_at(parser, ']'))
		fail(parser, "the class is empty; write \\] for the character");
	while (parser->status == LYC_OK && !is_at(parser, ']')) {
		if (parser->at == parser->end) {
			fail(parser, "the class is not closed with ]");
			break;
		}
		uint32_t low;
		if (!member(parser, &set, &low))
			continue;
		uint32_t high = low;
		bool is_range =
			is_at(parser, '-') && parser->end - parser->at > 1 && parser->at[1] != ']';
		if (is_range) {
			parser->at++;
			if (!member(parser, &set, &high) || high < low)
				fail(parser, "the range of the class ends before it begins");
		}
		if (parser->status == LYC_OK && !code_set_add(&set, low, high))
			fail(parser, "the class has too many parts");
	}
	if (parser->status == LYC_OK)
		parser->at++;
	code_set_tidy(&set);
	if (is_negated && !code_set_negate(&set))
		fail(parser, "the class has too many parts");
	if (set.count == 0)
		fail(parser, "the class holds no character");
	return characters(parser, &set);
}

static struct fragment any(struct parser *parser)
{
	struct code_set set = {.count = 0};
	parser->at++;
	code_set_add(&set, '\n', '\n');
	code_set_negate(&set);
	return characters(parser, &set);
}

static struct fragment literal(struct parser *parser)
{
	struct code_set set = {.count = 0};
	uint32_t code;
	if (member(parser, &set, &code))
		code_set_add(&set, code, code);
	code_set_tidy(&set);
	return characters(parser, &set);
}

/* ---- structure ---- */

static struct fragment choice(struct parser *parser, int depth);

static struct fragment group(struct parser *parser, int depth)
{
	if (depth == MAX_GROUPS)
		fail(parser, "groups are nested deeper than %d", MAX_GROUPS);
	parser->at++;
	struct fragment start = empty(parser);
	if (parser->status != LYC_OK)
		return start;
	struct fragment inner = join(parser, start, choice(parser, depth + 1));
	if (!is_at(parser, ')'))
		fail(parser, "the group is not closed with )");
	else
		parser->at++;
	return inner;
}

static struct fragment atom(struct parser *parser, int depth)
{
	switch (*parser->at) {
	case '(':
		return group(parser, depth);
	case '[':
		return class(parser);
	case '.':
		return any(parser);
	case '?':
	case '*':
	case '+':
	case '{':
		fail(parser, "there is nothing to repeat; write \\%c for the character",
		     *parser->at);
		break;
	case '^':
	case '$':
		fail(parser, "a pattern always matches the whole; write \\%c for the character",
		     *parser->at);
		break;
	case ']':
	case '}':
		fail(parser, "nothing is open here; write \\%c for the character", *parser->at);
		break;
	default:
		return literal(parser);
	}
	return empty(parser);
}

static bool number(struct parser *parser, uint32_t *ret_number)
{
	uint32_t value = 0;
	bool has_digit = false;
	while (parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9') {
		value = value * 10 + (uint32_t)(*parser->at - '0');
		has_digit = true;
		if (value > MAX_REPEAT) {
			fail(parser, "at most %d repetitions can be asked for", MAX_REPEAT);
			return false;
		}
		parser->at++;
	}
	if (has_digit)
		*ret_number = value;
	return has_digit;
}

struct repeat {
	uint32_t min;
	uint32_t max;
	bool is_open;
};

/* True when a quantifier stands here; it is passed. */
static bool quantifier(struct parser *parser, struct repeat *repeat)
{
	if (is_at(parser, '?')) {
		*repeat = (struct repeat){0, 1, false};
	} else if (is_at(parser, '*')) {
		*repeat = (struct repeat){0, 0, true};
	} else if (is_at(parser, '+')) {
		*repeat = (struct repeat){1, 1, true};
	} else if (is_at(parser, '{')) {
		parser->at++;
		bool is_good = number(parser, &repeat->min);
		repeat->max = repeat->min;
		if (is_good && is_at(parser, ',')) {
			parser->at++;
			repeat->is_open = is_at(parser, '}');
			is_good = repeat->is_open || number(parser, &repeat->max);
		}
		if (!is_good || !is_at(parser, '}') || repeat->max < repeat->min)
			fail(parser, "a repetition is written {m}, {m,} or {m,n}");
	} else {
		return false;
	}
	parser->at++;
	return parser->status == LYC_OK;
}

static struct fragment again(struct parser *parser, const uint8_t *from, int depth)
{
	parser->at = from;
	return atom(parser, depth);
}

static struct fragment repeated(struct parser *parser, const uint8_t *from, int depth,
				struct repeat repeat)
{
	struct fragment all = empty(parser);
	for (uint32_t i = 0; i < repeat.min && parser->status == LYC_OK; i++)
		all = join(parser, all, again(parser, from, depth));
	if (repeat.is_open) {
		struct fragment one = again(parser, from, depth);
		uint32_t loop = add_split(parser, NFA_NONE, one.in);
		connect(parser, one.out, loop);
		return join(parser, all, (struct fragment){loop, loop});
	}
	/* x{0,3} is (x(x(x)?)?)?: every way out leads to one end. */
	uint32_t out = add_split(parser, NFA_NONE, NFA_NONE);
	for (uint32_t i = repeat.min; i < repeat.max && parser->status == LYC_OK; i++) {
		struct fragment one = again(parser, from, depth);
		uint32_t skip = add_split(parser, one.in, out);
		connect(parser, all.out, skip);
		all.out = one.out;
	}
	connect(parser, all.out, out);
	return (struct fragment){all.in, out};
}

static struct fragment sequence(struct parser *parser, int depth)
{
	struct fragment all = empty(parser);
	while (parser->status == LYC_OK && parser->at < parser->end && !is_at(parser, '|') &&
	       !is_at(parser, ')')) {
		const uint8_t *from = parser->at;
		size_t count = parser->nfa->count;
		struct fragment one = atom(parser, depth);
		struct repeat repeat = {0};
		if (parser->status == LYC_OK && quantifier(parser, &repeat)) {
			const uint8_t *behind = parser->at;
			parser->nfa->count = count;
			one = repeated(parser, from, depth, repeat);
			if (parser->status == LYC_OK)
				parser->at = behind;
		}
		all = join(parser, all, one);
	}
	return all;
}

static struct fragment choice(struct parser *parser, int depth)
{
	struct fragment all = sequence(parser, depth);
	while (parser->status == LYC_OK && is_at(parser, '|')) {
		parser->at++;
		struct fragment other = sequence(parser, depth);
		uint32_t out = add_split(parser, NFA_NONE, NFA_NONE);
		connect(parser, all.out, out);
		connect(parser, other.out, out);
		all = (struct fragment){add_split(parser, all.in, other.in), out};
	}
	return all;
}

enum lyc_status nfa_init(struct nfa *nfa, struct span text, uint64_t *work, struct lyc_error *error)
{
	*nfa = (struct nfa){0};
	if (!utf8_check(text.data, text.len, NULL))
		return error_set(error, LYC_INVALID_ARGUMENT, "the pattern is not UTF-8");
	struct parser parser = {.nfa = nfa,
				.from = text.data,
				.at = text.data,
				.end = text.data + text.len,
				.work = work,
				.error = error,
				.status = LYC_OK};
	struct fragment all = choice(&parser, 0);
	if (parser.status == LYC_OK && parser.at < parser.end)
		fail(&parser, "a ) closes no group");
	uint32_t accept = add_node(
		&parser,
		(struct nfa_node){.kind = NFA_ACCEPT, .next = NFA_NONE, .other = NFA_NONE});
	connect(&parser, all.out, accept);
	nfa->start = all.in;
	return parser.status;
}

void nfa_fini(struct nfa *nfa)
{
	free(nfa->nodes);
	*nfa = (struct nfa){0};
}
