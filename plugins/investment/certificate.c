/*
 * Making and checking go by the same definition: a party stands at the number of its matches and
 * the least liked of them. Two who are not matched block unless one of them is full and likes its
 * least liked better. Nothing of how the batch was computed is known here.
 */
#include "certificate.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define NONE CERTIFICATE_NO_WITNESS

/* How the matches of one party stand. */
struct standing {
	uint32_t match_count;
	uint32_t least_liked;
};

struct audit {
	const struct certificate *certificate;
	struct standing *ventures;
	struct standing *investors;
	struct certificate_fault fault;
};

static bool found(struct audit *audit, enum certificate_fault_kind kind, uint32_t edge,
		  uint32_t venture, uint32_t investor)
{
	audit->fault = (struct certificate_fault){
		.kind = kind, .edge = edge, .venture = venture, .investor = investor};
	return false;
}

static bool found_edge(struct audit *audit, enum certificate_fault_kind kind, uint32_t at)
{
	const struct certificate_edge *edge = &audit->certificate->edges[at];
	return found(audit, kind, at, edge->venture, edge->investor);
}

/* Does the venture like the one edge's investor better than the other's? */
static bool venture_likes(const struct certificate *certificate, uint32_t one, uint32_t other)
{
	const struct certificate_edge *a = &certificate->edges[one],
				      *b = &certificate->edges[other];
	uint32_t served_a = certificate->investors[a->investor].served;
	uint32_t served_b = certificate->investors[b->investor].served;

	if (a->venture_points != b->venture_points)
		return a->venture_points > b->venture_points;
	if (served_a != served_b)
		return served_a < served_b;
	return a->investor < b->investor;
}

static bool investor_likes(const struct certificate *certificate, uint32_t one, uint32_t other)
{
	const struct certificate_edge *a = &certificate->edges[one],
				      *b = &certificate->edges[other];
	uint32_t served_a = certificate->ventures[a->venture].served;
	uint32_t served_b = certificate->ventures[b->venture].served;

	if (a->investor_points != b->investor_points)
		return a->investor_points > b->investor_points;
	if (served_a != served_b)
		return served_a < served_b;
	return a->venture < b->venture;
}

/* Form. */

static bool check_parties(struct audit *audit)
{
	const struct certificate *cert = audit->certificate;

	for (size_t i = 0; i < cert->venture_count; i++) {
		const char *token = cert->ventures[i].token;
		if (!token || !token[0] ||
		    (i > 0 && strcmp(cert->ventures[i - 1].token, token) >= 0))
			return found(audit, CERTIFICATE_BAD_VENTURE, NONE, (uint32_t)i, NONE);
	}
	for (size_t i = 0; i < cert->investor_count; i++) {
		const char *token = cert->investors[i].token;
		if (!token || !token[0] ||
		    (i > 0 && strcmp(cert->investors[i - 1].token, token) >= 0))
			return found(audit, CERTIFICATE_BAD_INVESTOR, NONE, NONE, (uint32_t)i);
	}
	return true;
}

static bool check_edges(struct audit *audit)
{
	const struct certificate *cert = audit->certificate;

	for (size_t i = 0; i < cert->edge_count; i++) {
		const struct certificate_edge *edge = &cert->edges[i];
		bool is_known = edge->venture < cert->venture_count &&
				edge->investor < cert->investor_count &&
				edge->state >= CERTIFICATE_MATCHED &&
				edge->state <= CERTIFICATE_INVESTOR_FULL &&
				(edge->witness == NONE || edge->witness < cert->edge_count);
		bool is_above =
			i == 0 || edge[-1].venture < edge->venture ||
			(edge[-1].venture == edge->venture && edge[-1].investor < edge->investor);
		if (!is_known || !is_above)
			return found_edge(audit, CERTIFICATE_BAD_EDGE, (uint32_t)i);
	}
	return true;
}

