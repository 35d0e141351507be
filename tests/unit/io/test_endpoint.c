/* Addresses: what is refused, and how it is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/endpoint.h"

static char folder[64];
static char path[128];
static char endpoint[160];
static char usable[256];
static struct lyc_error error;

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/lyc-endpoint-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/peer.sock", folder);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s", path);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static int listen_at_path(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void test_endpoint_makes_port_0_any_port(void **state)
{
	(void)state;
	assert_int_equal(endpoint_check("tcp://127.0.0.1:0", true, usable, sizeof(usable), &error),
			 LYC_OK);
	assert_string_equal(usable, "tcp://127.0.0.1:*");
	assert_int_equal(endpoint_check("tcp://127.0.0.1:10", true, usable, sizeof(usable), &error),
			 LYC_OK);
	assert_string_equal(usable, "tcp://127.0.0.1:10");
}

static void test_endpoint_refuses_an_unknown_scheme(void **state)
{
	(void)state;
	assert_int_equal(endpoint_check("udp://1.2.3.4:5", true, usable, sizeof(usable), &error),
			 LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "udp://1.2.3.4:5"));
}

static void test_endpoint_refuses_a_path_of_108_bytes(void **state)
{
	(void)state;
	char text[160] = "ipc:///tmp/";
	memset(text + 11, 'x', 108 - 5);
	assert_int_equal(endpoint_check(text, false, usable, sizeof(usable), &error),
			 LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "107"));
	text[strlen(text) - 1] = '\0';
	assert_int_equal(endpoint_check(text, false, usable, sizeof(usable), &error), LYC_OK);
}

static void test_endpoint_refuses_a_missing_folder(void **state)
{
	(void)state;
	assert_int_equal(
		endpoint_check("ipc:///no/such/folder/x", true, usable, sizeof(usable), &error),
		LYC_NOT_FOUND);
	assert_non_null(strstr(error.text, "/no/such/folder does not exist"));
}

static void test_endpoint_removes_a_stale_socket(void **state)
{
	(void)state;
	struct stat info;
	close(listen_at_path());
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(endpoint_check(endpoint, true, usable, sizeof(usable), &error), LYC_OK);
	assert_int_equal(stat(path, &info), -1);
}

static void test_endpoint_leaves_a_live_socket_alone(void **state)
{
	(void)state;
	struct stat info;
	int fd = listen_at_path();
	assert_int_equal(endpoint_check(endpoint, true, usable, sizeof(usable), &error),
			 LYC_ALREADY_EXISTS);
	assert_non_null(strstr(error.text, endpoint));
	assert_int_equal(stat(path, &info), 0);
	close(fd);
}

static void test_endpoint_leaves_a_plain_file_alone(void **state)
{
	(void)state;
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(endpoint_check(endpoint, true, usable, sizeof(usable), &error),
			 LYC_ALREADY_EXISTS);
	assert_non_null(strstr(error.text, "not a socket"));
	assert_int_equal(access(path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoint_makes_port_0_any_port),
		cmocka_unit_test(test_endpoint_refuses_an_unknown_scheme),
		cmocka_unit_test(test_endpoint_refuses_a_path_of_108_bytes),
		cmocka_unit_test(test_endpoint_refuses_a_missing_folder),
		cmocka_unit_test_setup_teardown(test_endpoint_removes_a_stale_socket, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_endpoint_leaves_a_live_socket_alone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_endpoint_leaves_a_plain_file_alone, set_up,
						tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
