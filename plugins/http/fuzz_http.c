/*
 * The web server against any bytes: the plugin as it is, with a stand-in for the daemon below it.
 * One input is what a browser sends on one connection. Whatever it is, the server stays alive, an
 * answer begins as an answer does, and nothing but open methods is called unless the input holds
 * the token of the one person who is signed in.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lyceum/http/v1/config.pb-c.h"
#include "lyceum/http/v1/users.pb-c.h"
#include "token.h"
#include "web.h"

/* 43 letters: what ann's browser shows. */
#define TOKEN "AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDEEE"
#define NODE "wales"
#define MAX_TURNS 64
#define MAX_WAITING 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
extern const struct lyc_plugin lyc_plugin;

#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "broken: %s\n", #condition);                               \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* ---- The stand-in ---- */

struct waiting {
	lyc_json_reply_fn on_reply;
	void *arg;
	uint64_t id;
};

static struct {
	struct web *web;
	char folder[64];
	lyc_record_fn on_record;
	struct waiting waiting[MAX_WAITING];
	size_t waiting_count;
	lyc_types_fn on_loaded;
	void *loaded_arg;
	uint64_t last_id;
	/* The input has the token. */
	bool is_signed_in;
} stage;

static const struct lyc_method methods[] = {
	{.name = "Find",
	 .full_name = "lyceum.test.v1.Test/Find",
	 .help = "",
	 .input = "lyceum.test.v1.In",
	 .output = "lyceum.test.v1.Out",
	 .verb = "find",
	 .web_get = "",
	 .web_post = "",
	 .web_body = "",
	 .web_content_type = ""},
	{.name = "Count",
	 .full_name = "lyceum.test.v1.Test/Count",
	 .help = "",
	 .input = "lyceum.test.v1.In",
	 .output = "lyceum.test.v1.Out",
	 .verb = "",
	 .streams = true,
	 .web_get = "",
	 .web_post = "",
	 .web_body = "",
	 .web_content_type = ""},
	{.name = "Feed",
	 .full_name = "lyceum.test.v1.Test/Feed",
	 .help = "",
	 .input = "lyceum.test.v1.In",
	 .output = "lyceum.test.v1.Out",
	 .verb = "",
	 .web_get = "/feed/{token}.ics",
	 .web_post = "/form/{token}",
	 .web_body = "body",
	 .web_content_type = "text/calendar",
	 .web_open = true},
};

static const struct lyc_service service = {.name = "lyceum.test.v1.Test",
					   .noun = "test",
					   .help = "",
					   .served_here = true,
					   .methods = methods,
					   .method_count = sizeof(methods) / sizeof(methods[0])};

size_t lyc_service_count(const struct lyc_types *types)
{
	(void)types;
	return 1;
}

const struct lyc_service *lyc_service_at(const struct lyc_types *types, size_t index)
{
	(void)types;
	return index == 0 ? &service : NULL;
}

const struct lyc_method *lyc_method_find(const struct lyc_types *types, const char *full_name)
{
	(void)types;
	for (size_t i = 0; i < service.method_count; i++) {
		if (strcmp(methods[i].full_name, full_name) == 0)
			return &methods[i];
	}
	return NULL;
}

enum lyc_status lyc_types_new(struct lyc_client *client, struct lyc_types **ret_types)
{
	(void)client;
	*ret_types = (struct lyc_types *)(void *)&stage;
	return LYC_OK;
}

void lyc_types_free(struct lyc_types *types)
{
	(void)types;
}

uint64_t lyc_types_generation(const struct lyc_types *types)
{
	(void)types;
	return 1;
}

enum lyc_status lyc_types_load_start(struct lyc_types *types, lyc_types_fn on_done, void *arg)
{
	(void)types;
	if (stage.on_loaded)
		return LYC_FAILED_PRECONDITION;
	stage.on_loaded = on_done;
	stage.loaded_arg = arg;
	return LYC_OK;
}

