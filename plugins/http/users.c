/* The fold. */
#include "users.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lyceum/http/v1/users.pb-c.h"

#define PACKAGE "lyceum.http.v1."
#define MAX_KEY 200

static void user_free(struct user *user)
{
	if (!user)
		return;
	for (size_t i = 0; i < user->group_count; i++)
		free(user->groups[i]);
	for (size_t i = 0; i < user->call_count; i++)
		free(user->calls[i]);
	free(user->groups);
	free(user->calls);
	free(user->name);
	free(user);
}

static void pass_free(struct pass *pass)
{
	free(pass->id);
	free(pass->user);
	free(pass);
}

bool users_init(struct users *users, const char *home)
{
	*users = (struct users){.home = strdup(home)};
	return users->home != NULL;
}

static void drop_passes(struct pass **passes)
{
	struct pass *pass, *next;
	HASH_ITER (by_id, *passes, pass, next) {
		HASH_DELETE(by_id, *passes, pass);
		pass_free(pass);
	}
}

void users_fini(struct users *users)
{
	struct user *user, *next;
	HASH_ITER (by_name, users->all, user, next) {
		HASH_DELETE(by_name, users->all, user);
		user_free(user);
	}
	drop_passes(&users->invitations);
	drop_passes(&users->sessions);
	free(users->home);
}

/* ---- Withdrawals: all that is known is the subject ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next token of a subject, unescaped; NULL when it does not fit. */
static const char *read_token(const char *at, char to[MAX_KEY])
{
	size_t len = 0;
	while (*at && *at != '.' && len + 1 < MAX_KEY) {
		if (*at == '%' && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
			to[len++] = (char)(hex_digit(at[1]) * 16 + hex_digit(at[2]));
			at += 3;
		} else {
			to[len++] = *at++;
		}
	}
	to[len] = '\0';
	return *at == '.' ? at + 1 : *at ? NULL : at;
}

static void drop_pass(struct pass **passes, const char *id)
{
	struct pass *pass;
	HASH_FIND(by_id, *passes, id, strlen(id), pass);
	if (!pass)
		return;
	HASH_DELETE(by_id, *passes, pass);
	pass_free(pass);
}

static void drop_user(struct users *users, const char *name)
{
	struct user *user = users_find(users, name);
	if (!user)
		return;
	HASH_DELETE(by_name, users->all, user);
	user_free(user);
}

static void withdraw(struct users *users, const char *type, const char *keys)
{
	char home[MAX_KEY], key[MAX_KEY];
	const char *at = read_token(keys, home);
	if (!at || !read_token(at, key) || strcmp(home, users->home) != 0)
		return;
	if (strcmp(type, "User") == 0)
		drop_user(users, key);
	else if (strcmp(type, "Invitation") == 0)
		drop_pass(&users->invitations, key);
	else if (strcmp(type, "Session") == 0)
		drop_pass(&users->sessions, key);
}

/* ---- Records ---- */

static struct user *make_user(const struct users *users, const Lyceum__Http__V1__User *from)
{
	struct user *user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->name = strdup(from->name);
	user->groups = calloc(from->n_groups + 1, sizeof(char *));
	user->calls = calloc(from->n_call + 1, sizeof(char *));
	user->since_ms = from->since_ms;
	if (strlen(from->language) < sizeof(user->language))
		strcpy(user->language, from->language);
	for (size_t i = 0; user->groups && i < from->n_groups; i++) {
		size_t len = strlen(users->home) + strlen(from->groups[i]) + 2;
		char *group = malloc(len);
		if (!group)
			break;
		strcpy(group, users->home);
		strcat(strcat(group, "/"), from->groups[i]);
		user->groups[user->group_count++] = group;
	}
	for (size_t i = 0; user->calls && i < from->n_call; i++) {
		char *pattern = strdup(from->call[i]);
		if (!pattern)
			break;
		user->calls[user->call_count++] = pattern;
	}
	if (user->name && user->groups && user->group_count == from->n_groups && user->calls &&
	    user->call_count == from->n_call)
		return user;
	user_free(user);
	return NULL;
}

static void take_user(struct users *users, const struct lyc_delivery *record)
{
	Lyceum__Http__V1__User *from =
		lyceum__http__v1__user__unpack(NULL, record->body_len, record->body);
	struct user *user =
		from && strcmp(from->home, users->home) == 0 ? make_user(users, from) : NULL;
	if (user) {
		drop_user(users, user->name);
		HASH_ADD_KEYPTR(by_name, users->all, user->name, strlen(user->name), user);
	}
	if (from)
		lyceum__http__v1__user__free_unpacked(from, NULL);
}

