/* Searches as ExpertSearch/Find does, and turns hits into items: the reason with most points is the
 * item's why. */
#include "enquiry.h"

#include "grow.h"
#include "kind.h"

#define USUAL_LIMIT 5
#define PART_MAX 150
#define SUBTITLE_SIZE (3 * (PART_MAX + 2) + 1)
#define WHY_MAX 500

static char *copy(const char *text)
{
	return grow_copy(text, strlen(text));
}

/* The first max_len bytes of a long text, cut between two characters. */
static char *copy_at_most(const char *text, size_t max_len)
{
	size_t len = strlen(text);

	if (len > max_len) {
		len = max_len;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	return grow_copy(text, len);
}

/* "ip-lawyer, Leeds Law LLP, Yorkshire and The Humber" */
static char *write_subtitle(const Lyceum__Experts__V1__ExpertSummary *expert)
{
	char kind[KIND_SIZE] = "";
	char text[SUBTITLE_SIZE] = "";
	size_t len = 0;

	if (!kind_write(expert->kind, kind))
		kind[0] = '\0';
	const char *const parts[] = {kind, expert->organisation, expert->region};
	for (size_t i = 0; i < 3; i++) {
		char *part = copy_at_most(parts[i], PART_MAX);
		if (part[0])
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
						len ? ", " : "", part);
		free(part);
	}
	return copy(text);
}

static const char *best_reason(const Lyceum__Experts__V1__Hit *hit)
{
	const Lyceum__Experts__V1__Part *best = NULL;

	for (size_t i = 0; i < hit->n_parts; i++) {
		if (!best || hit->parts[i]->points > best->points)
			best = hit->parts[i];
	}
	return best ? best->text : "";
}

static Lyceum__V1__EnquiryItem *item_of(Lyceum__Experts__V1__Hit *hit)
{
	Lyceum__V1__EnquiryItem *item = grow_new(1, sizeof(*item));

	lyceum__v1__enquiry_item__init(item);
	item->title = copy(hit->expert->name);
	item->subtitle = write_subtitle(hit->expert);
	item->home = copy(hit->expert->home);
	item->ref = copy(hit->expert->id);
	item->why = copy_at_most(best_reason(hit), WHY_MAX);
	item->score = hit->total;
	item->label = hit->expert->label;
	hit->expert->label = NULL;
	return item;
}

Lyceum__V1__EnquiryAnswer *enquiry_answer(struct view *view, const Lyceum__V1__Enquiry *enquiry,
					  search_may_see_fn may_see, void *arg)
{
	Lyceum__Experts__V1__FindRequest request = LYCEUM__EXPERTS__V1__FIND_REQUEST__INIT;
	Lyceum__V1__EnquiryAnswer *answer = grow_new(1, sizeof(*answer));

	lyceum__v1__enquiry_answer__init(answer);
	request.text = enquiry->text;
	request.limit = enquiry->limit ? enquiry->limit : USUAL_LIMIT;
	request.without_facets = true;
	Lyceum__Experts__V1__FindReply *reply = search_find(view, &request, may_see, arg);
	answer->kind = copy("experts");
	answer->total = reply->total;
	answer->note = copy_at_most(reply->n_note ? reply->note[0] : "", 1000);
	answer->item = grow_new(reply->n_hits, sizeof(answer->item[0]));
	for (size_t i = 0; i < reply->n_hits; i++)
		answer->item[answer->n_item++] = item_of(reply->hits[i]);
	lyceum__experts__v1__find_reply__free_unpacked(reply, NULL);
	return answer;
}
