/*
 * Scarce things that regions lend each other. A record is a thing with its bookings; a change of it
 * expects the record that the view has, and judges anew where somebody was quicker: no two bookings
 * overlap. The core brings a booking from another region to the thing's home.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lyceum/plugin.h>

#include "equipment_schema.h"
#include "lyceum/equipment/v1/equipment.pb-c.h"

typedef Lyceum__Equipment__V1__Equipment_Service service;
typedef Lyceum__Equipment__V1__Item item_msg;
typedef Lyceum__Equipment__V1__Booking booking_msg;
typedef Lyceum__Equipment__V1__ItemReply_Closure item_reply;

/* This node's thing of that name and its sequence; NULL and 0. */
static const item_msg *own(struct lyc_call *call, const char *id, uint64_t *ret_seq)
{
	item_msg keys = LYCEUM__EQUIPMENT__V1__ITEM__INIT;
	keys.home = (char *)lyc_node_name(lyc_call_context(call));
	keys.id = (char *)id;
	return lyc_table_find(lyc_call_state(call), &keys.base, ret_seq);
}

static const char *node_of(const char *principal)
{
	return strchr(principal, '@') ? strchr(principal, '@') + 1 : principal;
}

/* The booking that overlaps with these times; NULL. */
static const booking_msg *taken(const item_msg *item, const char *from, const char *until)
{
	for (size_t i = 0; i < item->n_booking; i++) {
		if (strcmp(item->booking[i]->from, until) < 0 &&
		    strcmp(from, item->booking[i]->until) < 0)
			return item->booking[i];
	}
	return NULL;
}

static void answer(struct lyc_call *call)
{
	/* `id` is the first field of each request here. */
	const Lyceum__Equipment__V1__OfferRequest *request = (const void *)lyc_call_request(call);
	Lyceum__Equipment__V1__ItemReply reply = LYCEUM__EQUIPMENT__V1__ITEM_REPLY__INIT;
	reply.item = (item_msg *)own(call, request->id, NULL);
	lyc_call_reply(call, &reply.base);
}

/* Append the item with its bookings that are not over, one more and without one (NULL: none). */
static void put(struct lyc_call *call, item_msg *item, uint64_t seq, booking_msg *more,
		const booking_msg *without)
{
	const struct lyc_publish_options options = {.expect = seq != 0, .expect_seq = seq};
	booking_msg **kept = calloc(item->n_booking + 1, sizeof(*kept));
	size_t count = 0;
	char now[32];
	time_t seconds = (time_t)(lyc_wall_ms() / 1000);
	struct tm parts;
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M", gmtime_r(&seconds, &parts));
	for (size_t i = 0; kept && i < item->n_booking; i++) {
		if (item->booking[i] != without && strcmp(item->booking[i]->until, now) > 0)
			kept[count++] = item->booking[i];
	}
	if (kept && more)
		kept[count++] = more;
	item->booking = kept;
	item->n_booking = count;
	if (kept)
		lyc_call_append(call, &item->base, &options, answer);
	else
		lyc_call_fail(call, LYC_RESOURCE_EXHAUSTED, "there is no memory");
	free(kept);
}

static void equipment_offer(service *self, const Lyceum__Equipment__V1__OfferRequest *request,
			    item_reply closure, void *call)
{
	(void)self, (void)closure;
	uint64_t seq;
	const item_msg *held = own(call, request->id, &seq);
	Lyceum__V1__Label label = LYCEUM__V1__LABEL__INIT;
	item_msg item = LYCEUM__EQUIPMENT__V1__ITEM__INIT;
	label.home = item.home = (char *)lyc_node_name(lyc_call_context(call));
	label.visibility = request->private_ ? LYCEUM__V1__VISIBILITY__PRIVATE
					     : LYCEUM__V1__VISIBILITY__MEMBERS;
	item.id = request->id;
	item.title = request->title;
	item.place = request->place;
	item.contact = request->contact[0] ? request->contact : item.home;
	item.label = &label;
	item.booking = held ? held->booking : NULL;
	item.n_booking = held ? held->n_booking : 0;
	put(call, &item, seq, NULL, NULL);
}

