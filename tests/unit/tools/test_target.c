/* Where a configuration leads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/keyfile.h"
#include "target.h"

static const char server_key[] = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";

struct folder {
	char path[40];
	char config[60];
	struct keypair keys;
};

static void write_file(const struct folder *folder, const char *name, const char *text)
{
	char path[100];
	snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void write_keys(struct folder *folder, const char *name)
{
	char path[100];
	struct lyc_error error = {0};
	snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	assert_int_equal(keyfile_make(&folder->keys, &error), LYC_OK);
	assert_int_equal(keyfile_write(path, &folder->keys, &error), LYC_OK);
}

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));
	strcpy(folder->path, "/tmp/lyceum-target-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	snprintf(folder->config, sizeof(folder->config), "%s/lyceum.yaml", folder->path);
	char data[60];
	snprintf(data, sizeof(data), "%s/data", folder->path);
	assert_int_equal(mkdir(data, 0700), 0);
	*state = folder;
	return 0;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"data/operator.key",
					    "data/daemon.pub",
					    "data/endpoints",
					    "ann.key",
					    "lyceum.yaml",
					    "data",
					    ""};
	struct folder *folder = *state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[100];
		snprintf(path, sizeof(path), "%s/%s", folder->path, names[i]);
		remove(path);
	}
	free(folder);
	return 0;
}

static void test_target_of_a_daemon_is_its_socket_with_the_operators_key(void **state)
{
	struct folder *folder = *state;
	struct target target = {0};
	struct lyc_error error = {0};
	char endpoint[100];
	write_file(folder, "lyceum.yaml", "name: wales\ndata: data\n");
	write_file(folder, "data/daemon.pub", server_key);
	write_keys(folder, "data/operator.key");
	assert_int_equal(target_read(folder->config, &target, &error), LYC_OK);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/data/lyceum.sock", folder->path);
	assert_string_equal(target.endpoint, endpoint);
	assert_string_equal(target.server_key, server_key);
	assert_string_equal(target.public_key, folder->keys.public_key);
	assert_string_equal(target.secret_key, folder->keys.secret_key);
	assert_true(target.has_keys);
	target_fini(&target);
}

static void test_target_prefers_ipc_among_listeners(void **state)
{
	struct folder *folder = *state;
	struct target target = {0};
	struct lyc_error error = {0};
	write_file(folder, "lyceum.yaml",
		   "name: wales\ndata: data\nlisten:\n  - endpoint: tcp://0.0.0.0:7700\n"
		   "  - endpoint: ipc:///run/x.sock\n");
	write_file(folder, "data/daemon.pub",
		   "public-key: rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\n");
	write_keys(folder, "data/operator.key");
	assert_int_equal(target_read(folder->config, &target, &error), LYC_OK);
	assert_string_equal(target.endpoint, "ipc:///run/x.sock");
	assert_string_equal(target.server_key, server_key);
	target_fini(&target);
}

static void test_target_finds_the_port_that_the_daemon_got(void **state)
{
	struct folder *folder = *state;
	struct target target = {0};
	struct lyc_error error = {0};
	write_file(folder, "lyceum.yaml",
		   "name: wales\ndata: data\nlisten:\n  - endpoint: tcp://127.0.0.1:0\n    plain: "
		   "true\n");
	write_file(folder, "data/endpoints", "tcp://127.0.0.1:40123\n");
	assert_int_equal(target_read(folder->config, &target, &error), LYC_OK);
	assert_string_equal(target.endpoint, "tcp://127.0.0.1:40123");
	assert_false(target.has_keys);
	target_fini(&target);
	write_file(folder, "lyceum.yaml",
		   "name: wales\ndata: data\nlisten:\n  - endpoint: tcp://0.0.0.0:0\n    plain: "
		   "true\n");
	write_file(folder, "data/endpoints", "tcp://0.0.0.0:40124\nipc:///x/plugins.sock\n");
	assert_int_equal(target_read(folder->config, &target, &error), LYC_OK);
	assert_string_equal(target.endpoint, "tcp://127.0.0.1:40124");
	target_fini(&target);
}

static void test_target_says_that_a_daemon_never_ran(void **state)
{
	struct folder *folder = *state;
	struct target target = {0};
	struct lyc_error error = {0};
	write_file(folder, "lyceum.yaml", "name: wales\ndata: data\n");
	assert_int_equal(target_read(folder->config, &target, &error), LYC_UNAVAILABLE);
	assert_non_null(strstr(error.text, "has its daemon been started?"));
	assert_null(target.endpoint);
}

static void test_target_of_a_client_has_its_own_key(void **state)
{
	struct folder *folder = *state;
	struct target target = {0};
	struct lyc_error error = {0};
	write_keys(folder, "ann.key");
	write_file(folder, "lyceum.yaml",
		   "endpoint: tcp://hub:7700\nkey_file: ann.key\n"
		   "server_key: \"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\"\n");
	assert_int_equal(target_read(folder->config, &target, &error), LYC_OK);
	assert_string_equal(target.endpoint, "tcp://hub:7700");
	assert_string_equal(target.server_key, server_key);
	assert_string_equal(target.secret_key, folder->keys.secret_key);
	target_fini(&target);
}

static void test_target_refuses_a_broken_configuration_by_name(void **state)
{
	struct folder *folder = *state;
	struct target target = {0};
	struct lyc_error error = {0};
	write_file(folder, "lyceum.yaml", "name: wales\ndta: data\n");
	assert_int_equal(target_read(folder->config, &target, &error), LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "line 2"));
	assert_non_null(strstr(error.text, folder->config));
	write_file(folder, "lyceum.yaml", "endpoint: tcp://hub:7700\nserver_key: short\n");
	assert_int_equal(target_read(folder->config, &target, &error), LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "server_key");
	assert_int_equal(target_read("/nonexistent/x.yaml", &target, &error), LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "--config"));
}

int main(void)
{
#define FOLDER_TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		FOLDER_TEST(test_target_of_a_daemon_is_its_socket_with_the_operators_key),
		FOLDER_TEST(test_target_prefers_ipc_among_listeners),
		FOLDER_TEST(test_target_finds_the_port_that_the_daemon_got),
		FOLDER_TEST(test_target_says_that_a_daemon_never_ran),
		FOLDER_TEST(test_target_of_a_client_has_its_own_key),
		FOLDER_TEST(test_target_refuses_a_broken_configuration_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
