/* Runs a fuzz target over the files of its corpus, as part of every test run: what once broke stays
 * mended. `-Dfuzz=true` links libFuzzer instead of this. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return 1;
	}
	size_t cap = (size_t)1 << 20;
	uint8_t *data = malloc(cap);
	size_t len = data ? fread(data, 1, cap, file) : 0;
	fclose(file);
	if (!data)
		return 1;
	/* Exactly as long as the input, so that a read behind it is seen. */
	uint8_t *fitted = realloc(data, len ? len : 1);
	LLVMFuzzerTestOneInput(fitted ? fitted : data, len);
	free(fitted ? fitted : data);
	return 0;
}

int main(int argc, char **argv)
{
	int replayed = 0;
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	if (!folder) {
		fprintf(stderr, "usage: replay CORPUS-FOLDER\n");
		return 2;
	}
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		char path[4096];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		if (replay(path))
			return 1;
		replayed++;
	}
	closedir(folder);
	printf("%d inputs\n", replayed);
	return replayed > 0 ? 0 : 1;
}
