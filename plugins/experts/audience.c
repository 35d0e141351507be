/* Labels are small: what is kept of the held one is copied. */
#include "audience.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "grow.h"

static enum lyc_status refuse(struct lyc_error *error, const char *lead, const char *name,
			      const char *rest)
{
	*error = (struct lyc_error){.status = LYC_INVALID_ARGUMENT, .field = "label.audience"};
	snprintf(error->text, sizeof(error->text), "%s %s%s", lead, name, rest);
	return error->status;
}

static char **copy_list(char *const *list, size_t count)
{
	char **copy = grow_new(count, sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = grow_copy(list[i], strlen(list[i]));
	return copy;
}

static void keep_audience(Lyceum__V1__Label *label, const Lyceum__V1__Label *held)
{
	if (label->n_audience > 0 || held->n_audience == 0)
		return;
	free(label->audience);
	label->audience = copy_list(held->audience, held->n_audience);
	label->n_audience = held->n_audience;
}

/* What the entry leaves open. */
static void keep_held(Lyceum__V1__Label *label, const Lyceum__V1__Label *held)
{
	if (label->visibility == LYCEUM__V1__VISIBILITY__VISIBILITY_UNSPECIFIED)
		label->visibility =
			held->visibility ? held->visibility : LYCEUM__V1__VISIBILITY__PRIVATE;
	if (label->visibility == held->visibility)
		keep_audience(label, held);
	if (label->n_about == 0 && held->n_about > 0) {
		free(label->about);
		label->about = copy_list(held->about, held->n_about);
		label->n_about = held->n_about;
	}
}

enum lyc_status audience_settle(Lyceum__V1__Label *label, const Lyceum__V1__Label *held,
				struct lyc_error *error)
{
	if (label->n_audience > 0) {
		if (label->visibility == LYCEUM__V1__VISIBILITY__VISIBILITY_UNSPECIFIED)
			label->visibility = LYCEUM__V1__VISIBILITY__AUDIENCE;
		if (label->visibility != LYCEUM__V1__VISIBILITY__AUDIENCE) {
			const ProtobufCEnumValue *name = protobuf_c_enum_descriptor_get_value(
				&lyceum__v1__visibility__descriptor, (int)label->visibility);
			return refuse(error,
				      "an audience goes with the visibility AUDIENCE, not with",
				      name ? name->name : "another", "");
		}
	}
	if (held)
		keep_held(label, held);
	else if (label->visibility == LYCEUM__V1__VISIBILITY__VISIBILITY_UNSPECIFIED)
		label->visibility = LYCEUM__V1__VISIBILITY__MEMBERS;
	if (label->visibility == LYCEUM__V1__VISIBILITY__AUDIENCE && label->n_audience == 0)
		return refuse(error, "the visibility", "AUDIENCE", " needs at least one audience");
	return LYC_OK;
}

void audience_tell(const Lyceum__V1__Label *label, char to[AUDIENCE_TEXT_SIZE])
{
	size_t len = 0;

	if (label->visibility == LYCEUM__V1__VISIBILITY__PUBLIC) {
		snprintf(to, AUDIENCE_TEXT_SIZE, "seen by everybody");
		return;
	}
	if (label->visibility == LYCEUM__V1__VISIBILITY__MEMBERS) {
		snprintf(to, AUDIENCE_TEXT_SIZE, "seen by all members");
		return;
	}
	bool is_shared = label->visibility == LYCEUM__V1__VISIBILITY__AUDIENCE;
	size_t count = is_shared ? label->n_audience : 0;
	len = (size_t)snprintf(to, AUDIENCE_TEXT_SIZE, "seen by %.64s%s", label->home,
			       count ? "" : " only");
	for (size_t i = 0; i < count; i++) {
		/* Room for "and 64 more". */
		if (len + strlen(label->audience[i]) + 20 > AUDIENCE_TEXT_SIZE) {
			snprintf(to + len, AUDIENCE_TEXT_SIZE - len, " and %zu more", count - i);
			return;
		}
		len += (size_t)snprintf(to + len, AUDIENCE_TEXT_SIZE - len, "%s%s",
					i + 1 < count ? ", " : " and ", label->audience[i]);
	}
}
