/*
 * Ten thousand answers at once from four nodes, with kill -9 of the event's home, of another node
 * and of the plugin alone in between: the cap holds on every page of the log, nobody's answer is
 * lost, and a restart tells the same seats. 2,000 answers unless `--full` says 10,000.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>

#include <lyceum/convening/v1/events.pb-c.h>
#include <lyceum/convening/v1/invitations.pb-c.h>
#include <lyceum/convening/v1/records.pb-c.h>

#include "network.h"

#define SEATS 120
#define NODES 4
#define STORM_MS 120000

typedef Lyceum__Convening__V1__Place place_msg;

static int total = 2000;
static struct network *network;
static struct node *hub;
static struct node *nodes[NODES];

/* One person who answers, until the answer is known to be recorded. */
struct guest {
	struct node *node;
	bool is_out; /* a call is under way */
	bool is_done;
	uint32_t generation;
	char name[40];
};

static struct guest *guests;
static int done_count;
static uint32_t generations[NODES];

static uint8_t *pack(const ProtobufCMessage *message, size_t *ret_len)
{
	uint8_t *bytes = malloc(protobuf_c_message_get_packed_size(message) + 1);
	assert_non_null(bytes);
	*ret_len = protobuf_c_message_pack(message, bytes);
	return bytes;
}

/* A plugin that was killed is started again; until then its calls are refused as unavailable. */
static void *call(struct node *node, const char *method, const ProtobufCMessage *request,
		  const ProtobufCMessageDescriptor *reply_type)
{
	struct lyc_call_options options = {.timeout_ms = NETWORK_DEADLINE_MS};
	struct lyc_error error = {0};
	uint8_t *reply = NULL;
	size_t len, reply_len;
	uint8_t *body = pack(request, &len);
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	enum lyc_status status;
	while ((status = lyc_client_call(node_client(node), method, body, len, &options, &reply,
					 &reply_len, &error)) == LYC_UNAVAILABLE &&
	       network_now_ms() < deadline)
		network_run(network, 50);
	if (status != LYC_OK)
		fail_msg("%s: %s", method, error.text);
	void *message = protobuf_c_message_unpack(reply_type, NULL, reply_len, reply);
	assert_non_null(message);
	free(body);
	free(reply);
	return message;
}

static size_t index_of(const struct node *node)
{
	for (size_t i = 0; i < NODES; i++) {
		if (nodes[i] == node)
			return i;
	}
	return 0;
}

/* ---- The storm ---- */

static void on_reply(const struct lyc_reply *reply, void *arg)
{
	struct guest *guest = arg;
	if (reply->more || guest->generation != generations[index_of(guest->node)])
		return;
	guest->is_out = false;
	if (reply->status == LYC_OK && !guest->is_done) {
		guest->is_done = true;
		done_count++;
	}
}

static void ask(struct guest *guest)
{
	Lyceum__Convening__V1__RsvpRequest request = LYCEUM__CONVENING__V1__RSVP_REQUEST__INIT;
	struct lyc_call_options options = {.principal = guest->name, .timeout_ms = 10000};
	size_t len;
	request.event = "seminar@nhsa";
	request.choice = LYCEUM__CONVENING__V1__CHOICE__YES;
	uint8_t *body = pack(&request.base, &len);
	guest->generation = generations[index_of(guest->node)];
	guest->is_out =
		lyc_client_call_start(guest->node->client, "lyceum.convening.v1.Invitations/Rsvp",
				      body, len, &options, on_reply, guest, NULL) == LYC_OK;
	free(body);
}

/* Whoever has no call under way and no answer asks (again). */
static void ask_all(void)
{
	for (int i = 0; i < total; i++) {
		if (!guests[i].is_done && !guests[i].is_out && guests[i].node->client)
			ask(&guests[i]);
	}
}

/* Dead at once, and up again: whatever was under way there is asked anew. */
static void crash(struct node *node)
{
	generations[index_of(node)]++;
	node_kill(node);
	for (int i = 0; i < total; i++) {
		if (guests[i].node == node)
			guests[i].is_out = false;
	}
	node_start(node);
}

/* Its process alone. */
static void crash_plugin(struct node *node)
{
	char path[80];
	int pid = 0, child;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)node->pid, (int)node->pid);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fscanf(file, "%d", &child) == 1)
		pid = child;
	fclose(file);
	assert_true(pid > 0);
	kill(pid, SIGKILL);
}

static void run_until(int count)
{
	uint64_t deadline = network_now_ms() + STORM_MS;
	while (done_count < count) {
		ask_all();
		network_run(network, 20);
		if (network_now_ms() > deadline)
			fail_msg("%d of %d have an answer", done_count, total);
	}
}

