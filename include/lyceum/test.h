/*
 * A plugin's own tests: real daemons in memory, without sockets, files or waiting, and a clock that
 * moves only when it is told to. The plugin runs as it does in a process: on a thread of its own,
 * which goes on only while a function of this header lets it, so that a test ends the same way each
 * time. Needs no test framework and works with any: link with `pkg-config --libs lyceum-test`, in
 * place of lyceum.
 *
 *	struct lyc_test *test = lyc_test_new(&lyc_plugin, NULL, NULL);
 *	Lyceum__Echo__V1__SayRequest say = LYCEUM__ECHO__V1__SAY_REQUEST__INIT;
 *	say.text = "hello";
 *	const Lyceum__Echo__V1__SayReply *reply =
 *		lyc_test_call(test, "ann@wales", "lyceum.echo.v1.Echo/Say", &say.base, NULL);
 *	assert(strcmp(reply->text, "hello") == 0);
 *	lyc_test_free(test);
 *
 * An `error` that is NULL means that this has to succeed: what goes wrong is then printed, with
 * what the plugin has logged, and the program ends by abort(). Where it is not NULL, its status is
 * LYC_OK after success. What is returned belongs to the test and is valid until lyc_test_free;
 * what is passed in is borrowed. All functions are for one thread, and never called by the plugin.
 */
#ifndef LYCEUM_TEST_H
#define LYCEUM_TEST_H

#include <lyceum/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lyc_test;
struct lyc_test_call;

/* The plugin that is linked in: what LYC_PLUGIN defines. */
LYC_API extern const struct lyc_plugin lyc_plugin;

struct lyc_test_options {
	/* The regions, ended by NULL, at most 8; the first is where the plugin runs. NULL: one,
	 * "wales", without a hub. Several are nodes of a hub that is called "hub". */
	const char *const *regions;
	/* The plugin runs in every region, not in the first alone. */
	bool runs_everywhere;
	/* The plugin's configuration, in YAML; NULL: none. */
	const char *config;
	/* What is drawn by lot comes out differently with another. */
	uint64_t seed;
};

/* Daemons, and the plugin running in them. options may be NULL. The descriptor has to last. NULL:
 * error says why it does not run, in the words of `lyceum plugins`. */
LYC_API struct lyc_test *lyc_test_new(const struct lyc_plugin *plugin,
				      const struct lyc_test_options *options,
				      struct lyc_error *error);
/* Stops everything. Accepts NULL. */
LYC_API void lyc_test_free(struct lyc_test *test);
/* The descriptor of a .so, for lyc_test_new. path has a folder in it. NULL: error says why. */
LYC_API const struct lyc_plugin *lyc_test_load(const char *path, struct lyc_error *error);

/* ---- Calls ---- */

/* Call "package.Service/Method" and wait for the reply; its time passes at once. `as` is for whom,
 * and so where: "ann@wales" is a person at the daemon of wales, "wales" its operator; NULL: the
 * operator of the first region. The reply is of the method's type; NULL: error has the status, the
 * sentence and the field. */
LYC_API const void *lyc_test_call(struct lyc_test *test, const char *as, const char *method,
				  const ProtobufCMessage *request, struct lyc_error *error);
/* The same with JSON both ways: names in lowerCamelCase, what is unset left out. */
LYC_API const char *lyc_test_call_json(struct lyc_test *test, const char *as, const char *method,
				       const char *json, struct lyc_error *error);
/* Begin a call that takes time, or streams; it has reached the plugin on return. */
LYC_API struct lyc_test_call *lyc_test_begin(struct lyc_test *test, const char *as,
					     const char *method, const ProtobufCMessage *request);
/* Its next reply, waiting. NULL with LYC_OK: the stream has ended. NULL otherwise: as
 * lyc_test_call.
 */
LYC_API const void *lyc_test_next(struct lyc_test_call *call, struct lyc_error *error);
/* The caller waits no longer. The last reply still comes, with LYC_CANCELLED. */
LYC_API void lyc_test_cancel(struct lyc_test_call *call);
/* From now on this person ("ann@wales") is in these groups of the region; ended by NULL, at most 8.
 */
LYC_API void lyc_test_set_groups(struct lyc_test *test, const char *person,
				 const char *const *groups);

/* ---- Records ---- */

/* Append a record in the log of a region, its home, as others do it; it then travels as far as its
 * label says. The sequence there; 0: error says why not. */
LYC_API uint64_t lyc_test_append(struct lyc_test *test, const char *region,
				 const ProtobufCMessage *record, struct lyc_error *error);
/* Withdraw one: the key fields of the message say which. */
LYC_API uint64_t lyc_test_withdraw(struct lyc_test *test, const char *region,
				   const ProtobufCMessage *with_keys, struct lyc_error *error);
/* The last record in a region's log (its own, or one that has travelled there) with these key
 * tokens, "wales.ann"; NULL: none, or it was withdrawn. */
LYC_API const void *lyc_test_record(struct lyc_test *test, const char *region,
				    const ProtobufCMessageDescriptor *type, const char *keys);
/* How many keys of that type have a record there. */
LYC_API size_t lyc_test_record_count(const struct lyc_test *test, const char *region,
				     const ProtobufCMessageDescriptor *type);

/* ---- Time, and what goes wrong ---- */

/* Let time pass: timers fire when they are due, calls reach their deadlines. */
LYC_API void lyc_test_pass_ms(struct lyc_test *test, uint64_t ms);
/* The time of day, as lyc_wall_ms has it: 14 November 2023, 22:30 UTC to begin with. */
LYC_API int64_t lyc_test_wall_ms(const struct lyc_test *test);
LYC_API void lyc_test_set_wall_ms(struct lyc_test *test, int64_t wall_ms);
/* The daemon of a region ends without a word, its plugin with it, and both begin again: the view is
 * built anew from the log. */
LYC_API void lyc_test_restart(struct lyc_test *test, const char *region);
/* Cut the link between a region and the hub, or mend it. */
LYC_API void lyc_test_cut(struct lyc_test *test, const char *region, bool is_cut);
/* Let the disk of a region answer nothing, so that what is appended waits; or answer again. */
LYC_API void lyc_test_hold(struct lyc_test *test, const char *region, bool is_held);
/* What the plugin has logged so far, "1 text" a line, the level first. */
LYC_API const char *lyc_test_lines(const struct lyc_test *test);

/* ---- What every plugin should stand ---- */

/* That the descriptor is sound; every method has a comment; it starts, stops and starts
 * again; each method outlives a request with a field that it does not know; and, where an older
 * schema is given (a FileDescriptorSet), nothing of it breaks. options as for lyc_test_new. What is
 * wrong is in error. */
LYC_API enum lyc_status lyc_test_check(const struct lyc_plugin *plugin,
				       const struct lyc_test_options *options,
				       const void *older_schema, size_t older_schema_len,
				       struct lyc_error *error);

#ifdef __cplusplus
}
#endif

#endif
