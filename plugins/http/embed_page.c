/*
 * Makes the files of a folder a C array, each as it is and gzipped, with an ETag: run by the build.
 * embed-page FOLDER OUT.c DEPFILE. The depfile names the folder, too: a file that is added or
 * removed makes the array anew.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define MAX_FILES 500

static char *names[MAX_FILES];
static size_t count;
static FILE *deps;

static void die(const char *what, const char *name)
{
	fprintf(stderr, "embed-page: %s %s\n", what, name);
	exit(1);
}

static char *join(const char *folder, const char *name)
{
	size_t len = strlen(folder) + strlen(name) + 2;
	char *path = malloc(len);
	if (!path)
		die("no memory for", name);
	snprintf(path, len, "%s%s%s", folder, folder[0] ? "/" : "", name);
	return path;
}

static void list(const char *root, const char *below)
{
	char *path = join(root, below);
	DIR *folder = opendir(path);
	struct dirent *entry;
	if (!folder)
		die("cannot read", path);
	fprintf(deps, " %s", path);
	while ((entry = readdir(folder))) {
		struct stat is;
		if (entry->d_name[0] == '.' || strstr(entry->d_name, ".md"))
			continue;
		char *name = join(below, entry->d_name);
		char *whole = join(root, name);
		if (stat(whole, &is) != 0)
			die("cannot read", whole);
		if (S_ISDIR(is.st_mode))
			list(root, name);
		else if (count == MAX_FILES)
			die("too many files in", root);
		else
			names[count++] = name;
		free(whole);
	}
	closedir(folder);
	free(path);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static unsigned char *read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	struct stat is;
	if (!file || fstat(fileno(file), &is) != 0)
		die("cannot read", path);
	unsigned char *bytes = malloc((size_t)is.st_size + 1);
	if (!bytes || fread(bytes, 1, (size_t)is.st_size, file) != (size_t)is.st_size)
		die("cannot read", path);
	fclose(file);
	*ret_len = (size_t)is.st_size;
	return bytes;
}

static unsigned char *gzip(const unsigned char *bytes, size_t len, size_t *ret_len)
{
	z_stream stream = {0};
	if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		die("zlib fails", "");
	uLong most = deflateBound(&stream, (uLong)len);
	unsigned char *to = malloc(most);
	stream.next_in = (unsigned char *)bytes;
	stream.avail_in = (uInt)len;
	stream.next_out = to;
	stream.avail_out = (uInt)most;
	if (!to || deflate(&stream, Z_FINISH) != Z_STREAM_END)
		die("zlib fails", "");
	*ret_len = stream.total_out;
	deflateEnd(&stream);
	return to;
}

static void write_bytes(FILE *out, const char *kind, size_t index, const unsigned char *bytes,
			size_t len)
{
	fprintf(out, "static const unsigned char %s_%zu[] = {", kind, index);
	for (size_t i = 0; i < len; i++)
		fprintf(out, "%s%u,", i % 32 ? "" : "\n", bytes[i]);
	fprintf(out, "0};\n");
}

int main(int argc, char **argv)
{
	if (argc != 4)
		die("usage: embed-page FOLDER OUT.c", "DEPFILE");
	FILE *out = fopen(argv[2], "w");
	deps = fopen(argv[3], "w");
	if (!out || !deps)
		die("cannot write", argv[2]);
	fprintf(deps, "%s:", argv[2]);
	list(argv[1], "");
	qsort(names, count, sizeof(names[0]), by_name);
	fprintf(out, "#include \"page_files.h\"\n");
	static struct {
		size_t len;
		size_t gzip_len;
		unsigned long sum;
	} sizes[MAX_FILES];
	for (size_t i = 0; i < count; i++) {
		char *path = join(argv[1], names[i]);
		fprintf(deps, " %s", path);
		unsigned char *bytes = read_file(path, &sizes[i].len);
		unsigned char *small = gzip(bytes, sizes[i].len, &sizes[i].gzip_len);
		sizes[i].sum = crc32(0, bytes, (uInt)sizes[i].len) ^
			       (unsigned long)adler32(1, bytes, (uInt)sizes[i].len) << 32;
		write_bytes(out, "plain", i, bytes, sizes[i].len);
		write_bytes(out, "gzipped", i, small, sizes[i].gzip_len);
		free(bytes);
		free(small);
		free(path);
	}
	fprintf(out, "const struct page_file page_files[] = {\n");
	for (size_t i = 0; i < count; i++)
		fprintf(out, "{\"/%s\", \"\\\"%lx\\\"\", plain_%zu, %zu, gzipped_%zu, %zu},\n",
			names[i], sizes[i].sum, i, sizes[i].len, i, sizes[i].gzip_len);
	fprintf(out, "{0}};\nconst size_t page_file_count = %zu;\n", count);
	fprintf(deps, "\n");
	return fclose(out) == 0 && fclose(deps) == 0 ? 0 : 1;
}
