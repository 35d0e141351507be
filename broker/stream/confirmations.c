/* Two short lists: there are as many as daemons and homes. */
#include "stream/confirmations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pb.h"

#define ERASED_PREFIX "lyceum.v1.Erased."
/* Of Erased. */
enum { HOME = 1, OF = 2, EPOCH = 3, SEQ = 4, NODE = 5 };

struct confirming {
	char name[64];
	struct confirming *next;
};

void confirmations_fini(struct confirmations *confirmations)
{
	while (confirmations->all) {
		struct confirmation *said = confirmations->all;
		confirmations->all = said->next;
		free(said);
	}
	while (confirmations->daemons) {
		struct confirming *daemon = confirmations->daemons;
		confirmations->daemons = daemon->next;
		free(daemon);
	}
}

bool confirmations_is_one(const struct record *record)
{
	size_t len = sizeof(ERASED_PREFIX) - 1;
	return record->subject.len > len && !record->removed &&
	       memcmp(record->subject.data, ERASED_PREFIX, len) == 0;
}

static void name_daemon(struct confirmations *confirmations, struct span name)
{
	struct confirming **end = &confirmations->daemons;
	if (name.len == 0 || name.len >= sizeof((*end)->name) ||
	    span_is(name, confirmations->own_name))
		return;
	for (; *end; end = &(*end)->next) {
		if (span_is(name, (*end)->name))
			return;
	}
	*end = mem_new(struct confirming);
	memcpy((*end)->name, name.data, name.len);
}

static struct confirmation *find(const struct confirmations *confirmations, const char *daemon,
				 const char *of)
{
	struct confirmation *said = confirmations->all;
	while (said && (strcmp(said->daemon, daemon) != 0 || strcmp(said->of, of) != 0))
		said = said->next;
	return said;
}

/* Whose word it is, the record's origin says; the body has to agree, which its key sees to. */
void confirmations_note(struct confirmations *confirmations, const struct record *record)
{
	struct confirmation found = {0};
	struct pb_reader reader = pb_reader_of(record->body);
	struct pb_field field;
	bool is_own = record->origin.len == 0;
	snprintf(found.daemon, sizeof(found.daemon), "%.*s",
		 is_own ? (int)strlen(confirmations->own_name) : (int)record->origin.len,
		 is_own ? confirmations->own_name : (const char *)record->origin.data);
	while (pb_read_field(&reader, &field)) {
		if (field.number == OF && field.wire == PB_LEN)
			snprintf(found.of, sizeof(found.of), "%.*s", (int)field.bytes.len,
				 (const char *)field.bytes.data);
		else if (field.number == EPOCH)
			found.epoch = field.value;
		else if (field.number == SEQ)
			found.seq = field.value;
		else if (field.number == NODE && field.wire == PB_LEN)
			name_daemon(confirmations, field.bytes);
	}
	name_daemon(confirmations, span_of(found.daemon, strlen(found.daemon)));
	struct confirmation *said = find(confirmations, found.daemon, found.of);
	if (!said) {
		said = mem_new(struct confirmation);
		struct confirmation *next = confirmations->all;
		confirmations->all = said;
		found.next = next;
	} else {
		found.next = said->next;
	}
	*said = found;
}

const struct confirmation *confirmations_find(const struct confirmations *confirmations,
					      const char *daemon, const char *of)
{
	return find(confirmations, daemon, of);
}

void confirmations_write(const struct confirmations *confirmations, const char *of, uint64_t epoch,
			 uint64_t seq, struct buf *subject, struct buf *body)
{
	buf_add_format(subject, ERASED_PREFIX "%s.%s", confirmations->own_name, of);
	pb_write_text(body, HOME, confirmations->own_name);
	pb_write_text(body, OF, of);
	pb_write_uint(body, EPOCH, epoch);
	pb_write_uint(body, SEQ, seq);
}

void confirmations_write_node(struct buf *body, const char *node)
{
	pb_write_text(body, NODE, node);
}

void confirmations_each_daemon(const struct confirmations *confirmations,
			       confirmations_daemon_fn on_daemon, void *arg)
{
	for (const struct confirming *at = confirmations->daemons; at; at = at->next)
		on_daemon(at->name, arg);
}
