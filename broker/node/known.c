/* Two values beside the log: how far the hub has confirmed, and when each origin was heard of. */
#include "node/known.h"

#include <string.h>

#include "base/pb.h"
#include "node/daemon.h"

void known_load_hub(struct daemon *daemon, struct link *link)
{
	struct buf saved = {0};
	daemon->env.load(daemon->env.world, "confirmed", &saved);
	struct origin *own =
		origins_get(&link->theirs, span_of(daemon->name, strlen(daemon->name)));
	struct pb_reader reader = pb_reader_of(span_of(saved.data, saved.len));
	struct pb_field field;
	while (own && pb_read_field(&reader, &field)) {
		if (field.number == 1)
			own->epoch = field.value;
		else if (field.number == 2)
			own->seq = field.value;
	}
	link->confirmed_epoch = own ? own->epoch : 0;
	link->confirmed_seq = own ? own->seq : 0;
	buf_fini(&saved);
}

static void save_confirmed(struct daemon *daemon)
{
	struct link *link = daemon->uplink.link;
	const struct origin *own = link ? link_confirmed(link) : NULL;
	if (!own || own->seq == 0)
		return;
	struct buf saved = {0};
	pb_write_uint(&saved, 1, own->epoch);
	pb_write_uint(&saved, 2, own->seq);
	daemon->env.save(daemon->env.world, "confirmed", span_of(saved.data, saved.len));
	buf_fini(&saved);
}

void known_load(struct daemon *daemon)
{
	const struct env *env = &daemon->env;
	uint64_t now = env->now_ms(env->world);
	uint64_t wall = env->wall_ms(env->world);
	struct buf saved = {0};
	env->load(env->world, "heads", &saved);
	for (size_t i = 0; i < daemon->stream.origins.count; i++) {
		struct origin *origin = &daemon->stream.origins.items[i];
		uint64_t known_ms = 0;
		struct pb_reader reader = pb_reader_of(span_of(saved.data, saved.len));
		struct pb_field field;
		while (pb_read_field(&reader, &field)) {
			struct pb_reader inner = pb_reader_of(field.bytes);
			struct pb_field part;
			bool is_this = false;
			while (field.wire == PB_LEN && pb_read_field(&inner, &part)) {
				if (part.number == 1 && part.wire == PB_LEN)
					is_this = span_is(part.bytes, origin->name);
				else if (part.number == 2 && is_this)
					known_ms = part.value;
			}
		}
		if (known_ms > 0)
			origin_heard_of(origin, now, wall > known_ms ? wall - known_ms : 0);
	}
	buf_fini(&saved);
}

void known_save(struct daemon *daemon)
{
	const struct env *env = &daemon->env;
	uint64_t now = env->now_ms(env->world);
	uint64_t wall = env->wall_ms(env->world);
	struct buf saved = {0};
	for (size_t i = 0; i < daemon->stream.origins.count; i++) {
		const struct origin *origin = &daemon->stream.origins.items[i];
		size_t mark = pb_begin(&saved, 1);
		pb_write_text(&saved, 1, origin->name);
		pb_write_uint(&saved, 2, wall - origin_age_ms(origin, now, wall));
		pb_end(&saved, mark);
	}
	if (saved.len > 0)
		env->save(env->world, "heads", span_of(saved.data, saved.len));
	buf_fini(&saved);
	save_confirmed(daemon);
	daemon->heads_saved_ms = now;
}
