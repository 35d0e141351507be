/*
 * Which of the schemas held here says what a service is: any node of the network may tell one with
 * a service of the same name. Reads what is registered and known; changes nothing.
 */
#ifndef LYC_NODE_SERVICE_SCHEMA_H
#define LYC_NODE_SERVICE_SCHEMA_H

#include "node/daemon.h"

/* Is it one of the daemon's own, of lyceum.v1? */
bool service_is_core(const char *service);
/* Does somebody serve it, here or elsewhere? */
bool service_is_served(const struct daemon *daemon, const char *name);
/* Is the schema held for its records only? */
bool service_is_aside(const struct types *types, const struct schema *schema);
/* The one schema that says what a service is here: the one with which the plugin that runs it here
 * registered; else the newest by which calls are judged, and what plugins of this daemon brought
 * stands before what others say. NULL when nobody defines it. */
const struct schema *service_schema(const struct daemon *daemon, const char *name);
/* Does it say what some service is that runs here? */
bool service_schema_is_here(const struct daemon *daemon, const struct schema *schema);
/* What defines a name: of a service and its methods the schema that says what they are here. NULL
 * when nothing does. */
const struct schema *service_defining(const struct daemon *daemon, const char *name);

#endif
