/* The checker: whatever the matcher makes is sound, and whatever is changed afterwards is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_batch.h"

/* A certificate as it comes over the wire: everything is a copy that a test may change. */
struct received {
	struct certificate certificate;
	struct matching_party *parties[2];
	struct certificate_edge *edges;
	uint16_t *refused;
	char *texts;
};

static struct batch batch;
static struct certificate made;

static void *copy(const void *from, size_t size)
{
	void *to = malloc(size + 1);

	assert_non_null(to);
	if (size > 0)
		memcpy(to, from, size);
	return to;
}

static void receive(struct received *received)
{
	received->certificate = made;
	received->parties[0] = copy(made.ventures, made.venture_count * sizeof(made.ventures[0]));
	received->parties[1] =
		copy(made.investors, made.investor_count * sizeof(made.investors[0]));
	received->edges = copy(made.edges, made.edge_count * sizeof(made.edges[0]));
	received->refused = copy(made.refused, made.refused_count * sizeof(made.refused[0]));
	received->texts = NULL;
	received->certificate.ventures = received->parties[0];
	received->certificate.investors = received->parties[1];
	received->certificate.edges = received->edges;
	received->certificate.refused = received->refused;
}

static void received_fini(struct received *received)
{
	free(received->parties[0]);
	free(received->parties[1]);
	free(received->edges);
	free(received->refused);
	free(received->texts);
}

static void make(struct rng *rng, const struct batch_shape *shape)
{
	batch_random(&batch, rng, shape);
	assert_int_equal(matching_solve(&batch.problem, batch.is_matched), LYC_OK);
	assert_int_equal(certificate_make("batch-1", 1790000000000, &batch.problem,
					  batch.is_matched, batch.refused, &made),
			 LYC_OK);
}

static struct batch_shape random_shape(struct rng *rng)
{
	return (struct batch_shape){
		.venture_count = 1 + (uint32_t)rng_below(rng, 6),
		.investor_count = 1 + (uint32_t)rng_below(rng, 6),
		.edge_percent = 20 + (uint32_t)rng_below(rng, 80),
		.max_capacity = 1 + (uint32_t)rng_below(rng, 3),
		.max_points = rng_below(rng, 2) ? 3 : 1000,
	};
}

static enum certificate_fault_kind fault_of(const struct certificate *certificate,
					    const uint8_t *expected)
{
	struct certificate_fault fault = {0};
	enum lyc_status status = certificate_check(certificate, expected, &fault);

	assert_int_equal(status,
			 fault.kind == CERTIFICATE_SOUND ? LYC_OK : LYC_FAILED_PRECONDITION);
	return fault.kind;
}

static void test_certificate_of_a_solved_batch_is_sound(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 21);
	for (int round = 0; round < 3000; round++) {
		struct batch_shape shape = random_shape(&rng);
		make(&rng, &shape);
		assert_int_equal(fault_of(&made, NULL), CERTIFICATE_SOUND);
		assert_int_equal(fault_of(&made, made.digest), CERTIFICATE_SOUND);
		certificate_fini(&made);
	}
}

/* Every set of matches of small batches: a certificate is made exactly for the stable ones. */
static void test_certificate_is_made_for_stable_outcomes_only(void **state)
{
	struct rng rng;
	size_t stable_count = 0, refused_count = 0;

	(void)state;
	rng_init(&rng, 22);
	for (int round = 0; round < 400; round++) {
		struct batch_shape shape = random_shape(&rng);
		batch_random(&batch, &rng, &shape);
		size_t count = batch.problem.edge_count;
		if (count > 8)
			continue;
		for (uint32_t set = 0; set < 1u << count; set++) {
			for (size_t i = 0; i < count; i++)
				batch.is_matched[i] = set >> i & 1;
			enum lyc_status status = certificate_make(
				"b", 1, &batch.problem, batch.is_matched, batch.refused, &made);
			bool is_stable = batch_is_stable(&batch, batch.is_matched);
			assert_int_equal(status, is_stable ? LYC_OK : LYC_FAILED_PRECONDITION);
			stable_count += is_stable;
			refused_count += !is_stable;
			if (is_stable) {
				assert_int_equal(fault_of(&made, NULL), CERTIFICATE_SOUND);
				certificate_fini(&made);
			}
		}
	}
	assert_true(stable_count > 100 && refused_count > 1000);
}

