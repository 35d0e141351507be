/* Rights: the configuration's keys, what each may call, publish and subscribe to, and for whom it
 * may speak. */
#include "policy/policy.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "lyceum/v1/config.pb-c.h"
#include "route/service.h"
#include "wire/subject.h"

static void patterns_take(struct patterns *patterns, char **items, size_t count)
{
	patterns->is_set = count > 0;
	patterns->count = count;
	patterns->items = count > 0 ? mem_get(count * sizeof(char *)) : NULL;
	patterns->literal_lens = count > 0 ? mem_get(count * sizeof(size_t)) : NULL;
	for (size_t i = 0; i < count; i++) {
		patterns->items[i] = mem_dup(items[i]);
		patterns->literal_lens[i] = strcspn(items[i], "*?[\\");
	}
}

static void patterns_fini(struct patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		free(patterns->items[i]);
	free(patterns->items);
	free(patterns->literal_lens);
}

static void grants_free(struct grants *grants)
{
	patterns_fini(&grants->call);
	patterns_fini(&grants->publish);
	patterns_fini(&grants->subscribe);
	for (size_t i = 0; i < grants->group_count; i++)
		free(grants->groups[i]);
	free(grants->groups);
	free(grants->name);
	free(grants);
}

static struct grants *find(const struct policy *policy, const char *identity)
{
	struct grants *grants;
	HASH_FIND(by_name, policy->by_name, identity, strlen(identity), grants);
	return grants;
}

const struct grants *policy_find(const struct policy *policy, const char *identity)
{
	return find(policy, identity);
}

struct grants *policy_grant(struct policy *policy, const char *name, const char *public_key,
			    enum role role)
{
	struct grants *grants = find(policy, name);
	if (!grants) {
		grants = mem_new(struct grants);
		grants->name = mem_dup(name);
		HASH_ADD_KEYPTR(by_name, policy->by_name, grants->name, strlen(name), grants);
	}
	grants->role = role;
	snprintf(grants->public_key, sizeof(grants->public_key), "%s", public_key);
	return grants;
}

static void forget_found(struct policy *policy)
{
	memset(policy->found, 0, sizeof(policy->found));
}

void policy_revoke(struct policy *policy, const char *name)
{
	struct grants *grants = find(policy, name);
	if (!grants)
		return;
	forget_found(policy);
	HASH_DELETE(by_name, policy->by_name, grants);
	grants_free(grants);
}

/* Entries that the daemon makes itself would take its place, and its key with them. */
static bool is_taken_name(const struct policy *policy, const Lyceum__V1__Config *config,
			  const char *name)
{
	if (strcmp(name, "operator") == 0 || strcmp(name, policy->name) == 0 ||
	    (config->uplink && strcmp(name, config->uplink->name) == 0))
		return true;
	for (size_t i = 0; i < config->n_plugins; i++) {
		size_t len = strlen(config->plugins[i]->name);
		if (strncmp(name, config->plugins[i]->name, len) == 0 &&
		    (name[len] == '\0' || name[len] == '.'))
			return true;
	}
	return false;
}

static enum lyc_status add_key(struct policy *policy, const Lyceum__V1__Config *config,
			       size_t index, struct lyc_error *error)
{
	const Lyceum__V1__PeerKey *key = config->keys[index];
	char field[40];
	snprintf(field, sizeof(field), "keys[%zu].name", index);
	bool is_anonymous = strcmp(key->name, "anonymous") == 0;
	if (find(policy, key->name))
		return error_set_field(error, LYC_INVALID_ARGUMENT, field,
				       "the key '%s' is listed twice", key->name);
	if (is_taken_name(policy, config, key->name))
		return error_set_field(error, LYC_INVALID_ARGUMENT, field,
				       "the key '%s' has a name that is taken: by this daemon, its "
				       "hub, its operator or a plugin",
				       key->name);
	if (is_anonymous != (key->public_key[0] == '\0'))
		return error_set_field(
			error, LYC_INVALID_ARGUMENT, field,
			is_anonymous ? "'%s' stands for peers without a key and takes none"
				     : "the key '%s' has no public_key",
			key->name);
	static const enum role roles[] = {ROLE_PERSON, ROLE_PERSON, ROLE_NODE, ROLE_OPERATOR};
	struct grants *grants = policy_grant(policy, key->name, key->public_key, roles[key->role]);
	grants->is_configured = true;
	patterns_take(&grants->call, key->call, key->n_call);
	patterns_take(&grants->publish, key->publish, key->n_publish);
	patterns_take(&grants->subscribe, key->subscribe, key->n_subscribe);
	grants->group_count = key->n_groups;
	grants->groups = mem_get(key->n_groups * sizeof(char *));
	for (size_t i = 0; i < key->n_groups; i++) {
		struct buf group = {0};
		buf_add_format(&group, "%s/%s", policy->name, key->groups[i]);
		grants->groups[i] = buf_text(&group);
	}
	return LYC_OK;
}

