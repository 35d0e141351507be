/*
 * Rights and labels. Who a peer is and what it may do comes from the configuration's keys; who may
 * see what is decided by one function, which replies, deliveries and replication all use.
 */
#ifndef LYC_POLICY_POLICY_H
#define LYC_POLICY_POLICY_H

#include <stdbool.h>

#include <uthash.h>

#include <lyceum/status.h>

#include "route/call.h"
#include "route/session.h"
#include "route/types.h"
#include "schema/schema.h"

enum role { ROLE_PERSON = 1, ROLE_NODE = 2, ROLE_OPERATOR = 3, ROLE_PLUGIN = 4, ROLE_HUB = 5 };

struct patterns {
	char **items;
	size_t *literal_lens; /* bytes of each before its first wildcard */
	size_t count;
	bool is_set; /* an empty list that was given means nothing is allowed */
};

struct grants {
	char *name;
	char public_key[41];
	enum role role;
	struct patterns call;
	struct patterns publish;
	struct patterns subscribe;
	bool is_configured; /* in `keys`; the others the daemon makes itself */
	char **groups;      /* "wales/policy" */
	size_t group_count;
	UT_hash_handle by_name;
};

/* Rights to call that were found in a list, by key and method, until any key's rights change: lists
 * are long, and callers call the same again. A right that is not there is looked for each time. */
#define POLICY_FOUND 256
struct found_right {
	const struct grants *grants;
	const struct method_entry *method;
};

struct policy {
	char name[64]; /* of this daemon */
	struct grants *by_name;
	/* Which say where labelled parts may be; NULL: only the message that is asked about does.
	 */
	const struct types *types;
	struct found_right found[POLICY_FOUND];
};

struct Lyceum__V1__Config;

/* Read the configuration's keys. INVALID_ARGUMENT names the key and what is wrong. */
LYC_MUST_USE enum lyc_status policy_init(struct policy *policy,
					 const struct Lyceum__V1__Config *config,
					 struct lyc_error *error);
/* What became of an entry; told before an entry that goes is freed. */
enum policy_change { POLICY_ADDED, POLICY_REVOKED, POLICY_CHANGED, POLICY_REPLACED };
typedef void (*policy_change_fn)(const struct grants *grants, enum policy_change change, void *arg);
/* Take another configuration's keys: what stays keeps its place in memory. Nothing is changed when
 * that is refused. */
LYC_MUST_USE enum lyc_status policy_update(struct policy *policy,
					   const struct Lyceum__V1__Config *config,
					   policy_change_fn on_change, void *arg,
					   struct lyc_error *error);
void policy_fini(struct policy *policy);
/* Would policy_init take it? */
LYC_MUST_USE enum lyc_status policy_check(const struct Lyceum__V1__Config *config,
					  struct lyc_error *error);
/* Add an entry that the daemon makes itself: a plugin, the operator, the hub. Replaces one of the
 * same name. */
struct grants *policy_grant(struct policy *policy, const char *name, const char *public_key,
			    enum role role);
/* Take an entry out. No session may have it. */
void policy_revoke(struct policy *policy, const char *name);
const struct grants *policy_find(const struct policy *policy, const char *identity);

bool policy_may_call(const struct grants *grants, const char *method);
/* The same of a method that is known; `grants` is one of this policy's. */
bool policy_may_call_known(struct policy *policy, const struct grants *grants,
			   const struct method_entry *method);
bool policy_may_subscribe(const struct grants *grants, struct span pattern);
/* For plugins: only types of a package whose service the plugin has registered. */
bool policy_may_publish(const struct grants *grants, const struct session *session,
			struct span subject);
/* Does a plugin's Register list this subject, key tokens included? True for everybody else. */
bool policy_is_registered(const struct session *session, struct span subject);

/* Who a call or publish is for: checks the claim of `session` and fills `ret_principal`. A plugin
 * speaks for this daemon and its groups, for those whose calls it serves at this moment and, where
 * it has registered to, for this daemon's own people.
 * PERMISSION_DENIED with a sentence when this peer may not speak for that principal. */
LYC_MUST_USE enum lyc_status policy_principal(const struct policy *policy,
					      const struct session *session, struct span claimed,
					      char ret_principal[CALL_MAX_PRINCIPAL],
					      struct lyc_error *error);
/* Who a peer is when it claims nothing: "ann@wales", "wales". Returns ret_principal. */
const char *policy_own_principal(const struct policy *policy, const struct session *session,
				 char ret_principal[CALL_MAX_PRINCIPAL]);
/* A call for that principal that a plugin has been given and not answered: whoever gave it has told
 * the plugin for whom it works, and until it ends the plugin may say so. NULL when there is none.
 */
const struct call *policy_served_call(const struct session *plugin, struct span principal);
/* Are all such calls of that principal with this group? */
bool policy_all_served_have(const struct session *plugin, const char *principal, const char *group);
/* May this peer say that its principal is in this group? */
bool policy_vouches_for_group(const struct policy *policy, const struct session *session,
			      struct span group);
/* The readers behind a principal; borrows it and the groups. `node` is a buffer for the node's
 * name. */
struct readers policy_readers(const char *principal, char *const *groups, size_t group_count,
			      char node[CALL_MAX_PRINCIPAL]);

enum egress {
	EGRESS_NOTHING = 0, /* it stays here */
	EGRESS_CARRY,       /* the receiver passes it on and shows it to nobody */
	EGRESS_WHOLE,
	EGRESS_CUT, /* without the labelled parts that the reader may not see: in `to` */
};

/* The one function. What of a message with this label may go to these readers? `message` (may be
 * NULL: unknown) tells where labelled parts are; `is_hub_link`: the receiver is this daemon's hub,
 * which carries what is for others. */
enum egress policy_outgoing(const struct policy *policy, const struct schema_message *message,
			    struct span body, const struct label *label, const char *home,
			    const struct readers *readers, bool is_hub_link, struct buf *to);

/* May everybody see what has this label, whoever they are? */
bool policy_is_for_all(const struct label *label);
/* Is no part of the body hidden from anybody? Then nobody needs to be asked for what to cut.
 * `scratch` is used, and left as it was. */
bool policy_shows_all_parts(const struct policy *policy, const struct schema_message *message,
			    struct span body, struct buf *scratch);
/* May a message of this type hold parts that not everybody may see, by any version of it? */
bool policy_has_parts(const struct policy *policy, const struct schema_message *message);
/* The body without the parts that the readers may not see, by every version that is known: see
 * label_cut. */
LYC_MUST_USE enum lyc_status policy_cut(const struct policy *policy,
					const struct schema_message *message, struct span body,
					const struct readers *readers, struct buf *to,
					size_t *ret_cut_count);

/* The label of a message without one of its own. */
struct label policy_members_label(void);
/* "wales" of "ann@wales", "wales/policy" and "wales". */
struct span policy_node_of(struct span name);
/* Does `wide` reach somebody whom `narrow` does not? */
bool policy_is_narrower(const struct label *narrow, const struct label *wide);

#endif
