/* Runs a plugin's verb: request from the words, one call, the reply on the screen; and its help. */
#include "verb.h"

#include <stdio.h>
#include <string.h>

#include "command.h"
#include "flags.h"
#include "import/import.h"
#include "noun.h"
#include "outcome.h"
#include "render.h"
#include "suggest.h"
#include "usage.h"

/* ---- Which noun, which verb ---- */

static void offer_verb(const struct schema_service *service, const struct schema_method *method,
		       void *arg)
{
	(void)service;
	suggest_offer(arg, method->command.verb);
}

static void offer_noun(const struct schema_service *service, const struct schema_method *method,
		       void *arg)
{
	const char *noun = noun_of(service, method);
	suggest_offer(arg, *noun ? noun : method->command.verb);
}

static void count_verb(const struct schema_service *service, const struct schema_method *method,
		       void *arg)
{
	(void)service;
	(void)method;
	++*(size_t *)arg;
}

static void list_verb(const struct schema_service *service, const struct schema_method *method,
		      void *arg)
{
	struct buf line = {0};
	struct buf summary = {0};
	(void)service;
	usage_write_line(method, &line);
	noun_write_summary(method->comment, &summary);
	usage_write_entry(buf_text(&line), summary.len ? buf_text(&summary) : "", 30, arg);
	buf_fini(&line);
	buf_fini(&summary);
}

static int print_noun(const struct session *session, const char *noun)
{
	struct buf text = {0};
	buf_add_format(&text, "Usage: lyceum %s VERB ...\n\n", noun);
	noun_each(session, noun, list_verb, &text);
	buf_add_format(&text, "\nlyceum %s VERB --help shows its flags.\n", noun);
	fputs(buf_text(&text), stdout);
	buf_fini(&text);
	return OUTCOME_OK;
}

/* verb NULL: it is the noun that nobody knows. */
static int say_unknown(const struct session *session, const char *noun, const char *verb)
{
	struct suggest suggest;
	struct buf text = {0};
	suggest_start(&suggest, verb ? verb : noun);
	if (!verb)
		command_offer(&suggest);
	noun_each(session, verb ? noun : NULL, verb ? offer_verb : offer_noun, &suggest);
	suggest_write(&suggest, "", &text);
	const char *near = text.len ? buf_text(&text) : "";
	if (verb)
		outcome_say(OUTCOME_USAGE, "%s has no verb %s%s%s%s", noun, verb, near,
			    *near ? "" : ": its verbs are listed by lyceum ", *near ? "" : noun);
	else
		outcome_say(OUTCOME_USAGE, "there is no command %s%s", noun,
			    *near ? near : ": lyceum --help lists them");
	buf_fini(&text);
	return OUTCOME_USAGE;
}

/* ---- One verb ---- */

static int print_verb(const char *noun, const struct schema_method *method)
{
	struct buf text = {0};
	usage_write(noun, method, &text);
	fputs(buf_text(&text), stdout);
	buf_fini(&text);
	return OUTCOME_OK;
}

/* Take out the options that every command has, unless the request has a flag of that name. Returns
 * COMMAND_GO_ON or an exit code. */