enum lyc_status policy_init(struct policy *policy, const Lyceum__V1__Config *config,
			    struct lyc_error *error)
{
	*policy = (struct policy){0};
	snprintf(policy->name, sizeof(policy->name), "%s", config->name);
	enum lyc_status status = LYC_OK;
	for (size_t i = 0; i < config->n_keys && status == LYC_OK; i++)
		status = add_key(policy, config, i, error);
	if (status != LYC_OK)
		policy_fini(policy);
	return status;
}

static bool same_lists(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
	bool is_same = a_count == b_count;
	for (size_t i = 0; i < a_count && is_same; i++)
		is_same = strcmp(a[i], b[i]) == 0;
	return is_same;
}

static bool same_patterns(const struct patterns *a, const struct patterns *b)
{
	return a->is_set == b->is_set && same_lists(a->items, a->count, b->items, b->count);
}

static bool same_rights(const struct grants *a, const struct grants *b)
{
	return same_patterns(&a->call, &b->call) && same_patterns(&a->publish, &b->publish) &&
	       same_patterns(&a->subscribe, &b->subscribe) &&
	       same_lists(a->groups, a->group_count, b->groups, b->group_count);
}

/* The rights of the one for the other's, in place: sessions point to it. */
static void swap_rights(struct grants *grants, struct grants *with)
{
	struct grants before = *grants;
	grants->call = with->call;
	grants->publish = with->publish;
	grants->subscribe = with->subscribe;
	grants->groups = with->groups;
	grants->group_count = with->group_count;
	with->call = before.call;
	with->publish = before.publish;
	with->subscribe = before.subscribe;
	with->groups = before.groups;
	with->group_count = before.group_count;
}

static void update_one(struct policy *policy, struct grants *grants, struct grants *next,
		       policy_change_fn on_change, void *arg)
{
	bool is_other =
		grants->role != next->role || strcmp(grants->public_key, next->public_key) != 0;
	if (!is_other && same_rights(grants, next))
		return;
	/* Who has a session by the former key or role loses it while it still has its grants. */
	on_change(grants, is_other ? POLICY_REPLACED : POLICY_CHANGED, arg);
	swap_rights(grants, next);
	forget_found(policy);
	grants->role = next->role;
	memcpy(grants->public_key, next->public_key, sizeof(grants->public_key));
}

enum lyc_status policy_update(struct policy *policy, const Lyceum__V1__Config *config,
			      policy_change_fn on_change, void *arg, struct lyc_error *error)
{
	struct policy next;
	struct grants *grants;
	struct grants *after;
	enum lyc_status status = policy_init(&next, config, error);
	if (status != LYC_OK)
		return status;
	HASH_ITER (by_name, policy->by_name, grants, after) {
		struct grants *other = find(&next, grants->name);
		if (!grants->is_configured)
			continue;
		if (other) {
			update_one(policy, grants, other, on_change, arg);
			continue;
		}
		on_change(grants, POLICY_REVOKED, arg);
		forget_found(policy);
		HASH_DELETE(by_name, policy->by_name, grants);
		grants_free(grants);
	}
	HASH_ITER (by_name, next.by_name, grants, after) {
		if (find(policy, grants->name))
			continue;
		HASH_DELETE(by_name, next.by_name, grants);
		HASH_ADD_KEYPTR(by_name, policy->by_name, grants->name, strlen(grants->name),
				grants);
		on_change(grants, POLICY_ADDED, arg);
	}
	policy_fini(&next);
	return LYC_OK;
}

