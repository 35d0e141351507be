/* One counter a home, of the last day that was heard of. */
#include "foreign.h"

#include "hold.h"

#define DAY_MS ((int64_t)86400000)

struct sender {
	char *home;
	int64_t day;
	int64_t news_day;
	uint32_t count;
	UT_hash_handle hh;
};

static struct sender *meet(struct view *view, const char *home, int64_t day)
{
	struct sender *sender = NULL;

	HASH_FIND_STR(view->senders, home, sender);
	if (!sender) {
		sender = hold_new(1, sizeof(*sender));
		sender->home = hold_text(home);
		HASH_ADD_KEYPTR(hh, view->senders, sender->home, strlen(sender->home), sender);
	}
	if (day > sender->day) {
		sender->day = day;
		sender->count = 0;
	}
	return sender;
}

void foreign_note(struct view *view, const char *home, struct invited *invited, int64_t queued_ms,
		  bool is_taken_back)
{
	struct sender *sender = meet(view, home, queued_ms / DAY_MS);

	if (invited->is_counted != is_taken_back)
		return;
	invited->is_counted = !is_taken_back;
	if (sender->day != queued_ms / DAY_MS)
		return;
	if (!is_taken_back)
		sender->count++;
	else if (sender->count > 0)
		sender->count--;
}

bool foreign_is_full(struct view *view, const char *home, int64_t now_ms)
{
	return meet(view, home, now_ms / DAY_MS)->count >= FOREIGN_MAX_A_DAY;
}

bool foreign_is_news(struct view *view, const char *home, int64_t now_ms)
{
	struct sender *sender = meet(view, home, now_ms / DAY_MS);

	if (sender->news_day >= now_ms / DAY_MS)
		return false;
	sender->news_day = now_ms / DAY_MS;
	return true;
}

void foreign_free(struct view *view)
{
	struct sender *sender, *next;

	HASH_ITER (hh, view->senders, sender, next) {
		HASH_DEL(view->senders, sender);
		free(sender->home);
		free(sender);
	}
}
