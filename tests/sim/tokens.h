/* Calls that were made: how often each ran, and how each ended. */
#ifndef LYC_TESTS_SIM_TOKENS_H
#define LYC_TESTS_SIM_TOKENS_H

#include "sim_peer.h"

enum token_state { TOKEN_OPEN = 0, TOKEN_ENDED, TOKEN_UNKNOWN };

struct token {
	uint64_t number; /* from 1 */
	struct sim_peer *caller;
	uint64_t session;
	uint64_t call_id;
	char method[8];
	size_t at;
	uint64_t due_us;
	enum token_state state;
	uint32_t runs;
	/* With an idempotency key: tried again until it is known how it ended. */
	bool is_forgiven; /* what its home remembers may be lost with a restore */
	bool is_keyed;
	uint32_t attempts;
	struct buf first_reply;
	bool is_late; /* its deadline has passed, and its session lived on */
	/* A read that comes after a write. */
	uint64_t write;
	size_t home;
	size_t id;
};

struct tokens {
	struct token *items;
	size_t count;
	size_t cap;
};

struct tokens *tokens_new(void);
void tokens_free(struct tokens *tokens);
/* Valid until the next. */
struct token *tokens_add(struct tokens *tokens);
struct token *tokens_get(const struct tokens *tokens, uint64_t number);
/* Those of a home that was restored. */
void tokens_forgive(struct tokens *tokens, size_t at);
/* Its method begins somewhere. */
void tokens_ran(struct sim *sim, uint64_t number, const char *where);

#endif
