/* The secret as a file: made once, for the daemon's user only, the same after a restart. */
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

#include "secret.h"

static char folder[] = "/tmp/lyc-secret-XXXXXX";
static char path[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/secret", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static void test_secret_is_made_once_for_the_daemon_only(void **state)
{
	struct secret one, two;
	struct lyc_error error;
	struct stat found;
	(void)state;
	assert_int_equal(secret_open(folder, &one, &error), LYC_OK);
	assert_int_equal(stat(path, &found), 0);
	assert_int_equal(found.st_mode & 0777, 0600);
	assert_int_equal(secret_open(folder, &two, &error), LYC_OK);
	assert_memory_equal(&one, &two, sizeof(one));
	/* Another file is another secret. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(secret_open(folder, &two, &error), LYC_OK);
	assert_memory_not_equal(&one, &two, sizeof(one));
}

static void test_secret_refuses_a_file_that_holds_none(void **state)
{
	struct secret secret;
	struct lyc_error error;
	(void)state;
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	assert_int_not_equal(secret_open(folder, &secret, &error), LYC_OK);
	assert_non_null(strstr(error.text, "32 bytes"));
}

static void test_secret_tokens_differ_in_every_part(void **state)
{
	struct secret secret = {{1}}, other = {{2}};
	char tokens[9][SECRET_TOKEN_SIZE], again[SECRET_TOKEN_SIZE];
	(void)state;
	secret_reply_token(&secret, "nhsa", "e1", "i1", tokens[0]);
	secret_reply_token(&secret, "nhsa", "e1", "i2", tokens[1]);
	secret_reply_token(&secret, "nhsa", "e", "1i1", tokens[2]);
	secret_reply_token(&secret, "cork", "e1", "i1", tokens[3]);
	secret_reply_token(&other, "nhsa", "e1", "i1", tokens[4]);
	secret_feed_token(&secret, "ann@wales", 1, tokens[5]);
	secret_feed_token(&secret, "ann@wales", 2, tokens[6]);
	secret_feed_token(&secret, "bob@wales", 1, tokens[7]);
	secret_feed_token(&other, "ann@wales", 1, tokens[8]);
	for (size_t i = 0; i < 9; i++) {
		uint8_t hash[SECRET_HASH_LEN];
		assert_int_equal(strlen(tokens[i]), 26);
		secret_hash(tokens[i], hash);
		assert_memory_not_equal(hash, tokens[i], 26);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(tokens[i], tokens[j]);
	}
	secret_reply_token(&secret, "nhsa", "e1", "i1", again);
	assert_string_equal(again, tokens[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_secret_is_made_once_for_the_daemon_only,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_secret_refuses_a_file_that_holds_none, set_up,
						tear_down),
		cmocka_unit_test(test_secret_tokens_differ_in_every_part),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