enum lyc_status lyc_types_json_schema(struct lyc_types *types, const char *const *names,
				      size_t name_count, const char *ref_prefix, char **ret_json,
				      struct lyc_error *error)
{
	(void)types;
	(void)names;
	(void)name_count;
	(void)ref_prefix;
	(void)error;
	*ret_json = strdup("{}");
	return *ret_json ? LYC_OK : LYC_RESOURCE_EXHAUSTED;
}

/* What a form or a path said becomes the request: every value has to be a C string. */
enum lyc_status lyc_pairs_to_json(struct lyc_types *types, const char *type,
				  const struct lyc_pair *pairs, size_t pair_count, char **ret_json,
				  struct lyc_error *error)
{
	size_t len = 0;
	(void)types;
	(void)type;
	(void)error;
	for (size_t i = 0; i < pair_count; i++)
		len += strlen(pairs[i].name) + strlen(pairs[i].value);
	*ret_json = strdup(len > 10000 ? "[]" : "{}");
	return *ret_json ? LYC_OK : LYC_RESOURCE_EXHAUSTED;
}

enum lyc_status lyc_body_text(struct lyc_types *types, const char *type, const void *body,
			      size_t body_len, const char *field, const uint8_t **ret_text,
			      size_t *ret_text_len, struct lyc_error *error)
{
	(void)types;
	(void)type;
	(void)field;
	(void)error;
	*ret_text = body;
	*ret_text_len = body_len;
	return LYC_OK;
}

enum lyc_status lyc_json_call_start(struct lyc_types *types, const char *method, const char *json,
				    size_t json_len, const struct lyc_call_options *options,
				    lyc_json_reply_fn on_reply, void *arg, uint64_t *ret_id,
				    struct lyc_error *error)
{
	const struct lyc_method *called = lyc_method_find(types, method);
	(void)error;
	must(called &&
	     (json_len == 0 || memchr(json, '\0', json_len) == NULL || !called->web_open));
	must(called->web_open || stage.is_signed_in);
	must(!options->principal ||
	     (stage.is_signed_in && strcmp(options->principal, "ann@" NODE) == 0));
	must(options->timeout_ms > 0 && options->timeout_ms <= 120000);
	if (stage.waiting_count == MAX_WAITING)
		return LYC_RESOURCE_EXHAUSTED;
	stage.waiting[stage.waiting_count++] = (struct waiting){on_reply, arg, ++stage.last_id};
	if (ret_id)
		*ret_id = stage.last_id;
	return LYC_OK;
}

/* Every second call fails; a cancelled one gets its last reply, too. */
static void reply_to_all(void)
{
	lyc_types_fn on_loaded = stage.on_loaded;
	stage.on_loaded = NULL;
	if (on_loaded)
		on_loaded(LYC_OK, "", stage.loaded_arg);
	while (stage.waiting_count > 0) {
		struct waiting waiting = stage.waiting[--stage.waiting_count];
		struct lyc_reply reply = {.status = waiting.id % 2 ? LYC_OK : LYC_NOT_FOUND,
					  .text = "there is none",
					  .field = "id",
					  .body = (const uint8_t *)"BEGIN",
					  .body_len = 5,
					  .position = {.origin = ""},
					  .served_by = NODE};
		waiting.on_reply(&reply, waiting.id % 2 ? "{\"number\":1}" : NULL, waiting.arg);
	}
}

void lyc_client_cancel(struct lyc_client *client, uint64_t id)
{
	(void)client;
	(void)id;
}

bool lyc_trace_is_valid(const char *trace)
{
	return trace && strlen(trace) == 55;
}

struct lyc_client *lyc_context_client(struct lyc_plugin_context *context)
{
	return (struct lyc_client *)(void *)context;
}

const char *lyc_node_name(const struct lyc_plugin_context *context)
{
	(void)context;
	return NODE;
}

const char *lyc_data_folder(const struct lyc_plugin_context *context)
{
	(void)context;
	return stage.folder;
}