static uint64_t other_than(struct rng *rng, uint64_t old, uint64_t bound)
{
	uint64_t value;

	do
		value = rng_below(rng, 2) ? rng_below(rng, bound) : rng_next(rng) % (1u << 31);
	while (value == old);
	return value;
}

static void tamper_token(struct received *received, struct matching_party *party, struct rng *rng)
{
	size_t len = strlen(party->token);

	received->texts = copy(party->token, len + 1);
	received->texts[rng_below(rng, len)] ^= (char)(1 + rng_below(rng, 15));
	party->token = received->texts;
}

static void tamper_party(struct received *received, struct rng *rng)
{
	size_t side = rng_below(rng, 2);
	size_t count = side ? made.investor_count : made.venture_count;
	struct matching_party *party = &received->parties[side][rng_below(rng, count)];

	switch (rng_below(rng, 3)) {
	case 0:
		tamper_token(received, party, rng);
		break;
	case 1:
		party->capacity = (uint32_t)other_than(rng, party->capacity, 4);
		break;
	default:
		party->served = (uint32_t)other_than(rng, party->served, 4);
		break;
	}
}

static void tamper_edge(struct received *received, struct rng *rng)
{
	struct certificate_edge *edge = &received->edges[rng_below(rng, made.edge_count)];

	switch (rng_below(rng, 6)) {
	case 0:
		edge->venture = (uint32_t)other_than(rng, edge->venture, made.venture_count);
		break;
	case 1:
		edge->investor = (uint32_t)other_than(rng, edge->investor, made.investor_count);
		break;
	case 2:
		edge->venture_points =
			(int64_t)other_than(rng, (uint64_t)edge->venture_points, 1000);
		break;
	case 3:
		edge->investor_points =
			(int64_t)other_than(rng, (uint64_t)edge->investor_points, 1000);
		break;
	case 4:
		edge->state = (uint32_t)other_than(rng, edge->state, 5);
		break;
	default:
		edge->witness = (uint32_t)other_than(rng, edge->witness, made.edge_count);
		break;
	}
}

static void tamper_rest(struct received *received, struct rng *rng)
{
	struct certificate *certificate = &received->certificate;

	switch (rng_below(rng, 8)) {
	case 0:
		certificate->batch = "batch-2";
		break;
	case 1:
		certificate->at_ms += 1 + (int64_t)rng_below(rng, 1000);
		break;
	case 2:
		certificate->venture_count--;
		break;
	case 3:
		certificate->investor_count--;
		break;
	case 4:
		certificate->edge_count--;
		break;
	case 5:
		certificate->refused_count--;
		break;
	case 6:
		certificate->digest[rng_below(rng, CERTIFICATE_DIGEST_LEN)] ^=
			(uint8_t)(1 << rng_below(rng, 8));
		break;
	default:
		received->refused[rng_below(rng, made.refused_count)] ^=
			(uint16_t)(1 << rng_below(rng, 9));
		break;
	}
}

static void tamper(struct received *received, struct rng *rng)
{
	uint64_t where = rng_below(rng, 10);

	if (where < 3)
		tamper_party(received, rng);
	else if (where < 8)
		tamper_edge(received, rng);
	else
		tamper_rest(received, rng);
}

static struct batch told;

