/*
 * Real daemons for a story: a folder, their configurations and keys, their processes, and an
 * operator's client for each. Everything lies in one temporary folder with a short name (a socket's
 * path has at most 107 bytes); network_free ends every process and removes it.
 */
#ifndef LYC_SYSTEM_NETWORK_H
#define LYC_SYSTEM_NETWORK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <lyceum/client.h>

#include "io/keyfile.h"
#include "lyceum/v1/node.pb-c.h"

#define NETWORK_MAX_NODES 6
/* Nothing that a story waits for takes as long on a loaded machine. */
#define NETWORK_DEADLINE_MS 15000

struct node {
	struct network *network;
	char name[32];
	char folder[64]; /* its data */
	char config[80]; /* its configuration's file */
	pid_t pid;       /* 0: not running */
	char listen_tcp[64];
	char hub_tcp[64]; /* where its uplink goes; changed by a story that puts a proxy between */
	bool has_plain;
	struct keypair keys;
	/* Added to the configuration as it is: plugins, keys, limits. */
	char plugins[1500];
	char peer_keys[2500];
	char extra[600];
	struct node *hub;
	struct lyc_client *client;
};

struct network {
	char folder[32];
	char build[256]; /* the build's root */
	struct node nodes[NETWORK_MAX_NODES];
	size_t count;
};

struct network *network_new(void);
void network_free(struct network *network);
/* A daemon, not yet started; hub NULL: it is one. Its key is made, and known to its hub. */
struct node *network_add(struct network *network, const char *name, struct node *hub);
/* Hub, nhsa with the echo plugin, wales and medcity: started, linked and of one mind. */
struct network *network_of_four(void);
struct node *network_node(struct network *network, const char *name);
/* Every link is up, and every daemon has what every other one has committed so far. */
void network_settle(struct network *network);
/* Run every node's client for up to timeout_ms, until something came. */
void network_run(struct network *network, int timeout_ms);

/* "echo" or "experts", or a path in the build's folder that ends with .so; host "process" or
 * "thread". */
void node_add_plugin(struct node *node, const char *name, const char *path, const char *host);
/* Let a key in. `rest` is YAML, "role: PERSON, call: [...]". */
void node_add_key(struct node *node, const char *name, const struct keypair *keys,
		  const char *rest);
void node_write_config(struct node *node);
/* Start it and wait for its Welcome. */
void node_start(struct node *node);
/* Start it and hand back what it says on stderr until its end. Caller frees. */
char *node_start_in_vain(struct node *node, int *ret_code);
/* SIGTERM; fails unless it ends by itself, with 0. */
void node_stop(struct node *node);
/* SIGKILL. */
void node_kill(struct node *node);
/* Its client speaks as the operator; opened when first asked for, valid until the node ends. */
struct lyc_client *node_client(struct node *node);
struct lyc_client *node_open_as(struct node *node, const struct keypair *keys);
enum lyc_status node_try_open(struct node *node, const char *endpoint, const struct keypair *keys,
			      struct lyc_client **ret_client, struct lyc_error *error);
/* Of a listener without keys; valid after node_start. */
void node_plain_endpoint(struct node *node, char *to, size_t size);

/* Caller frees with lyceum__v1__status_reply__free_unpacked. */
Lyceum__V1__StatusReply *node_status(struct node *node);
void node_wait_for_plugin(struct node *node, const char *plugin, Lyceum__V1__Plugin__State state);
void node_wait_for_link(struct node *node, bool is_up);
/* Ask for the status until it is as it should be. */
typedef bool (*node_status_fn)(const Lyceum__V1__StatusReply *status, const void *arg);
void node_wait_for_status(struct node *node, node_status_fn is_so, const void *arg,
			  const char *what);
/* What this daemon has committed itself. */
struct lyc_position node_position(struct node *node);
/* Wait until `node` holds everything that `origin` has committed. */
void node_wait_until_holds(struct node *node, struct node *origin);
/* Every packet that `node` has sent so far has been handled at `other`, and what that caused is on
 * its way back. */
void node_barrier(struct node *node, struct node *other);
/* Does any file below the folder hold these bytes? */
bool network_files_hold(const char *folder, const char *text);
/* The same for several: the first that a file holds, NULL for none. */
const char *network_files_find(const char *folder, const char *const *texts, size_t count);

uint64_t network_now_ms(void);

#endif
