/*
 * What may leave, and to whom. The rule itself is label_may_see in lib/schema, a pure function that
 * plugins use, too; here it meets links, whose far side carries records for the nodes behind it,
 * and messages with labelled parts.
 */
#include "policy/policy.h"

#include <string.h>

struct readers policy_readers(const char *principal, char *const *groups, size_t group_count,
			      char node[CALL_MAX_PRINCIPAL])
{
	struct span name = policy_node_of(span_of(principal, strlen(principal)));
	memcpy(node, name.data, name.len);
	node[name.len] = '\0';
	return (struct readers){.node = node,
				.person = strchr(principal, '@') ? principal : "",
				.groups = (const char *const *)groups,
				.group_count = group_count};
}

struct label policy_members_label(void)
{
	return (struct label){.visibility = 2, .is_present = true};
}

/* An audience that names a person or group of a node has to reach that node. */
static bool names_somebody_of(const struct label *label, const char *node)
{
	for (size_t i = 0; i < label->audience_count; i++) {
		if (span_is(policy_node_of(label->audience[i]), node))
			return true;
	}
	return false;
}

static struct label_versions versions_of(const struct policy *policy)
{
	return (struct label_versions){.of = types_versions_of, .types = policy->types};
}

bool policy_has_parts(const struct policy *policy, const struct schema_message *message)
{
	struct label_versions versions = versions_of(policy);
	return label_is_within(message, policy->types ? &versions : NULL);
}

enum lyc_status policy_cut(const struct policy *policy, const struct schema_message *message,
			   struct span body, const struct readers *readers, struct buf *to,
			   size_t *ret_cut_count)
{
	struct label_versions versions = versions_of(policy);
	return label_cut(message, policy->types ? &versions : NULL, body, policy->name, readers, to,
			 ret_cut_count);
}

enum egress policy_outgoing(const struct policy *policy, const struct schema_message *message,
			    struct span body, const struct label *label, const char *home,
			    const struct readers *readers, bool is_hub_link, struct buf *to)
{
	bool is_whole_node = readers->person[0] == '\0' && readers->group_count == 0;
	enum egress egress = EGRESS_NOTHING;
	if (label_may_see(label, home, readers))
		egress = EGRESS_WHOLE;
	else if (label->visibility == 3 &&
		 (is_hub_link || (is_whole_node && names_somebody_of(label, readers->node))))
		egress = EGRESS_CARRY;
	if (egress == EGRESS_NOTHING || !message || !policy_has_parts(policy, message))
		return egress;
	size_t cut_count = 0;
	size_t before = to->len;
	if (policy_cut(policy, message, body, readers, to, &cut_count) != LYC_OK)
		return EGRESS_NOTHING;
	if (cut_count == 0) {
		to->len = before;
		return egress;
	}
	return EGRESS_CUT;
}

/* Of no node, without a name and in no group: what such a reader may see, every other may. */
static const struct readers nobody = {.node = "", .person = ""};

bool policy_is_for_all(const struct label *label)
{
	return label_may_see(label, "", &nobody);
}

bool policy_shows_all_parts(const struct policy *policy, const struct schema_message *message,
			    struct span body, struct buf *scratch)
{
	size_t cut_count = 0;
	size_t before = scratch->len;
	if (!message || !policy_has_parts(policy, message))
		return true;
	bool is_whole = policy_cut(policy, message, body, &nobody, scratch, &cut_count) == LYC_OK &&
			cut_count == 0;
	scratch->len = before;
	return is_whole;
}

static int width(const struct label *label)
{
	static const int widths[] = {0, 3, 3, 2, 0};
	return label->visibility >= 0 && label->visibility < 5 ? widths[label->visibility] : 0;
}

bool policy_is_narrower(const struct label *narrow, const struct label *wide)
{
	if (width(narrow) != width(wide))
		return width(narrow) < width(wide);
	if (width(narrow) != 2)
		return false;
	for (size_t i = 0; i < wide->audience_count; i++) {
		bool is_kept = false;
		for (size_t j = 0; j < narrow->audience_count && !is_kept; j++)
			is_kept = span_equal(narrow->audience[j], wide->audience[i]);
		if (!is_kept)
			return true;
	}
	return false;
}
