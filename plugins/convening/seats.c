/*
 * The fold. Who has answered and is not decided stands in a queue by arrival; who waits stands in
 * another by the moment the wait began. Entries of both stay until they are passed over, so nothing
 * is searched.
 */
#include "seats.h"

#include "hold.h"
#include "seats_book.h"

struct group *seats_group(struct seats *seats, const char *name)
{
	struct group *group = NULL;

	HASH_FIND_STR(seats->groups, name, group);
	if (group)
		return group;
	group = hold_new(1, sizeof(*group));
	group->name = hold_text(name);
	HASH_ADD_KEYPTR(hh, seats->groups, group->name, strlen(group->name), group);
	return group;
}

struct seats *seats_new(void)
{
	struct seats *seats = hold_new(1, sizeof(*seats));

	seats->next_page = 1;
	return seats;
}

void seats_free(struct seats *seats)
{
	struct guest *guest, *next;
	struct group *group, *next_group;

	if (!seats)
		return;
	HASH_ITER (hh, seats->guests, guest, next) {
		HASH_DEL(seats->guests, guest);
		free(guest->key);
		free(guest->node);
		free(guest->person);
		free(guest);
	}
	HASH_ITER (hh, seats->groups, group, next_group) {
		HASH_DEL(seats->groups, group);
		free(group->name);
		free(group);
	}
	free(seats->queue.items);
	free(seats->wait.items);
	free(seats);
}

static void line_add(struct line *line, struct guest *guest, uint64_t ticket)
{
	line->items =
		hold_grow(line->items, &line->capacity, line->count + 1, sizeof(*line->items));
	line->items[line->count++] = (struct ticket){guest, ticket};
}

/* Forget the front once it is half of the line. */
static void line_close_up(struct line *line)
{
	if (line->first < 1024 || line->first < line->count / 2)
		return;
	memmove(line->items, line->items + line->first,
		(line->count - line->first) * sizeof(*line->items));
	line->count -= line->first;
	line->first = 0;
}

/* "node/person"; a node's name has no slash. */
static char *key_of(const char *node, const char *person)
{
	size_t size = strlen(node) + strlen(person) + 2;
	char *key = hold_new(size, 1);

	snprintf(key, size, "%s/%s", node, person);
	return key;
}

static struct guest *find(const struct seats *seats, const char *node, const char *person)
{
	struct guest *guest = NULL;
	char *key = key_of(node, person);

	HASH_FIND_STR(seats->guests, key, guest);
	free(key);
	return guest;
}

static struct guest *meet(struct seats *seats, const char *node, const char *person)
{
	struct guest *guest = find(seats, node, person);

	if (guest)
		return guest;
	guest = hold_new(1, sizeof(*guest));
	guest->key = key_of(node, person);
	guest->node = hold_text(node);
	guest->person = hold_text(person);
	guest->group = guest->seat_group = seats_group(seats, "");
	HASH_ADD_KEYPTR(hh, seats->guests, guest->key, strlen(guest->key), guest);
	return guest;
}

void seats_set_rules(struct seats *seats, const struct seats_rules *rules)
{
	struct group *group, *next;

	HASH_ITER (hh, seats->groups, group, next)
		group->has_max = false;
	for (size_t i = 0; i < rules->quota_count; i++) {
		group = seats_group(seats, rules->quotas[i].group);
		group->has_max = true;
		group->max = rules->quotas[i].max;
	}
	seats->sequence = rules->sequence;
	seats->cap = rules->cap;
	seats->is_cancelled = rules->is_cancelled;
	seats->invited_only = rules->invited_only;
	seats->change_count++;
	seats->is_all_due = true;
}

static void enqueue(struct seats *seats, struct guest *guest)
{
	guest->ticket = ++seats->ticket_count;
	line_add(&seats->queue, guest, guest->ticket);
}

void seats_invite(struct seats *seats, const char *node, const char *person, const char *group)
{
	struct guest *guest = meet(seats, node, person);

	seats->invited_count += !guest->is_invited;
	guest->is_invited = true;
	if (group && group[0])
		guest->group = seats_group(seats, group);
	if (guest->state == SEATS_REFUSED && guest->reason == SEATS_NOT_INVITED) {
		guest->is_due = true;
		enqueue(seats, guest);
	}
}

void seats_answer(struct seats *seats, const char *node, const char *person, uint64_t number,
		  enum seats_choice choice, const char *group)
{
	const char *at = strrchr(person, '@');

