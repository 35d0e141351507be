/* The build's own embedder: lyceum-embed FILE --name NAME --out PREFIX. */
#include <stdio.h>
#include <string.h>

#include "schema/embed.h"

int main(int argc, char **argv)
{
	struct lyc_error error = {0};
	if (argc != 6 || strcmp(argv[2], "--name") != 0 || strcmp(argv[4], "--out") != 0) {
		fprintf(stderr, "usage: lyceum-embed FILE --name NAME --out PREFIX\n");
		return 2;
	}
	if (embed_file(argv[1], argv[3], argv[5], &error) != LYC_OK) {
		fprintf(stderr, "lyceum-embed: %s\n", error.text);
		return 1;
	}
	return 0;
}
