/* Subscriptions in a trie of tokens. Empty places are removed with their last subscription. */
#include "route/topics.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/ensure.h"
#include "base/mem.h"

struct place {
	char *token;
	struct place *parent;
	struct place *children; /* by token; the one of `*` as well */
	struct place *any;      /* the child of `*` */
	struct list exact;      /* patterns that end here */
	struct list tail;       /* patterns that end here with `>` */
	UT_hash_handle by_token;
};

static struct place *place_new(struct place *parent, struct span token)
{
	struct place *place = mem_new(struct place);
	place->token = mem_dup_try((const char *)token.data, token.len);
	ensure(place->token != NULL);
	place->parent = parent;
	list_init(&place->exact);
	list_init(&place->tail);
	return place;
}

void topics_init(struct topics *topics)
{
	topics->root = place_new(NULL, span_of("", 0));
	topics->count = 0;
}

void topics_fini(struct topics *topics)
{
	if (!topics->root)
		return;
	free(topics->root->token);
	free(topics->root);
	topics->root = NULL;
}

/* The first token, cut off `rest`; rest->data is NULL when it was the last. */
static struct span next_token(struct span *rest)
{
	const uint8_t *dot = memchr(rest->data, '.', rest->len);
	struct span token = *rest;
	if (dot) {
		token.len = (size_t)(dot - rest->data);
		*rest = span_of(dot + 1, rest->len - token.len - 1);
	} else {
		*rest = span_of(NULL, 0);
	}
	return token;
}

static struct place *child_of(struct place *place, struct span token)
{
	struct place *child = place->children;
	if (!child)
		return NULL;
	/* Where there is but one, as with most names of packages, nothing needs to be hashed. */
	if (!child->by_token.next)
		return child->by_token.keylen == token.len &&
				       memcmp(child->token, token.data, token.len) == 0
			       ? child
			       : NULL;
	HASH_FIND(by_token, place->children, token.data, token.len, child);
	return child;
}

static struct place *child_made(struct place *place, struct span token)
{
	struct place *child = child_of(place, token);
	if (child)
		return child;
	child = place_new(place, token);
	HASH_ADD_KEYPTR(by_token, place->children, child->token, token.len, child);
	if (span_is(token, "*"))
		place->any = child;
	return child;
}

struct subscription *subscription_add(struct topics *topics, struct session *session, uint64_t id,
				      struct span pattern)
{
	struct subscription *subscription = mem_try(sizeof(*subscription));
	if (!subscription)
		return NULL;
	subscription->session = session;
	subscription->id = id;
	subscription->pattern = mem_dup_try((const char *)pattern.data, pattern.len);
	if (!subscription->pattern) {
		free(subscription);
		return NULL;
	}
	struct place *place = topics->root;
	struct list *end = NULL;
	for (struct span rest = pattern; rest.data && !end;) {
		struct span token = next_token(&rest);
		if (!rest.data && span_is(token, ">"))
			end = &place->tail;
		else
			place = child_made(place, token);
	}
	list_add_last(end ? end : &place->exact, &subscription->of_place);
	list_add_last(&session->subscriptions, &subscription->of_session);
	HASH_ADD(by_id, session->subscriptions_by_id, id, sizeof(subscription->id), subscription);
	session->subscription_count++;
	topics->count++;
	return subscription;
}

static void prune(struct place *place)
{
	while (place->parent && !place->children && list_is_empty(&place->exact) &&
	       list_is_empty(&place->tail)) {
		struct place *parent = place->parent;
		HASH_DELETE(by_token, parent->children, place);
		if (parent->any == place)
			parent->any = NULL;
		free(place->token);
		free(place);
		place = parent;
	}
}

void subscription_remove(struct topics *topics, struct subscription *subscription)
{
	struct place *place = topics->root;
	for (struct span rest = span_of(subscription->pattern, strlen(subscription->pattern));
	     rest.data;) {
		struct span token = next_token(&rest);
		if (!rest.data && span_is(token, ">"))
			break;
		place = child_of(place, token);
		ensure(place != NULL);
	}
	list_remove(&subscription->of_place);
	list_remove(&subscription->of_session);
	HASH_DELETE(by_id, subscription->session->subscriptions_by_id, subscription);
	subscription->session->subscription_count--;
	topics->count--;
	free(subscription->pattern);
	free(subscription->group);
	free(subscription);
	prune(place);
}

struct subscription *subscription_find(struct session *session, uint64_t id)
{
	struct subscription *subscription;
	HASH_FIND(by_id, session->subscriptions_by_id, &id, sizeof(id), subscription);
	return subscription;
}

static void each_of(struct list *subscriptions, subscription_fn fn, void *arg)
{
	list_each (node, subscriptions)
		fn(list_entry(node, struct subscription, of_place), arg);
}

/* Depth is bounded by the tokens of a valid subject. */
static void match(struct place *place, struct span rest, subscription_fn fn, void *arg)
{
	if (!rest.data) {
		each_of(&place->exact, fn, arg);
		return;
	}
	each_of(&place->tail, fn, arg);
	struct span token = next_token(&rest);
	struct place *child = child_of(place, token);
	if (child)
		match(child, rest, fn, arg);
	if (place->any)
		match(place->any, rest, fn, arg);
}

void topics_match(struct topics *topics, struct span subject, subscription_fn fn, void *arg)
{
	if (topics->count > 0)
		match(topics->root, subject, fn, arg);
}
