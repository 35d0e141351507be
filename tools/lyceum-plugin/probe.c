/* A fork that confines itself, loads the file, and answers through a pipe. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "client/plugin_load.h"
#include "confine.h"
#include "io/clock.h"
#include "wire/packet.h"

#define MAX_ANSWER (16u << 20)
#define PATIENCE_MS 10000

static size_t count_of(const char *const *list)
{
	size_t count = 0;
	while (list && list[count])
		count++;
	return count;
}

static void describe(const struct plugin_image *image, Lyceum__V1__PluginDescription *to)
{
	static char *services[WIRE_MAX_SERVICES];
	const struct lyc_plugin *plugin = image->plugin;
	to->name = (char *)plugin->name;
	to->version = (char *)(plugin->version ? plugin->version : "");
	to->config_type = (char *)(plugin->config_type ? plugin->config_type : "");
	for (ProtobufCService *const *at = plugin->services; *at; at++) {
		if (to->n_service < WIRE_MAX_SERVICES)
			services[to->n_service++] = (char *)(*at)->descriptor->name;
	}
	to->service = services;
	to->method = calloc(image->method_count + 1, sizeof(*to->method));
	while (to->method && to->n_method < image->method_count) {
		to->method[to->n_method] = (char *)image->methods[to->n_method].name;
		to->n_method++;
	}
	to->publishes = (char **)plugin->publishes;
	to->n_publishes = count_of(plugin->publishes);
	to->reads = (char **)plugin->reads;
	to->n_reads = count_of(plugin->reads);
	to->reach = (char **)plugin_reach(plugin);
	to->n_reach = count_of(plugin_reach(plugin));
	to->speaks_for_people = plugin_speaks_for_people(plugin);
	to->schema = (ProtobufCBinaryData){plugin->schema_len, (uint8_t *)plugin->schema};
}

static void answer(int fd, const Lyceum__V1__PluginDescription *description)
{
	size_t len = lyceum__v1__plugin_description__get_packed_size(description);
	uint8_t *bytes = malloc(len > 0 ? len : 1);
	if (!bytes)
		return;
	lyceum__v1__plugin_description__pack(description, bytes);
	for (size_t done = 0; done < len;) {
		ssize_t written = write(fd, bytes + done, len - done);
		if (written <= 0 && errno != EINTR)
			break;
		done += written > 0 ? (size_t)written : 0;
	}
	free(bytes);
}

/* Of a confined child there is nothing to be cleaned up, and its libraries' last words are not
 * wanted either. */
static _Noreturn void look(int fd, const char *path, const char *name)
{
	Lyceum__V1__PluginDescription description = LYCEUM__V1__PLUGIN_DESCRIPTION__INIT;
	struct confinement nothing = {.plugin_file = path};
	struct plugin_image image = {0};
	struct lyc_error error = {0};
	struct buf text = {0};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Nothing is open to it but what it answers by. */
	if (fd > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0u, 0);
	enum lyc_status status = confine(&nothing, &text, &error);
	if (status == LYC_OK)
		status = plugin_load(path, name, &image, &error);
	if (status == LYC_OK)
		describe(&image, &description);
	else
		description.refusal = error.text;
	answer(fd, &description);
	_exit(0);
}

/* Until the child closes its end. */
static enum lyc_status listen_to(int fd, struct buf *to, struct lyc_error *error)
{
	uint64_t end = mono_ms() + PATIENCE_MS;
	for (;;) {
		uint64_t now = mono_ms();
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		int ready = now < end ? poll(&poll_fd, 1, (int)(end - now)) : 0;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return error_set(error, LYC_UNAVAILABLE,
					 "Loading the plugin took longer than %d s.",
					 PATIENCE_MS / 1000);
		if (!buf_reserve(to, 65536))
			return error_set(error, LYC_RESOURCE_EXHAUSTED,
					 "No memory for the plugin.");
		ssize_t len = read(fd, to->data + to->len, to->cap - to->len);
		if (len == 0)
			return LYC_OK;
		if (len > 0)
			to->len += (size_t)len;
		if (to->len > MAX_ANSWER)
			return error_set(error, LYC_INVALID_ARGUMENT,
					 "The plugin's descriptor is larger than %u bytes.",
					 MAX_ANSWER);
	}
}

static enum lyc_status read_answer(const char *path, int code, const struct buf *bytes,
				   Lyceum__V1__PluginDescription **ret_description,
				   struct lyc_error *error)
{
	if (WIFSIGNALED(code))
		return error_set(error, LYC_UNAVAILABLE,
				 "The plugin %s crashes while it is loaded: signal %d (%s).", path,
				 WTERMSIG(code), strsignal(WTERMSIG(code)));
	*ret_description = bytes->len > 0 ? lyceum__v1__plugin_description__unpack(NULL, bytes->len,
										   bytes->data)
					  : NULL;
	if (!*ret_description)
		return error_set(
			error, LYC_UNAVAILABLE,
			"The plugin %s ends its process while it is loaded: exit status %d.", path,
			WEXITSTATUS(code));
	return LYC_OK;
}

enum lyc_status probe(const char *path, const char *name,
		      Lyceum__V1__PluginDescription **ret_description, struct lyc_error *error)
{
	int ends[2];
	int code = 0;
	struct buf bytes = {0};
	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No pipe: %s.", strerror(errno));
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		look(ends[1], path, name);
	}
	close(ends[1]);
	enum lyc_status status = LYC_OK;
	if (child < 0)
		status = error_set(error, LYC_RESOURCE_EXHAUSTED, "No process: %s.",
				   strerror(errno));
	else
		status = listen_to(ends[0], &bytes, error);
	close(ends[0]);
	if (child > 0) {
		if (status != LYC_OK)
			kill(child, SIGKILL);
		while (waitpid(child, &code, 0) < 0 && errno == EINTR)
			continue;
	}
	if (status == LYC_OK)
		status = read_answer(path, code, &bytes, ret_description, error);
	buf_fini(&bytes);
	return status;
}