const ProtobufCMessage *lyc_config(const struct lyc_plugin_context *context,
				   const ProtobufCMessageDescriptor *descriptor)
{
	static Lyceum__Http__V1__Limits limits = LYCEUM__HTTP__V1__LIMITS__INIT;
	static Lyceum__Http__V1__HttpConfig config = LYCEUM__HTTP__V1__HTTP_CONFIG__INIT;
	static char *hosts[] = {(char *)"node.example"};
	(void)context;
	(void)descriptor;
	limits.rate_per_address = limits.rate_per_session = 100000;
	limits.body = 65536;
	config.listen = (char *)"127.0.0.1:0";
	config.hosts = hosts;
	config.n_hosts = 1;
	config.open_metrics = true;
	config.limits = &limits;
	return &config.base;
}

enum lyc_status lyc_follow(struct lyc_plugin_context *context, const char *pattern, uint64_t from,
			   lyc_record_fn on_record, struct lyc_error *error)
{
	(void)context;
	(void)pattern;
	(void)from;
	(void)error;
	stage.on_record = on_record;
	return LYC_OK;
}

bool lyc_is_caught_up(const struct lyc_plugin_context *context)
{
	(void)context;
	return true;
}

/* Nothing changes: she stays signed in. */
enum lyc_status lyc_append(struct lyc_plugin_context *context, const ProtobufCMessage *message,
			   const struct lyc_publish_options *options, lyc_ack_fn on_done, void *arg)
{
	(void)context;
	(void)message;
	(void)options;
	(void)on_done;
	(void)arg;
	return LYC_RESOURCE_EXHAUSTED;
}

enum lyc_status lyc_withdraw(struct lyc_plugin_context *context, const ProtobufCMessage *with_keys,
			     const struct lyc_publish_options *options, lyc_ack_fn on_done,
			     void *arg)
{
	return lyc_append(context, with_keys, options, on_done, arg);
}

enum lyc_status lyc_timer(struct lyc_plugin_context *context, uint32_t delay_ms, uint32_t period_ms,
			  lyc_timer_fn fn, void *arg)
{
	(void)context;
	(void)delay_ms;
	(void)period_ms;
	(void)fn;
	(void)arg;
	return LYC_OK;
}

enum lyc_status lyc_watch(struct lyc_plugin_context *context, int fd, int events, lyc_watch_fn fn,
			  void *arg)
{
	(void)context;
	(void)fd;
	(void)events;
	(void)fn;
	(void)arg;
	return LYC_OK;
}

void lyc_log(struct lyc_plugin_context *context, int level, const char *format, ...)
{
	(void)context;
	(void)level;
	(void)format;
}

/* The plugin's own methods are called by nobody here. */
struct lyc_plugin_context *lyc_call_context(const struct lyc_call *call)
{
	(void)call;
	abort();
}

void *lyc_call_state(const struct lyc_call *call)
{
	(void)call;
	abort();
}

const char *lyc_call_principal(const struct lyc_call *call)
{
	(void)call;
	abort();
}

bool lyc_call_is_operator(const struct lyc_call *call)
{
	(void)call;
	abort();
}

void lyc_call_defer(struct lyc_call *call)
{
	(void)call;
	abort();
}

void lyc_call_set_position(struct lyc_call *call, uint64_t seq)
{
	(void)call;
	(void)seq;
	abort();
}

void lyc_call_fail(struct lyc_call *call, enum lyc_status status, const char *format, ...)
{
	(void)call;
	(void)status;
	(void)format;
	abort();
}

void lyc_call_fail_field(struct lyc_call *call, enum lyc_status status, const char *field,
			 const char *format, ...)
{
	(void)call;
	(void)status;
	(void)field;
	(void)format;
	abort();
}

void lyc_call_fail_append(struct lyc_call *call, const ProtobufCMessageDescriptor *type,
			  const struct lyc_ack *ack)
{
	(void)call;
	(void)type;
	(void)ack;
	abort();
}

/* ---- The input ---- */

