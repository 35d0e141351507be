/*
 * Messages without generated code: types by name, as the daemon holds them; JSON to a body and
 * back; calls by a method's name with JSON both ways. What a gateway, a script's binding, or a
 * plugin that needs another one's method works with. JSON is protobuf's canonical one: names in
 * lowerCamelCase (read in both spellings), 64-bit numbers as strings, what is unset left out.
 *
 * One lyc_types belongs to one client and its thread. Strings that it hands out are valid until
 * lyc_types_generation changes.
 */
#ifndef LYCEUM_MSG_H
#define LYCEUM_MSG_H

#include <lyceum/client.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lyc_types;

/* An empty one. A type or method that is asked for by name and not known yet is fetched from the
 * client's daemon (lyceum.v1.Node/Schema), waiting, and kept. Borrows the client, which must
 * outlive it. */
LYC_API LYC_MUST_USE enum lyc_status lyc_types_new(struct lyc_client *client,
						   struct lyc_types **ret_types);
/* Accepts NULL. Calls that are on their way go on. */
LYC_API void lyc_types_free(struct lyc_types *types);

/* Fetch anew everything that the daemon holds, and who serves what, waiting. */
LYC_API LYC_MUST_USE enum lyc_status lyc_types_load(struct lyc_types *types,
						    struct lyc_error *error);
/* The same without waiting: on_done (may be NULL) runs once, unless the types are freed before. One
 * at a time: FAILED_PRECONDITION while another is under way. */
typedef void (*lyc_types_fn)(enum lyc_status status, const char *text, void *arg);
LYC_API LYC_MUST_USE enum lyc_status lyc_types_load_start(struct lyc_types *types,
							  lyc_types_fn on_done, void *arg);
/* Counts the changes: nothing that was learnt before is valid when it is another. */
LYC_API uint64_t lyc_types_generation(const struct lyc_types *types);

/* ---- What can be called, as far as it has been loaded ---- */

/* A method with its options (lyceum/v1/options.proto). Texts are "" where nothing is said. */
struct lyc_method {
	/* "Find", and "lyceum.experts.v1.ExpertSearch/Find". */
	const char *name;
	const char *full_name;
	/* Its comment. */
	const char *help;
	/* Full names of the request's and the replies' types. */
	const char *input;
	const char *output;
	/* Of the command line; "": none. */
	const char *verb;
	/* It appends records: it changes something. */
	bool appends;
	/* More than one reply. */
	bool streams;
	/* (lyceum.v1.web): under which paths a gateway serves it, too, "/calendar/{token}.ics"; the
	 * field of the reply that is the answer, and its type; whether nobody has to be signed in.
	 */
	const char *web_get;
	const char *web_post;
	const char *web_body;
	const char *web_content_type;
	bool web_open;
};

struct lyc_service {
	const char *name;
	/* The command line's noun. */
	const char *noun;
	const char *help;
	/* The daemon itself serves it: lyceum.v1. */
	bool is_core;
	/* This daemon or a plugin of it serves it. What the schema of another says, as of the web,
	 * is that node's word. */
	bool served_here;
	const struct lyc_method *methods;
	size_t method_count;
};

/* The services that somebody serves, in order of name. */
LYC_API size_t lyc_service_count(const struct lyc_types *types);
LYC_API const struct lyc_service *lyc_service_at(const struct lyc_types *types, size_t index);
/* "package.Service/Method" among them; NULL. Fetches nothing. */
LYC_API const struct lyc_method *lyc_method_find(const struct lyc_types *types,
						 const char *full_name);

/* The JSON Schemas (draft 2020-12, as OpenAPI 3.1 takes them) of these types and of all that they
 * use, as the members of one object, each under its type's name. A reference is ref_prefix and the
 * name. Comments are the descriptions, the field rules are in it. Caller frees ret_json. */
LYC_API LYC_MUST_USE enum lyc_status
lyc_types_json_schema(struct lyc_types *types, const char *const *names, size_t name_count,
		      const char *ref_prefix, char **ret_json, struct lyc_error *error);

/* ---- JSON and bodies ---- */

/* INVALID_ARGUMENT with the field's path, and the line of broken JSON; NOT_FOUND for a type that
 * the daemon does not know. Empty json is an empty message. Caller frees. */
LYC_API LYC_MUST_USE enum lyc_status lyc_json_to_body(struct lyc_types *types, const char *type,
						      const char *json, size_t json_len,
						      uint8_t **ret_body, size_t *ret_body_len,
						      struct lyc_error *error);
LYC_API LYC_MUST_USE enum lyc_status lyc_body_to_json(struct lyc_types *types, const char *type,
						      const void *body, size_t body_len,
						      char **ret_json, struct lyc_error *error);

/* A field by its name (either spelling; "period.start" within a message) and its value as text:
 * from a query or a form. */
struct lyc_pair {
	const char *name;
	const char *value;
};
/* A JSON text of this type from pairs: numbers, truths ("true", "1", "on") and enums are told by
 * the type, a repeated field takes each of its pairs. INVALID_ARGUMENT names the field. Caller
 * frees. */
LYC_API LYC_MUST_USE enum lyc_status lyc_pairs_to_json(struct lyc_types *types, const char *type,
						       const struct lyc_pair *pairs,
						       size_t pair_count, char **ret_json,
						       struct lyc_error *error);
/* The value of a string or bytes field of the message itself, unescaped; empty when it is unset.
 * Borrows the body. INVALID_ARGUMENT when the type has no such field. */
LYC_API LYC_MUST_USE enum lyc_status lyc_body_text(struct lyc_types *types, const char *type,
						   const void *body, size_t body_len,
						   const char *field, const uint8_t **ret_text,
						   size_t *ret_text_len, struct lyc_error *error);

/* ---- Calls ---- */

/* Call "package.Service/Method" with a request in JSON (NULL: an empty one) and wait for the reply.
 * As lyc_client_call otherwise. Caller frees ret_json. */
LYC_API LYC_MUST_USE enum lyc_status lyc_json_call(struct lyc_types *types, const char *method,
						   const char *json,
						   const struct lyc_call_options *options,
						   char **ret_json, struct lyc_error *error);
/* reply as with lyc_client_call_start; json is its body, NULL where there is none: after a failure,
 * and for the empty last reply of a stream. */
typedef void (*lyc_json_reply_fn)(const struct lyc_reply *reply, const char *json, void *arg);
/* The same without waiting for the reply; a method that is not known yet is fetched first, waiting.
 * on_reply runs once per reply, the last with more == false, always; not at all after a failure.
 * ret_id, which may be NULL, is for lyc_client_cancel. */
LYC_API LYC_MUST_USE enum lyc_status
lyc_json_call_start(struct lyc_types *types, const char *method, const char *json, size_t json_len,
		    const struct lyc_call_options *options, lyc_json_reply_fn on_reply, void *arg,
		    uint64_t *ret_id, struct lyc_error *error);

#ifdef __cplusplus
}
#endif

#endif
