/* A list that grows. */
#include "tokens.h"

#include <stdlib.h>

#include "base/ensure.h"
#include "base/mem.h"

struct tokens *tokens_new(void)
{
	return mem_new(struct tokens);
}

void tokens_free(struct tokens *tokens)
{
	for (size_t i = 0; i < tokens->count; i++)
		buf_fini(&tokens->items[i].first_reply);
	free(tokens->items);
	free(tokens);
}

struct token *tokens_add(struct tokens *tokens)
{
	if (tokens->count == tokens->cap) {
		tokens->cap = tokens->cap ? 2 * tokens->cap : 128;
		tokens->items = realloc(tokens->items, tokens->cap * sizeof(*tokens->items));
		ensure(tokens->items != NULL);
	}
	struct token *token = &tokens->items[tokens->count++];
	*token = (struct token){.number = tokens->count};
	return token;
}

struct token *tokens_get(const struct tokens *tokens, uint64_t number)
{
	return number > 0 && number <= tokens->count ? &tokens->items[number - 1] : NULL;
}

void tokens_forgive(struct tokens *tokens, size_t at)
{
	for (size_t i = 0; i < tokens->count; i++)
		tokens->items[i].is_forgiven |= tokens->items[i].at == at;
}

void tokens_ran(struct sim *sim, uint64_t number, const char *where)
{
	struct token *token = tokens_get(sim->tokens, number);
	if (!token)
		return;
	if (++token->runs > 1 && !token->is_forgiven)
		sim_broken(sim, PROMISE_CALL_ONCE, "call %llu (%s) ran %u times, last at %s",
			   (unsigned long long)number, token->method, token->runs, where);
}
