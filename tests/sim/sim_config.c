/* What a simulated daemon's configuration says: its clients' keys, its streams, and limits that are
 * soon reached. */
#include "lyceum/v1/config.pb-c.h"
#include "shared.h"
#include "sim_node.h"

#define KEY "0123456789012345678901234567890123456789"
#define CLIENTS 5

/* Notices: the last of each subject. Remarks: a second. */
static void set_retention(Lyceum__V1__StreamConfig *notices, Lyceum__V1__StreamConfig *remarks)
{
	static char *of_notices[] = {(char *)(uintptr_t) "lyceum.notice.v1.Notice.>"};
	static char *of_remarks[] = {(char *)(uintptr_t) "lyceum.notice.v1.Remark.>"};
	lyceum__v1__stream_config__init(notices);
	lyceum__v1__stream_config__init(remarks);
	notices->name = (char *)(uintptr_t) "notices";
	notices->subjects = of_notices;
	notices->n_subjects = 1;
	notices->last_per_subject = true;
	remarks->name = (char *)(uintptr_t) "remarks";
	remarks->subjects = of_remarks;
	remarks->n_subjects = 1;
	remarks->max_age = notices->check_every = remarks->check_every = (char *)(uintptr_t) "1s";
}

enum lyc_status sim_node_configure(struct sim_node *node, uint64_t epoch, struct lyc_error *error)
{
	static char *policy_group[] = {"policy"};
	static char *const clients[] = {"root", "carol", "ann", SHARED_OWNER, "zoe"};
	static const Lyceum__V1__Role roles[] = {
		LYCEUM__V1__ROLE__OPERATOR, LYCEUM__V1__ROLE__OPERATOR, LYCEUM__V1__ROLE__PERSON,
		LYCEUM__V1__ROLE__OPERATOR, LYCEUM__V1__ROLE__OPERATOR};
	Lyceum__V1__Config config = LYCEUM__V1__CONFIG__INIT;
	Lyceum__V1__Limits limits = LYCEUM__V1__LIMITS__INIT;
	Lyceum__V1__Uplink uplink = LYCEUM__V1__UPLINK__INIT;
	Lyceum__V1__PluginConfig board = LYCEUM__V1__PLUGIN_CONFIG__INIT;
	Lyceum__V1__PluginConfig *plugins[] = {&board};
	Lyceum__V1__PeerKey keys[CLIENTS + SIM_NODES];
	Lyceum__V1__PeerKey *items[CLIENTS + SIM_NODES];
	size_t count = 0;
	for (; count < CLIENTS; count++) {
		lyceum__v1__peer_key__init(&keys[count]);
		keys[count].name = clients[count];
		keys[count].role = roles[count];
	}
	keys[2].groups = policy_group;
	keys[2].n_groups = 1;
	for (size_t i = 1; i < SIM_NODES && !node->hub; i++, count++) {
		lyceum__v1__peer_key__init(&keys[count]);
		keys[count].name = (char *)(uintptr_t)sim_node_names[i];
		keys[count].role = LYCEUM__V1__ROLE__NODE;
	}
	for (size_t i = 0; i < count; i++) {
		keys[i].public_key = (char *)(uintptr_t)KEY;
		items[i] = &keys[i];
	}
	Lyceum__V1__StreamConfig notices;
	Lyceum__V1__StreamConfig remarks;
	Lyceum__V1__StreamConfig *streams[] = {&notices, &remarks};
	set_retention(&notices, &remarks);
	config.streams = streams;
	config.n_streams = node->sim->has_retention ? 2 : 0;
	limits.call_credit = 100000;
	limits.publish_credit = SIM_PUBLISH_CREDIT;
	limits.heartbeat_ms = SIM_HEARTBEAT_MS;
	limits.backlog = SIM_BACKLOG;
	board.name = (char *)(uintptr_t) "board";
	config.name = node->name;
	config.keys = items;
	config.n_keys = count;
	config.limits = &limits;
	config.plugins = plugins;
	config.n_plugins = 1;
	if (node->hub) {
		uplink.name = node->hub->name;
		uplink.endpoint = (char *)(uintptr_t) "memory://hub";
		uplink.server_key = (char *)(uintptr_t)KEY;
		config.uplink = &uplink;
	}
	return daemon_init(&node->daemon, &config, &node->env, epoch, "/plugins", error);
}
