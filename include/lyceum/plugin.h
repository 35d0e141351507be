/*
 * A plugin: one exported constant descriptor named `lyc_plugin`, whose services are plain protoc-c
 * services. It runs unchanged in a process of its own or as a thread of the daemon, on one thread
 * of its own, and only exchanges messages. A method looks like
 *
 *	static void echo_say(Lyceum__Echo__V1__Echo_Service *service,
 *			     const Lyceum__Echo__V1__SayRequest *request,
 *			     Lyceum__Echo__V1__SayReply_Closure closure,
 *			     void *closure_data)
 *	{
 *		struct lyc_call *call = closure_data;
 *		...
 *		closure(&reply, call);
 *	}
 *
 * closure_data *is* the call. `closure` replies once and borrows its message; a method that neither
 * replies nor fails nor defers ends with LYC_INTERNAL. A request has been checked against its
 * schema before a plugin sees it. The schema is registered after `start` has returned and the view
 * has caught up, so `start` itself appends nothing of a type that is new to the daemon.
 *
 * Every function below is called on the plugin's own thread only. A plugin that starts threads
 * hands their results to its own: through an eventfd or a pipe that lyc_watch looks after.
 */
#ifndef LYCEUM_PLUGIN_H
#define LYCEUM_PLUGIN_H

#include <protobuf-c/protobuf-c.h>

#include <lyceum/client.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LYC_PLUGIN_ABI 1

struct lyc_plugin_context;
struct lyc_call;

struct lyc_plugin {
	/* LYC_PLUGIN_ABI and sizeof(struct lyc_plugin). */
	uint32_t abi;
	uint32_t size;

	/* "echo": equal to the name in the configuration. */
	const char *name;
	const char *version;

	/* Full name of the configuration's message; NULL: takes none. */
	const char *config_type;

	/* Ended by NULL; what protoc-c generated with __INIT. */
	ProtobufCService *const *services;

	/* The FileDescriptorSet with imports and source info, as `lyceum schema embed` writes it.
	 */
	const uint8_t *schema;
	size_t schema_len;

	/* Patterns of the subjects, key tokens included, that it appends or publishes, and that it
	 * follows or subscribes to. Ended by NULL; NULL: none. What goes beyond is refused with
	 * PERMISSION_DENIED and said in the log: `publishes` by the daemon, too, and there only for
	 * types of the packages of its services; `reads` by what runs the plugin. */
	const char *const *publishes;
	const char *const *reads;

	/* Returns LYC_OK and the instance's state, or why it cannot start. */
	enum lyc_status (*start)(struct lyc_plugin_context *context, void **ret_state,
				 struct lyc_error *error);
	/* Frees the state. No method is running and none comes. */
	void (*stop)(void *state);

	/* What stands from here on came later: `size` tells whether it is there. */

	/* It signs people in: it may name persons of this node ("ann@wales") as principals of what
	 * it calls and appends, and their groups. Any other plugin may name a person only while it
	 * serves that person's call. The daemon holds it to this, and says in its log who may. */
	bool speaks_for_people;

	/* What a process of it reaches beyond the daemon, its own folder, its configuration file,
	 * the system's libraries and time zones. Ended by NULL; NULL: nothing more.
	 *
	 *	"connect tcp"       connects to other programs and machines, and looks up names
	 *	"listen tcp"        waits for connections
	 *	"read PATH"         reads a file, or all below a folder; an absolute path
	 *	"write PATH"        and writes, makes, removes
	 *	"run PATH"          starts that program, with what this list allows
	 *	"read config FIELD" reads the file that this field of its configuration names:
	 *	                    "read config relay.ca_file"
	 *
	 * The kernel refuses the rest (EACCES, EPERM), from before the plugin's first code runs,
	 * constructors included. A thread of the daemon reaches whatever the daemon does. */
	const char *const *reach;

