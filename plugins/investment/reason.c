/* One sentence each, from the values that decided. An end is told by its last day. */
#include "reason.h"

#include <inttypes.h>
#include <string.h>

#include "blind.h"
#include "moment.h"
#include "money.h"

static char *stages_text(struct pad *pad, uint32_t stages)
{
	char *names[32];
	size_t count = 0;

	for (uint32_t stage = 1; stage < 32; stage++) {
		if (stages & UINT32_C(1) << stage)
			names[count++] = (char *)(uintptr_t)blind_stage_name(stage);
	}
	return pad_join(pad, names, count, ", ");
}

static const char *who_left(const struct refusal *refusal)
{
	return refusal->venture_word ? "venture" : "investor";
}

static char *certificate_text(struct pad *pad, const struct refusal *refusal)
{
	switch (refusal->reason) {
	case RULE_MISSING:
		return pad_copy(pad, "the investor is not certified");
	case RULE_EXPIRED:
		return pad_print(pad, "the investor's certificate ended on %s",
				 moment_day(pad, refusal->numbers[0] - 1));
	case RULE_NOT_YET:
		return pad_print(pad, "the investor's certificate holds from %s on",
				 moment_day(pad, refusal->numbers[0]));
	default:
		return pad_copy(pad, "the investor's certificate was revoked");
	}
}

static char *ticket_text(struct pad *pad, const struct refusal *refusal)
{
	const int64_t *n = refusal->numbers;

	switch (refusal->reason) {
	case RULE_CURRENCY:
		return pad_print(pad, "the venture asks in %s, the investor gives %s",
				 refusal->venture_word, refusal->investor_word);
	case RULE_TICKET_TOO_SMALL:
		return pad_print(pad,
				 "the largest ticket, %s, is below the smallest ask, %s, and the "
				 "investor does not join others",
				 money_text(pad, n[3]), money_text(pad, n[0]));
	case RULE_TICKET_TOO_LARGE:
		return pad_print(pad, "the smallest ticket, %s, is above the largest ask, %s",
				 money_text(pad, n[2]), money_text(pad, n[1]));
	default:
		return pad_copy(pad, "the venture does not say how much it asks");
	}
}

static char *open_text(struct pad *pad, const struct refusal *refusal)
{
	return refusal->reason == RULE_EXPIRED
		       ? pad_print(pad, "the %s's time in the market ended on %s",
				   who_left(refusal), moment_day(pad, refusal->numbers[0] - 1))
		       : pad_print(pad, "the %s has left the market", who_left(refusal));
}

static char *outside_text(struct pad *pad, const struct refusal *refusal, const char *what)
{
	if (refusal->reason == RULE_NOT_SAID)
		return pad_print(
			pad, "the venture does not say its %s, and the mandate asks for %s", what,
			refusal->investor_word ? refusal->investor_word : "certain ones");
	return pad_print(pad, "the venture's %s is %s; the mandate asks for %s%s", what,
			 refusal->venture_word, refusal->investor_word,
			 strcmp(what, "region") == 0 || strcmp(what, "sector") == 0
				 ? " or others that it names"
				 : "");
}

char *reason_of_refusal(struct pad *pad, const struct refusal *refusal)
{
	switch (refusal->rule) {
	case RULE_OPEN:
		return open_text(pad, refusal);
	case RULE_CERTIFICATION:
		return certificate_text(pad, refusal);
	case RULE_CONFLICT:
		return pad_copy(pad, "the two may not be introduced");
	case RULE_EXCLUSION:
		return pad_print(pad, "the %s excludes %s",
				 refusal->reason == RULE_INVESTOR_EXCLUDES ? "investor" : "venture",
				 refusal->reason == RULE_INVESTOR_EXCLUDES
					 ? refusal->venture_word
					 : refusal->investor_word);
	case RULE_STAGE:
		return refusal->reason == RULE_NOT_SAID
			       ? pad_copy(pad, "the venture does not say its stage")
			       : pad_print(pad,
					   "the venture's stage is %s; the mandate asks for %s",
					   blind_stage_name((uint32_t)refusal->numbers[0]),
					   stages_text(pad, (uint32_t)refusal->numbers[1]));
	case RULE_TICKET:
		return ticket_text(pad, refusal);
	case RULE_SECTOR:
		return outside_text(pad, refusal, "sector");
	case RULE_REGION:
		return outside_text(pad, refusal, "region");
	case RULE_INSTRUMENT:
		return outside_text(pad, refusal, "instrument");
	default:
		return pad_copy(pad, "");
	}
}

char *reason_of_part(struct pad *pad, const struct score_part *part)
{
	char *words = pad_join(pad, (char *const *)(uintptr_t)part->words, part->word_count, ", ");

	if (part->of == 0)
		return pad_copy(pad, "one of the two does not say");
	switch (part->name) {
	case SCORE_SECTOR:
		return pad_print(pad, "the mandate names %" PRId64 " of %" PRId64 " sectors: %s",
				 part->has, part->of, words);
	case SCORE_STAGE:
		return pad_print(pad, "the stage is one of %" PRId64 " that the mandate names",
				 part->of);
	case SCORE_REGION:
		return pad_print(pad, "%s region%s%s",
				 part->has == 2   ? "a preferred"
				 : part->has == 1 ? "a named"
						  : "no named",
				 words[0] ? ": " : "", words);
	case SCORE_TICKET:
		return pad_print(pad, "one ticket covers %s of the %s asked for",
				 money_text(pad, part->has), money_text(pad, part->of));
	case SCORE_NEED:
		return pad_print(pad, "meets %" PRId64 " of %" PRId64 " needs%s%s", part->has,
				 part->of, words[0] ? ": " : "", words);
	case SCORE_STRENGTH:
		return pad_print(pad, "strong in %" PRId64 " of %" PRId64 " priorities%s%s",
				 part->has, part->of, words[0] ? ": " : "", words);
	case SCORE_TRACK:
		return pad_print(pad, "%" PRId64 " earlier investments like this one", part->has);
	case SCORE_RESPONSE:
		return pad_print(pad,
				 "answered %" PRId64 " of %" PRId64
				 " introductions, counted with one of two to begin with",
				 part->has, part->of);
	case SCORE_INTEREST:
		return pad_copy(pad, "has declared an interest that fits");
	case SCORE_PREFERENCE:
		return pad_print(pad, "a wish of %" PRId64 " out of %" PRId64, part->has, part->of);
	default:
		return pad_copy(pad, "");
	}
}
