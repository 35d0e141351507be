/*
 * The shared object of a plugin, opened, and every reason why it cannot be in a sentence of its
 * own. A file that took the place of one that is loaded already is opened as what it is now.
 */
#ifndef LYC_CLIENT_PLUGIN_FILE_H
#define LYC_CLIENT_PLUGIN_FILE_H

#include <lyceum/status.h>

/* ret_handle is for dlsym, and never closed. Runs the constructors of the file. */
LYC_MUST_USE enum lyc_status plugin_file_open(const char *path, void **ret_handle,
					      struct lyc_error *error);

#endif
