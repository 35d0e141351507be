/* Keeps notes. What it knows is in the log: the table is built from the records at each start. */
#include <stdlib.h>

#include <lyceum/plugin.h>

#include "@name@.pb-c.h"
#include "@name@_schema.h"

typedef @Name@__V1__Note note_msg;

/* The record is on the disk, and in the table. */
static void kept(struct lyc_call *call)
{
	const @Name@__V1__PutRequest *request = (const void *)lyc_call_request(call);
	@Name@__V1__PutReply reply = @NAME@__V1__PUT_REPLY__INIT;
	note_msg keys = @NAME@__V1__NOTE__INIT;
	keys.home = (char *)lyc_node_name(lyc_call_context(call));
	keys.id = request->id;
	reply.note = (note_msg *)lyc_table_find(lyc_call_state(call), &keys.base, NULL);
	lyc_call_reply(call, &reply.base);
}

static void @name@_put(@Name@__V1__@Name@_Service *self, const @Name@__V1__PutRequest *request,
		       @Name@__V1__PutReply_Closure closure, void *call)
{
	Lyceum__V1__Label label = LYCEUM__V1__LABEL__INIT;
	note_msg note = @NAME@__V1__NOTE__INIT;
	(void)self;
	(void)closure;
	label.home = note.home = (char *)lyc_node_name(lyc_call_context(call));
	label.visibility = request->private_ ? LYCEUM__V1__VISIBILITY__PRIVATE
					     : LYCEUM__V1__VISIBILITY__MEMBERS;
	note.id = request->id;
	note.text = request->text;
	note.label = &label;
	lyc_call_append(call, &note.base, NULL, kept);
}

static void @name@_list(@Name@__V1__@Name@_Service *self, const @Name@__V1__ListRequest *request,
			@Name@__V1__ListReply_Closure closure, void *call)
{
	const struct lyc_table *notes = lyc_call_state(call);
	@Name@__V1__ListReply reply = @NAME@__V1__LIST_REPLY__INIT;
	(void)self;
	(void)request;
	reply.note = calloc(lyc_table_count(notes) + 1, sizeof(*reply.note));
	for (size_t i = 0; reply.note && i < lyc_table_count(notes); i++) {
		const note_msg *note = lyc_table_at(notes, i);
		if (lyc_call_may_see(call, note->label))
			reply.note[reply.n_note++] = (note_msg *)note;
	}
	closure(&reply, call);
	free(reply.note);
}

static @Name@__V1__@Name@_Service service = @NAME@__V1__@NAME@__INIT(@name@_);
static ProtobufCService *const services[] = {&service.base, NULL};
static const char *const subjects[] = {"@name@.v1.Note.>", NULL};

static enum lyc_status start(struct lyc_plugin_context *context, void **ret_state,
			     struct lyc_error *error)
{
	struct lyc_table *notes = NULL;
	enum lyc_status status =
		lyc_follow_into(context, &@name@__v1__note__descriptor, &notes, error);
	*ret_state = notes;
	return status;
}

static void stop(void *state)
{
	(void)state;
}

LYC_PLUGIN = {
	.abi = LYC_PLUGIN_ABI,
	.size = sizeof(struct lyc_plugin),
	.name = "@name@",
	.version = "0.1.0",
	.services = services,
	.schema = @name@_schema,
	.schema_len = sizeof(@name@_schema),
	.publishes = subjects,
	.reads = subjects,
	.start = start,
	.stop = stop,
};
