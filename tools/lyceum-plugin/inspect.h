/* What a plugin's file says of itself, for people and scripts. */
#ifndef LYC_LYCEUM_PLUGIN_INSPECT_H
#define LYC_LYCEUM_PLUGIN_INSPECT_H

/* Print one JSON object, a lyceum.v1.PluginDescription; its schema is that of the methods in it.
 * Returns the exit code. */
int inspect(const char *path);

#endif
