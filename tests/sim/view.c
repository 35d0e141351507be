/* Folding records. */
#include "view.h"

#include <stdio.h>
#include <string.h>

#include "sim_node.h"

void view_clear(struct view *view)
{
	for (size_t home = 0; home < SIM_NODES; home++) {
		for (size_t id = 0; id < VIEW_IDS; id++)
			buf_fini(&view->entries[home][id].body);
	}
	*view = (struct view){0};
}

bool view_key(struct span subject, size_t *ret_home, size_t *ret_id)
{
	static const char type[] = "lyceum.notice.v1.Notice.";
	const size_t len = sizeof(type) - 1;
	if (subject.len < len + 3 || memcmp(subject.data, type, len) != 0)
		return false;
	struct span home = span_of(subject.data + len, subject.len - len - 2);
	*ret_id = (size_t)(subject.data[subject.len - 1] - '0');
	for (size_t i = 0; i < SIM_NODES; i++) {
		if (span_is(home, sim_node_names[i])) {
			*ret_home = i;
			return *ret_id < VIEW_IDS;
		}
	}
	return false;
}

void view_fold(struct view *view, const struct packet_deliver *deliver)
{
	size_t home;
	size_t id;
	if (deliver->seq > view->seq)
		view->seq = deliver->seq;
	if (!view_key(deliver->subject, &home, &id))
		return;
	struct view_entry *entry = &view->entries[home][id];
	buf_clear(&entry->body);
	entry->is_there = !deliver->removed;
	entry->origin_seq = deliver->origin_seq;
	if (entry->is_there)
		buf_add(&entry->body, deliver->body.data, deliver->body.len);
}

bool view_differs(const struct view *a, const struct view *b, size_t *ret_home, size_t *ret_id)
{
	for (size_t home = 0; home < SIM_NODES; home++) {
		for (size_t id = 0; id < VIEW_IDS; id++) {
			const struct view_entry *left = &a->entries[home][id];
			const struct view_entry *right = &b->entries[home][id];
			if (left->is_there == right->is_there &&
			    (!left->is_there ||
			     span_equal(span_of(left->body.data, left->body.len),
					span_of(right->body.data, right->body.len))))
				continue;
			*ret_home = home;
			*ret_id = id;
			return true;
		}
	}
	return false;
}
