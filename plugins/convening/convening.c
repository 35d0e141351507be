/*
 * The convening plugin: events, invitations, seats, notes. This file joins the view to the daemon:
 * what comes from the log goes into it, and what is then missing (a page, a verdict, a mail, a
 * reminder) is appended by the file that owns it.
 */
#include "convening.h"

#include <time.h>

#include "answering.h"
#include "book.h"
#include "convening_schema.h"
#include "errand.h"
#include "hold.h"
#include "methods.h"
#include "postroom.h"
#include "reminders.h"
#include "subject.h"

int64_t convening_now_ms(void)
{
	return lyc_wall_ms();
}

bool convening_is_own(const struct convening *state, const char *principal)
{
	const char *at = strchr(principal, '@');
	const char *name = at ? at + 1 : principal;
	size_t len = strcspn(name, "/");

	return len == strlen(state->view.node) && memcmp(name, state->view.node, len) == 0;
}

struct entry *convening_event(struct convening *state, struct lyc_call *call, const char *name)
{
	char homes[160];
	struct entry *entry = view_named(&state->view, name, homes, sizeof(homes));

	if (entry && lyc_call_may_see(call, entry->event->label))
		return entry;
	if (homes[0] && !entry)
		lyc_call_fail_field(call, LYC_FAILED_PRECONDITION, "event",
				    "Several events have this id, say which: %s.", homes);
	else
		lyc_call_fail_field(
			call, LYC_NOT_FOUND, "event",
			"There is no event %.100s: `lyceum event list` shows what there is.", name);
	return NULL;
}

struct entry *convening_own_event(struct convening *state, struct lyc_call *call, const char *name)
{
	char homes[160], own[240];

	if (!convening_is_own(state, lyc_call_principal(call))) {
		lyc_call_fail(call, LYC_PERMISSION_DENIED,
			      "the events of %.64s are the business of its own people",
			      state->view.node);
		return NULL;
	}
	/* One's own before others of the same id. */
	snprintf(own, sizeof(own), "%s%s%s", name, strchr(name, '@') ? "" : "@",
		 strchr(name, '@') ? "" : state->view.node);
	struct entry *entry = view_named(&state->view, own, homes, sizeof(homes));
	if (!entry)
		entry = convening_event(state, call, name);
	if (!entry || view_is_own(&state->view, entry))
		return entry;
	lyc_call_fail_field(call, LYC_FAILED_PRECONDITION, "event",
			    "The home of this event is %.64s: ask its people.", entry->home);
	return NULL;
}

const char *convening_zone(const struct convening *state)
{
	return state->config && state->config->zone[0] ? state->config->zone : "Europe/London";
}

void convening_private_label(const struct convening *state, label_msg *label)
{
	lyceum__v1__label__init(label);
	label->home = state->view.node;
	label->visibility = LYCEUM__V1__VISIBILITY__PRIVATE;
}

/* ---- The log ---- */

/* Whatever the entries that have changed ask for. */
static void work(struct convening *state)
{
	struct entry *entry;

	if (!lyc_is_caught_up(state->context))
		return;
	if (!state->has_reviewed) {
		state->has_reviewed = true;
		for (entry = state->view.entries; entry; entry = entry->hh.next)
			view_mark(&state->view, entry);
	}
	while ((entry = view_next_changed(&state->view))) {
		book_advance(state, entry);
		postroom_review(state, entry);
	}
}

static void on_record(void *arg, const struct lyc_delivery *record)
{
	struct convening *state = arg;

	if (!record->subject)
		return;
	if (!view_take(&state->view, record->origin, record->subject, record->removed, record->body,
		       record->body_len, record->seq, record->time_ms))
		lyc_log(state->context, 2,
			"record %llu, written by %.64s, is none of convening's or names another "
			"home or other keys than its subject, and is left out",
			(unsigned long long)record->seq, record->origin);
	work(state);
	answering_advance(state);
}

static void on_tick(void *arg, void *nothing)
{
	struct convening *state = arg;

	(void)nothing;
	work(state);
	answering_advance(state);
	if (!lyc_is_caught_up(state->context))
		return;
	for (struct entry *entry = state->view.entries; entry; entry = entry->hh.next) {
		if (entry->seats)
			book_advance(state, entry);
	}
	reminders_tick(state);
	postroom_tick(state);
}

/* ---- The plugin ---- */

static void stop(void *arg)
{
	struct convening *state = arg;

	postroom_stop(state);
	answering_fini(state);
	zones_free(state->zones);
	view_fini(&state->view);
	free(state);
}

static enum lyc_status start(struct lyc_plugin_context *context, void **ret_state,
			     struct lyc_error *error)
{
	struct convening *state = hold_new(1, sizeof(*state));

	state->context = context;
	state->config = (const config_msg *)lyc_config(
		context, &lyceum__convening__v1__convening_config__descriptor);
	view_init(&state->view, lyc_node_name(context));
	state->zones = hold_check(zones_new(NULL));
	enum lyc_status status = lyc_follow(context, SUBJECT_PREFIX ">", 1, on_record, error);
	if (status == LYC_OK)
		status = secret_open(lyc_data_folder(context), &state->secret, error);
	if (status == LYC_OK)
		status = postroom_start(state, error);
	if (status == LYC_OK)
		status = lyc_timer(context, 500, 500, on_tick, NULL);
	if (status != LYC_OK) {
		if (!error->text[0])
			snprintf(error->text, sizeof(error->text), "the timer cannot be set");
		stop(state);
		return status;
	}
	*ret_state = state;
	return LYC_OK;
}

static ProtobufCService *const services[] = {&convening_events.base,
					     &convening_invitations.base,
					     &convening_notes.base,
					     &convening_calendar.base,
					     &convening_enquiries.base,
					     &convening_mails.base,
					     NULL};
static const char *const subjects[] = {SUBJECT_PREFIX ">", NULL};

/* The organisation's mail server. */
static const char *const reach[] = {"connect tcp", "read config relay.credentials_file",
				    "read config relay.ca_file", NULL};

LYC_PLUGIN = {
	.abi = LYC_PLUGIN_ABI,
	.size = sizeof(struct lyc_plugin),
	.name = "convening",
	.version = "0.1.0",
	.config_type = "lyceum.convening.v1.ConveningConfig",
	.services = services,
	.schema = convening_schema,
	.schema_len = sizeof(convening_schema),
	.publishes = subjects,
	.reads = subjects,
	.start = start,
	.stop = stop,
	.reach = reach,
};
