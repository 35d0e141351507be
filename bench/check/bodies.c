/* Five bodies, packed by protobuf-c. */
#include "check/bodies.h"

#include <string.h>

#include "bodies.pb-c.h"

#define PAGE_LEN 4000
#define HEIGHTS 200
#define BRANCHES 6

static size_t write_twenty(uint8_t *to)
{
	static uint8_t hash[32] = {1, 2, 3};
	static uint32_t scores[] = {3, 200, 70000};
	static char *tags[] = {"genomics", "proteins"};
	Lyceum__Bench__V1__Place place = LYCEUM__BENCH__V1__PLACE__INIT;
	Lyceum__Bench__V1__Twenty twenty = LYCEUM__BENCH__V1__TWENTY__INIT;
	place.city = "Cardiff";
	place.zip = 10;
	twenty.home = "wales";
	twenty.id = "0193c1f2-77aa";
	twenty.name = "Ann Example";
	twenty.country = "GB";
	twenty.mail = "ann@example.org";
	twenty.text = "Works on enzymes that take plastics apart.";
	twenty.year = 2024;
	twenty.seq = 123456;
	twenty.shift = -3;
	twenty.time_ms = 1732233600000;
	twenty.is_member = 1;
	twenty.kind = LYCEUM__BENCH__V1__KIND__PERSON;
	twenty.weight = 0.5;
	twenty.share = 0.25f;
	twenty.schema = 0x1234567890abcdef;
	twenty.crc = 0xdeadbeef;
	twenty.hash = (ProtobufCBinaryData){.len = sizeof(hash), .data = hash};
	twenty.place = &place;
	twenty.n_scores = 3;
	twenty.scores = scores;
	twenty.n_tags = 2;
	twenty.tags = tags;
	return lyceum__bench__v1__twenty__pack(&twenty, to);
}

static size_t write_two(uint8_t *to)
{
	Lyceum__Bench__V1__Two two = LYCEUM__BENCH__V1__TWO__INIT;
	two.id = "0193c1f2-77aa";
	two.count = 7;
	return lyceum__bench__v1__two__pack(&two, to);
}

/* A language with accents: every forty bytes a character of two. */
static size_t write_page(uint8_t *to)
{
	static const char words[] = "Mae pob tŷ yn y dref yn agos at yr orsaf. ";
	char text[PAGE_LEN + sizeof(words)] = "";
	Lyceum__Bench__V1__Page page = LYCEUM__BENCH__V1__PAGE__INIT;
	size_t len = 0;
	while (len + sizeof(words) < PAGE_LEN) {
		memcpy(text + len, words, sizeof(words));
		len += sizeof(words) - 1;
	}
	page.text = text;
	return lyceum__bench__v1__page__pack(&page, to);
}

static size_t write_curve(uint8_t *to)
{
	uint32_t heights[HEIGHTS];
	Lyceum__Bench__V1__Curve curve = LYCEUM__BENCH__V1__CURVE__INIT;
	for (uint32_t i = 0; i < HEIGHTS; i++)
		heights[i] = i * i % 20000;
	curve.heights = heights;
	curve.n_heights = HEIGHTS;
	return lyceum__bench__v1__curve__pack(&curve, to);
}

/* Six branches of six: 43 messages, three deep. */
static size_t write_tree(uint8_t *to)
{
	Lyceum__Bench__V1__Tree leaf = LYCEUM__BENCH__V1__TREE__INIT;
	Lyceum__Bench__V1__Tree branch = LYCEUM__BENCH__V1__TREE__INIT;
	Lyceum__Bench__V1__Tree trunk = LYCEUM__BENCH__V1__TREE__INIT;
	Lyceum__Bench__V1__Tree *leaves[BRANCHES];
	Lyceum__Bench__V1__Tree *branches[BRANCHES];
	for (size_t i = 0; i < BRANCHES; i++) {
		leaves[i] = &leaf;
		branches[i] = &branch;
	}
	leaf.name = "a leaf";
	branch.name = "a branch";
	branch.branches = leaves;
	branch.n_branches = BRANCHES;
	trunk.name = "the trunk";
	trunk.branches = branches;
	trunk.n_branches = BRANCHES;
	return lyceum__bench__v1__tree__pack(&trunk, to);
}

const struct body_shape body_shapes[BODY_SHAPES] = {
	[BODY_TWENTY] = {"twenty mixed fields", &lyceum__bench__v1__twenty__descriptor,
			 write_twenty},
	[BODY_TWO] = {"two fields", &lyceum__bench__v1__two__descriptor, write_two},
	[BODY_PAGE] = {"one text of 4,000 bytes", &lyceum__bench__v1__page__descriptor, write_page},
	[BODY_CURVE] = {"200 packed numbers", &lyceum__bench__v1__curve__descriptor, write_curve},
	[BODY_TREE] = {"43 messages in each other", &lyceum__bench__v1__tree__descriptor,
		       write_tree},
};
