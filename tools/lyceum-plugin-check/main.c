/*
 * lyceum-plugin-check: what every plugin should stand (lyc_test_check), for a plugin's file.
 * `lyceum plugin test` starts it, so that the plugin's code runs in a process of its own.
 */
#include <stdio.h>
#include <stdlib.h>

#include <lyceum/test.h>

#define MAX_SET (8u << 20)

static void *read_set(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rbe");
	char *bytes = malloc(MAX_SET);
	*ret_len = file && bytes ? fread(bytes, 1, MAX_SET, file) : 0;
	if (file)
		fclose(file);
	if (*ret_len > 0)
		return bytes;
	free(bytes);
	return NULL;
}

int main(int argc, char **argv)
{
	struct lyc_error error;
	size_t len = 0;
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: lyceum-plugin-check PLUGIN.so [OLDER.fds]\n");
		return 2;
	}
	void *older = argc > 2 ? read_set(argv[2], &len) : NULL;
	if (argc > 2 && !older) {
		fprintf(stderr, "lyceum-plugin-check: %s cannot be read\n", argv[2]);
		return 2;
	}
	const struct lyc_plugin *plugin = lyc_test_load(argv[1], &error);
	if (plugin)
		lyc_test_check(plugin, NULL, older, len, &error);
	free(older);
	if (error.status == LYC_OK)
		return 0;
	fprintf(stderr, "%s: %s%s%s\n", argv[1], error.field, error.field[0] ? ": " : "",
		error.text);
	return 1;
}
