/* Answers are made with malloc as protobuf-c wants it: each is freed as one message. */
#include "answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Lyceum__Ask__V1__Answer answer_msg;
typedef Lyceum__V1__EnquiryItem item_msg;

/* protobuf-c's own empty text, when there is no memory for a copy: nothing is freed then. */
static char *copy(const char *text)
{
	char *made = strdup(text);
	return made ? made : (char *)protobuf_c_empty_string;
}

void answers_fini(struct answers *answers)
{
	for (size_t i = 0; i < answers->count; i++)
		lyceum__ask__v1__answer__free_unpacked(answers->answers[i], NULL);
	free(answers->answers);
	*answers = (struct answers){0};
}

answer_msg *answers_add(struct answers *answers, const char *service, const char *node)
{
	if (answers->count == ANSWERS_MAX)
		return NULL;
	answer_msg **grown =
		realloc(answers->answers, (answers->count + 1) * sizeof(answers->answers[0]));
	if (!grown)
		return NULL;
	answers->answers = grown;
	answer_msg *answer = malloc(sizeof(*answer));
	if (!answer)
		return NULL;
	lyceum__ask__v1__answer__init(answer);
	answer->service = copy(service);
	answer->node = copy(node);
	answers->answers[answers->count++] = answer;
	return answer;
}

static void set_outcome(answer_msg *answer, const char *text)
{
	char outcome[400];
	const char *said = answer->status == LYCEUM__V1__STATUS__OK                  ? "answered"
			   : answer->status == LYCEUM__V1__STATUS__DEADLINE_EXCEEDED ? "silent"
										     : NULL;
	if (said)
		snprintf(outcome, sizeof(outcome), "%s", said);
	else
		snprintf(outcome, sizeof(outcome), "refused: %s",
			 text && *text ? text : lyc_status_name((enum lyc_status)answer->status));
	/* A sentence that was cut may end within a character. */
	size_t len = strlen(outcome);
	if (len == sizeof(outcome) - 1) {
		while (len > 0 && (unsigned char)outcome[len - 1] >= 0x80)
			outcome[--len] = '\0';
	}
	answer->outcome = copy(outcome);
}

void answers_end(struct answers *answers, answer_msg *answer, enum lyc_status status,
		 const char *text, const uint8_t *body, size_t body_len, uint32_t took_ms)
{
	answers->ended_count++;
	answer->status = (Lyceum__V1__Status)status;
	answer->took_ms = took_ms;
	if (status == LYC_OK) {
		Lyceum__V1__EnquiryAnswer *said =
			lyceum__v1__enquiry_answer__unpack(NULL, body_len, body);
		if (said) {
			answer->kind = said->kind;
			answer->total = said->total;
			answer->item = said->item;
			answer->n_item = said->n_item;
			said->kind = (char *)protobuf_c_empty_string;
			said->item = NULL;
			said->n_item = 0;
			lyceum__v1__enquiry_answer__free_unpacked(said, NULL);
		} else {
			answer->status = LYCEUM__V1__STATUS__INTERNAL;
			text = "what came is no answer to an enquiry";
		}
	}
	set_outcome(answer, text);
}

static bool is_wanted(const answer_msg *answer, char *const *kinds, size_t kind_count)
{
	/* Who has not answered has not said of which kind it would have been. */
	if (kind_count == 0 || !answer->kind[0])
		return true;
	for (size_t i = 0; i < kind_count; i++) {
		if (strcmp(kinds[i], answer->kind) == 0)
			return true;
	}
	return false;
}

static bool is_first_of_kind(const struct answers *answers, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (strcmp(answers->answers[i]->kind, answers->answers[at]->kind) == 0)
			return false;
	}
	return true;
}

void answers_kinds(const struct answers *answers, char *to, size_t size)
{
	size_t len = 0;
	to[0] = '\0';
	for (size_t i = 0; i < answers->count; i++) {
		const char *kind = answers->answers[i]->kind;
		if (!kind[0] || !is_first_of_kind(answers, i) || len + strlen(kind) + 3 > size)
			continue;
		len += (size_t)snprintf(to + len, size - len, "%s%s", len ? ", " : "", kind);
	}
}

static void drop_unwanted(struct answers *answers, char *const *kinds, size_t kind_count)
{
	size_t kept = 0;
	for (size_t i = 0; i < answers->count; i++) {
		if (is_wanted(answers->answers[i], kinds, kind_count))
			answers->answers[kept++] = answers->answers[i];
		else
			lyceum__ask__v1__answer__free_unpacked(answers->answers[i], NULL);
	}
	answers->count = kept;
}

static bool was_there(const struct answers *answers, size_t before, const char *kind,
		      const item_msg *item)
{
	for (size_t i = 0; i < before; i++) {
		const answer_msg *earlier = answers->answers[i];
		if (strcmp(earlier->kind, kind) != 0)
			continue;
		for (size_t j = 0; j < earlier->n_item; j++) {
			if (strcmp(earlier->item[j]->home, item->home) == 0 &&
			    strcmp(earlier->item[j]->ref, item->ref) == 0)
				return true;
		}
	}
	return false;
}

static void drop_repeated(struct answers *answers)
{
	for (size_t i = 1; i < answers->count; i++) {
		answer_msg *answer = answers->answers[i];
		size_t kept = 0;
		for (size_t j = 0; j < answer->n_item; j++) {
			item_msg *item = answer->item[j];
			if (item->ref[0] && was_there(answers, i, answer->kind, item))
				lyceum__v1__enquiry_item__free_unpacked(item, NULL);
			else
				answer->item[kept++] = item;
		}
		answer->n_item = kept;
	}
}

static int compare(const void *a, const void *b)
{
	const answer_msg *const *one = a, *const *two = b;
	bool has_one = (*one)->n_item > 0, has_two = (*two)->n_item > 0;
	if (has_one != has_two)
		return has_one ? -1 : 1;
	int order = strcmp((*one)->service, (*two)->service);
	return order ? order : strcmp((*one)->node, (*two)->node);
}

void answers_write(struct answers *answers, char *const *kinds, size_t kind_count, uint32_t took_ms,
		   char headline[ANSWERS_HEADLINE_SIZE], Lyceum__Ask__V1__AskReply *ret_reply)
{
	drop_unwanted(answers, kinds, kind_count);
	drop_repeated(answers);
	if (answers->count > 1)
		qsort(answers->answers, answers->count, sizeof(answers->answers[0]), compare);
	ret_reply->answer = answers->answers;
	ret_reply->n_answer = answers->count;
	ret_reply->asked = (uint32_t)answers->count;
	for (size_t i = 0; i < answers->count; i++)
		ret_reply->answered += answers->answers[i]->status == LYCEUM__V1__STATUS__OK;
	ret_reply->partial = ret_reply->answered < ret_reply->asked;
	ret_reply->took_ms = took_ms;
	snprintf(headline, ANSWERS_HEADLINE_SIZE, "%u of %u answered in %u ms%s.",
		 ret_reply->answered, ret_reply->asked, took_ms,
		 ret_reply->partial ? ": this is a part of the answer" : "");
	ret_reply->headline = headline;
}
