/* `lyceum keygen`: a CURVE key pair in a file, and the lines that let its owner in elsewhere. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/keyfile.h"
#include "outcome.h"

/* "wales" of "keys/wales.key". The caller frees. */
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t len = strcspn(base, ".");
	return mem_dup_try(base, len ? len : strlen(base));
}

static void print_keys(const struct session *session, const char *path, const char *name,
		       const char *role, const struct keypair *keys)
{
	if (session->output.is_json) {
		printf("{\"file\":\"%s\",\"name\":\"%s\",\"publicKey\":\"%s\"}\n", path, name,
		       keys->public_key);
		return;
	}
	fprintf(stderr,
		"%s holds the key pair: keep it secret.\nPublic key: %s\n"
		"The other daemon's configuration lets it in with:\n\n",
		path, keys->public_key);
	printf("keys:\n  - name: %s\n    public_key: \"%s\"\n    role: %s\n", name,
	       keys->public_key, role);
}

int keygen_run(struct session *session, const struct command *command, int argc, char **argv)
{
	const char *name = NULL;
	const char *role = "person";
	const struct option options[] = {
		{"name", OPTION_TEXT, &name, "NAME", "its owner's; the file's name when left out"},
		{"role", OPTION_TEXT, &role, "ROLE",
		 "person, node or operator; person when left out"},
		{0},
	};
	struct lyc_error error = {0};
	struct keypair keys = {0};
	int code = command_read(session, command, options, 1, 1, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	bool is_node = strcasecmp(role, "node") == 0;
	bool is_operator = strcasecmp(role, "operator") == 0;
	if (!is_node && !is_operator && strcasecmp(role, "person") != 0)
		return outcome_say(OUTCOME_USAGE,
				   "--role takes person, node or operator, not \"%s\"", role);
	char *own_name = name ? mem_dup(name) : name_of(argv[0]);
	if (keyfile_make(&keys, &error) == LYC_OK &&
	    keyfile_write(argv[0], &keys, &error) == LYC_OK)
		print_keys(session, argv[0], own_name,
			   is_node       ? "NODE"
			   : is_operator ? "OPERATOR"
					 : "PERSON",
			   &keys);
	else
		code = outcome_error(&error);
	explicit_bzero(&keys, sizeof(keys));
	free(own_name);
	return code == COMMAND_GO_ON ? OUTCOME_OK : code;
}
