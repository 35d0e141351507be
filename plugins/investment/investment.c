/*
 * Investment matchmaking: the descriptor, and how records reach the view and the duties. Who does
 * what is told in the README beside this file.
 */
#include <stdio.h>
#include <stdlib.h>

#include "conflict.h"
#include "desk.h"
#include "investment_schema.h"
#include "secret_file.h"
#include "service.h"

#define PREFIX "lyceum.investment.v1."
/* Time alone may make something due: a certificate that ends. */
#define TICK_MS 200
#define TICKS_UNTIL_ALL 150

struct state {
	struct desk desk;
	unsigned ticks;
};

static void on_record(void *arg, const struct lyc_delivery *record)
{
	struct desk *desk = &((struct state *)arg)->desk;

	if (!desk_take(desk, record))
		return;
	if (desk->tasks.active)
		tasks_advance(desk);
}

static void on_tick(void *arg, void *nothing)
{
	struct state *state = arg;

	(void)nothing;
	if (++state->ticks % TICKS_UNTIL_ALL == 0)
		state->desk.duties_done_at = UINT64_MAX;
	tasks_advance(&state->desk);
}

static void stop(void *arg)
{
	struct state *state = arg;

	tasks_fini(&state->desk);
	conflict_fini(&state->desk);
	view_fini(&state->desk.view);
	free(state);
}

static enum lyc_status start(struct lyc_plugin_context *context, void **ret_state,
			     struct lyc_error *error)
{
	struct state *state = secret_start() ? calloc(1, sizeof(*state)) : NULL;

	if (!state) {
		snprintf(error->text, sizeof(error->text), "there is no memory, or no libsodium");
		return LYC_RESOURCE_EXHAUSTED;
	}
	const Lyceum__Investment__V1__InvestmentConfig *config = (const void *)lyc_config(
		context, &lyceum__investment__v1__investment_config__descriptor);
	state->desk.context = context;
	state->desk.node = lyc_node_name(context);
	if (config) {
		state->desk.neighbours = config->neighbour;
		state->desk.neighbour_count = config->n_neighbour;
	}
	enum lyc_status status =
		secret_file_keep(lyc_data_folder(context), &state->desk.secret, error);
	if (status != LYC_OK) {
		free(state);
		return status;
	}
	view_init(&state->desk.view);
	/* The first look at what is due is made whatever the log holds. */
	state->desk.duties_done_at = UINT64_MAX;
	status = lyc_follow(context, PREFIX ">", 1, on_record, error);
	if (status == LYC_OK)
		status = lyc_timer(context, TICK_MS, TICK_MS, on_tick, NULL);
	if (status != LYC_OK) {
		if (!error->text[0])
			snprintf(error->text, sizeof(error->text), "the timer cannot be set");
		stop(state);
		return status;
	}
	*ret_state = state;
	return LYC_OK;
}

static ProtobufCService *const services[] = {
	&registry_service.base,  &market_service.base,
	&matching_service.base,  &conflicts_service.base,
	&interests_service.base, &rounds_service.base,
	&enquiries_service.base, NULL,
};
static const char *const subjects[] = {PREFIX ">", NULL};

LYC_PLUGIN = {
	.abi = LYC_PLUGIN_ABI,
	.size = sizeof(struct lyc_plugin),
	.name = "investment",
	.version = "0.1.0",
	.config_type = "lyceum.investment.v1.InvestmentConfig",
	.services = services,
	.schema = investment_schema,
	.schema_len = sizeof(investment_schema),
	.publishes = subjects,
	.reads = subjects,
	.start = start,
	.stop = stop,
};
