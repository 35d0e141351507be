/* Names are compared without case, punctuation and the legal form; company numbers without spaces
 * and leading zeros. */
#include "conflict.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 256

static void forget(struct told_conflict *told)
{
	free(told->subject);
	free(told->home);
	if (told->said)
		lyceum__investment__v1__sealed_conflict__free_unpacked(told->said, NULL);
}

void conflict_fini(struct desk *desk)
{
	for (size_t i = 0; i < desk->told_count; i++)
		forget(&desk->told[i]);
	free(desk->told);
	desk->told = NULL;
	desk->told_count = desk->told_capacity = 0;
}

static void *check(void *block)
{
	if (!block) {
		fputs("investment: out of memory\n", stderr);
		abort();
	}
	return block;
}

static struct told_conflict *place_for(struct desk *desk, const char *subject)
{
	for (size_t i = 0; i < desk->told_count; i++) {
		if (strcmp(desk->told[i].subject, subject) == 0) {
			forget(&desk->told[i]);
			return &desk->told[i];
		}
	}
	if (desk->told_count == desk->told_capacity) {
		desk->told_capacity = desk->told_capacity ? desk->told_capacity * 2 : 16;
		desk->told =
			check(realloc(desk->told, desk->told_capacity * sizeof(desk->told[0])));
	}
	return &desk->told[desk->told_count++];
}

static sealed_conflict_msg *open_notice(const struct desk *desk, const conflict_notice_msg *notice)
{
	struct pad pad = {0};
	sealed_conflict_msg *kept = NULL;

	if (strcmp(notice->node, desk->node) == 0) {
		ProtobufCMessage *said =
			secret_open(&pad, &desk->secret, notice->sealed,
				    &lyceum__investment__v1__sealed_conflict__descriptor);
		if (said) {
			size_t len = protobuf_c_message_get_packed_size(said);
			uint8_t *bytes = pad_new(&pad, len + 1, 1);
			protobuf_c_message_pack(said, bytes);
			kept = lyceum__investment__v1__sealed_conflict__unpack(NULL, len, bytes);
		}
	}
	pad_fini(&pad);
	return kept;
}

void conflict_note(struct desk *desk, const struct lyc_delivery *record)
{
	struct told_conflict *told = place_for(desk, record->subject);

	*told = (struct told_conflict){.subject = check(strdup(record->subject))};
	if (record->removed) {
		forget(told);
		*told = desk->told[--desk->told_count];
		return;
	}
	conflict_notice_msg *notice = lyceum__investment__v1__conflict_notice__unpack(
		NULL, record->body_len, record->body);
	told->home = check(strdup(notice ? notice->home : ""));
	told->said = notice ? open_notice(desk, notice) : NULL;
	if (notice)
		lyceum__investment__v1__conflict_notice__free_unpacked(notice, NULL);
}

/* ---- Who is meant ---- */

static bool is_form(const char *word, size_t len)
{
	static const char *const forms[] = {"ltd", "limited", "llp", "plc",        "lp", "inc",
					    "llc", "gmbh",    "cyf", "cyfyngedig", "the"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strlen(forms[i]) == len && memcmp(word, forms[i], len) == 0)
			return true;
	}
	return false;
}

static void fold(const char *name, char ret_folded[NAME_SIZE])
{
	size_t used = 0, word = 0;

	for (;; name++) {
		unsigned char c = (unsigned char)*name;
		if (c >= 0x80 || isalnum(c)) {
			if (used + 1 < NAME_SIZE)
				ret_folded[used++] = (char)tolower(c);
			continue;
		}
		if (is_form(ret_folded + word, used - word))
			used = word;
		word = used;
		if (!c)
			break;
	}
	ret_folded[used] = '\0';
}

bool conflict_is_same_name(const char *a, const char *b)
{
	char folded_a[NAME_SIZE], folded_b[NAME_SIZE];

	fold(a, folded_a);
	fold(b, folded_b);
	return folded_a[0] && strcmp(folded_a, folded_b) == 0;
}

static bool is_same_number(const char *a, const char *b)
{
	char folded_a[NAME_SIZE], folded_b[NAME_SIZE];

	fold(a, folded_a);
	fold(b, folded_b);
	const char *x = folded_a + strspn(folded_a, "0"), *y = folded_b + strspn(folded_b, "0");
	return *x && strcmp(x, y) == 0;
}

static bool is_meant(const struct party *party, const char *name, const char *company_number)
{
	return strcmp(name, party->token) == 0 || strcmp(name, party->id) == 0 ||
	       conflict_is_same_name(name, party->name) ||
	       is_same_number(company_number, party->company_number) ||
	       is_same_number(name, party->company_number);
}

static bool holds(int64_t until_ms, int64_t now_ms)
{
	return until_ms == 0 || now_ms < until_ms;
}

/* Declared here by `ours` against the other one, whose party is known when it is at this node. */
static bool is_declared(const struct desk *desk, const struct party *ours, const char *other_token,
			const struct party *other, int64_t now_ms)
{
	VIEW_EACH(held, &desk->view, KIND_CONFLICT)
	{
		const conflict_msg *conflict = (const void *)held->message;
		if (conflict->side != ours->side || strcmp(conflict->ours, ours->id) != 0 ||
		    !holds(conflict->until_ms, now_ms))
			continue;
		if (strcmp(conflict->other, other_token) == 0 ||
		    (other && is_meant(other, conflict->other, conflict->other_company_number)))
			return true;
	}
	return false;
}

bool conflict_bars(const struct desk *desk, const struct party *ours, const char *other_token,
		   const char *other_home, int64_t now_ms)
{
	struct party other;

	if (strcmp(other_home, desk->node) == 0) {
		side_value side = ours->side == SIDE_VENTURE ? SIDE_INVESTOR : SIDE_VENTURE;
		if (!desk_party_by_token(desk, side, other_token, &other))
			return false;
		return is_same_number(ours->company_number, other.company_number) ||
		       is_declared(desk, ours, other_token, &other, now_ms) ||
		       is_declared(desk, &other, ours->token, ours, now_ms);
	}
	return is_declared(desk, ours, other_token, NULL, now_ms);
}

bool conflict_is_told(const struct desk *desk, const struct party *ours, const char *other_token,
		      const char *other_home, int64_t now_ms)
{
	for (size_t i = 0; i < desk->told_count; i++) {
		const struct told_conflict *told = &desk->told[i];
		if (told->said && strcmp(told->home, other_home) == 0 &&
		    strcmp(told->said->token, other_token) == 0 &&
		    holds(told->said->until_ms, now_ms) &&
		    is_meant(ours, told->said->other, told->said->other_company_number))
			return true;
	}
	return false;
}
