/* The answers to one enquiry, as they come in: who was asked, what each said, and the reply made of
 * them. Plain data, no daemon. */
#ifndef ASK_ANSWERS_H
#define ASK_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/ask/v1/ask.pb-c.h>
#include <lyceum/status.h>

#define ANSWERS_MAX 256

struct answers {
	Lyceum__Ask__V1__Answer **answers;
	size_t count;
	size_t ended_count;
};

/* Zeroed memory is empty. */
void answers_fini(struct answers *answers);
/* One more who is asked; NULL when there are ANSWERS_MAX, or no memory. Borrowed; stays valid. */
Lyceum__Ask__V1__Answer *answers_add(struct answers *answers, const char *service,
				     const char *node);
/* It has ended: with a body (an EnquiryAnswer), or with a status and why. A body that is none ends
 * it with INTERNAL. Once for each. */
void answers_end(struct answers *answers, Lyceum__Ask__V1__Answer *answer, enum lyc_status status,
		 const char *text, const uint8_t *body, size_t body_len, uint32_t took_ms);
/* The reply; what it points to belongs to `answers` but for `headline`, of which the memory is the
 * caller's. Call once: answers are put in order, of kinds that are not wanted (kind_count 0: all)
 * and items that came before from another node are left out. */
#define ANSWERS_HEADLINE_SIZE 120
/* The kinds that came in, "experts, ventures", as far as they fit. Before answers_write. */
void answers_kinds(const struct answers *answers, char *to, size_t size);
void answers_write(struct answers *answers, char *const *kinds, size_t kind_count, uint32_t took_ms,
		   char headline[ANSWERS_HEADLINE_SIZE], Lyceum__Ask__V1__AskReply *ret_reply);

#endif