static void take_pass(struct pass **passes, const char *id, const char *user,
		      ProtobufCBinaryData hash, uint64_t created_ms, uint64_t expires_ms,
		      uint64_t seq)
{
	struct pass *pass = hash.len == TOKEN_HASH_LEN ? calloc(1, sizeof(*pass)) : NULL;
	if (!pass)
		return;
	pass->id = strdup(id);
	pass->user = strdup(user);
	memcpy(pass->hash, hash.data, TOKEN_HASH_LEN);
	pass->created_ms = created_ms;
	pass->expires_ms = expires_ms;
	pass->seq = seq;
	if (!pass->id || !pass->user) {
		pass_free(pass);
		return;
	}
	drop_pass(passes, pass->id);
	HASH_ADD_KEYPTR(by_id, *passes, pass->id, strlen(pass->id), pass);
}

static void take_invitation(struct users *users, const struct lyc_delivery *record)
{
	Lyceum__Http__V1__Invitation *from =
		lyceum__http__v1__invitation__unpack(NULL, record->body_len, record->body);
	if (!from)
		return;
	if (strcmp(from->home, users->home) == 0)
		take_pass(&users->invitations, from->id, from->user, from->token_hash,
			  from->created_ms, from->expires_ms, record->seq);
	lyceum__http__v1__invitation__free_unpacked(from, NULL);
}

static void take_session(struct users *users, const struct lyc_delivery *record)
{
	Lyceum__Http__V1__Session *from =
		lyceum__http__v1__session__unpack(NULL, record->body_len, record->body);
	if (!from)
		return;
	if (strcmp(from->home, users->home) == 0)
		take_pass(&users->sessions, from->id, from->user, from->token_hash,
			  from->created_ms, from->expires_ms, record->seq);
	lyceum__http__v1__session__free_unpacked(from, NULL);
}

void users_apply(struct users *users, const struct lyc_delivery *record)
{
	char type[32];
	const char *subject = record->subject;
	/* Another node may write what it likes under its own name: it lets nobody in here. */
	if (!record->origin || strcmp(record->origin, users->home) != 0 ||
	    strncmp(subject, PACKAGE, strlen(PACKAGE)) != 0)
		return;
	subject += strlen(PACKAGE);
	size_t len = strcspn(subject, ".");
	if (subject[len] != '.' || len >= sizeof(type))
		return;
	memcpy(type, subject, len);
	type[len] = '\0';
	if (record->removed)
		withdraw(users, type, subject + len + 1);
	else if (strcmp(type, "User") == 0)
		take_user(users, record);
	else if (strcmp(type, "Invitation") == 0)
		take_invitation(users, record);
	else if (strcmp(type, "Session") == 0)
		take_session(users, record);
}

/* ---- Questions ---- */

struct user *users_find(const struct users *users, const char *name)
{
	struct user *user;
	HASH_FIND(by_name, users->all, name, strlen(name), user);
	return user;
}

bool users_may_call(const struct user *user, const char *method)
{
	for (size_t i = 0; i < user->call_count; i++) {
		if (fnmatch(user->calls[i], method, FNM_NOESCAPE) == 0)
			return true;
	}
	return user->call_count == 0;
}

bool users_is_good(const struct users *users, const struct pass *pass, uint64_t now_ms)
{
	const struct user *user = users_find(users, pass->user);
	return user && pass->created_ms >= user->since_ms && now_ms < pass->expires_ms;
}

/* All are looked at, so that the time tells nothing. */
static const struct pass *find_pass(const struct users *users, const struct pass *passes,
				    const char *token, uint64_t now_ms)
{
	uint8_t hash[TOKEN_HASH_LEN];
	const struct pass *found = NULL;
	if (!token_hash(token, hash))
		return NULL;
	for (const struct pass *pass = passes; pass; pass = pass->by_id.next) {
		if (token_hash_equal(pass->hash, hash))
			found = pass;
	}
	return found && users_is_good(users, found, now_ms) ? found : NULL;
}

const struct pass *users_invitation(const struct users *users, const char *token, uint64_t now_ms)
{
	return find_pass(users, users->invitations, token, now_ms);
}

const struct pass *users_session(const struct users *users, const char *token, uint64_t now_ms)
{
	return find_pass(users, users->sessions, token, now_ms);
}

size_t users_count(const struct users *users, const struct pass *passes, const char *user,
		   uint64_t now_ms, uint64_t *ret_last_ms)
{
	size_t count = 0;
	*ret_last_ms = 0;
	for (const struct pass *pass = passes; pass; pass = pass->by_id.next) {
		if (strcmp(pass->user, user) != 0 || !users_is_good(users, pass, now_ms))
			continue;
		count++;
		if (pass->created_ms > *ret_last_ms)
			*ret_last_ms = pass->created_ms;
	}
	return count;
}
