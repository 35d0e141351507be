/*
 * The people of this node as its log tells them: a fold over the records User, Invitation and
 * Session. Knows no network and no clock: who asks says what time it is.
 */
#ifndef LYC_HTTP_USERS_H
#define LYC_HTTP_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/plugin.h>
#include <uthash.h>

#include "token.h"

struct user {
	char *name;
	/* As calls carry them: "wales/policy". */
	char **groups;
	size_t group_count;
	/* Patterns of the methods that she may call; none: whatever a person may. */
	char **calls;
	size_t call_count;
	char language[8];
	uint64_t since_ms;
	UT_hash_handle by_name;
};

/* An invitation or a session. */
struct pass {
	char *id;
	char *user;
	uint8_t hash[TOKEN_HASH_LEN];
	uint64_t created_ms;
	uint64_t expires_ms;
	/* In this daemon's log. */
	uint64_t seq;
	UT_hash_handle by_id;
};

struct users {
	/* This node's name: others' records are none of ours. */
	char *home;
	struct user *all;
	struct pass *invitations;
	struct pass *sessions;
};

/* False when there is no memory. */
bool users_init(struct users *users, const char *home);
void users_fini(struct users *users);
/* Take one record. What was found before may be gone then. */
void users_apply(struct users *users, const struct lyc_delivery *record);

/* Valid until the next users_apply. NULL: there is none. */
struct user *users_find(const struct users *users, const char *name);
/* Is the method, "package.Service/Method", one that she may call? */
bool users_may_call(const struct user *user, const char *method);
/* Of this token, unless it has expired or its user is gone. */
const struct pass *users_invitation(const struct users *users, const char *token, uint64_t now_ms);
const struct pass *users_session(const struct users *users, const char *token, uint64_t now_ms);
/* Is this one good? */
bool users_is_good(const struct users *users, const struct pass *pass, uint64_t now_ms);
/* How many good ones of this user, and when the last was made. */
size_t users_count(const struct users *users, const struct pass *passes, const char *user,
		   uint64_t now_ms, uint64_t *ret_last_ms);

#endif
