/* Reads a lyceum.v1.Config or ClientConfig and finds the endpoint and the keys that it means. */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "contract.h"
#include "input.h"
#include "io/keyfile.h"
#include "lyceum/v1/config.pb-c.h"

const char *target_config(const char *config)
{
	const char *from_env = getenv("LYCEUM_CONFIG");
	if (config)
		return config;
	return from_env && *from_env ? from_env : TARGET_DEFAULT_CONFIG;
}

void target_fini(struct target *target)
{
	free(target->endpoint);
	explicit_bzero(target, sizeof(*target));
}

/* Append `path` as it counts from the folder of `file`. */
static void add_path(struct buf *to, const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	if (*path != '/' && slash)
		buf_add(to, file, (size_t)(slash - file) + 1);
	buf_add_text(to, path);
}

static enum lyc_status read_own_key(const char *path, struct target *target,
				    struct lyc_error *error)
{
	struct keypair keys;
	enum lyc_status status = keyfile_read(path, &keys, error);
	if (status != LYC_OK)
		return status;
	memcpy(target->public_key, keys.public_key, sizeof(target->public_key));
	memcpy(target->secret_key, keys.secret_key, sizeof(target->secret_key));
	explicit_bzero(&keys, sizeof(keys));
	target->has_keys = true;
	return LYC_OK;
}

/* The public key in a .pub or .key file: a word of 40 characters, alone or after "public-key:". */
static bool find_public_key(const char *path, char ret_key[41])
{
	struct buf text = {0};
	bool is_found = false;
	if (access(path, R_OK) == 0 && input_read(path, &text, NULL) == LYC_OK && buf_text(&text)) {
		static const char label[] = "public-key:";
		const char *at = strstr(buf_text(&text), label);
		at = at ? at + sizeof(label) - 1 : buf_text(&text);
		at += strspn(at, " \t\"'");
		if (strcspn(at, " \t\r\n\"'") == 40) {
			snprintf(ret_key, 41, "%.40s", at);
			is_found = keyfile_is_key(ret_key);
		}
	}
	if (text.data)
		explicit_bzero(text.data, text.len);
	buf_fini(&text);
	return is_found;
}

static enum lyc_status read_server_key(const char *file, const Lyceum__V1__Config *config,
				       const char *data, struct target *target,
				       struct lyc_error *error)
{
	struct buf path = {0};
	buf_add_format(&path, "%s/daemon.pub", data);
	bool is_found = find_public_key(buf_text(&path), target->server_key);
	if (!is_found) {
		buf_clear(&path);
		if (*config->key_file)
			add_path(&path, file, config->key_file);
		else
			buf_add_format(&path, "%s/daemon.key", data);
		is_found = find_public_key(buf_text(&path), target->server_key);
	}
	buf_fini(&path);
	if (is_found)
		return LYC_OK;
	return error_set(
		error, LYC_UNAVAILABLE,
		"%s has no %s/daemon.pub: has its daemon been started? (lyceumd --config %s)", file,
		data, file);
}

/* A port 0 was taken by the system: <data>/endpoints names what the daemon listens on. */
static void find_endpoint(const char *data, const char *start, struct buf *to)
{
	struct buf path = {0};
	struct buf text = {0};
	buf_add_format(&path, "%s/endpoints", data);
	if (input_read(buf_text(&path), &text, NULL) == LYC_OK && buf_text(&text)) {
		const char *at = strstr(buf_text(&text), start);
		if (at)
			buf_add(to, at, strcspn(at, " \t\r\n\"'"));
	}
	buf_fini(&path);
	buf_fini(&text);
}

static const Lyceum__V1__Listener *choose_listener(const Lyceum__V1__Config *config)
{
	for (size_t i = 0; i < config->n_listen; i++) {
		if (strncmp(config->listen[i]->endpoint, "ipc://", 6) == 0)
			return config->listen[i];
	}
	return config->n_listen > 0 ? config->listen[0] : NULL;
}

static void write_endpoint(const Lyceum__V1__Listener *listener, const char *data, struct buf *to)
{
	static const char any[] = "tcp://0.0.0.0:";
	struct buf found = {0};
	if (!listener) {
		buf_add_format(to, "ipc://%s/lyceum.sock", data);
		return;
	}
	const char *endpoint = listener->endpoint;
	const char *port = strrchr(endpoint, ':');
	if (strncmp(endpoint, "tcp://", 6) == 0 && port && strcmp(port, ":0") == 0) {
		find_endpoint(data, "tcp://", &found);
		if (found.len > 0)
			endpoint = buf_text(&found);
	}
	if (strncmp(endpoint, any, sizeof(any) - 1) == 0)
		buf_add_format(to, "tcp://127.0.0.1:%s", endpoint + sizeof(any) - 1);
	else
		buf_add_text(to, endpoint);
	buf_fini(&found);
}