/* ---- What the log says ---- */

struct book {
	uint64_t pages;
	uint64_t void_pages;
	uint32_t taken;
	uint32_t most;
	bool is_read;
};

/* Seats per person are few: a page never seats somebody twice without a release. */
static char (*seated)[40];
static uint32_t seated_count;

static bool sits(const char *person, bool sits_down)
{
	for (uint32_t i = 0; i < seated_count; i++) {
		if (strcmp(seated[i], person) != 0)
			continue;
		if (!sits_down)
			memmove(seated[i], seated[--seated_count], sizeof(seated[i]));
		return true;
	}
	if (sits_down)
		snprintf(seated[seated_count++], sizeof(seated[0]), "%s", person);
	return false;
}

static void on_page(const struct lyc_delivery *delivery, void *arg)
{
	struct book *book = arg;
	book->is_read = book->is_read || delivery->caught_up;
	if (!delivery->subject)
		return;
	Lyceum__Convening__V1__SeatPage *page =
		lyceum__convening__v1__seat_page__unpack(NULL, delivery->body_len, delivery->body);
	assert_non_null(page);
	/* In order, each once. */
	assert_int_equal(page->page, ++book->pages);
	for (size_t i = 0; i < page->n_place; i++)
		sits(page->place[i]->person,
		     page->place[i]->state == LYCEUM__CONVENING__V1__PLACE__STATE__SEATED);
	book->taken = seated_count;
	book->most = book->taken > book->most ? book->taken : book->most;
	assert_true(book->taken <= SEATS);
	lyceum__convening__v1__seat_page__free_unpacked(page, NULL);
}

static struct book read_book(struct node *node)
{
	struct book book = {0};
	struct lyc_error error = {0};
	uint64_t id;
	const struct lyc_subscribe_options options = {
		.start = LYC_START_SEQ, .from = 1, .records_only = true};
	seated = calloc(SEATS + 1000, sizeof(*seated));
	seated_count = 0;
	assert_int_equal(lyc_client_subscribe(node_client(node),
					      "lyceum.convening.v1.SeatPage.nhsa.seminar.>",
					      &options, on_page, &book, &id, &error),
			 LYC_OK);
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while (!book.is_read && network_now_ms() < deadline)
		network_run(network, 20);
	assert_true(book.is_read);
	lyc_client_unsubscribe(node_client(node), id, true);
	free(seated);
	return book;
}

static Lyceum__Convening__V1__ListAnswersReply *answers(void)
{
	Lyceum__Convening__V1__ListAnswersRequest request =
		LYCEUM__CONVENING__V1__LIST_ANSWERS_REQUEST__INIT;
	request.event = "seminar";
	request.limit = 10000;
	request.state = LYCEUM__CONVENING__V1__PLACE__STATE__SEATED;
	return call(nodes[0], "lyceum.convening.v1.Invitations/ListAnswers", &request.base,
		    &lyceum__convening__v1__list_answers_reply__descriptor);
}

/* Every answer is decided at home, and every node has heard so. */
static void wait_until_decided(void)
{
	uint64_t deadline = network_now_ms() + STORM_MS;
	for (;;) {
		Lyceum__Convening__V1__ListAnswersReply *reply = answers();
		bool is_so =
			(int)reply->total == total && (int)(reply->taken + reply->waiting) == total;
		lyceum__convening__v1__list_answers_reply__free_unpacked(reply, NULL);
		if (is_so)
			return;
		network_run(network, 50);
		if (network_now_ms() > deadline)
			fail_msg("not every answer is decided");
	}
}

static char *seats_text(void)
{
	Lyceum__Convening__V1__ListAnswersReply *reply = answers();
	char *text = calloc(SEATS + 1, 64);
	assert_non_null(text);
	assert_int_equal(reply->n_answer, SEATS);
	for (size_t i = 0; i < reply->n_answer; i++) {
		strcat(text, reply->answer[i]->who);
		strcat(text, "\n");
	}
	lyceum__convening__v1__list_answers_reply__free_unpacked(reply, NULL);
	return text;
}