/* Every pair is either an edge or refused by a rule. */
static bool check_refusals(struct audit *audit)
{
	const struct certificate *cert = audit->certificate;
	size_t edge = 0, at = 0;

	if (cert->investor_count > 0 &&
	    cert->venture_count > SIZE_MAX / sizeof(uint16_t) / cert->investor_count)
		return found(audit, CERTIFICATE_BAD_REFUSAL, NONE, NONE, NONE);
	if (cert->refused_count != cert->venture_count * cert->investor_count)
		return found(audit, CERTIFICATE_BAD_REFUSAL, NONE, NONE, NONE);
	for (uint32_t venture = 0; venture < cert->venture_count; venture++) {
		for (uint32_t investor = 0; investor < cert->investor_count; investor++) {
			bool has_edge = edge < cert->edge_count &&
					cert->edges[edge].venture == venture &&
					cert->edges[edge].investor == investor;
			if (has_edge)
				edge++;
			if (has_edge == (cert->refused[at++] != 0))
				return found(audit, CERTIFICATE_BAD_REFUSAL, NONE, venture,
					     investor);
		}
	}
	return true;
}

/* Substance. */

static bool audit_init(struct audit *audit)
{
	const struct certificate *cert = audit->certificate;

	audit->ventures = calloc(cert->venture_count + 1, sizeof(*audit->ventures));
	audit->investors = calloc(cert->investor_count + 1, sizeof(*audit->investors));
	return audit->ventures && audit->investors;
}

static void audit_fini(struct audit *audit)
{
	free(audit->ventures);
	free(audit->investors);
}

/* Where everybody stands; false when somebody has more matches than room. */
static bool take_stock(struct audit *audit)
{
	const struct certificate *cert = audit->certificate;

	for (uint32_t i = 0; i < cert->edge_count; i++) {
		const struct certificate_edge *edge = &cert->edges[i];
		if (edge->state != CERTIFICATE_MATCHED)
			continue;
		struct standing *venture = &audit->ventures[edge->venture];
		struct standing *investor = &audit->investors[edge->investor];
		if (venture->match_count == 0 || venture_likes(cert, venture->least_liked, i))
			venture->least_liked = i;
		if (investor->match_count == 0 || investor_likes(cert, investor->least_liked, i))
			investor->least_liked = i;
		if (venture->match_count++ >= cert->ventures[edge->venture].capacity)
			return found(audit, CERTIFICATE_OVER_CAPACITY, i, edge->venture, NONE);
		if (investor->match_count++ >= cert->investors[edge->investor].capacity)
			return found(audit, CERTIFICATE_OVER_CAPACITY, i, NONE, edge->investor);
	}
	return true;
}

/* Why two who are not matched do not block; CERTIFICATE_MATCHED when they do. */
static enum certificate_state judge(const struct audit *audit, uint32_t at, uint32_t *ret_witness)
{
	const struct certificate *cert = audit->certificate;
	const struct certificate_edge *edge = &cert->edges[at];
	const struct standing *venture = &audit->ventures[edge->venture];
	const struct standing *investor = &audit->investors[edge->investor];

	*ret_witness = NONE;
	if (cert->ventures[edge->venture].capacity == 0)
		return CERTIFICATE_VENTURE_FULL;
	if (venture->match_count == cert->ventures[edge->venture].capacity &&
	    venture_likes(cert, venture->least_liked, at)) {
		*ret_witness = venture->least_liked;
		return CERTIFICATE_VENTURE_FULL;
	}
	if (cert->investors[edge->investor].capacity == 0)
		return CERTIFICATE_INVESTOR_FULL;
	if (investor->match_count == cert->investors[edge->investor].capacity &&
	    investor_likes(cert, investor->least_liked, at)) {
		*ret_witness = investor->least_liked;
		return CERTIFICATE_INVESTOR_FULL;
	}
	return CERTIFICATE_MATCHED;
}

static bool check_reasons(struct audit *audit)
{
	const struct certificate *cert = audit->certificate;

	for (uint32_t i = 0; i < cert->edge_count; i++) {
		const struct certificate_edge *edge = &cert->edges[i];
		uint32_t witness = NONE;
		enum certificate_state state = CERTIFICATE_MATCHED;
		if (edge->state != CERTIFICATE_MATCHED) {
			state = judge(audit, i, &witness);
			if (state == CERTIFICATE_MATCHED)
				return found_edge(audit, CERTIFICATE_BLOCKING_PAIR, i);
		}
		if (edge->state != state || edge->witness != witness)
			return found_edge(audit, CERTIFICATE_WRONG_REASON, i);
	}
	return true;
}

/* The digest. */

