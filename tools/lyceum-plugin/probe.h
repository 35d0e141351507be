/*
 * Looks at a plugin's file without trusting it: a child process that reaches nothing loads it and
 * tells what its descriptor says. So a file can be shown, and its confinement known, before any of
 * its code runs where it could do something.
 */
#ifndef LYC_LYCEUM_PLUGIN_PROBE_H
#define LYC_LYCEUM_PLUGIN_PROBE_H

#include <lyceum/status.h>

#include "lyceum/v1/node.pb-c.h"

/* `name` NULL: whatever it is called. What a plugin refuses by itself (it is none, its schema does
 * not compile) is `refusal` of the answer. UNAVAILABLE when loading it crashed or took too long.
 * ret_description is freed with lyceum__v1__plugin_description__free_unpacked(x, NULL). Before any
 * thread is started. */
LYC_MUST_USE enum lyc_status probe(const char *path, const char *name,
				   Lyceum__V1__PluginDescription **ret_description,
				   struct lyc_error *error);

#endif
