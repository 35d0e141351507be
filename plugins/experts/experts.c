/*
 * The shared expert directory: a view of the log's expert records that is searched in memory, and
 * the methods that change records at home. Who matches is search.c's, what is kept entry.c's, how
 * it gets into the log changes.c's business.
 */
#include <lyceum/experts/v1/experts.pb-c.h>
#include <lyceum/experts/v1/search.pb-c.h>
#include <lyceum/plugin.h>

#include "changes.h"
#include "enquiry.h"
#include "entry.h"
#include "expert_key.h"
#include "explain.h"
#include "experts_schema.h"
#include "grow.h"
#include "orcid.h"
#include "search.h"

struct state {
	struct lyc_plugin_context *context;
	struct view view;
	struct changes changes;
};

static bool may_see(void *call, const Lyceum__V1__Label *label)
{
	return lyc_call_may_see(call, label);
}

/* ---- ExpertDirectory ---- */

static void directory_add(Lyceum__Experts__V1__ExpertDirectory_Service *service,
			  const Lyceum__Experts__V1__AddRequest *request,
			  Lyceum__Experts__V1__AddReply_Closure closure, void *closure_data)
{
	struct state *state = lyc_call_state(closure_data);
	(void)service;
	changes_add(&state->changes, closure_data, request, closure);
}

static void directory_import(Lyceum__Experts__V1__ExpertDirectory_Service *service,
			     const Lyceum__Experts__V1__ImportRequest *request,
			     Lyceum__Experts__V1__ImportReply_Closure closure, void *closure_data)
{
	struct state *state = lyc_call_state(closure_data);
	(void)service;
	changes_import(&state->changes, closure_data, request, closure);
}

static void directory_remove(Lyceum__Experts__V1__ExpertDirectory_Service *service,
			     const Lyceum__Experts__V1__RemoveRequest *request,
			     Lyceum__Experts__V1__RemoveReply_Closure closure, void *closure_data)
{
	struct state *state = lyc_call_state(closure_data);
	(void)service;
	changes_remove(&state->changes, closure_data, request, closure);
}

/* The documents with this id that the caller may see: at one home, or at all. Returns how many; one
 * of them in ret_doc, and the homes' names in homes. */
static size_t look_up(struct state *state, struct lyc_call *call, const char *home, const char *id,
		      uint32_t *ret_doc, char *homes, size_t homes_size)
{
	const struct people *people = &state->view.people;
	size_t found = 0, len = 0;

	for (uint32_t i = 0; i < people->homes.count; i++) {
		const char *name = pool_at(&people->homes, i);
		if (home[0] && strcmp(home, name) != 0)
			continue;
		uint32_t doc = people_find(people, name, id, NULL);
		if (doc == PEOPLE_NO_DOC ||
		    !may_see(call, people->unpacked_labels[people->label_of[doc]]))
			continue;
		found++;
		*ret_doc = doc;
		int more = snprintf(homes + len, homes_size - len, "%s%s", len ? ", " : "", name);
		if (more > 0 && len + (size_t)more < homes_size)
			len += (size_t)more;
	}
	return found;
}

struct eyes {
	struct state *state;
	struct lyc_call *call;
	const char *home;
};

static bool sees_doc(uint32_t doc, void *arg)
{
	const struct eyes *eyes = arg;
	const struct people *people = &eyes->state->view.people;

	return (!eyes->home[0] || strcmp(eyes->home, people_home(people, doc)) == 0) &&
	       may_see(eyes->call, people->unpacked_labels[people->label_of[doc]]);
}