	if (at && strcmp(at + 1, node) != 0)
		return;
	struct guest *guest = meet(seats, node, person);
	if (number <= guest->number || choice == SEATS_UNANSWERED)
		return;
	guest->number = number;
	guest->choice = choice;
	if (!guest->is_invited && group)
		guest->group = seats_group(seats, group);
	guest->is_due = true;
	enqueue(seats, guest);
}

static void sit_down(struct seats *seats, struct guest *guest, const char *group)
{
	guest->seat_group = seats_group(seats, group);
	guest->seat_group->taken++;
	seats->taken++;
}

static void stand_up(struct seats *seats, struct guest *guest)
{
	guest->seat_group->taken--;
	seats->taken--;
	seats->change_count++;
}

static void apply(struct seats *seats, const struct seats_decision *decision)
{
	struct guest *guest = meet(seats, decision->node, decision->person);
	bool was_waiting = guest->state == SEATS_WAITING;

	bool was_seated = guest->state == SEATS_SEATED;
	bool is_seated = decision->state == SEATS_SEATED;

	if (!was_seated || !is_seated || guest->seat_group != seats_group(seats, decision->group)) {
		if (was_seated)
			stand_up(seats, guest);
		if (is_seated)
			sit_down(seats, guest, decision->group);
	}
	seats->waiting_count -= was_waiting;
	seats->waiting_count += decision->state == SEATS_WAITING;
	if (decision->state == SEATS_WAITING && !was_waiting) {
		guest->wait_ticket = ++seats->ticket_count;
		line_add(&seats->wait, guest, guest->wait_ticket);
	}
	guest->state = decision->state;
	guest->reason = decision->reason;
	guest->decided_number = decision->number;
	if (decision->number >= guest->number)
		guest->is_due = false;
}

bool seats_take_page(struct seats *seats, uint64_t page, uint32_t sequence,
		     const struct seats_decision *decisions, size_t count)
{
	if (page != seats->next_page)
		return false;
	seats->next_page++;
	if (sequence != seats->sequence) {
		seats_reconsider(seats);
		return false;
	}
	for (size_t i = 0; i < count; i++)
		apply(seats, &decisions[i]);
	while (seats->queue.first < seats->queue.count &&
	       !seats_is_due(&seats->queue.items[seats->queue.first]))
		seats->queue.first++;
	while (seats->wait.first < seats->wait.count &&
	       !seats_is_waiting(&seats->wait.items[seats->wait.first]))
		seats->wait.first++;
	line_close_up(&seats->queue);
	line_close_up(&seats->wait);
	return true;
}

uint64_t seats_next_page(const struct seats *seats)
{
	return seats->next_page;
}

void seats_reconsider(struct seats *seats)
{
	seats->reviewed_count = 0;
	seats->is_all_due = true;
}

uint32_t seats_taken(const struct seats *seats)
{
	return seats->taken;
}

uint32_t seats_group_taken(const struct seats *seats, const char *name)
{
	struct group *group = NULL;

	HASH_FIND_STR(seats->groups, name, group);
	return group ? group->taken : 0;
}

size_t seats_waiting(const struct seats *seats)
{
	return seats->waiting_count;
}

size_t seats_invited(const struct seats *seats)
{
	return seats->invited_count;
}

static void tell(const struct seats *seats, const struct guest *guest, struct seats_standing *to)
{
	*to = (struct seats_standing){
		.node = guest->node,
		.person = guest->person,
		.group =
			guest->state == SEATS_SEATED ? guest->seat_group->name : guest->group->name,
		.is_invited = guest->is_invited,
		.choice = guest->choice,
		.number = guest->number,
		.decided_number = guest->decided_number,
		.state = guest->state,
		.reason = guest->reason,
	};
	if (guest->state == SEATS_WAITING) {
		enum seats_reason now =
			seats_why_not(seats, guest, seats->taken, guest->group->taken);
		to->reason = now != SEATS_NONE ? now : guest->reason;
	}
}

bool seats_find(const struct seats *seats, const char *node, const char *person,
		struct seats_standing *ret_standing)
{
	const struct guest *guest = find(seats, node, person);

	if (!guest)
		return false;
	tell(seats, guest, ret_standing);
	for (size_t i = seats->wait.first; guest->state == SEATS_WAITING && i < seats->wait.count;
	     i++) {
		ret_standing->position += seats_is_waiting(&seats->wait.items[i]);
		if (seats->wait.items[i].guest == guest &&
		    seats->wait.items[i].number == guest->wait_ticket)
			break;
	}
	return true;
}

void seats_each(const struct seats *seats, seats_fn fn, void *arg)
{
	struct seats_standing standing;

	for (const struct guest *guest = seats->guests; guest; guest = guest->hh.next) {
		tell(seats, guest, &standing);
		fn(&standing, arg);
	}
}
