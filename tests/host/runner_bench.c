/* One configuration's file for all tests of a program, one harness for each. */
#include "runner_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct harness *harness;
static char config_path[] = "/tmp/lyc-test-config-XXXXXX";
const char *const runner_config = config_path;
static const char *plugins;

bool runner_begin(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: %s thread|process RUNNER PLUGIN-FOLDER\n", argv[0]);
		return false;
	}
	harness_configure(strcmp(argv[1], "thread") == 0, argv[2]);
	plugins = argv[3];
	int fd = mkstemp(config_path);
	if (fd < 0)
		return false;
	close(fd);
	runner_write_config("text: note\n");
	return true;
}

void runner_end(void)
{
	unlink(config_path);
}

int runner_set_up(void **state)
{
	(void)state;
	harness = harness_open();
	return 0;
}

int runner_tear_down(void **state)
{
	(void)state;
	harness_close(harness);
	return 0;
}

const char *runner_plugin(const char *name)
{
	static char path[512];
	snprintf(path, sizeof(path), "%s/%s.so", plugins, name);
	return path;
}

void runner_write_config(const char *text)
{
	FILE *file = fopen(config_path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

void runner_send_gap(uint64_t id, uint64_t seq)
{
	struct packet packet = {.kind = PACKET_GAP, .gap = {.id = id, .seq = seq}};
	harness_send(harness, &packet);
}

void runner_send_note(uint64_t id, uint64_t seq)
{
	static const char subject[] = "lyceum.echo.v1.Note.a";
	struct packet packet = {.kind = PACKET_DELIVER,
				.deliver = {.id = id,
					    .seq = seq,
					    .subject = span_of(subject, strlen(subject)),
					    .body = span_of("\n\1x", 3),
					    .origin = span_of(HARNESS_NODE, strlen(HARNESS_NODE)),
					    .epoch = HARNESS_EPOCH,
					    .origin_seq = seq,
					    .time_ms = 1}};
	harness_send(harness, &packet);
}

uint64_t runner_start_probe(void)
{
	harness_start(harness, runner_plugin("probe"), "probe", runner_config);
	const struct packet *packet = harness_expect(harness, PACKET_SUBSCRIBE);
	uint64_t id = packet->subscribe.id;
	assert_true(span_is(packet->subscribe.pattern, "lyceum.echo.v1.Note.>"));
	assert_true(packet->subscribe.records_only);
	assert_int_equal(packet->subscribe.start, SUBSCRIBE_SEQ);
	assert_int_equal(packet->subscribe.from, 1);
	runner_send_gap(id, 0);
	harness_register(harness);
	return id;
}
