/* `lyceum plugin new NAME`: a folder with a plugin that builds, passes its test and answers. */
#include "plugin_verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "outcome.h"
#include "plugin/template.h"

#define MAX_NAME 30

/* It becomes a file's name, a package, C names and a word of the command line. */
static enum lyc_status check_name(const char *name, struct lyc_error *error)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
	if (name[len] || len < 2 || len > MAX_NAME || (name[0] >= '0' && name[0] <= '9'))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "a plugin's name has 2 to %d small letters and digits, a letter "
				 "first: '%.60s' cannot be one",
				 MAX_NAME, name);
	for (const struct command *other = commands; other->name; other++) {
		if (strcmp(other->name, name) == 0)
			return error_set(error, LYC_INVALID_ARGUMENT,
					 "`lyceum %s` is a command already: choose another name",
					 name);
	}
	if (strcmp(name, "lyceum") == 0 || strcmp(name, "name") == 0)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "'%s' means something else: choose another name", name);
	return LYC_OK;
}

/* The word at *at in one of its three spellings; moves *at behind it. */
static bool take_word(const char **at, const char *name, struct buf *to)
{
	static const char *const words[] = {"@name@", "@Name@", "@NAME@"};
	for (int i = 0; i < 3; i++) {
		if (strncmp(*at, words[i], 6) != 0)
			continue;
		*at += 6;
		for (size_t k = 0; name[k]; k++) {
			bool is_upper = i == 2 || (i == 1 && k == 0);
			bool is_letter = name[k] >= 'a';
			buf_add_byte(to, (uint8_t)(is_upper && is_letter ? name[k] - 32 : name[k]));
		}
		return true;
	}
	return false;
}

static void fill(const char *text, const char *name, struct buf *to)
{
	while (*text) {
		if (!take_word(&text, name, to))
			buf_add_byte(to, (uint8_t)*text++);
	}
}

/* "NAME/test_NAME.c" of "records/test_name.c"; nothing for a file of the other kind. */
static bool path_of(const struct template_file *file, const char *kind, const char *name,
		    struct buf *to)
{
	const char *slash = strchr(file->path, '/');
	const char *base = slash ? slash + 1 : file->path;
	if (slash && strncmp(file->path, kind, strlen(kind)) != 0)
		return false;
	const char *at = strstr(base, "name.");
	size_t len = strlen(base);
	if (len > 3 && strcmp(base + len - 3, ".in") == 0)
		buf_add_format(to, "%s/%.*s", name, (int)(len - 3), base);
	else if (at)
		buf_add_format(to, "%s/%.*s%s%s", name, (int)(at - base), base, name, at + 4);
	else
		buf_add_format(to, "%s/%s", name, base);
	return true;
}

static enum lyc_status write_file(const char *path, const struct buf *text, struct lyc_error *error)
{
	FILE *file = fopen(path, "wxe");
	bool is_written = file && fwrite(text->data, 1, text->len, file) == text->len;
	if (file && fclose(file) != 0)
		is_written = false;
	return is_written ? LYC_OK
			  : error_set(error, LYC_UNAVAILABLE, "%s cannot be written: %s", path,
				      strerror(errno));
}

static enum lyc_status write_all(const char *name, const char *kind, struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	if (mkdir(name, 0777) != 0)
		return error_set(error, LYC_ALREADY_EXISTS, "the folder %s cannot be made: %s",
				 name, strerror(errno));
	for (const struct template_file *file = template_files; file->path && status == LYC_OK;
	     file++) {
		struct buf path = {0};
		struct buf text = {0};
		if (path_of(file, kind, name, &path)) {
			fill(file->text, name, &text);
			const char *to = buf_text(&path);
			status = to && !text.has_failed
					 ? write_file(to, &text, error)
					 : error_set(error, LYC_RESOURCE_EXHAUSTED, "no memory");
		}
		buf_fini(&path);
		buf_fini(&text);
	}
	return status;
}

int plugin_new_run(struct session *session, const struct command *command, int argc, char **argv)
{
	bool has_records = false;
	const struct option options[] = {
		{"with-records", OPTION_FLAG, &has_records, NULL, "It appends records."},
		{0},
	};
	struct lyc_error error = {0};
	int code = command_read(session, command, options, 1, 1, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	const char *name = argv[0];
	if (check_name(name, &error) != LYC_OK ||
	    write_all(name, has_records ? "records/" : "plain/", &error) != LYC_OK)
		return outcome_fault(OUTCOME_USAGE, &error);
	printf("%s has a plugin: its contract is %s.proto, its code %s.c. Now\n\n"
	       "  cd %s\n  lyceum plugin test\n  lyceum plugin run\n",
	       name, name, name, name);
	return OUTCOME_OK;
}