/* Is the witness the least liked match of a side that is full, and liked better than the edge? */
static bool is_true_witness(const struct certificate *certificate, size_t at, bool is_venture)
{
	const struct certificate_edge *edge = &certificate->edges[at];
	uint32_t party = is_venture ? edge->venture : edge->investor;
	uint32_t count = 0;

	for (size_t i = 0; i < certificate->edge_count; i++) {
		const struct certificate_edge *other = &certificate->edges[i];
		if ((is_venture ? other->venture : other->investor) != party ||
		    other->state != CERTIFICATE_MATCHED)
			continue;
		count++;
		if (edge->witness == CERTIFICATE_NO_WITNESS ||
		    (i != edge->witness && !batch_prefers(&told, is_venture, i, edge->witness)))
			return false;
	}
	if (count != told.parties[is_venture ? 0 : 1][party].capacity)
		return false;
	return count == 0 ? edge->witness == CERTIFICATE_NO_WITNESS
			  : batch_prefers(&told, is_venture, edge->witness, at);
}

static bool has_true_reasons(const struct certificate *certificate)
{
	for (size_t i = 0; i < certificate->edge_count; i++) {
		const struct certificate_edge *edge = &certificate->edges[i];
		bool is_true = edge->state == CERTIFICATE_MATCHED
				       ? edge->witness == CERTIFICATE_NO_WITNESS
				       : is_true_witness(certificate, i,
							 edge->state == CERTIFICATE_VENTURE_FULL);
		if (!is_true)
			return false;
	}
	return true;
}

/* Does the certificate, as it now stands, say something true? By the definitions above and in
 * test_batch.c. */
static bool is_true_by_definition(const struct certificate *certificate)
{
	memset(&told.problem, 0, sizeof(told.problem));
	memcpy(told.parties[0], certificate->ventures,
	       certificate->venture_count * sizeof(told.parties[0][0]));
	memcpy(told.parties[1], certificate->investors,
	       certificate->investor_count * sizeof(told.parties[1][0]));
	told.problem.edge_count = certificate->edge_count;
	for (size_t i = 0; i < certificate->edge_count; i++) {
		const struct certificate_edge *edge = &certificate->edges[i];
		told.edges[i] = (struct matching_edge){
			.venture = edge->venture,
			.investor = edge->investor,
			.venture_points = edge->venture_points,
			.investor_points = edge->investor_points,
		};
		told.is_matched[i] = edge->state == CERTIFICATE_MATCHED;
	}
	return batch_is_stable(&told, told.is_matched) && has_true_reasons(certificate);
}

/* Twenty thousand single changes. Each is refused; and where the forger seals the digest afresh,
 * each is either refused on its merits or says something that is true of another batch, which the
 * expected digest tells. */
static void test_certificate_with_any_change_is_refused(void **state)
{
	struct rng rng;
	struct received received;
	size_t by_digest = 0, by_merit = 0, resealed = 0, kinds = 0;

	(void)state;
	rng_init(&rng, 23);
	for (int round = 0; round < 20000; round++) {
		struct batch_shape shape = random_shape(&rng);
		make(&rng, &shape);
		if (made.edge_count == 0) {
			certificate_fini(&made);
			continue;
		}
		receive(&received);
		tamper(&received, &rng);
		enum certificate_fault_kind kind = fault_of(&received.certificate, NULL);
		assert_int_not_equal(kind, CERTIFICATE_SOUND);
		by_digest += kind == CERTIFICATE_WRONG_DIGEST;
		by_merit += kind != CERTIFICATE_WRONG_DIGEST;
		kinds |= 1u << kind;

		certificate_digest(&received.certificate, received.certificate.digest);
		kind = fault_of(&received.certificate, NULL);
		if (kind == CERTIFICATE_SOUND) {
			assert_true(is_true_by_definition(&received.certificate));
			bool is_healed = memcmp(received.certificate.digest, made.digest,
						CERTIFICATE_DIGEST_LEN) == 0;
			assert_int_equal(fault_of(&received.certificate, made.digest),
					 is_healed ? CERTIFICATE_SOUND : CERTIFICATE_OTHER_BATCH);
			resealed += !is_healed;
		}
		received_fini(&received);
		certificate_fini(&made);
	}
	/* Every fault was seen, and most tampering is refused on its merits. */
	assert_int_equal(kinds, 0x1fe);
	assert_true(by_merit > by_digest);
	assert_true(resealed > 100);
}