enum lyc_status policy_check(const Lyceum__V1__Config *config, struct lyc_error *error)
{
	struct policy policy;
	enum lyc_status status = policy_init(&policy, config, error);
	if (status == LYC_OK)
		policy_fini(&policy);
	return status;
}

void policy_fini(struct policy *policy)
{
	struct grants *grants;
	struct grants *next;
	HASH_ITER (by_name, policy->by_name, grants, next) {
		HASH_DELETE(by_name, policy->by_name, grants);
		grants_free(grants);
	}
}

bool policy_may_call(const struct grants *grants, const char *method)
{
	if (!grants->call.is_set)
		return true;
	for (size_t i = 0; i < grants->call.count; i++) {
		const char *pattern = grants->call.items[i];
		size_t len = grants->call.literal_lens[i];
		if (strncmp(pattern, method, len) != 0)
			continue;
		/* Most patterns end with the one star that they have. */
		if (strcmp(pattern + len, "*") == 0 || fnmatch(pattern, method, 0) == 0)
			return true;
	}
	return false;
}

static struct found_right *place_of(struct policy *policy, const struct grants *grants,
				    const struct method_entry *method)
{
	uint64_t bits = (uint64_t)(uintptr_t)grants * 31 + (uint64_t)(uintptr_t)method;
	return &policy->found[bits * 0x9e3779b97f4a7c15u >> 32 & (POLICY_FOUND - 1)];
}

bool policy_may_call_known(struct policy *policy, const struct grants *grants,
			   const struct method_entry *method)
{
	if (!grants->call.is_set)
		return true;
	struct found_right *place = place_of(policy, grants, method);
	if (place->grants == grants && place->method == method)
		return true;
	if (!policy_may_call(grants, method->name))
		return false;
	*place = (struct found_right){.grants = grants, .method = method};
	return true;
}

static bool any_covers(const struct patterns *patterns, struct span inner)
{
	for (size_t i = 0; i < patterns->count; i++) {
		struct span outer = span_of(patterns->items[i], strlen(patterns->items[i]));
		if (subject_pattern_covers(outer, inner))
			return true;
	}
	return false;
}

bool policy_may_subscribe(const struct grants *grants, struct span pattern)
{
	return !grants->subscribe.is_set || any_covers(&grants->subscribe, pattern);
}

/* Is the subject's type in the package of one of the services that the session registered? */
static bool is_of_own_package(const struct session *session, struct span subject)
{
	list_each (node, &session->offers) {
		const char *service = list_entry(node, struct offer, of_session)->service->name;
		const char *dot = strrchr(service, '.');
		size_t len = dot ? (size_t)(dot - service) + 1 : 0;
		if (len > 0 && subject.len > len && memcmp(subject.data, service, len) == 0)
			return true;
	}
	return false;
}

bool policy_may_publish(const struct grants *grants, const struct session *session,
			struct span subject)
{
	if (grants->publish.is_set)
		return any_covers(&grants->publish, subject);
	switch (grants->role) {
	case ROLE_OPERATOR:
	case ROLE_NODE:
	case ROLE_HUB:
		return true;
	case ROLE_PLUGIN:
		return is_of_own_package(session, subject);
	case ROLE_PERSON:
	default:
		return false;
	}
}

bool policy_is_registered(const struct session *session, struct span subject)
{
	const struct patterns patterns = {.items = session->publishes,
					  .count = session->publish_count};
	return session->grants->role != ROLE_PLUGIN || any_covers(&patterns, subject);
}

struct span policy_node_of(struct span name)
{
	if (name.len == 0)
		return name;
	const uint8_t *at = memchr(name.data, '@', name.len);
	if (at)
		return span_of(at + 1, name.len - (size_t)(at - name.data) - 1);
	const uint8_t *slash = memchr(name.data, '/', name.len);
	if (slash)
		return span_of(name.data, (size_t)(slash - name.data));
	return name;
}

