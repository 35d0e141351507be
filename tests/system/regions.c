/* The network of the stories of events, with a sink for each region's mail. */
#include "regions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/ensure.h"

struct network *network;
struct node *hub;
struct node *nhsa;
struct node *wales;
struct mail_sink *nhsa_mail;
struct mail_sink *wales_mail;
struct shell_result result;

static void add_convening(struct node *node, const char *relay)
{
	char path[120], line[600];
	snprintf(path, sizeof(path), "%s.convening.yaml", node->folder);
	FILE *file = fopen(path, "we");
	ensure(file);
	fprintf(file, "web_address: http://%s.example\nzone: Europe/London\n", node->name);
	if (relay)
		fprintf(file, "relay:\n  url: %s\n  from: events@%s.example\n  per_minute: 6000\n",
			relay, node->name);
	ensure(fclose(file) == 0);
	snprintf(
		line, sizeof(line),
		"  - {name: convening, path: %s/plugins/convening/convening.so, config_file: %s}\n",
		network->build, path);
	ensure(strlen(node->plugins) + strlen(line) < sizeof(node->plugins));
	strcat(node->plugins, line);
}

#ifdef HAS_HTTP
static void add_http(struct node *node)
{
	char path[120], line[500];
	snprintf(path, sizeof(path), "%s.http.yaml", node->folder);
	FILE *file = fopen(path, "we");
	ensure(file);
	fputs("listen: 127.0.0.1:0\n", file);
	ensure(fclose(file) == 0);
	snprintf(line, sizeof(line),
		 "  - {name: http, path: %s/plugins/http/http.so, config_file: %s}\n",
		 network->build, path);
	ensure(strlen(node->plugins) + strlen(line) < sizeof(node->plugins));
	strcat(node->plugins, line);
}
#endif

int regions_start(void **state)
{
	(void)state;
	network = network_new();
	nhsa_mail = mail_sink_new();
	wales_mail = mail_sink_new();
	hub = network_add(network, "hub", NULL);
	nhsa = network_add(network, "nhsa", hub);
	wales = network_add(network, "wales", hub);
	add_convening(nhsa, mail_sink_url(nhsa_mail));
	add_convening(wales, mail_sink_url(wales_mail));
	node_add_plugin(wales, "experts", NULL, "process");
#ifdef HAS_HTTP
	add_http(nhsa);
#endif
	for (size_t i = 0; i < network->count; i++)
		node_start(&network->nodes[i]);
	node_wait_for_plugin(nhsa, "convening", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	node_wait_for_plugin(wales, "convening", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	node_wait_for_plugin(wales, "experts", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	network_settle(network);
	return 0;
}

int regions_stop(void **state)
{
	(void)state;
	shell_result_fini(&result);
	network_free(network);
	mail_sink_free(nhsa_mail);
	mail_sink_free(wales_mail);
	return 0;
}

void wait_for_mail(struct mail_sink *sink, const char *to, const char *text, size_t count)
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while (mail_sink_count(sink, to, text) < count) {
		network_run(network, 20);
		if (network_now_ms() > deadline) {
			RUN(sink == nhsa_mail ? nhsa : wales, "log",
			    "lyceum.convening.v1.MailNote.>");
			fputs(result.out, stderr);
			fail_msg("no %zu mails to %s with: %s, but %zu", count, to,
				 text ? text : "anything", mail_sink_count(sink, to, NULL));
		}
	}
	assert_int_equal(mail_sink_count(sink, to, text), count);
}
