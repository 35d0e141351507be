/* Two questions to the daemon, one after the other: Status, then Services. */
#include "nodes.h"

#include <lyceum/v1/node.pb-c.h>

#include "hold.h"

struct asking {
	struct convening *state;
	nodes_fn on_known;
	void *arg;
	struct nodes nodes;
};

bool nodes_has(const struct nodes *nodes, const char *name)
{
	for (size_t i = 0; i < nodes->count; i++) {
		if (strcmp(nodes->names[i], name) == 0)
			return true;
	}
	return false;
}

static void add(struct nodes *nodes, const char *name)
{
	if (!name[0] || nodes_has(nodes, name))
		return;
	nodes->names =
		hold_grow(nodes->names, &nodes->capacity, nodes->count + 1, sizeof(*nodes->names));
	snprintf(nodes->names[nodes->count++], sizeof(*nodes->names), "%.64s", name);
}

static void end(struct asking *asking, bool is_known)
{
	asking->on_known(is_known ? &asking->nodes : NULL, asking->arg);
	free(asking->nodes.names);
	free(asking);
}

static enum lyc_status ask(struct asking *asking, const char *method, lyc_reply_fn on_reply)
{
	const struct lyc_call_options options = {.timeout_ms = 5000};

	return lyc_client_call_start(lyc_context_client(asking->state->context), method, NULL, 0,
				     &options, on_reply, asking, NULL);
}

static void on_services(const struct lyc_reply *reply, void *arg)
{
	struct asking *asking = arg;
	Lyceum__V1__ServicesReply *services =
		reply->status == LYC_OK
			? lyceum__v1__services_reply__unpack(NULL, reply->body_len, reply->body)
			: NULL;

	for (size_t i = 0; services && i < services->n_service; i++) {
		for (size_t j = 0; j < services->service[i]->n_at; j++)
			add(&asking->nodes, services->service[i]->at[j]);
	}
	end(asking, services != NULL);
	lyceum__v1__services_reply__free_unpacked(services, NULL);
}

static void on_status(const struct lyc_reply *reply, void *arg)
{
	struct asking *asking = arg;
	Lyceum__V1__StatusReply *status =
		reply->status == LYC_OK
			? lyceum__v1__status_reply__unpack(NULL, reply->body_len, reply->body)
			: NULL;

	if (!status) {
		end(asking, false);
		return;
	}
	add(&asking->nodes, status->name);
	if (status->uplink)
		add(&asking->nodes, status->uplink->peer);
	for (size_t i = 0; i < status->n_node; i++)
		add(&asking->nodes, status->node[i]->peer);
	for (size_t i = 0; i < status->n_origin; i++)
		add(&asking->nodes, status->origin[i]->origin);
	lyceum__v1__status_reply__free_unpacked(status, NULL);
	if (ask(asking, "lyceum.v1.Node/Services", on_services) != LYC_OK)
		end(asking, false);
}

enum lyc_status nodes_ask(struct convening *state, nodes_fn on_known, void *arg)
{
	struct asking *asking = hold_new(1, sizeof(*asking));

	*asking = (struct asking){.state = state, .on_known = on_known, .arg = arg};
	enum lyc_status status = ask(asking, "lyceum.v1.Node/Status", on_status);
	if (status != LYC_OK)
		free(asking);
	return status;
}