static enum lyc_status refuse(const struct session *session, struct span claimed,
			      struct lyc_error *error)
{
	return error_set(error, LYC_PERMISSION_DENIED, "'%s' may not speak for '%.*s'",
			 session->identity, (int)(claimed.len < 100 ? claimed.len : 100),
			 (const char *)claimed.data);
}

/* identity@node: both have at most 63 bytes. */
static void write_person(const char *identity, const char *node, char to[CALL_MAX_PRINCIPAL])
{
	size_t len = strlen(identity);
	memcpy(to, identity, len);
	to[len] = '@';
	memcpy(to + len + 1, node, strlen(node) + 1);
}

static bool is_person(struct span principal)
{
	return principal.len > 0 && memchr(principal.data, '@', principal.len) != NULL;
}

const struct call *policy_served_call(const struct session *plugin, struct span principal)
{
	list_each (node, &plugin->calls_given) {
		const struct call *call = list_entry(node, struct call, of_callee);
		if (span_is(principal, call->principal))
			return call;
	}
	return NULL;
}

static bool has_group(const struct call *call, const char *group)
{
	for (size_t i = 0; i < call->group_count; i++) {
		if (strcmp(call->groups[i], group) == 0)
			return true;
	}
	return false;
}

bool policy_all_served_have(const struct session *plugin, const char *principal, const char *group)
{
	list_each (node, &plugin->calls_given) {
		const struct call *call = list_entry(node, struct call, of_callee);
		if (strcmp(call->principal, principal) == 0 && !has_group(call, group))
			return false;
	}
	return true;
}

enum lyc_status policy_principal(const struct policy *policy, const struct session *session,
				 struct span claimed, char ret_principal[CALL_MAX_PRINCIPAL],
				 struct lyc_error *error)
{
	if (claimed.len >= CALL_MAX_PRINCIPAL)
		return refuse(session, claimed, error);
	struct span node = policy_node_of(claimed);
	enum role role = session->grants->role;
	if (role == ROLE_PERSON) {
		write_person(session->identity, policy->name, ret_principal);
		return claimed.len == 0 || span_is(claimed, ret_principal)
			       ? LYC_OK
			       : refuse(session, claimed, error);
	}
	/* A daemon vouches for its own people: the operator and plugins speak for this one, a node
	 * for itself, the hub for all others. */
	const char *own = role == ROLE_NODE ? session->identity : policy->name;
	if (claimed.len == 0 && role != ROLE_HUB) {
		memcpy(ret_principal, own, strlen(own) + 1);
		return LYC_OK;
	}
	bool is_allowed = role == ROLE_HUB ? claimed.len > 0 && !span_is(node, policy->name)
					   : span_is(node, own);
	if (role == ROLE_PLUGIN && is_allowed && !session->speaks_for_people)
		is_allowed = !is_person(claimed);
	if (!is_allowed && role == ROLE_PLUGIN)
		is_allowed = policy_served_call(session, claimed) != NULL;
	if (!is_allowed)
		return refuse(session, claimed, error);
	snprintf(ret_principal, CALL_MAX_PRINCIPAL, "%.*s", (int)claimed.len,
		 (const char *)claimed.data);
	return LYC_OK;
}

const char *policy_own_principal(const struct policy *policy, const struct session *session,
				 char ret_principal[CALL_MAX_PRINCIPAL])
{
	struct lyc_error error;
	if (session->grants->role == ROLE_HUB ||
	    policy_principal(policy, session, span_of(NULL, 0), ret_principal, &error) != LYC_OK)
		snprintf(ret_principal, CALL_MAX_PRINCIPAL, "%s", session->identity);
	return ret_principal;
}

bool policy_vouches_for_group(const struct policy *policy, const struct session *session,
			      struct span group)
{
	struct span node = policy_node_of(group);
	switch (session->grants->role) {
	case ROLE_HUB:
		return !span_is(node, policy->name);
	case ROLE_NODE:
		return span_is(node, session->identity);
	case ROLE_PLUGIN:
		return session->speaks_for_people && span_is(node, policy->name);
	case ROLE_OPERATOR:
		return span_is(node, policy->name);
	case ROLE_PERSON:
	default:
		return false;
	}
}
