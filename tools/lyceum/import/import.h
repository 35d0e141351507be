/*
 * The import of a list into a method: rows of a file fill the repeated request field that the
 * method's option (lyceum.v1.command).import_items names, and the method is called in batches. All
 * that is known about the items comes from the schema. The way to the daemon is a callback, so that
 * the engine runs in a test without one.
 */
#ifndef LYC_IMPORT_IMPORT_H
#define LYC_IMPORT_IMPORT_H

#include <stdio.h>

#include <lyceum/status.h>

#include "base/buf.h"
#include "schema/schema.h"

struct session;

/* As enum outcome, which the engine does not need. */
#define IMPORT_EXIT_OK 0
/* Some rows were refused, or the import ended early for another reason than below. */
#define IMPORT_EXIT_REFUSED 1
#define IMPORT_EXIT_USAGE 2
#define IMPORT_EXIT_UNREACHABLE 3
#define IMPORT_EXIT_DEADLINE 5

/* Calls the method with a request and waits. ret_reply is an empty buffer of the engine. */
struct import_sink {
	enum lyc_status (*send)(void *arg, struct span request_body, struct buf *ret_reply,
				struct lyc_error *error);
	void *arg;
};

/* Run `lyceum <noun> <verb> ARGUMENTS`; argv[0] is the first word after the verb. Prints to stdout
 * and stderr; returns the exit code. */
int import_run(struct session *session, const struct schema_method *method, int argc, char **argv);

/* The same over any sink, printing to `out` and `err`. */
int import_run_to(const struct import_sink *sink, const struct schema_method *method, int argc,
		  char **argv, FILE *out, FILE *err);

#endif