/* By name; returns how many, and their ids. */
static size_t look_up_name(struct state *state, struct lyc_call *call, const char *home,
			   const char *name, uint32_t *ret_doc, char *ids, size_t ids_size)
{
	struct eyes eyes = {state, call, home};
	uint32_t docs[10];
	size_t len = 0;
	size_t found = people_named(&state->view.people, name, sees_doc, &eyes, docs, 10);

	for (size_t i = 0; i < found && i < 10; i++) {
		int more = snprintf(ids + len, ids_size - len, "%s%s", i ? ", " : "",
				    people_id(&state->view.people, docs[i]));
		if (more > 0 && len + (size_t)more < ids_size)
			len += (size_t)more;
	}
	if (found > 0)
		*ret_doc = docs[0];
	return found;
}

/* How the person is reached is seen by fewer than the rest; without a label, by its home alone. */
static void hide_contact(struct lyc_call *call, Lyceum__Experts__V1__Expert *expert)
{
	Lyceum__V1__Label homes = LYCEUM__V1__LABEL__INIT;

	if (!expert->contact)
		return;
	homes.home = expert->home;
	homes.visibility = LYCEUM__V1__VISIBILITY__PRIVATE;
	if (may_see(call, expert->contact->label ? expert->contact->label : &homes))
		return;
	lyceum__experts__v1__contact__free_unpacked(expert->contact, NULL);
	expert->contact = NULL;
}

static void directory_get(Lyceum__Experts__V1__ExpertDirectory_Service *service,
			  const Lyceum__Experts__V1__GetRequest *request,
			  Lyceum__Experts__V1__GetReply_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct state *state = lyc_call_state(call);
	Lyceum__Experts__V1__GetReply reply = LYCEUM__EXPERTS__V1__GET_REPLY__INIT;
	char orcid[ORCID_SIZE], id[20], homes[200] = "";
	uint32_t doc = PEOPLE_NO_DOC;

	(void)service;
	size_t found = look_up(state, call, request->home, request->id, &doc, homes, sizeof(homes));
	if (found == 0 && orcid_read(request->id, orcid) == ORCID_OK) {
		entry_id_of_orcid(orcid, id);
		found = look_up(state, call, request->home, id, &doc, homes, sizeof(homes));
	}
	if (found == 0) {
		found = look_up_name(state, call, request->home, request->id, &doc, homes,
				     sizeof(homes));
		if (found > 1) {
			lyc_call_fail_field(call, LYC_FAILED_PRECONDITION, "id",
					    "Several people have this name, say which id: %s.",
					    homes);
			return;
		}
	}
	if (found == 0) {
		lyc_call_fail_field(call, LYC_NOT_FOUND, "id",
				    "There is no expert with this id or name.");
		return;
	}
	if (found > 1) {
		lyc_call_fail_field(call, LYC_FAILED_PRECONDITION, "home",
				    "Several nodes have this id, say which: %s.", homes);
		return;
	}
	reply.expert = people_unpack(&state->view.people, doc);
	hide_contact(call, reply.expert);
	reply.evidence = explain_evidence(reply.expert);
	reply.n_evidence = reply.expert->n_evidence;
	closure(&reply, call);
	for (size_t i = 0; i < reply.n_evidence; i++)
		free(reply.evidence[i]);
	free(reply.evidence);
	lyceum__experts__v1__expert__free_unpacked(reply.expert, NULL);
}

static void directory_list(Lyceum__Experts__V1__ExpertDirectory_Service *service,
			   const Lyceum__Experts__V1__ListRequest *request,
			   Lyceum__Experts__V1__ListReply_Closure closure, void *closure_data)
{
	struct state *state = lyc_call_state(closure_data);
	(void)service;
	Lyceum__Experts__V1__ListReply *reply =
		search_list(&state->view, request, may_see, closure_data);
	closure(reply, closure_data);
	lyceum__experts__v1__list_reply__free_unpacked(reply, NULL);
}

/* ---- ExpertSearch ---- */

static void expert_search_find(Lyceum__Experts__V1__ExpertSearch_Service *service,
			       const Lyceum__Experts__V1__FindRequest *request,
			       Lyceum__Experts__V1__FindReply_Closure closure, void *closure_data)
{
	struct state *state = lyc_call_state(closure_data);
	(void)service;
	Lyceum__Experts__V1__FindReply *reply =
		search_find(&state->view, request, may_see, closure_data);
	closure(reply, closure_data);
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
}

