/* A configuration is refused with file, line and field; one that is in order has absolute paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"

static char path[] = "/tmp/lyceum-config-XXXXXX";

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* What is said of it, without the file's name. */
static const char *refusal(const char *text)
{
	static struct lyc_error error;
	Lyceum__V1__Config *config = NULL;
	write_file(text);
	assert_int_equal(config_read(path, &config, &error), LYC_INVALID_ARGUMENT);
	assert_null(config);
	assert_int_equal(strncmp(error.text, path, strlen(path)), 0);
	return error.text + strlen(path) + 2;
}

static void test_config_names_line_and_field(void **state)
{
	(void)state;
	assert_string_equal(
		refusal("name: hub\ndata: x\nplugins:\n  - name: Echo\n"),
		"line 4: plugins[0].name: does not match the pattern [a-z][a-z0-9-]{0,30}");
	assert_string_equal(refusal("name: hub\ndatta: x\n"),
			    "line 2: datta is no field of lyceum.v1.Config; did you mean 'data'?");
	assert_non_null(strstr(refusal("name: hub\n"), "data: is required"));
	assert_non_null(strstr(refusal("name: hub\ndata: [x\n"), "line "));
}

static void test_config_looks_at_fields_together(void **state)
{
	(void)state;
	assert_non_null(strstr(refusal("name: hub\ndata: x\nlisten:\n"
				       "  - {endpoint: 'tcp://0.0.0.0:1', plain: true}\n"),
			       "may not be plain"));
	assert_non_null(strstr(refusal("name: hub\ndata: x\nlisten:\n  - endpoint: udp://x\n"),
			       "'udp://x' begins neither with tcp:// nor with ipc://"));
	assert_non_null(strstr(refusal("name: hub\ndata: x\nplugins: [{name: a}, {name: a}]\n"),
			       "'a' is listed twice"));
	assert_non_null(
		strstr(refusal("name: hub\ndata: x\nuplink: {name: hub, endpoint: 'tcp://a:1', "
			       "server_key: '0123456789012345678901234567890123456789'}\n"),
		       "cannot be its own hub"));
}

static void test_config_makes_paths_absolute(void **state)
{
	(void)state;
	Lyceum__V1__Config *config = NULL;
	struct lyc_error error;
	write_file("name: hub\ndata: log\nkey_file: /etc/key\nplugins: [{name: a, path: a.so}]\n");
	assert_int_equal(config_read(path, &config, &error), LYC_OK);
	assert_string_equal(config->data, "/tmp/log");
	assert_string_equal(config->key_file, "/etc/key");
	assert_string_equal(config->plugins[0]->path, "/tmp/a.so");
	config_free(config);
	assert_int_equal(config_read("/nowhere/at/all.yaml", &config, &error), LYC_NOT_FOUND);
}

static int setup(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_names_line_and_field),
		cmocka_unit_test(test_config_looks_at_fields_together),
		cmocka_unit_test(test_config_makes_paths_absolute),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
