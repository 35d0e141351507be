/* A session that is owed an eighth of its credit waits in one list until it has been given it. */
#include "node/pace.h"

#include "wire/packet.h"

void pace_init(struct pace *pace)
{
	*pace = (struct pace){0};
	list_init(&pace->owed);
}

void pace_call(struct pace *pace, uint64_t now_ms)
{
	pace->called_ms = now_ms;
}

void pace_publish(struct pace *pace, struct session *session, size_t len, uint64_t fanned_len)
{
	if (session_is_link(session))
		return;
	session->transient_len += len;
	session->owed_len += len;
	session->owed_cost += len + fanned_len;
	if (session->owed_len >= WIRE_OWED_PUBLISHES(session->publishes_granted) &&
	    list_is_empty(&session->owed))
		list_add_last(&pace->owed, &session->owed);
}

/* What may be given in this millisecond. */
static uint64_t left_of(struct pace *pace, uint64_t now_ms)
{
	if (now_ms - pace->called_ms >= PACE_CALLS_MS)
		return UINT64_MAX;
	if (pace->given_ms != now_ms)
		pace->given_len = 0;
	pace->given_ms = now_ms;
	return pace->given_len < PACE_LEN ? PACE_LEN - pace->given_len : 0;
}

/* Of what it is owed, as much as costs no more than that, but something. */
static uint64_t give_back(struct session_table *sessions, struct session *session, uint64_t left)
{
	uint64_t cost = session->owed_cost;
	uint64_t len = session->owed_len;
	if (cost > left) {
		uint64_t share = (uint64_t)((double)len * (double)left / (double)cost);
		len = share > 0 ? share : 1;
		cost = left;
	}
	struct packet packet = {.kind = PACKET_CREDIT, .credit = {.value = len}};
	session->owed_len -= len;
	session->owed_cost -= cost;
	session->transient_len -= len;
	session_send(sessions, session, &packet);
	return cost;
}

void pace_turn(struct pace *pace, struct session_table *sessions, uint64_t now_ms)
{
	if (list_is_empty(&pace->owed))
		return;
	for (uint64_t left = left_of(pace, now_ms); left > 0 && !list_is_empty(&pace->owed);) {
		struct session *session = list_entry(pace->owed.next, struct session, owed);
		uint64_t cost = give_back(sessions, session, left);
		list_remove(&session->owed);
		if (session->owed_len > 0)
			list_add_last(&pace->owed, &session->owed);
		left -= cost;
		pace->given_len += cost;
	}
}

bool pace_is_holding(const struct pace *pace)
{
	return !list_is_empty(&pace->owed);
}
