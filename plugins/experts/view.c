/*
 * A record that replaces another is a new document; the old number stays empty until a quarter of
 * the numbers is, then all are given anew.
 */
#include "view.h"

#include <lyceum/experts/v1/experts.pb-c.h>

#include "grow.h"

typedef Lyceum__Experts__V1__Expert expert_msg;

void view_init(struct view *view)
{
	*view = (struct view){0};
	people_init(&view->people);
	view->index = index_new();
}

void view_fini(struct view *view)
{
	people_fini(&view->people);
	index_free(view->index);
	free(view->sums);
	*view = (struct view){0};
}

static void fill_items(const expert_msg *expert, struct index_item *to)
{
	for (size_t i = 0; i < expert->n_evidence; i++) {
		const Lyceum__Experts__V1__Evidence *evidence = expert->evidence[i];
		*to++ = (struct index_item){.field = INDEX_EVIDENCE,
					    .ordinal = (uint32_t)i,
					    .kind = (uint8_t)((unsigned)evidence->kind & 15),
					    .title = evidence->title,
					    .body = evidence->abstract};
	}
	for (size_t i = 0; i < expert->n_topic; i++)
		*to++ = (struct index_item){.field = INDEX_TOPIC,
					    .ordinal = (uint32_t)i,
					    .title = expert->topic[i]->topic};
	for (size_t i = 0; i < expert->n_role; i++)
		*to++ = (struct index_item){.field = INDEX_ROLE,
					    .ordinal = (uint32_t)i,
					    .title = expert->role[i]->post,
					    .body = expert->role[i]->at};
	*to++ = (struct index_item){
		.field = INDEX_ORGANISATION,
		.title = expert->organisation ? expert->organisation->organisation_name : NULL,
		.body = expert->organisation ? expert->organisation->department : NULL};
	*to = (struct index_item){.field = INDEX_NAME,
				  .title = expert->name ? expert->name->display : NULL};
}

static void close_gaps(struct view *view)
{
	struct people *people = &view->people;
	uint32_t gone = people->doc_count - people->count;

	if (gone < 1024 || gone < people->doc_count / 4)
		return;
	uint32_t count = people->doc_count;
	uint32_t *map = grow_new(count, sizeof(*map));
	people_renumber(people, map);
	index_renumber(view->index, map, count);
	free(map);
}

static void drop(struct view *view, const char *home, const char *id, uint64_t seq)
{
	uint32_t doc = people_remove(&view->people, home, id, seq);

	if (doc != PEOPLE_NO_DOC)
		index_remove(view->index, doc);
}

enum lyc_status view_put(struct view *view, const void *body, size_t body_len, uint64_t seq)
{
	expert_msg *expert = lyceum__experts__v1__expert__unpack(NULL, body_len, body);

	if (!expert || !expert->home[0] || !expert->id[0]) {
		lyceum__experts__v1__expert__free_unpacked(expert, NULL);
		return LYC_INVALID_ARGUMENT;
	}
	drop(view, expert->home, expert->id, seq);
	size_t count = expert->n_evidence + expert->n_topic + expert->n_role + 2;
	struct index_item *items = grow_new(count, sizeof(*items));
	fill_items(expert, items);
	uint32_t doc = people_put(&view->people, expert, body, body_len, seq);
	index_put(view->index, doc, view->people.facts[doc].is_open, items, count);
	free(items);
	lyceum__experts__v1__expert__free_unpacked(expert, NULL);
	view->seq = seq;
	close_gaps(view);
	return LYC_OK;
}

void view_remove(struct view *view, const char *home, const char *id, uint64_t seq)
{
	drop(view, home, id, seq);
	view->seq = seq;
	close_gaps(view);
}
