/* `lyceum keygen`: a CURVE key pair in a file, and the lines that others put into their
 * configurations: what lets its owner in, and for a daemon, which may be a hub, what nodes reach it
 * with. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "io/keyfile.h"
#include "outcome.h"

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool is_daemon_key(const char *path)
{
	return strcmp(base_of(path), "daemon.key") == 0;
}

/* "wales" of "keys/wales.key", and of "wales/daemon.key". The caller frees. */
static char *name_of(const char *path)
{
	const char *base = base_of(path);
	if (!is_daemon_key(path)) {
		size_t len = strcspn(base, ".");
		return mem_dup_try(base, len ? len : strlen(base));
	}
	char *folder =
		base == path ? mem_dup_try(".", 1) : mem_dup_try(path, (size_t)(base - path));
	char *whole = folder ? realpath(folder, NULL) : NULL;
	const char *name = whole ? base_of(whole) : "";
	char *copy = name[0] ? mem_dup_try(name, strlen(name)) : mem_dup_try("daemon", 6);
	free(whole);
	free(folder);
	return copy;
}

static void print_json(const char *path, const char *name, const char *role,
		       const struct keypair *keys)
{
	json_t *object = json_pack("{s:s%,s:s%,s:s,s:s}", "file", path, strlen(path), "name", name,
				   strlen(name), "publicKey", keys->public_key, "role", role);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	if (text)
		puts(text);
	free(text);
	json_decref(object);
}

/* What is said goes to stderr and what is to be copied to stdout, in this order on a terminal. */
static void print_text(const char *path, const char *name, const char *role,
		       const struct keypair *keys)
{
	bool is_node = strcmp(role, "NODE") == 0;
	fprintf(stderr, "%s holds the key pair: keep it secret.\nPublic key: %s\n%s\n\n", path,
		keys->public_key,
		is_node ? "If this is a node: its hub's configuration lets it in with"
			: "The other daemon's configuration lets it in with");
	printf("keys:\n  - name: %s\n    public_key: \"%s\"\n    role: %s\n", name,
	       keys->public_key, role);
	fflush(stdout);
	if (!is_node)
		return;
	fprintf(stderr, "\nIf this is a hub: its nodes' configurations reach it, at its own "
			"address, with\n\n");
	printf("uplink:\n  name: %s\n  endpoint: tcp://ADDRESS:PORT\n  server_key: \"%s\"\n", name,
	       keys->public_key);
}

int keygen_run(struct session *session, const struct command *command, int argc, char **argv)
{
	const char *name = NULL;
	const char *role = NULL;
	const struct option options[] = {
		{"name", OPTION_TEXT, &name, "NAME",
		 "its owner's; the file's name when left out, the folder's of a daemon.key"},
		{"role", OPTION_TEXT, &role, "ROLE",
		 "person, node or operator; when left out node for a daemon.key, else person"},
		{0},
	};
	struct lyc_error error = {0};
	struct keypair keys = {0};
	int code = command_read(session, command, options, 1, 1, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	static const char *const roles[] = {"PERSON", "NODE", "OPERATOR"};
	if (!role)
		role = is_daemon_key(argv[0]) ? "node" : "person";
	const char *known = NULL;
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		known = strcasecmp(role, roles[i]) == 0 ? roles[i] : known;
	if (!known)
		return outcome_say(OUTCOME_USAGE,
				   "--role takes person, node or operator, not \"%s\"", role);
	char *own_name = name ? mem_dup(name) : name_of(argv[0]);
	if (!own_name)
		return outcome_say(OUTCOME_REFUSED, "out of memory");
	if (keyfile_make(&keys, &error) == LYC_OK &&
	    keyfile_write(argv[0], &keys, &error) == LYC_OK)
		(session->output.is_json ? print_json : print_text)(argv[0], own_name, known,
								    &keys);
	else
		code = outcome_error(&error);
	explicit_bzero(&keys, sizeof(keys));
	free(own_name);
	return code == COMMAND_GO_ON ? OUTCOME_OK : code;
}
