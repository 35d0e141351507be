/* Looks for a program where this one lies. */
#include "client/sibling.h"

#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* A build folder has broker/lyceumd, tools/lyceum/lyceum, tools/lyceum-plugin/lyceum-plugin. */
static const struct {
	const char *between;
	bool is_twice;
} places[] = {
	{"", false},
	{"../tools/", true},
	{"../", true},
	{"../../broker/", false},
};

void sibling_find(const char *name, char *ret_path, size_t size)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[len > 0 ? len : 0] = '\0';
	const char *folder = dirname(self);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(ret_path, size, "%s/%s%s%s%s", folder, places[i].between, name,
			 places[i].is_twice ? "/" : "", places[i].is_twice ? name : "");
		if (access(ret_path, X_OK) == 0)
			return;
	}
	snprintf(ret_path, size, "%s/%s", LYCEUM_BIN_FOLDER, name);
}
