/* The three daemons that the tests of links and of restores begin with. */
#include "net_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/pb.h"

int net_setup(void **state)
{
	struct net *net = mem_new(struct net);
	net->world = fake_world_new(1);
	net->hub = fake_node_add(net->world, "hub", NULL);
	net->wales = fake_node_add(net->world, "wales", net->hub);
	net->cork = fake_node_add(net->world, "cork", net->hub);
	fake_settle(net->world);
	net->at_hub = fake_client_add(net->hub, "root");
	net->at_wales = fake_client_add(net->wales, "root");
	net->at_cork = fake_client_add(net->cork, "root");
	*state = net;
	return 0;
}

int net_teardown(void **state)
{
	struct net *net = *state;
	fake_world_free(net->world);
	free(net);
	return 0;
}

const char *net_last_text(const struct fake_node *node, const char *home, const char *id)
{
	static char text[100];
	char subject[100];
	snprintf(subject, sizeof(subject), "lyceum.notice.v1.Notice.%s.%s", home, id);
	text[0] = '\0';
	for (size_t i = 0; i < node->record_count; i++) {
		const struct buf *name = &node->records[i].subject;
		if (!span_is(span_of(name->data, name->len), subject))
			continue;
		struct record record = fake_record_at(node, i);
		struct pb_reader reader = pb_reader_of(record.body);
		struct pb_field field;
		text[0] = '\0';
		while (pb_read_field(&reader, &field)) {
			if (field.number == 3)
				snprintf(text, sizeof(text), "%.*s", (int)field.bytes.len,
					 (const char *)field.bytes.data);
		}
	}
	return text;
}

void net_restore(struct net *net, struct fake_node *node, const struct fake_backup *backup)
{
	fake_node_restore(node, backup, node->hub != NULL);
	struct fake_client *client = fake_client_add(node, "root");
	if (node == net->hub)
		net->at_hub = client;
	else if (node == net->wales)
		net->at_wales = client;
	else
		net->at_cork = client;
}