static void test_certificate_names_the_pair_that_blocks(void **state)
{
	struct certificate_fault fault;
	struct received received;

	(void)state;
	/* One place each; the investor likes v0001 better, and v0001 wants it. */
	batch_init(&batch, 2, 1, 1);
	batch_add(&batch, 0, 0, 5, 1);
	batch_add(&batch, 1, 0, 5, 2);
	assert_int_equal(matching_solve(&batch.problem, batch.is_matched), LYC_OK);
	assert_int_equal(
		certificate_make("b", 1, &batch.problem, batch.is_matched, batch.refused, &made),
		LYC_OK);
	assert_int_equal(made.edges[0].state, CERTIFICATE_INVESTOR_FULL);
	assert_int_equal(made.edges[0].witness, 1);
	assert_int_equal(made.edges[1].state, CERTIFICATE_MATCHED);
	receive(&received);
	received.edges[0].state = CERTIFICATE_MATCHED;
	received.edges[0].witness = CERTIFICATE_NO_WITNESS;
	received.edges[1].state = CERTIFICATE_INVESTOR_FULL;
	received.edges[1].witness = 0;
	certificate_digest(&received.certificate, received.certificate.digest);
	assert_int_equal(certificate_check(&received.certificate, NULL, &fault),
			 LYC_FAILED_PRECONDITION);
	assert_int_equal(fault.kind, CERTIFICATE_BLOCKING_PAIR);
	assert_int_equal(fault.edge, 1);
	assert_int_equal(fault.venture, 1);
	assert_int_equal(fault.investor, 0);
	assert_string_equal(certificate_fault_name(fault.kind), "blocking pair");
	received_fini(&received);
	certificate_fini(&made);
}

static void test_certificate_accounts_for_every_pair(void **state)
{
	struct received received;

	(void)state;
	batch_init(&batch, 1, 2, 1);
	batch_add(&batch, 0, 0, 5, 1);
	batch.is_matched[0] = true;
	assert_int_equal(
		certificate_make("b", 1, &batch.problem, batch.is_matched, batch.refused, &made),
		LYC_OK);
	receive(&received);
	received.refused[1] = 0;
	certificate_digest(&received.certificate, received.certificate.digest);
	assert_int_equal(fault_of(&received.certificate, NULL), CERTIFICATE_BAD_REFUSAL);
	received.refused[1] = 1;
	received.refused[0] = 1;
	certificate_digest(&received.certificate, received.certificate.digest);
	assert_int_equal(fault_of(&received.certificate, NULL), CERTIFICATE_BAD_REFUSAL);
	received_fini(&received);
	certificate_fini(&made);
}

static void test_certificate_finds_the_edge_of_two_tokens(void **state)
{
	struct rng rng;
	struct batch_shape shape = {9, 8, 50, 2, 100};

	(void)state;
	rng_init(&rng, 24);
	make(&rng, &shape);
	size_t found_count = 0;
	for (uint32_t v = 0; v < 9; v++) {
		for (uint32_t i = 0; i < 8; i++) {
			const struct certificate_edge *edge =
				certificate_find(&made, batch.tokens[0][v], batch.tokens[1][i]);
			assert_int_equal(edge != NULL, batch.refused[v * 8 + i] == 0);
			if (!edge)
				continue;
			found_count++;
			assert_int_equal(edge->venture, v);
			assert_int_equal(edge->investor, i);
		}
	}
	assert_int_equal(found_count, made.edge_count);
	assert_null(certificate_find(&made, "v0000", "nobody"));
	assert_null(certificate_find(&made, "nobody", "i0000"));
	certificate_fini(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate_of_a_solved_batch_is_sound),
		cmocka_unit_test(test_certificate_is_made_for_stable_outcomes_only),
		cmocka_unit_test(test_certificate_with_any_change_is_refused),
		cmocka_unit_test(test_certificate_names_the_pair_that_blocks),
		cmocka_unit_test(test_certificate_accounts_for_every_pair),
		cmocka_unit_test(test_certificate_finds_the_edge_of_two_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
