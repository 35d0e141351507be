/* Key files: what is written is read back, what is wrong is refused with a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/keyfile.h"

static char folder[64];
static char path[128];
static struct keypair keys;
static struct lyc_error error;

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/lyc-keyfile-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/node.key", folder);
	return keyfile_make(&keys, &error) == LYC_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void write_text(const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, 0600), 0);
}

static void test_keyfile_reads_what_it_wrote(void **state)
{
	(void)state;
	struct keypair again;
	struct stat info;
	assert_int_equal(keyfile_write(path, &keys, &error), LYC_OK);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(info.st_nlink, 1);
	assert_int_equal(keyfile_read(path, &again, &error), LYC_OK);
	assert_string_equal(again.public_key, keys.public_key);
	assert_string_equal(again.secret_key, keys.secret_key);
}

static void test_keyfile_never_overwrites(void **state)
{
	(void)state;
	struct keypair other, again;
	assert_int_equal(keyfile_write(path, &keys, &error), LYC_OK);
	assert_int_equal(keyfile_make(&other, &error), LYC_OK);
	assert_int_equal(keyfile_write(path, &other, &error), LYC_ALREADY_EXISTS);
	assert_int_equal(keyfile_read(path, &again, &error), LYC_OK);
	assert_string_equal(again.public_key, keys.public_key);
	/* tear_down's rmdir fails should a temporary file be left. */
}

static void test_keyfile_refuses_a_file_others_can_read(void **state)
{
	(void)state;
	struct keypair again;
	assert_int_equal(keyfile_write(path, &keys, &error), LYC_OK);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(keyfile_read(path, &again, &error), LYC_PERMISSION_DENIED);
	assert_non_null(strstr(error.text, "chmod 600"));
	assert_int_equal(chmod(path, 0604), 0);
	assert_int_equal(keyfile_read(path, &again, &error), LYC_PERMISSION_DENIED);
}

static void test_keyfile_names_the_missing_line(void **state)
{
	(void)state;
	struct keypair again;
	char text[256];
	snprintf(text, sizeof(text), "public-key: %s\n", keys.public_key);
	write_text(text);
	assert_int_equal(keyfile_read(path, &again, &error), LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "secret-key:"));
	snprintf(text, sizeof(text), "public-key: short\nsecret-key: %s\n", keys.secret_key);
	write_text(text);
	assert_int_equal(keyfile_read(path, &again, &error), LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "public-key:"));
}

static void test_keyfile_refuses_a_mixed_pair(void **state)
{
	(void)state;
	struct keypair other, again;
	char text[256];
	assert_int_equal(keyfile_make(&other, &error), LYC_OK);
	snprintf(text, sizeof(text), "public-key: %s\nsecret-key: %s\n", other.public_key,
		 keys.secret_key);
	write_text(text);
	assert_int_equal(keyfile_read(path, &again, &error), LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "do not belong together"));
}

static void test_keyfile_says_that_there_is_none(void **state)
{
	(void)state;
	struct keypair again;
	assert_int_equal(keyfile_read(path, &again, &error), LYC_NOT_FOUND);
	assert_non_null(strstr(error.text, path));
}

static void test_keyfile_knows_a_key(void **state)
{
	(void)state;
	assert_true(keyfile_is_key(keys.public_key));
	assert_false(keyfile_is_key(""));
	assert_false(keyfile_is_key("0123456789012345678901234567890123456789x"));
	assert_false(keyfile_is_key("                                        "));
}

#define KEYFILE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEYFILE_TEST(test_keyfile_reads_what_it_wrote),
		KEYFILE_TEST(test_keyfile_never_overwrites),
		KEYFILE_TEST(test_keyfile_refuses_a_file_others_can_read),
		KEYFILE_TEST(test_keyfile_names_the_missing_line),
		KEYFILE_TEST(test_keyfile_refuses_a_mixed_pair),
		KEYFILE_TEST(test_keyfile_says_that_there_is_none),
		KEYFILE_TEST(test_keyfile_knows_a_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