static uint8_t *put(uint8_t *to, uint64_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)(value >> 8 * i);
	return to + len;
}

static void hash_number(crypto_generichash_state *hash, uint64_t value)
{
	uint8_t bytes[8];

	put(bytes, value, sizeof(bytes));
	crypto_generichash_update(hash, bytes, sizeof(bytes));
}

static void hash_text(crypto_generichash_state *hash, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	hash_number(hash, len);
	crypto_generichash_update(hash, (const uint8_t *)text, len);
}

static void hash_parties(crypto_generichash_state *hash, const struct matching_party *parties,
			 size_t count)
{
	hash_number(hash, count);
	for (size_t i = 0; i < count; i++) {
		hash_text(hash, parties[i].token);
		hash_number(hash, (uint64_t)parties[i].capacity << 32 | parties[i].served);
	}
}

static void hash_edge(crypto_generichash_state *hash, const struct certificate_edge *edge)
{
	uint8_t bytes[32];
	uint8_t *at = put(bytes, edge->venture, 4);

	at = put(at, edge->investor, 4);
	at = put(at, (uint64_t)edge->venture_points, 8);
	at = put(at, (uint64_t)edge->investor_points, 8);
	at = put(at, edge->state, 4);
	put(at, edge->witness, 4);
	crypto_generichash_update(hash, bytes, sizeof(bytes));
}

/* A block at a time: there is a number for every pair of parties. */
static void hash_refused(crypto_generichash_state *hash, const uint16_t *refused, size_t count)
{
	uint8_t bytes[4096];
	uint8_t *at = bytes;

	hash_number(hash, count);
	for (size_t i = 0; i < count; i++) {
		at = put(at, refused[i], sizeof(refused[i]));
		if (at == bytes + sizeof(bytes)) {
			crypto_generichash_update(hash, bytes, sizeof(bytes));
			at = bytes;
		}
	}
	crypto_generichash_update(hash, bytes, (size_t)(at - bytes));
}

void certificate_digest(const struct certificate *certificate,
			uint8_t ret_digest[CERTIFICATE_DIGEST_LEN])
{
	crypto_generichash_state hash;

	crypto_generichash_init(&hash, NULL, 0, CERTIFICATE_DIGEST_LEN);
	hash_text(&hash, "lyceum.investment.v1 certificate 1");
	hash_text(&hash, certificate->batch);
	hash_number(&hash, (uint64_t)certificate->at_ms);
	hash_parties(&hash, certificate->ventures, certificate->venture_count);
	hash_parties(&hash, certificate->investors, certificate->investor_count);
	hash_number(&hash, certificate->edge_count);
	for (size_t i = 0; i < certificate->edge_count; i++)
		hash_edge(&hash, &certificate->edges[i]);
	hash_refused(&hash, certificate->refused, certificate->refused_count);
	crypto_generichash_final(&hash, ret_digest, CERTIFICATE_DIGEST_LEN);
}

static bool check_digest(struct audit *audit, const uint8_t *expected)
{
	uint8_t digest[CERTIFICATE_DIGEST_LEN];

	certificate_digest(audit->certificate, digest);
	if (memcmp(digest, audit->certificate->digest, sizeof(digest)) != 0)
		return found(audit, CERTIFICATE_WRONG_DIGEST, NONE, NONE, NONE);
	if (expected && memcmp(digest, expected, sizeof(digest)) != 0)
		return found(audit, CERTIFICATE_OTHER_BATCH, NONE, NONE, NONE);
	return true;
}

enum lyc_status certificate_check(const struct certificate *certificate, const uint8_t *expected,
				  struct certificate_fault *ret_fault)
{
	struct audit audit = {.certificate = certificate};
	enum lyc_status status = LYC_OK;

	found(&audit, CERTIFICATE_SOUND, NONE, NONE, NONE);
	if (certificate->edge_count >= NONE || certificate->venture_count >= NONE ||
	    certificate->investor_count >= NONE || !audit_init(&audit)) {
		status = LYC_RESOURCE_EXHAUSTED;
		goto out;
	}
	if (!check_parties(&audit) || !check_edges(&audit) || !check_refusals(&audit) ||
	    !take_stock(&audit) || !check_reasons(&audit) || !check_digest(&audit, expected))
		status = LYC_FAILED_PRECONDITION;
	*ret_fault = audit.fault;
out:
	audit_fini(&audit);
	return status;
}

