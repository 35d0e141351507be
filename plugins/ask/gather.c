/*
 * Steps of an enquiry: ask this daemon who serves what; load the types of services not met before;
 * call each method whose request is an Enquiry and whose reply an EnquiryAnswer, on behalf of the
 * caller; reply when all have ended. Every step ends by the call's own deadline, less a little, so
 * that the reply is in time.
 */
#include "gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <lyceum/v1/node.pb-c.h>

#include "answers.h"

#define ENQUIRY "lyceum.v1.Enquiry"
#define ENQUIRY_ANSWER "lyceum.v1.EnquiryAnswer"
/* The part of the time that is left for the way back. */
#define MARGIN_MAX_MS 250

struct gather {
	struct gather *next;
	struct gathering *gathering; /* NULL: the plugin has stopped */
	struct lyc_call *call;
	const Lyceum__Ask__V1__AskRequest *request;
	Lyceum__Ask__V1__AskReply_Closure closure;
	char id[33];
	uint64_t started_ms;
	size_t pending_count; /* callbacks that are to come */
	bool has_asked;
	Lyceum__V1__ServicesReply *services;
	struct answers answers;
	bool is_cut; /* more could have been asked */
};

/* One call that was made. */
struct asked {
	struct gather *gather;
	Lyceum__Ask__V1__Answer *answer;
	uint64_t started_ms;
};

/* ---- Life ---- */

static void gather_free(struct gather *gather)
{
	if (gather->services)
		lyceum__v1__services_reply__free_unpacked(gather->services, NULL);
	answers_fini(&gather->answers);
	free(gather);
}

static void leave(struct gather *gather)
{
	struct gather **at = &gather->gathering->first;
	while (*at != gather)
		at = &(*at)->next;
	*at = gather->next;
}

static void fail(struct gather *gather, enum lyc_status status, const char *text)
{
	lyc_call_fail(gather->call, status, "%s", text);
	leave(gather);
	gather_free(gather);
}

void gathering_fini(struct gathering *gathering)
{
	while (gathering->first) {
		struct gather *gather = gathering->first;
		gathering->first = gather->next;
		/* Its callbacks still come, when the client is closed. */
		gather->gathering = NULL;
		if (gather->pending_count == 0)
			gather_free(gather);
	}
	lyc_types_free(gathering->types);
	gathering->types = NULL;
}

/* ---- The reply ---- */

static void reply(struct gather *gather)
{
	Lyceum__Ask__V1__AskReply reply = LYCEUM__ASK__V1__ASK_REPLY__INIT;
	char headline[ANSWERS_HEADLINE_SIZE];
	char kinds[200], note[300];
	char *notes[1] = {note};
	const Lyceum__Ask__V1__AskRequest *request = gather->request;

	answers_kinds(&gather->answers, kinds, sizeof(kinds));
	answers_write(&gather->answers, request->kind, request->n_kind,
		      (uint32_t)(lyc_mono_ms() - gather->started_ms), headline, &reply);
	reply.id = gather->id;
	reply.note = notes;
	if (reply.asked == 0 && kinds[0])
		snprintf(note, sizeof(note), "No answer is of that kind; there are: %s.", kinds);
	else if (reply.asked == 0)
		snprintf(note, sizeof(note), "Nobody serves a method that answers enquiries.");
	else if (gather->is_cut)
		snprintf(note, sizeof(note), "Not everybody was asked: there are too many.");
	else
		note[0] = '\0';
	reply.n_note = note[0] != '\0';
	gather->closure(&reply, gather->call);
	leave(gather);
	gather_free(gather);
}

static void end_if_all_have_ended(struct gather *gather)
{
	if (gather->pending_count > 0)
		return;
	if (!gather->gathering)
		gather_free(gather);
	else
		reply(gather);
}

/* ---- The calls ---- */