	/* For what comes in by other ways than calls: a web server's requests. Asked again and
	 * again, every 20 ms, once the instance has been told to stop and its services are
	 * another's or nobody's: from then on it takes nothing new, and says whether it still has
	 * something to finish. Its watches, timers and calls go on until it says no, for some
	 * seconds at most. NULL: it never has. */
	bool (*is_busy)(void *state);
};

/* For the exported descriptor. */
#define LYC_PLUGIN                                                                                 \
	LYC_API extern const struct lyc_plugin lyc_plugin;                                         \
	LYC_API const struct lyc_plugin lyc_plugin

/* ---- In a method: the call ---- */

typedef void (*lyc_call_fn)(struct lyc_call *call, void *arg);

/* What `start` returned. */
LYC_API void *lyc_call_state(const struct lyc_call *call);
LYC_API struct lyc_plugin_context *lyc_call_context(const struct lyc_call *call);
/* On whose behalf: "wales", "ann@wales". Valid until the call has ended. */
LYC_API const char *lyc_call_principal(const struct lyc_call *call);
/* Was it made with an operator's key of this very daemon? For methods that decide who may come in;
 * most ask lyc_call_principal and lyc_call_may_see. */
LYC_API bool lyc_call_is_operator(const struct lyc_call *call);
/* Milliseconds left; 0 when the deadline has passed or the caller has cancelled. */
LYC_API uint32_t lyc_call_time_left_ms(const struct lyc_call *call);
LYC_API bool lyc_call_is_cancelled(const struct lyc_call *call);
/* The chain that the call belongs to, a traceparent; "": none. What the method calls and appends
 * belongs to it by itself, also from the callbacks of that; this is for what it does later (timers)
 * and elsewhere. Valid until the call has ended. */
LYC_API const char *lyc_call_trace(const struct lyc_call *call);
/* May the caller see a thing with this label? A pure function of the label and what the call
 * carries: no round trip. `label` is an unpacked lyceum.v1.Label; NULL counts as private to this
 * daemon. */
struct Lyceum__V1__Label;
LYC_API bool lyc_call_may_see(const struct lyc_call *call, const struct Lyceum__V1__Label *label);
/* End the call with a status and a sentence. */
LYC_API void lyc_call_fail(struct lyc_call *call, enum lyc_status status, const char *format, ...)
	LYC_PRINTF(3, 4);
/* The same, naming the field of the request that is at fault. */
LYC_API void lyc_call_fail_field(struct lyc_call *call, enum lyc_status status, const char *field,
				 const char *format, ...) LYC_PRINTF(4, 5);
/* End the call with why an append that it needed has failed, as lyc_append's on_done heard it. What
 * is the plugin's own fault does not become the caller's: INVALID_ARGUMENT turns into INTERNAL,
 * FAILED_PRECONDITION (an expectation that failed, another's home) into ABORTED: the caller may try
 * again. The sentence names the record's type. */
LYC_API void lyc_call_fail_append(struct lyc_call *call, const ProtobufCMessageDescriptor *type,
				  const struct lyc_ack *ack);
/* One reply of a streaming method; `closure` or lyc_call_end ends the stream. LYC_CANCELLED when
 * nobody listens any more: end the call then, too. LYC_RESOURCE_EXHAUSTED when the caller has not
 * yet handled what it was sent: nothing was sent, and this does not wait for it, because one slow
 * reader would hold up everybody whom the plugin serves. Go on in lyc_call_on_writable. */
LYC_API enum lyc_status lyc_call_send(struct lyc_call *call, const ProtobufCMessage *reply);
/* Run fn once: when the caller takes more of the stream, or when it has gone (then
 * lyc_call_is_cancelled, and lyc_call_send says LYC_CANCELLED), or its deadline has passed. Keeps
 * the call past the method's return, as lyc_call_defer does, until fn or something later ends it.
 */
