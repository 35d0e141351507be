/*
 * What a plugin asks to reach beyond its own folder: the words of a descriptor's `reach` list and
 * of `reach` in the configuration. What is made of them is the business of who runs the plugin.
 */
#ifndef LYC_CLIENT_REACH_H
#define LYC_CLIENT_REACH_H

#include <stdbool.h>

#include <lyceum/status.h>

enum reach_kind {
	REACH_CONNECT,     /* "connect tcp" */
	REACH_LISTEN,      /* "listen tcp" */
	REACH_READ,        /* "read PATH" */
	REACH_WRITE,       /* "write PATH" */
	REACH_RUN,         /* "run PATH" */
	REACH_READ_CONFIG, /* "read config FIELD": the path that a field of its configuration holds
			    */
};

struct reach {
	enum reach_kind kind;
	/* The path or field, within the text; NULL for tcp. */
	const char *what;
};

#define REACH_MAX_COUNT 64
/* What the words are, for sentences. */
#define REACH_WORDS                                                                                \
	"\"connect tcp\", \"listen tcp\", \"read PATH\", \"write PATH\", \"run PATH\" or \"read "  \
	"config FIELD\""

/* False for what is none of the words above; a PATH begins with a slash. */
bool reach_parse(const char *text, struct reach *ret_reach);

#endif