static uint32_t time_for_calls(const struct gather *gather)
{
	uint32_t left = lyc_call_time_left_ms(gather->call);
	uint32_t margin = left / 5 < MARGIN_MAX_MS ? left / 5 : MARGIN_MAX_MS;
	return left > margin ? left - margin : 1;
}

static void on_answer(const struct lyc_reply *reply, void *arg)
{
	struct asked *asked = arg;
	struct gather *gather = asked->gather;
	answers_end(&gather->answers, asked->answer, reply->status, reply->text, reply->body,
		    reply->body_len, (uint32_t)(lyc_mono_ms() - asked->started_ms));
	free(asked);
	gather->pending_count--;
	end_if_all_have_ended(gather);
}

static void ask(struct gather *gather, const char *method, const char *service, const char *node,
		const uint8_t *body, size_t body_len)
{
	struct lyc_call_options options = {.at = node,
					   .principal = lyc_call_principal(gather->call),
					   .timeout_ms = time_for_calls(gather)};
	struct lyc_client *client = lyc_context_client(gather->gathering->context);
	struct asked *asked = malloc(sizeof(*asked));
	Lyceum__Ask__V1__Answer *answer = answers_add(&gather->answers, service, node);
	if (!asked || !answer) {
		free(asked);
		if (answer)
			answers_end(&gather->answers, answer, LYC_RESOURCE_EXHAUSTED,
				    "there is no memory to ask", NULL, 0, 0);
		gather->is_cut = true;
		return;
	}
	*asked = (struct asked){.gather = gather, .answer = answer, .started_ms = lyc_mono_ms()};
	gather->pending_count++;
	enum lyc_status status = lyc_client_call_start(client, method, body, body_len, &options,
						       on_answer, asked, NULL);
	if (status == LYC_OK)
		return;
	gather->pending_count--;
	answers_end(&gather->answers, answer, status, "too much is under way", NULL, 0, 0);
	free(asked);
}

/* The method of a service that answers enquiries; NULL. */
static const struct lyc_method *answering_method(const struct lyc_types *types, const char *service)
{
	for (size_t i = 0; i < lyc_service_count(types); i++) {
		const struct lyc_service *known = lyc_service_at(types, i);
		if (strcmp(known->name, service) != 0)
			continue;
		for (size_t j = 0; j < known->method_count; j++) {
			const struct lyc_method *method = &known->methods[j];
			if (!method->streams && strcmp(method->input, ENQUIRY) == 0 &&
			    strcmp(method->output, ENQUIRY_ANSWER) == 0)
				return method;
		}
	}
	return NULL;
}

static bool is_at(const Lyceum__V1__ServiceInfo *service, const char *node)
{
	for (size_t i = 0; i < service->n_at; i++) {
		if (strcmp(service->at[i], node) == 0)
			return true;
	}
	return false;
}

static void ask_service(struct gather *gather, const Lyceum__V1__ServiceInfo *service,
			const uint8_t *body, size_t body_len)
{
	struct gathering *gathering = gather->gathering;
	const char *here = lyc_node_name(gathering->context);
	const struct lyc_method *method = answering_method(gathering->types, service->name);
	char name[300];

	if (!method || service->n_at == 0)
		return;
	/* The types may be loaded anew while the calls are under way. */
	snprintf(name, sizeof(name), "%s", method->full_name);
	if (!gather->request->everywhere) {
		ask(gather, name, service->name, is_at(service, here) ? here : service->at[0], body,
		    body_len);
		return;
	}
	for (size_t i = 0; i < service->n_at; i++)
		ask(gather, name, service->name, service->at[i], body, body_len);
}

