/*
 * The inside of liblyceum-test: a world of fake daemons with one plugin, shared by kit.c (the world
 * and its time), kit_call.c (peers that ask), kit_record.c (logs) and kit_check.c.
 */
#ifndef LYC_KIT_KIT_H
#define LYC_KIT_KIT_H

#include <lyceum/test.h>

#include "fake/fake_plugin.h"
#include "lyceum/v1/config.pb-c.h"
#include "schema/schema.h"

#define KIT_MAX_REGIONS 8
#define KIT_MAX_PEOPLE 64
#define KIT_MAX_GROUPS 8

struct person {
	char *name; /* "ann@wales" */
	char *groups[KIT_MAX_GROUPS];
	size_t group_count;
};

/* Something that is valid until the end. */
struct kept {
	struct kept *next;
	ProtobufCMessage *message;
	char *text;
};

struct lyc_test {
	const struct lyc_plugin *plugin;
	struct fake_world *world;
	struct fake_node *regions[KIT_MAX_REGIONS];
	size_t region_count;
	bool runs_everywhere;

	Lyceum__V1__PluginConfig plugin_config;
	Lyceum__V1__PluginConfig *plugin_configs[1];
	char folder[64];
	char *config_path;

	struct person people[KIT_MAX_PEOPLE];
	size_t person_count;
	struct lyc_test_call *calls;
	struct kept *kept;
	struct buf lines;
};

/* Ends the program with a sentence when there is no error to put it into; `test` may be NULL. */
void kit_fail(const struct lyc_test *test, struct lyc_error *error, enum lyc_status status,
	      const char *field, const char *format, ...) LYC_PRINTF(5, 6);
/* The daemon of a region; NULL stands for the first, and is returned, with the failure told, for
 * one that there is not. */
struct fake_node *kit_region(const struct lyc_test *test, const char *name,
			     struct lyc_error *error);
/* Somebody connected to a daemon, greeted. */
struct fake_client *kit_client(struct fake_node *node, const char *identity);
/* The next packet for this client, Pings answered; waits for up to a minute of the test's time. */
const struct packet *kit_next(struct lyc_test *test, struct fake_client *client);
void kit_keep(struct lyc_test *test, ProtobufCMessage *message, char *text);
/* One tick, and everything settled. */
void kit_step(struct lyc_test *test, uint64_t ms);

/* ---- kit_record.c ---- */
struct buf kit_pack(const ProtobufCMessage *message);
/* kit_fail with what a packet says. */
void kit_refused(const struct lyc_test *test, struct lyc_error *error, uint32_t status,
		 struct span field, struct span text);

/* ---- kit_call.c ---- */
void kit_calls_free(struct lyc_test *test);

#endif