static void give_record(const char *subject, const ProtobufCMessage *message, uint64_t seq)
{
	uint8_t body[512];
	must(protobuf_c_message_get_packed_size(message) <= sizeof(body));
	const struct lyc_delivery record = {.subject = subject,
					    .body = body,
					    .body_len = protobuf_c_message_pack(message, body),
					    .seq = seq,
					    .origin = NODE,
					    .time_ms = seq};
	stage.on_record(stage.web, &record);
}

static void clean(void)
{
	char path[96];
	snprintf(path, sizeof(path), "%s/address", stage.folder);
	unlink(path);
	rmdir(stage.folder);
}

static void start(void)
{
	Lyceum__Http__V1__User user = LYCEUM__HTTP__V1__USER__INIT;
	Lyceum__Http__V1__Session session = LYCEUM__HTTP__V1__SESSION__INIT;
	uint8_t hash[TOKEN_HASH_LEN];
	struct lyc_error error = {0};
	void *state = NULL;
	snprintf(stage.folder, sizeof(stage.folder), "/tmp/lyc-fuzz-http-XXXXXX");
	must(mkdtemp(stage.folder));
	atexit(clean);
	must(lyc_plugin.start((struct lyc_plugin_context *)(void *)&stage, &state, &error) ==
	     LYC_OK);
	stage.web = state;
	user.home = session.home = (char *)NODE;
	user.name = session.user = (char *)"ann";
	user.since_ms = 1;
	session.id = (char *)"0123456789abcdef";
	must(token_hash(TOKEN, hash));
	session.token_hash = (ProtobufCBinaryData){sizeof(hash), hash};
	/* A day ago, so that it is not prolonged at once; good for years. */
	session.created_ms = web_wall_ms() - 86400000;
	session.expires_ms = web_wall_ms() + 86400000ull * 3650;
	give_record("lyceum.http.v1.User." NODE ".ann", &user.base, 1);
	give_record("lyceum.http.v1.Session." NODE ".0123456789abcdef", &session.base, 2);
	must(users_session(&stage.web->users, TOKEN, web_wall_ms()));
}

/* What came back, as far as it has come; true when the server has closed. */
static bool take(int fd, char *answer, size_t size, size_t *len)
{
	char rest[65536];
	for (;;) {
		bool has_room = *len < size;
		ssize_t got = recv(fd, has_room ? answer + *len : rest,
				   has_room ? size - *len : sizeof(rest), MSG_DONTWAIT);
		if (got <= 0)
			return got == 0;
		if (has_room)
			*len += (size_t)got;
	}
}

static unsigned connection_count(void)
{
	return MHD_get_daemon_info(stage.web->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
		->num_connections;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct sockaddr_in from = {.sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char answer[12];
	size_t answer_len = 0;
	int ends[2];
	if (!stage.web)
		start();
	if (len > 100000)
		return 0;
	stage.is_signed_in = memmem(data, len, TOKEN, strlen(TOKEN)) != NULL;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
	must(MHD_add_connection(stage.web->daemon, ends[1], (const struct sockaddr *)&from,
				sizeof(from)) == MHD_YES);
	size_t sent = 0;
	for (int turn = 0; turn < MAX_TURNS; turn++) {
		ssize_t more = sent < len ? send(ends[0], data + sent, len - sent,
						 MSG_DONTWAIT | MSG_NOSIGNAL)
					  : 0;
		sent += more > 0 ? (size_t)more : 0;
		if (sent == len)
			shutdown(ends[0], SHUT_WR);
		MHD_run(stage.web->daemon);
		reply_to_all();
		MHD_run(stage.web->daemon);
		if (take(ends[0], answer, sizeof(answer), &answer_len))
			break;
	}
	close(ends[0]);
	for (int turn = 0; turn < MAX_TURNS && connection_count() > 0; turn++) {
		MHD_run(stage.web->daemon);
		reply_to_all();
	}
	/* Nothing of a browser that has gone is kept. */
	must(connection_count() == 0);
	must(stage.web->exchange_count == 0 && stage.web->held_len == 0);
	must(answer_len == 0 || memcmp(answer, "HTTP/1.", answer_len < 7 ? answer_len : 7) == 0);
	return 0;
}
