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
#include "policy/policy.h"

static char path[] = "/tmp/lyceum-config-XXXXXX";

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static enum lyc_status check_policy(const Lyceum__V1__Config *config, const void *arg,
				    struct lyc_error *error)
{
	(void)arg;
	return policy_check(config, error);
}

/* What is said of it, without the file's name. */
static const char *refusal(const char *text)
{
	static struct lyc_error error;
	Lyceum__V1__Config *config = NULL;
	write_file(text);
	assert_int_equal(config_read(path, check_policy, NULL, &config, &error),
			 LYC_INVALID_ARGUMENT);
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

#define TOP "name: hub\ndata: x\n"
#define KEY "'0123456789012345678901234567890123456789'"

static void test_config_looks_at_addresses(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"tcp://127.0.0.1:77910", "tcp://127.0.0.1", "tcp://:7700",      "tcp://a:",
		"tcp://a:77x",           "tcp://a:-1",      "tcp://[::1]:7700", "ipc://"};
	char text[400];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), TOP "listen:\n  - endpoint: '%s'\n", bad[i]);
		const char *said = refusal(text);
		assert_int_equal(strncmp(said, "line 4: listen[0].endpoint: ", 28), 0);
		assert_non_null(strstr(said, bad[i]));
	}
	assert_non_null(
		strstr(refusal(TOP "listen: [{endpoint: 'tcp://a:1'}, {endpoint: 'tcp://a:1'}]\n"),
		       "listen[1].endpoint: 'tcp://a:1' is listed twice"));
	assert_non_null(strstr(refusal(TOP "uplink:\n  name: top\n  endpoint: tcp://a:0\n"
					   "  server_key: " KEY "\n"),
			       "line 5: uplink.endpoint: 'tcp://a:0' has no port from 1 to 65535"));
	char path_of_120[121];
	memset(path_of_120, 'p', 120);
	path_of_120[120] = '\0';
	snprintf(text, sizeof(text), TOP "listen:\n  - endpoint: ipc:///%s\n", path_of_120);
	assert_non_null(strstr(refusal(text), "has 121 bytes; a Unix socket's may have 107"));
	snprintf(text, sizeof(text), "name: hub\ndata: /%s\n", path_of_120);
	assert_non_null(strstr(refusal(text), "line 2: data: the path /ppp"));
}

static void test_config_looks_at_keys(void **state)
{
	(void)state;
	static const struct {
		const char *keys;
		const char *said;
	} cases[] = {
		{"  - name: ann\n", "line 4: keys[0].name: the key 'ann' has no public_key"},
		{"  - name: anonymous\n    public_key: " KEY "\n",
		 "line 5: keys[0].public_key: 'anonymous' stands for peers without a key"},
		{"  - name: ann\n    public_key: '012345678901234567890123456789012345678~'\n",
		 "line 5: keys[0].public_key: is not a key"},
		{"  - {name: ann, public_key: " KEY "}\n  - name: bob\n    public_key: " KEY "\n",
		 "line 6: keys[1].public_key: 'ann' and 'bob' have the same key"},
		{"  - {name: bob, public_key: " KEY "}\n"
		 "  - {name: ann, public_key: '1123456789012345678901234567890123456789'}\n"
		 "  - {name: bob, public_key: '2123456789012345678901234567890123456789'}\n",
		 "line 6: keys[2].name: the key 'bob' is listed twice"},
		/* What the rights refuse is found here, too. */
		{"  - {name: bob, public_key: " KEY "}\n"
		 "  - {name: operator, public_key: '1123456789012345678901234567890123456789'}\n",
		 "line 5: the key 'operator' has a name that is taken"},
	};
	char text[600];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), TOP "keys:\n%s", cases[i].keys);
		const char *said = refusal(text);
		if (strncmp(said, cases[i].said, strlen(cases[i].said)) != 0)
			fail_msg("'%s' instead of '%s'", said, cases[i].said);
	}
	assert_non_null(
		strstr(refusal(TOP "keys: [{name: ann, public_key: " KEY ", role: 9}]\n"), "role"));
	assert_non_null(
		strstr(refusal(TOP "uplink:\n  name: top\n  endpoint: tcp://a:1\n"
				   "  server_key: '012345678901234567890123456789012345678~'\n"),
		       "line 6: uplink.server_key: is not a key"));
}

static void test_config_manual_begins_with_an_example_that_is_valid(void **state)
{
	(void)state;
	Lyceum__V1__Config *config = NULL;
	struct lyc_error error;
	char *manual = NULL;
	assert_int_equal(config_manual(&manual), LYC_OK);
	char *end = strstr(manual, "\n# Every setting");
	assert_non_null(end);
	assert_non_null(strstr(end, "message Config {"));
	*end = '\0';
	write_file(manual);
	free(manual);
	if (config_read(path, check_policy, NULL, &config, &error) != LYC_OK)
		fail_msg("%s", error.text);
	assert_string_equal(config->name, "wales");
	assert_int_equal(config->n_listen + config->n_keys + config->n_plugins, 3);
	assert_non_null(config->uplink);
	assert_int_equal(config->log->level, LYCEUM__V1__LOG_CONFIG__LEVEL__NOTICE);
	config_free(config);
	assert_non_null(strstr(refusal(TOP "log: {level: verbose}\n"),
			       "'verbose'; it is one of ERROR, WARNING, NOTICE, INFO, DEBUG"));
}

static void test_config_makes_paths_absolute(void **state)
{
	(void)state;
	Lyceum__V1__Config *config = NULL;
	struct lyc_error error;
	write_file("name: hub\ndata: log\nkey_file: /etc/key\nplugins: [{name: a, path: a.so}]\n");
	assert_int_equal(config_read(path, check_policy, NULL, &config, &error), LYC_OK);
	assert_string_equal(config->data, "/tmp/log");
	assert_string_equal(config->key_file, "/etc/key");
	assert_string_equal(config->plugins[0]->path, "/tmp/a.so");
	config_free(config);
	assert_int_equal(config_read("/nowhere/at/all.yaml", NULL, NULL, &config, &error),
			 LYC_NOT_FOUND);
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
		cmocka_unit_test(test_config_looks_at_addresses),
		cmocka_unit_test(test_config_looks_at_keys),
		cmocka_unit_test(test_config_manual_begins_with_an_example_that_is_valid),
		cmocka_unit_test(test_config_makes_paths_absolute),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
