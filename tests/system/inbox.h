/*
 * What a subscription delivered, kept for a story to look at; and calls that are under way at the
 * same time.
 */
#ifndef LYC_SYSTEM_INBOX_H
#define LYC_SYSTEM_INBOX_H

#include "network.h"

#define INBOX_MAX 20000

struct arrival {
	char subject[160];
	char text[200]; /* of a Note; the name of an Expert */
	size_t body_len;
	char origin[32];
	uint64_t seq;
	uint64_t origin_seq;
	uint64_t missed;
	bool removed;
};

struct inbox {
	struct network *network;
	struct lyc_client *client;
	uint64_t id;
	struct arrival *items;
	size_t count; /* messages; gaps are in missed */
	uint64_t missed;
	bool has_caught_up;
};

/* Subscribe; fails the story when that is refused at once. */
struct inbox *inbox_open(struct network *network, struct lyc_client *client, const char *pattern,
			 const struct lyc_subscribe_options *options);
/* Unsubscribes, too. Accepts NULL. */
void inbox_close(struct inbox *inbox);
/* Frees without a word to the daemon: its client is gone already. */
void inbox_drop(struct inbox *inbox);
/* Wait until there are so many; fails the story at the deadline. */
void inbox_wait(struct inbox *inbox, size_t count);
void inbox_wait_caught_up(struct inbox *inbox);
/* How many have this text. */
size_t inbox_count(const struct inbox *inbox, const char *text);

/* ---- notes ---- */

#define NOTE "lyceum.echo.v1.Note"
/* Publish a Note; subject NULL: NOTE ".all". Fails the story when it is refused. Returns its
 * sequence. */
uint64_t note_publish(struct lyc_client *client, const char *subject, const char *text,
		      const struct lyc_publish_options *options);
enum lyc_status note_try(struct lyc_client *client, const char *subject, const char *text,
			 const struct lyc_publish_options *options, struct lyc_error *error);

/* ---- experts ---- */

#define EXPERT "lyceum.experts.v1.Expert"
/* Publish an Expert of this display name; `visibility` as in lyceum.v1.Visibility; audience NULL or
 * one name. */
enum lyc_status expert_publish(struct node *node, const char *home, const char *id,
			       const char *name, int visibility, const char *audience,
			       const struct lyc_publish_options *options, uint64_t *ret_seq,
			       struct lyc_error *error);
/* The same of the node's own, durably. Fails the story when it is refused. */
void expert_post(struct node *node, const char *id, const char *name, int visibility,
		 const char *audience);

/* ---- calls ---- */

struct outcome {
	bool is_done;
	size_t reply_count;
	enum lyc_status status;
	char text[300];
	char field[100];
	char served_by[32];
	char said[300];
	uint8_t body[4000];
	size_t body_len;
	uint64_t refusal;
	struct lyc_position position;
	char position_origin[32];
	size_t as_of_count;
	uint64_t as_of_age_ms[8];
	char as_of_origin[8][32];
};

/* Start Echo/Say; `outcome` is filled when its reply comes. Returns the call's id. */
uint64_t say_start(struct lyc_client *client, const char *text, uint32_t delay_ms,
		   const struct lyc_call_options *options, struct outcome *outcome);
void outcome_wait(struct network *network, struct lyc_client *client, struct outcome *outcome);
/* Both. */
struct outcome say(struct node *node, const char *text, uint32_t delay_ms,
		   const struct lyc_call_options *options);
/* Any method; ask_start as say_start. */
void ask_start(struct lyc_client *client, const char *method, const void *body, size_t body_len,
	       const struct lyc_call_options *options, struct outcome *outcome);
struct outcome ask(struct node *node, struct lyc_client *client, const char *method,
		   const void *body, size_t body_len, const struct lyc_call_options *options);
/* The one call, however often it takes until it is answered so. */
void say_until(struct node *node, enum lyc_status status);

#endif