static void expert_search_facets(Lyceum__Experts__V1__ExpertSearch_Service *service,
				 const Lyceum__Experts__V1__FindRequest *request,
				 Lyceum__Experts__V1__FindReply_Closure closure, void *closure_data)
{
	struct state *state = lyc_call_state(closure_data);
	Lyceum__Experts__V1__FindRequest counted = *request;
	(void)service;
	counted.without_facets = false;
	counted.limit = 1;
	Lyceum__Experts__V1__FindReply *reply =
		search_find(&state->view, &counted, may_see, closure_data);
	for (size_t i = 0; i < reply->n_hits; i++)
		lyceum__experts__v1__hit__free_unpacked(reply->hits[i], NULL);
	reply->n_hits = 0;
	closure(reply, closure_data);
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
}

static void expert_search_answer_enquiry(Lyceum__Experts__V1__ExpertSearch_Service *service,
					 const Lyceum__V1__Enquiry *enquiry,
					 Lyceum__V1__EnquiryAnswer_Closure closure,
					 void *closure_data)
{
	struct state *state = lyc_call_state(closure_data);
	(void)service;
	Lyceum__V1__EnquiryAnswer *answer =
		enquiry_answer(&state->view, enquiry, may_see, closure_data);
	closure(answer, closure_data);
	lyceum__v1__enquiry_answer__free_unpacked(answer, NULL);
}

/* ---- The view ---- */

static void on_record(void *arg, const struct lyc_delivery *record)
{
	struct state *state = arg;
	struct view *view = &state->view;
	char home[EXPERT_KEY_MAX_HOME], id[EXPERT_KEY_MAX_ID];

	if (record->subject && record->removed) {
		if (expert_key_read(record->subject, home, id))
			view_remove(view, home, id, record->seq);
	} else if (record->subject &&
		   view_put(view, record->body, record->body_len, record->seq) != LYC_OK) {
		lyc_log(state->context, 2, "record %llu is no expert and is left out",
			(unsigned long long)record->seq);
	}
	if (record->seq > view->seq)
		view->seq = record->seq;
}

static void stop(void *arg)
{
	struct state *state = arg;

	changes_fini(&state->changes);
	view_fini(&state->view);
	free(state);
}

static enum lyc_status start(struct lyc_plugin_context *context, void **ret_state,
			     struct lyc_error *error)
{
	struct state *state = grow_new(1, sizeof(*state));

	state->context = context;
	view_init(&state->view);
	changes_init(&state->changes, context, &state->view);
	enum lyc_status status = lyc_follow(context, EXPERT_KEY_PREFIX ">", 1, on_record, error);
	if (status != LYC_OK) {
		stop(state);
		return status;
	}
	*ret_state = state;
	return LYC_OK;
}

static Lyceum__Experts__V1__ExpertDirectory_Service directory =
	LYCEUM__EXPERTS__V1__EXPERT_DIRECTORY__INIT(directory_);
static Lyceum__Experts__V1__ExpertSearch_Service expert_search =
	LYCEUM__EXPERTS__V1__EXPERT_SEARCH__INIT(expert_search_);
static ProtobufCService *const services[] = {&directory.base, &expert_search.base, NULL};
static const char *const subjects[] = {EXPERT_KEY_PREFIX ">", NULL};

LYC_PLUGIN = {
	.abi = LYC_PLUGIN_ABI,
	.size = sizeof(struct lyc_plugin),
	.name = "experts",
	.version = "0.1.0",
	.services = services,
	.schema = experts_schema,
	.schema_len = sizeof(experts_schema),
	.publishes = subjects,
	.reads = subjects,
	.start = start,
	.stop = stop,
};
