/* What embed writes holds the bytes, in decimal. */
#include "sample.h"

#include <unistd.h>

#include "schema/embed.h"

static char folder[] = "/tmp/lyceum-embed-XXXXXX";

static char *content(const char *path)
{
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	char *text = calloc(1, 4096);
	assert_non_null(text);
	assert_true(fread(text, 1, 4095, file) > 0);
	fclose(file);
	unlink(path);
	return text;
}

static void test_embed_writes_source_and_header(void **state)
{
	(void)state;
	char prefix[64];
	char path[80];
	struct lyc_error error = {0};
	snprintf(prefix, sizeof(prefix), "%s/echo_schema", folder);
	assert_int_equal(embed_write("\x00\xff\x07", 3, "echo", prefix, &error), LYC_OK);
	snprintf(path, sizeof(path), "%s.c", prefix);
	char *text = content(path);
	assert_non_null(strstr(text, "#include \"echo_schema.h\""));
	assert_non_null(strstr(text, "const size_t echo_len = 3;"));
	assert_non_null(strstr(text, "const unsigned char echo[3] = {\n\t0, 255, 7,\n};"));
	free(text);
	snprintf(path, sizeof(path), "%s.h", prefix);
	text = content(path);
	assert_non_null(strstr(text, "extern const unsigned char echo[3];"));
	free(text);
}

static void test_embed_refuses_what_it_cannot_do(void **state)
{
	(void)state;
	struct lyc_error error = {0};
	assert_int_equal(embed_write("x", 1, "1a", folder, &error), LYC_INVALID_ARGUMENT);
	assert_string_equal(error.text, "'1a' is not a C identifier");
	assert_int_equal(embed_write("x", 0, "a", folder, &error), LYC_INVALID_ARGUMENT);
	assert_int_equal(embed_write("x", 1, "a", "/nowhere/at/all", &error), LYC_UNAVAILABLE);
	assert_string_equal(error.text,
			    "/nowhere/at/all.h cannot be written: No such file or directory");
	assert_int_equal(embed_file("/nowhere", "a", folder, &error), LYC_NOT_FOUND);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_embed_writes_source_and_header),
		cmocka_unit_test(test_embed_refuses_what_it_cannot_do),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