LYC_API void lyc_call_on_writable(struct lyc_call *call, lyc_call_fn fn, void *arg);
LYC_API void lyc_call_end(struct lyc_call *call);
/* Keep the call past the method's return; `closure(&reply, call)` or lyc_call_fail later, on this
 * thread, ends it. The request is kept, too, until then: also when what the call waited for, like
 * an lyc_append, fails at once or later. */
LYC_API void lyc_call_defer(struct lyc_call *call);
/* The request, and the reply once, where a deferred call is answered far from its method: what the
 * method's arguments and `closure` are. The request is borrowed until the call has ended. */
LYC_API const ProtobufCMessage *lyc_call_request(const struct lyc_call *call);
LYC_API void lyc_call_reply(struct lyc_call *call, const ProtobufCMessage *reply);
/* Defer the call, and run fn when the view has had everything up to local sequence seq, at once
 * where it has: what the reply then says is true of the log. fn runs once, always: when the
 * caller's time is over or the plugin stops, what the view still lacks is not waited for. */
LYC_API void lyc_call_when_seen(struct lyc_call *call, uint64_t seq, lyc_call_fn fn, void *arg);
/* Append one record in the course of a call, which is deferred: the whole of a method that writes.
 * on_done runs when the record is synced and the view has had it; the reply then names its
 * position. Where an expectation fails, the method itself runs anew as soon as the view has what
 * stood against it, so that it judges by what is there now. Any other refusal ends the call by
 * lyc_call_fail_append. Packs and borrows message. options may be NULL; the principal is the caller
 * unless another is named. */
typedef void (*lyc_appended_fn)(struct lyc_call *call);
LYC_API void lyc_call_append(struct lyc_call *call, const ProtobufCMessage *message,
			     const struct lyc_publish_options *options, lyc_appended_fn on_done);
/* The position that the reply names: what this call caused, a sequence in this daemon's log. Left
 * alone, it is how far the view has come. */
LYC_API void lyc_call_set_position(struct lyc_call *call, uint64_t seq);

/* ---- Anywhere on the plugin's thread: the context ---- */

/* The daemon's name and the plugin's own folder, which outlives restarts. Valid until stop. */
LYC_API const char *lyc_node_name(const struct lyc_plugin_context *context);
LYC_API const char *lyc_data_folder(const struct lyc_plugin_context *context);
/* The configuration, unpacked; NULL when the descriptor names no config_type. Borrowed until stop.
 */
LYC_API const ProtobufCMessage *lyc_config(const struct lyc_plugin_context *context,
					   const ProtobufCMessageDescriptor *descriptor);
/* The client underneath: subscribe, publish and call with <lyceum/client.h>. A waiting call inside
 * a method receives replies only. */
LYC_API struct lyc_client *lyc_context_client(struct lyc_plugin_context *context);
LYC_API void *lyc_context_state(const struct lyc_plugin_context *context);

/* Follow the log of this daemon into a view: on_record runs for each record (or withdrawal) of the
 * pattern from local sequence `from` on, in order, own and foreign records alike. Calls that carry
 * `after` wait until the view has come that far. A record has always a subject; a withdrawal has no
 * body. Once, from start; on the plugin's thread like everything else. */
typedef void (*lyc_record_fn)(void *state, const struct lyc_delivery *record);
LYC_API LYC_MUST_USE enum lyc_status lyc_follow(struct lyc_plugin_context *context,
						const char *pattern, uint64_t from,
						lyc_record_fn on_record, struct lyc_error *error);
/* A view without code: follow the records of one type into a table that has the last one of each
 * subject, unpacked. In place of lyc_follow. The table is the context's; what it hands out is valid
 * until the next record, so until the method returns or waits. */
struct lyc_table;
LYC_API LYC_MUST_USE enum lyc_status lyc_follow_into(struct lyc_plugin_context *context,
						     const ProtobufCMessageDescriptor *type,
						     struct lyc_table **ret_table,
						     struct lyc_error *error);
/* The record of which a message has the key fields, and its sequence, for an expectation; ret_seq
 * may be NULL. NULL and 0: there is none. */
