/* Makes files C strings: run by the build. embed-template OUT.c FOLDER FILE ... */
#include <stdio.h>

static int write_file(FILE *out, const char *folder, const char *name)
{
	char path[4096];
	int byte;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *in = fopen(path, "rb");
	if (!in) {
		fprintf(stderr, "embed-template: cannot read %s\n", path);
		return 1;
	}
	fprintf(out, "\t{\"%s\", (const char[]){", name);
	for (int at = 0; (byte = fgetc(in)) != EOF; at++)
		fprintf(out, "%s%d,", at % 32 ? "" : "\n", byte);
	fprintf(out, "0}},\n");
	fclose(in);
	return 0;
}

int main(int argc, char **argv)
{
	int code = argc < 4;
	FILE *out = code ? NULL : fopen(argv[1], "w");
	if (!out) {
		fprintf(stderr, "usage: embed-template OUT.c FOLDER FILE ...\n");
		return 2;
	}
	fprintf(out, "#include \"plugin/template.h\"\n\nconst struct template_file "
		     "template_files[] = {\n");
	for (int i = 3; i < argc && !code; i++)
		code = write_file(out, argv[2], argv[i]);
	fprintf(out, "\t{0, 0},\n};\n");
	return fclose(out) != 0 || code;
}