static enum lyc_status from_daemon(const char *file, const Lyceum__V1__Config *config,
				   struct target *target, struct lyc_error *error)
{
	struct buf data = {0};
	struct buf text = {0};
	enum lyc_status status = LYC_OK;
	add_path(&data, file, config->data);
	/* libzmq wants a path that does not depend on the folder where it is used. */
	char *real = realpath(buf_text(&data), NULL);
	const char *folder = real ? real : buf_text(&data);
	const Lyceum__V1__Listener *listener = choose_listener(config);
	write_endpoint(listener, folder, &text);
	target->endpoint = mem_dup(buf_text(&text));
	target->is_daemon = true;
	if (listener && listener->plain)
		goto out;
	status = read_server_key(file, config, folder, target, error);
	if (status != LYC_OK)
		goto out;
	buf_clear(&text);
	buf_add_format(&text, "%s/operator.key", folder);
	status = read_own_key(buf_text(&text), target, error);
out:
	free(real);
	buf_fini(&data);
	buf_fini(&text);
	return status;
}

static enum lyc_status from_client(const char *file, const Lyceum__V1__ClientConfig *config,
				   struct target *target, struct lyc_error *error)
{
	target->endpoint = mem_dup(config->endpoint);
	if (!*config->server_key && !*config->key_file)
		return LYC_OK;
	if (!keyfile_is_key(config->server_key))
		return error_set_field(error, LYC_INVALID_ARGUMENT, "server_key",
				       "%s needs the daemon's public key, 40 characters", file);
	if (!*config->key_file)
		return error_set_field(error, LYC_INVALID_ARGUMENT, "key_file",
				       "%s needs your key: make one with lyceum keygen FILE", file);
	memcpy(target->server_key, config->server_key, sizeof(target->server_key));
	struct buf path = {0};
	add_path(&path, file, config->key_file);
	enum lyc_status status = read_own_key(buf_text(&path), target, error);
	buf_fini(&path);
	return status;
}

/* YAML as a message of that type; NULL with an error. */
static void *read_as(const char *type, const ProtobufCMessageDescriptor *descriptor,
		     const struct buf *yaml, struct lyc_error *error)
{
	const struct schema_message *message = schema_find_message(contract_schema(), type);
	struct buf body = {0};
	ProtobufCMessage *read = NULL;
	if (yaml_read(message, (const char *)yaml->data, yaml->len, &body, error) == LYC_OK &&
	    schema_check(message, span_of(body.data, body.len), true, error) == LYC_OK)
		read = protobuf_c_message_unpack(descriptor, NULL, body.len, body.data);
	buf_fini(&body);
	return read;
}

/* Which of the two did its writer mean? Only a client's names its endpoint at the top. */
static bool looks_like_client(const struct buf *yaml)
{
	static const char key[] = "endpoint:";
	const char *text = (const char *)yaml->data;
	for (size_t i = 0; i + sizeof(key) - 1 <= yaml->len; i++) {
		if ((i == 0 || text[i - 1] == '\n') && memcmp(text + i, key, sizeof(key) - 1) == 0)
			return true;
	}
	return false;
}

enum lyc_status target_read(const char *config, struct target *ret_target, struct lyc_error *error)
{
	const char *file = target_config(config);
	struct target target = {0};
	struct buf yaml = {0};
	struct lyc_error fault = {0};
	struct lyc_error client_fault = {0};
	ProtobufCMessage *daemon = NULL;
	ProtobufCMessage *client = NULL;
	/* Paths count from the folder of the file itself, wherever a link to it lies. */
	char *real = realpath(file, NULL);
	if (!real)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "there is no configuration %s: name one with --config FILE or "
				 "LYCEUM_CONFIG",
				 file);
	enum lyc_status status = input_read(file, &yaml, error);
	if (status != LYC_OK)
		goto out;
	daemon = read_as("lyceum.v1.Config", &lyceum__v1__config__descriptor, &yaml, &fault);
	if (!daemon)
		client = read_as("lyceum.v1.ClientConfig", &lyceum__v1__client_config__descriptor,
				 &yaml, &client_fault);
	if (daemon) {
		status = from_daemon(real, (Lyceum__V1__Config *)daemon, &target, error);
	} else if (client) {
		status = from_client(real, (Lyceum__V1__ClientConfig *)client, &target, error);
	} else {
		const struct lyc_error *why = looks_like_client(&yaml) ? &client_fault : &fault;
		status = error_set(error, LYC_INVALID_ARGUMENT, "%s: %s", file, why->text);
	}
	if (status == LYC_OK)
		*ret_target = target;
	else
		target_fini(&target);
out:
	if (daemon)
		protobuf_c_message_free_unpacked(daemon, NULL);
	if (client)
		protobuf_c_message_free_unpacked(client, NULL);
	buf_fini(&yaml);
	free(real);
	return status;
}