static Lyceum__Convening__V1__Standing standing_of(struct guest *guest)
{
	Lyceum__Convening__V1__ShowRequest request = LYCEUM__CONVENING__V1__SHOW_REQUEST__INIT;
	struct lyc_call_options options = {.principal = guest->name,
					   .timeout_ms = NETWORK_DEADLINE_MS};
	struct lyc_error error = {0};
	uint8_t *reply = NULL;
	size_t len, reply_len;
	request.event = "seminar@nhsa";
	uint8_t *body = pack(&request.base, &len);
	assert_int_equal(lyc_client_call(node_client(guest->node),
					 "lyceum.convening.v1.Events/Show", body, len, &options,
					 &reply, &reply_len, &error),
			 LYC_OK);
	Lyceum__Convening__V1__ShowReply *shown =
		lyceum__convening__v1__show_reply__unpack(NULL, reply_len, reply);
	assert_non_null(shown);
	assert_non_null(shown->own);
	Lyceum__Convening__V1__Standing standing = *shown->own;
	lyceum__convening__v1__show_reply__free_unpacked(shown, NULL);
	free(body);
	free(reply);
	return standing;
}

/* ---- The story ---- */

static int start(void **state)
{
	static const char *const names[NODES] = {"nhsa", "wales", "medcity", "leeds"};
	(void)state;
	network = network_new();
	hub = network_add(network, "hub", NULL);
	for (size_t i = 0; i < NODES; i++) {
		nodes[i] = network_add(network, names[i], hub);
		node_add_plugin(nodes[i], "convening", NULL, "process");
	}
	for (size_t i = 0; i < network->count; i++)
		node_start(&network->nodes[i]);
	for (size_t i = 0; i < NODES; i++)
		node_wait_for_plugin(nodes[i], "convening", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	network_settle(network);
	guests = calloc((size_t)total, sizeof(*guests));
	for (int i = 0; i < total; i++) {
		guests[i].node = nodes[i % NODES];
		snprintf(guests[i].name, sizeof(guests[i].name), "p%d@%s", i, names[i % NODES]);
	}
	return 0;
}

static int stop(void **state)
{
	(void)state;
	network_free(network);
	free(guests);
	return 0;
}

static void test_seats_hold_under_a_storm_with_crashes(void **state)
{
	Lyceum__Convening__V1__CreateRequest request = LYCEUM__CONVENING__V1__CREATE_REQUEST__INIT;
	(void)state;
	request.title = "Seminar";
	request.start = "2027-03-02T10:00";
	request.cap = SEATS;
	lyceum__convening__v1__event_reply__free_unpacked(
		call(nodes[0], "lyceum.convening.v1.Events/Create", &request.base,
		     &lyceum__convening__v1__event_reply__descriptor),
		NULL);
	for (size_t i = 1; i < NODES; i++)
		node_wait_until_holds(nodes[i], nodes[0]);

	uint64_t began = network_now_ms();
	ask_all();
	run_until(total / 10);
	crash(nodes[0]);
	run_until(total / 4);
	crash_plugin(nodes[0]);
	run_until(total / 2);
	crash(nodes[1]);
	run_until(total * 3 / 4);
	crash(nodes[0]);
	run_until(total);
	wait_until_decided();
	print_message("%d answers in %llu ms, four crashes included\n", total,
		      (unsigned long long)(network_now_ms() - began));

	struct book book = read_book(nodes[0]);
	assert_int_equal(book.taken, SEATS);
	assert_int_equal(book.most, SEATS);
	print_message("%llu pages, never more than %u seats\n", (unsigned long long)book.pages,
		      book.most);

	/* Told at the other nodes as at home, and the same after a restart. */
	for (size_t i = 1; i < NODES; i++)
		node_wait_until_holds(nodes[i], nodes[0]);
	char *before = seats_text();
	uint32_t told = 0;
	for (int i = 0; i<total; i += total / 400> 0 ? total / 400 : 1) {
		Lyceum__Convening__V1__Standing standing = standing_of(&guests[i]);
		char line[60];
		snprintf(line, sizeof(line), "%s\n", guests[i].name);
		bool has_seat = strstr(before, line) != NULL;
		assert_int_equal(standing.state,
				 has_seat ? LYCEUM__CONVENING__V1__PLACE__STATE__SEATED
					  : LYCEUM__CONVENING__V1__PLACE__STATE__WAITING);
		assert_int_equal(standing.reason,
				 has_seat ? LYCEUM__CONVENING__V1__PLACE__REASON__NONE
					  : LYCEUM__CONVENING__V1__PLACE__REASON__CAP_REACHED);
		told++;
	}
	assert_true(told >= 300);
	crash(nodes[0]);
	node_wait_for_plugin(nodes[0], "convening", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	char *after = seats_text();
	assert_string_equal(before, after);
	free(before);
	free(after);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seats_hold_under_a_storm_with_crashes),
	};
	if (argc > 1 && strcmp(argv[1], "--full") == 0)
		total = 10000;
	return cmocka_run_group_tests(tests, start, stop);
}