static void ask_all(struct gather *gather)
{
	Lyceum__V1__Enquiry enquiry = LYCEUM__V1__ENQUIRY__INIT;
	enquiry.id = gather->id;
	enquiry.text = gather->request->text;
	enquiry.limit = gather->request->limit;
	size_t len = lyceum__v1__enquiry__get_packed_size(&enquiry);
	uint8_t *body = malloc(len + 1);
	if (!body) {
		fail(gather, LYC_RESOURCE_EXHAUSTED, "There is no memory to ask.");
		return;
	}
	lyceum__v1__enquiry__pack(&enquiry, body);
	gather->has_asked = true;
	/* None of the callbacks comes before this returns. */
	for (size_t i = 0; i < gather->services->n_service; i++)
		ask_service(gather, gather->services->service[i], body, len);
	free(body);
	end_if_all_have_ended(gather);
}

/* ---- Who can answer ---- */

static bool is_known(const struct lyc_types *types, const char *service)
{
	for (size_t i = 0; i < lyc_service_count(types); i++) {
		if (strcmp(lyc_service_at(types, i)->name, service) == 0)
			return true;
	}
	return false;
}

static bool knows_all(const struct gather *gather)
{
	if (!gather->gathering->is_loaded)
		return false;
	for (size_t i = 0; i < gather->services->n_service; i++) {
		if (!is_known(gather->gathering->types, gather->services->service[i]->name))
			return false;
	}
	return true;
}

/* What was not known when the types were loaded cannot be asked; the rest can. */
static void on_types(enum lyc_status status, const char *text, void *arg)
{
	struct gathering *gathering = arg;
	(void)text;
	gathering->is_loading = false;
	gathering->is_loaded = gathering->is_loaded || status == LYC_OK;
	for (struct gather *gather = gathering->first, *next; gather; gather = next) {
		next = gather->next;
		if (!gather->services || gather->has_asked)
			continue;
		if (gathering->is_loaded)
			ask_all(gather);
		else
			fail(gather, LYC_UNAVAILABLE,
			     "The daemon does not tell its types at the moment.");
	}
}

static void on_services(const struct lyc_reply *reply, void *arg)
{
	struct gather *gather = arg;
	gather->pending_count--;
	if (!gather->gathering) {
		gather_free(gather);
		return;
	}
	struct gathering *gathering = gather->gathering;
	if (reply->status == LYC_OK)
		gather->services =
			lyceum__v1__services_reply__unpack(NULL, reply->body_len, reply->body);
	if (!gather->services) {
		fail(gather, LYC_UNAVAILABLE,
		     "The daemon does not tell its services at the moment.");
		return;
	}
	if (knows_all(gather)) {
		ask_all(gather);
		return;
	}
	if (gathering->is_loading)
		return;
	gathering->is_loading = true;
	if (lyc_types_load_start(gathering->types, on_types, gathering) != LYC_OK)
		on_types(LYC_UNAVAILABLE, "", gathering);
}

void gather_start(struct gathering *gathering, struct lyc_call *call,
		  const Lyceum__Ask__V1__AskRequest *request,
		  Lyceum__Ask__V1__AskReply_Closure closure)
{
	uint8_t random[16];
	struct gather *gather = calloc(1, sizeof(*gather));
	if (!gather || getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		free(gather);
		lyc_call_fail(call, LYC_RESOURCE_EXHAUSTED, "There is no memory to ask.");
		return;
	}
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(gather->id + 2 * i, 3, "%02x", random[i]);
	gather->gathering = gathering;
	gather->call = call;
	gather->request = request;
	gather->closure = closure;
	gather->started_ms = lyc_mono_ms();
	gather->next = gathering->first;
	gathering->first = gather;
	lyc_call_defer(call);
	struct lyc_call_options options = {.timeout_ms = time_for_calls(gather)};
	gather->pending_count++;
	if (lyc_client_call_start(lyc_context_client(gathering->context), "lyceum.v1.Node/Services",
				  NULL, 0, &options, on_services, gather, NULL) != LYC_OK) {
		gather->pending_count--;
		fail(gather, LYC_RESOURCE_EXHAUSTED, "Too much is under way: ask again.");
	}
}