LYC_API const void *lyc_table_find(const struct lyc_table *table, const ProtobufCMessage *with_keys,
				   uint64_t *ret_seq);
/* All of them, in the order of their last records. */
LYC_API size_t lyc_table_count(const struct lyc_table *table);
LYC_API const void *lyc_table_at(const struct lyc_table *table, size_t index);
/* Has the view had everything that the log held when the plugin was started, and is the schema
 * registered? From then on timers may append what the view says is due; before that they would
 * judge half a log. False without a lyc_follow, and again from when the instance has been asked to
 * stop: it finishes its calls, and what is due is the next one's business. */
LYC_API bool lyc_is_caught_up(const struct lyc_plugin_context *context);
/* Append one record; on_done runs once, after the sync or with the reason of the refusal, on this
 * thread. UNAVAILABLE: the session was lost, and nobody knows
 * whether the record was appended. Not LYC_OK: on_done does not run at all. Packs and borrows
 * message. In a type with a Label field a record that leaves the field unset is PRIVATE: it never
 * leaves this daemon, and nothing says so. */
LYC_API LYC_MUST_USE enum lyc_status lyc_append(struct lyc_plugin_context *context,
						const ProtobufCMessage *message,
						const struct lyc_publish_options *options,
						lyc_ack_fn on_done, void *arg);
/* Withdraw a record: a message of its type with the key fields set says which; the others do not
 * matter. INVALID_ARGUMENT, with a sentence in the log, when a key is missing. Otherwise as
 * lyc_append. */
LYC_API LYC_MUST_USE enum lyc_status lyc_withdraw(struct lyc_plugin_context *context,
						  const ProtobufCMessage *with_keys,
						  const struct lyc_publish_options *options,
						  lyc_ack_fn on_done, void *arg);
/* The time of day (milliseconds since 1970, UTC; may jump), and a clock that never goes back. A
 * plugin that asks no other has its time set by its tests. */
LYC_API int64_t lyc_wall_ms(void);
LYC_API uint64_t lyc_mono_ms(void);
/* Run fn after delay_ms, then every period_ms (0: once). */
typedef void (*lyc_timer_fn)(void *state, void *arg);
LYC_API LYC_MUST_USE enum lyc_status lyc_timer(struct lyc_plugin_context *context,
					       uint32_t delay_ms, uint32_t period_ms,
					       lyc_timer_fn fn, void *arg);
/* Run fn on the plugin's thread whenever the descriptor is readable or writable, as `events` asks,
 * for as long as it is so (level-triggered); a hang-up or error counts as whatever was asked for. A
 * second call for the same fd replaces events, fn and arg; events 0 ends it, before the descriptor
 * is closed. Not while a method waits in a call. INVALID_ARGUMENT for what cannot be watched, like
 * a file. An epoll descriptor can. */
enum { LYC_READABLE = 1, LYC_WRITABLE = 2 };
typedef void (*lyc_watch_fn)(void *state, int fd, int events, void *arg);
LYC_API LYC_MUST_USE enum lyc_status lyc_watch(struct lyc_plugin_context *context, int fd,
					       int events, lyc_watch_fn fn, void *arg);
/* A counter (its name ends in `_total`) or gauge of the plugin's own, shown by
 * lyceum.v1.Node/Metrics as lyceum_<plugin>_<name>, summed over the plugin's instances; the last
 * value counts. name is [a-z][a-z0-9_]*; at most 64 of them, unit and help as said first. Never
 * anything personal. Cheap: values are kept here and told once in a second. */
LYC_API LYC_MUST_USE enum lyc_status lyc_metric(struct lyc_plugin_context *context,
						const char *name, const char *unit,
						const char *help, double value);
/* To the daemon's log. level 1 error, 2 warning, 3 notice, 4 info, 5 debug; never anything
 * personal. */
LYC_API void lyc_log(struct lyc_plugin_context *context, int level, const char *format, ...)
	LYC_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif

#endif