static void equipment_book(service *self, const Lyceum__Equipment__V1__BookRequest *request,
			   item_reply closure, void *call)
{
	(void)self, (void)closure;
	uint64_t seq;
	const item_msg *held = own(call, request->id, &seq);
	if (!held || !lyc_call_may_see(call, held->label)) {
		lyc_call_fail_field(call, LYC_NOT_FOUND, "id", "there is no %s here", request->id);
		return;
	}
	const booking_msg *other = taken(held, request->from, request->until);
	if (other || strcmp(request->from, request->until) >= 0) {
		lyc_call_fail_field(call, LYC_FAILED_PRECONDITION, other ? "from" : "until",
				    other ? "%s is taken from %s until %s"
					  : "a booking of %s ends after it begins",
				    request->id, other ? other->from : "",
				    other ? other->until : "");
		return;
	}
	booking_msg booking = LYCEUM__EQUIPMENT__V1__BOOKING__INIT;
	item_msg item = *held;
	booking.from = request->from;
	booking.until = request->until;
	booking.region = (char *)node_of(lyc_call_principal(call));
	booking.purpose = request->purpose;
	put(call, &item, seq, &booking, NULL);
}

static void equipment_release(service *self, const Lyceum__Equipment__V1__ReleaseRequest *request,
			      item_reply closure, void *call)
{
	(void)self, (void)closure;
	uint64_t seq;
	const item_msg *held = own(call, request->id, &seq);
	const char *node = node_of(lyc_call_principal(call));
	for (size_t i = 0; held && i < held->n_booking; i++) {
		const booking_msg *booking = held->booking[i];
		item_msg item = *held;
		if (strcmp(booking->from, request->from) == 0 &&
		    (strcmp(node, item.home) == 0 || strcmp(node, booking->region) == 0)) {
			put(call, &item, seq, NULL, booking);
			return;
		}
	}
	lyc_call_fail_field(call, LYC_NOT_FOUND, "from", "%s has no booking of yours from %s",
			    request->id, request->from);
}

static void equipment_find(service *self, const Lyceum__Equipment__V1__FindRequest *request,
			   Lyceum__Equipment__V1__FindReply_Closure closure, void *call)
{
	(void)self;
	const struct lyc_table *things = lyc_call_state(call);
	Lyceum__Equipment__V1__FindReply reply = LYCEUM__EQUIPMENT__V1__FIND_REPLY__INIT;
	reply.item = calloc(lyc_table_count(things) + 1, sizeof(*reply.item));
	for (size_t i = 0; reply.item && i < lyc_table_count(things); i++) {
		const item_msg *item = lyc_table_at(things, i);
		if (lyc_call_may_see(call, item->label) &&
		    (strcasestr(item->title, request->text) ||
		     strcasestr(item->place, request->text)) &&
		    !taken(item, request->from, request->until))
			reply.item[reply.n_item++] = (item_msg *)item;
	}
	closure(&reply, call);
	free(reply.item);
}

static service equipment = LYCEUM__EQUIPMENT__V1__EQUIPMENT__INIT(equipment_);
static ProtobufCService *const services[] = {&equipment.base, NULL};
static const char *const subjects[] = {"lyceum.equipment.v1.Item.>", NULL};

static enum lyc_status start(struct lyc_plugin_context *context, void **ret_state,
			     struct lyc_error *error)
{
	struct lyc_table *things = NULL;
	enum lyc_status status =
		lyc_follow_into(context, &lyceum__equipment__v1__item__descriptor, &things, error);
	*ret_state = things;
	return status;
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
	.publishes = subjects,
	.reads = subjects,
	.start = start,
	.stop = stop,
};