static void fill_edges(struct certificate_edge *edges, const struct matching_problem *problem,
		       const bool *is_matched)
{
	for (size_t i = 0; i < problem->edge_count; i++)
		edges[i] = (struct certificate_edge){
			.venture = problem->edges[i].venture,
			.investor = problem->edges[i].investor,
			.venture_points = problem->edges[i].venture_points,
			.investor_points = problem->edges[i].investor_points,
			.state = is_matched[i] ? CERTIFICATE_MATCHED : CERTIFICATE_VENTURE_FULL,
			.witness = NONE,
		};
}

enum lyc_status certificate_make(const char *batch, int64_t at_ms,
				 const struct matching_problem *problem, const bool *is_matched,
				 const uint16_t *refused, struct certificate *ret_certificate)
{
	struct certificate_edge *edges = calloc(problem->edge_count + 1, sizeof(*edges));
	struct certificate certificate = {
		.batch = batch,
		.at_ms = at_ms,
		.ventures = problem->ventures,
		.venture_count = problem->venture_count,
		.investors = problem->investors,
		.investor_count = problem->investor_count,
		.edges = edges,
		.edge_count = problem->edge_count,
		.refused = refused,
		.refused_count = problem->venture_count * problem->investor_count,
	};
	struct audit audit = {.certificate = &certificate};
	enum lyc_status status = LYC_FAILED_PRECONDITION;

	if (!edges || !audit_init(&audit)) {
		status = LYC_RESOURCE_EXHAUSTED;
		goto out;
	}
	fill_edges(edges, problem, is_matched);
	if (!check_parties(&audit) || !check_edges(&audit) || !check_refusals(&audit) ||
	    !take_stock(&audit))
		goto out;
	for (uint32_t i = 0; i < problem->edge_count; i++) {
		if (edges[i].state == CERTIFICATE_MATCHED)
			continue;
		edges[i].state = judge(&audit, i, &edges[i].witness);
		if (edges[i].state == CERTIFICATE_MATCHED)
			goto out;
	}
	certificate_digest(&certificate, certificate.digest);
	*ret_certificate = certificate;
	edges = NULL;
	status = LYC_OK;
out:
	audit_fini(&audit);
	free(edges);
	return status;
}

void certificate_fini(struct certificate *certificate)
{
	free((void *)(uintptr_t)certificate->edges);
	*certificate = (struct certificate){0};
}

static bool find_party(const struct matching_party *parties, size_t count, const char *token,
		       uint32_t *ret_at)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(parties[middle].token, token);
		if (order == 0) {
			*ret_at = (uint32_t)middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

const struct certificate_edge *certificate_find(const struct certificate *certificate,
						const char *venture, const char *investor)
{
	struct certificate_edge wanted = {0};
	size_t low = 0, high = certificate->edge_count;

	if (!find_party(certificate->ventures, certificate->venture_count, venture,
			&wanted.venture) ||
	    !find_party(certificate->investors, certificate->investor_count, investor,
			&wanted.investor))
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct certificate_edge *edge = &certificate->edges[middle];
		if (edge->venture == wanted.venture && edge->investor == wanted.investor)
			return edge;
		if (edge->venture < wanted.venture ||
		    (edge->venture == wanted.venture && edge->investor < wanted.investor))
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const char *certificate_fault_name(enum certificate_fault_kind kind)
{
	static const char *const names[] = {
		[CERTIFICATE_SOUND] = "sound",
		[CERTIFICATE_BAD_VENTURE] = "bad venture",
		[CERTIFICATE_BAD_INVESTOR] = "bad investor",
		[CERTIFICATE_BAD_EDGE] = "bad edge",
		[CERTIFICATE_BAD_REFUSAL] = "bad refusal",
		[CERTIFICATE_OVER_CAPACITY] = "over capacity",
		[CERTIFICATE_BLOCKING_PAIR] = "blocking pair",
		[CERTIFICATE_WRONG_REASON] = "wrong reason",
		[CERTIFICATE_WRONG_DIGEST] = "wrong digest",
		[CERTIFICATE_OTHER_BATCH] = "other batch",
	};
	return (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}