static int take_globals(struct session *session, const char *noun,
			const struct schema_method *method, int *argc, char **argv)
{
	int count = 0;
	bool is_option_allowed = true;
	for (int i = 0; i < *argc; i++) {
		const char *word = argv[i];
		int taken = 0;
		if (strcmp(word, "--") == 0)
			is_option_allowed = false;
		if (is_option_allowed && !*method->command.import_items &&
		    (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
			return print_verb(noun, method);
		}
		if (is_option_allowed && strncmp(word, "--", 2) == 0 &&
		    !flags_find(method->input, word + 2, strcspn(word + 2, "=")))
			taken = command_take_global(session, *argc, argv, &i);
		if (taken < 0)
			return OUTCOME_USAGE;
		if (taken == 0)
			argv[count++] = argv[i];
	}
	*argc = count;
	return COMMAND_GO_ON;
}

struct stream {
	const struct session *session;
	const struct schema_method *method;
	enum lyc_status status;
	struct lyc_error *error;
};

static void on_stream_reply(const struct lyc_reply *reply, void *arg)
{
	struct stream *stream = arg;
	struct session_reply one = {0};
	buf_add(&one.body, reply->body, reply->body_len);
	if (stream->status == LYC_OK)
		stream->status = render_reply(stream->session, stream->method, &one, stream->error);
	fflush(stdout);
	buf_fini(&one.body);
}

static enum lyc_status call_verb(struct session *session, const struct schema_method *method,
				 struct span body, struct lyc_error *error)
{
	if (method->is_server_streaming) {
		struct stream stream = {.session = session, .method = method, .error = error};
		enum lyc_status status = session_stream(session, method->full_name, body,
							on_stream_reply, &stream, error);
		return status == LYC_OK ? stream.status : status;
	}
	struct session_reply reply = {0};
	enum lyc_status status = session_call(session, method->full_name, body, &reply, error);
	if (status == LYC_OK)
		status = render_reply(session, method, &reply, error);
	session_reply_fini(&reply);
	return status;
}

static int run_method(struct session *session, const char *noun, const struct schema_method *method,
		      int argc, char **argv)
{
	struct lyc_error error = {0};
	struct buf body = {0};
	int code = take_globals(session, noun, method, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	if (*method->command.import_items)
		return import_run(session, method, argc, argv);
	enum lyc_status status =
		flags_read(method->input, argc, argv, command_global_names(), &body, &error);
	if (status != LYC_OK) {
		code = outcome_fault(OUTCOME_USAGE, &error);
		goto out;
	}
	status = call_verb(session, method, span_of(body.data, body.len), &error);
	code = status == LYC_OK ? OUTCOME_OK : session_fail(session, &error);
out:
	buf_fini(&body);
	return code;
}

int verb_run(struct session *session, int argc, char **argv)
{
	struct lyc_error error = {0};
	const char *noun = argv[0];
	size_t verb_count = 0;
	/* What says which daemon may stand behind the verb. */
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strncmp(argv[i], "--config=", 9) == 0)
			session->options.config = argv[i] + 9;
		else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
			session->options.config = argv[i + 1];
	}
	if (session_load(session, &error) != LYC_OK) {
		struct suggest suggest;
		suggest_start(&suggest, noun);
		command_offer(&suggest);
		if (suggest.count > 0)
			return say_unknown(session, noun, NULL);
		return session_fail(session, &error);
	}
	const struct schema_method *method = noun_find(session, "", noun);
	if (method)
		return run_method(session, "", method, argc - 1, argv + 1);
	noun_each(session, noun, count_verb, &verb_count);
	if (verb_count == 0)
		return say_unknown(session, noun, NULL);
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return print_noun(session, noun);
	method = noun_find(session, noun, argv[1]);
	if (!method)
		return say_unknown(session, noun, argv[1]);
	return run_method(session, noun, method, argc - 2, argv + 2);
}

/* ---- For lyceum --help ---- */

struct listing {
	const char *noun;
	struct buf verbs;
};

static void add_verb(const struct schema_service *service, const struct schema_method *method,
		     void *arg)
{
	struct listing *listing = arg;
	(void)service;
	buf_add_format(&listing->verbs, "%s%s", listing->verbs.len ? ", " : "",
		       method->command.verb);
}

static void find_later(const struct schema_service *service, const struct schema_method *method,
		       void *arg)
{
	struct listing *listing = arg;
	const char *noun = noun_of(service, method);
	/* The nouns in alphabetical order, each once: the smallest above the last one. */
	if (strcmp(noun, listing->noun) <= 0)
		return;
	const char *best = listing->verbs.len ? buf_text(&listing->verbs) : NULL;
	if (best && strcmp(noun, best) >= 0)
		return;
	buf_clear(&listing->verbs);
	buf_add_text(&listing->verbs, noun);
}

static bool is_of_daemon(const struct schema_service *service)
{
	return strncmp(service->full_name, "lyceum.v1.", 10) == 0;
}

static void list_own(const struct schema_service *service, const struct schema_method *method,
		     void *arg)
{
	struct buf summary = {0};
	noun_write_summary(method->comment, &summary);
	if (is_of_daemon(service))
		usage_write_entry(method->command.verb, summary.len ? buf_text(&summary) : "", 11,
				  arg);
	buf_fini(&summary);
}

static void list_plugins(const struct schema_service *service, const struct schema_method *method,
			 void *arg)
{
	if (!is_of_daemon(service))
		list_verb(service, method, arg);
}

void verb_write_own(const struct session *session, struct buf *to)
{
	noun_each(session, "", list_own, to);
}

void verb_write_nouns(const struct session *session, struct buf *to)
{
	struct buf noun = {0};
	struct listing listing = {.noun = ""};
	noun_each(session, "", list_plugins, to);
	for (;;) {
		buf_clear(&listing.verbs);
		noun_each(session, NULL, find_later, &listing);
		if (listing.verbs.len == 0)
			break;
		buf_clear(&noun);
		buf_add(&noun, listing.verbs.data, listing.verbs.len);
		listing.noun = buf_text(&noun);
		buf_clear(&listing.verbs);
		noun_each(session, listing.noun, add_verb, &listing);
		buf_add_format(to, "  %-11s %s\n", listing.noun, buf_text(&listing.verbs));
	}
	buf_fini(&listing.verbs);
	buf_fini(&noun);
}
