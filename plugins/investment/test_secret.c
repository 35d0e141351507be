/* The file of a node's keys: made once, for its owner alone, and never replaced by others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secret_file.h"

static char folder[] = "/tmp/lyceum-secret-XXXXXX";
static char path[sizeof(folder) + 20];
static char temporary[sizeof(folder) + 20];

static int set_up(void **state)
{
	(void)state;
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	if (!secret_start() || !mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/secret", folder);
	snprintf(temporary, sizeof(temporary), "%s/secret.new", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	unlink(temporary);
	return rmdir(folder);
}

static void test_secret_is_made_once_and_kept(void **state)
{
	struct secret first = {0}, again = {0};
	struct lyc_error error = {0};
	struct stat about;

	(void)state;
	/* As a start that was cut short leaves it. */
	FILE *file = fopen(temporary, "w");
	assert_non_null(file);
	fputs("half", file);
	fclose(file);
	assert_int_equal(secret_file_keep(folder, &first, &error), LYC_OK);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	assert_int_equal(access(temporary, F_OK), -1);
	assert_int_equal(secret_file_keep(folder, &again, &error), LYC_OK);
	assert_memory_equal(&first, &again, sizeof(first));
	/* And what is sealed with the public key is opened with the other one. */
	struct pad pad = {0};
	identity_msg *identity = PAD_NEW(&pad, identity);
	identity->name = "somebody";
	ProtobufCBinaryData sealed = secret_seal(&pad, first.public_key, &identity->base);
	identity_msg *opened =
		secret_open(&pad, &again, sealed, &lyceum__investment__v1__identity__descriptor);
	assert_non_null(opened);
	assert_string_equal(opened->name, "somebody");
	pad_fini(&pad);
}

static void test_secret_that_others_may_read_is_refused(void **state)
{
	struct secret secret;
	struct lyc_error error = {0};

	(void)state;
	assert_int_equal(secret_file_keep(folder, &secret, &error), LYC_OK);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(secret_file_keep(folder, &secret, &error), LYC_PERMISSION_DENIED);
	assert_non_null(strstr(error.text, "chmod 600"));
}

/* New keys in its place would make everything unreadable that the old ones open. */
static void test_secret_that_is_not_whole_is_not_replaced(void **state)
{
	struct secret secret;
	struct lyc_error error = {0};
	struct stat about;

	(void)state;
	assert_int_equal(secret_file_keep(folder, &secret, &error), LYC_OK);
	assert_int_equal(truncate(path, 63), 0);
	assert_int_equal(secret_file_keep(folder, &secret, &error), LYC_DATA_LOSS);
	assert_non_null(strstr(error.text, path));
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_size, 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_secret_is_made_once_and_kept, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_secret_that_others_may_read_is_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_secret_that_is_not_whole_is_not_replaced,
						set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
