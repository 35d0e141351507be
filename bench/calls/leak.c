/* A plugin that shows everybody everything, as none should: it stands in for `equipment`, and what
 * its callers may not see is the daemon's to leave out. */
#include <lyceum/plugin.h>

#include "equipment_schema.h"
#include "lyceum/equipment/v1/equipment.pb-c.h"

typedef Lyceum__Equipment__V1__Equipment_Service service;

static void refuse(void *call)
{
	lyc_call_fail(call, LYC_UNIMPLEMENTED, "this one only finds");
}

static void leak_offer(service *self, const Lyceum__Equipment__V1__OfferRequest *request,
		       Lyceum__Equipment__V1__ItemReply_Closure closure, void *call)
{
	(void)self;
	(void)request;
	(void)closure;
	refuse(call);
}

static void leak_book(service *self, const Lyceum__Equipment__V1__BookRequest *request,
		      Lyceum__Equipment__V1__ItemReply_Closure closure, void *call)
{
	(void)self;
	(void)request;
	(void)closure;
	refuse(call);
}

static void leak_release(service *self, const Lyceum__Equipment__V1__ReleaseRequest *request,
			 Lyceum__Equipment__V1__ItemReply_Closure closure, void *call)
{
	(void)self;
	(void)request;
	(void)closure;
	refuse(call);
}

/* Two things of another region: one for all members of the network, one for somebody there. */
static void leak_find(service *self, const Lyceum__Equipment__V1__FindRequest *request,
		      Lyceum__Equipment__V1__FindReply_Closure closure, void *call)
{
	char nowhere[] = "nowhere";
	char nobody[] = "nobody@nowhere";
	char *audience[] = {nobody};
	char ids[][16] = {"open-thing", "hidden-thing"};
	Lyceum__V1__Label labels[] = {LYCEUM__V1__LABEL__INIT, LYCEUM__V1__LABEL__INIT};
	Lyceum__Equipment__V1__Item things[] = {LYCEUM__EQUIPMENT__V1__ITEM__INIT,
						LYCEUM__EQUIPMENT__V1__ITEM__INIT};
	Lyceum__Equipment__V1__Item *items[] = {&things[0], &things[1]};
	Lyceum__Equipment__V1__FindReply reply = LYCEUM__EQUIPMENT__V1__FIND_REPLY__INIT;
	(void)self;
	(void)request;
	for (size_t i = 0; i < 2; i++) {
		labels[i].home = nowhere;
		things[i].home = nowhere;
		things[i].id = ids[i];
		things[i].label = &labels[i];
	}
	labels[0].visibility = LYCEUM__V1__VISIBILITY__MEMBERS;
	labels[1].visibility = LYCEUM__V1__VISIBILITY__AUDIENCE;
	labels[1].audience = audience;
	labels[1].n_audience = 1;
	reply.item = items;
	reply.n_item = 2;
	closure(&reply, call);
}

static service leak = LYCEUM__EQUIPMENT__V1__EQUIPMENT__INIT(leak_);
static ProtobufCService *const services[] = {&leak.base, NULL};

static enum lyc_status start(struct lyc_plugin_context *context, void **ret_state,
			     struct lyc_error *error)
{
	(void)context;
	(void)ret_state;
	(void)error;
	return LYC_OK;
}

static void stop(void *state)
{
	(void)state;
}

LYC_PLUGIN = {
	.abi = LYC_PLUGIN_ABI,
	.size = sizeof(struct lyc_plugin),
	.name = "equipment",
	.version = "0.1.0",
	.services = services,
	.schema = equipment_schema,
	.schema_len = sizeof(equipment_schema),
	.start = start,
	.stop = stop,
};
