/* Daemons without sockets, files, threads and clocks. */
#include "fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "base/pb.h"
#include "log.h"
#include "lyceum/v1/config.pb-c.h"
#include "schema_file.h"
#include "wire/subject.h"

#define KEY "0123456789012345678901234567890123456789"
#define LISTENER 1
#define SETTLE_ROUNDS 100000

struct span fake_text(const char *chars)
{
	return span_of(chars, strlen(chars));
}

/* ---- frames ---- */

static void frames_add(struct fake_frames *frames, struct buf *frame)
{
	size_t end = frames->first + frames->count;
	struct buf *items = realloc(frames->items, (end + 1) * sizeof(*items));
	ensure(items != NULL);
	frames->items = items;
	items[end] = *frame;
	frames->count++;
	*frame = (struct buf){0};
}

static bool frames_take(struct fake_frames *frames, struct buf *ret_frame)
{
	if (frames->count == 0)
		return false;
	*ret_frame = frames->items[frames->first++];
	frames->count--;
	if (frames->count == 0)
		frames->first = 0;
	return true;
}

static void frames_drop(struct fake_frames *frames)
{
	struct buf frame;
	while (frames_take(frames, &frame))
		buf_fini(&frame);
	free(frames->items);
	*frames = (struct fake_frames){0};
}

/* ---- struct env ---- */

static uint64_t env_now(void *arg)
{
	return ((struct fake_node *)arg)->world->now_ms;
}

static uint64_t env_wall(void *arg)
{
	return 1700000000000u + env_now(arg);
}

static void link_id(const struct fake_node *node, char *to, size_t size)
{
	snprintf(to, size, "%s#%u", node->name, node->connection);
}

/* Who has this routing id at a daemon's listener: a node's link, or a client. */
static struct fake_frames *find_receiver(struct fake_node *at, struct span routing_id,
					 struct buf **ret_seen)
{
	struct fake_world *world = at->world;
	char id[48];
	for (size_t i = 0; i < world->node_count; i++) {
		struct fake_node *node = world->nodes[i];
		link_id(node, id, sizeof(id));
		if (node->hub == at && node->is_open && span_is(routing_id, id)) {
			*ret_seen = &node->seen_down;
			return &node->down;
		}
	}
	for (size_t i = 0; i < world->client_count; i++) {
		struct fake_client *client = world->clients[i];
		if (client->node == at && span_is(routing_id, client->routing_id))
			return client->is_full ? NULL : &client->in;
	}
	return NULL;
}

static bool is_full(const struct fake_node *at, struct span routing_id)
{
	for (size_t i = 0; i < at->world->client_count; i++) {
		const struct fake_client *client = at->world->clients[i];
		if (client->node == at && span_is(routing_id, client->routing_id))
			return client->is_full;
	}
	return false;
}

static enum lyc_status env_send(void *arg, uint32_t port, struct span routing_id, struct buf *frame)
{
	struct fake_node *node = arg;
	struct buf *seen = NULL;
	if (port == PORT_UPLINK) {
		if (!node->is_open)
			return LYC_UNAVAILABLE;
		buf_add(&node->seen_up, frame->data, frame->len);
		frames_add(&node->up, frame);
		return LYC_OK;
	}
	if (is_full(node, routing_id))
		return LYC_RESOURCE_EXHAUSTED;
	struct fake_frames *to = find_receiver(node, routing_id, &seen);
	if (!to)
		return LYC_UNAVAILABLE;
	if (seen)
		buf_add(seen, frame->data, frame->len);
	frames_add(to, frame);
	return LYC_OK;
}

static void env_cut(void *arg, int fd)
{
	struct fake_node *node = arg;
	node->cut_fd = fd;
	node->cut_count++;
}

static void env_append(void *arg, struct append *append)
{
	struct fake_node *node = arg;
	struct append **end = &node->appends;
	while (*end)
		end = &(*end)->next;
	append->next = NULL;
	*end = append;
}

static void env_read(void *arg, struct log_read *read)
{
	struct fake_node *node = arg;
	struct log_read **end = &node->reads;
	while (*end)
		end = &(*end)->next;
	read->next = NULL;
	*end = read;
}

static uint64_t env_last_of(void *arg, struct span subject)
{
	const struct fake_node *node = arg;
	for (size_t i = node->record_count; i > 0; i--) {
		const struct buf *other = &node->records[i - 1].subject;
		if (span_equal(subject, span_of(other->data, other->len)))
			return i;
	}
	return 0;
}

static struct fake_value *find_value(struct fake_node *node, const char *key)
{
	struct fake_value *value = node->values;
	while (value && strcmp(value->key, key) != 0)
		value = value->next;
	return value;
}

static void env_save(void *arg, const char *key, struct span bytes)
{
	struct fake_node *node = arg;
	struct fake_value *value = find_value(node, key);
	if (!value) {
		value = mem_new(struct fake_value);
		value->key = mem_dup(key);
		value->next = node->values;
		node->values = value;
	}
	buf_clear(&value->value);
	buf_add(&value->value, bytes.data, bytes.len);
}

static void env_load(void *arg, const char *key, struct buf *ret_value)
{
	const struct fake_value *value = find_value(arg, key);
	if (value)
		buf_add(ret_value, value->value.data, value->value.len);
}

static uint64_t env_random(void *arg)
{
	return rng_next(&((struct fake_node *)arg)->world->rng);
}

static enum lyc_status env_uplink_open(void *arg, struct lyc_error *error)
{
	struct fake_node *node = arg;
	(void)error;
	node->connection++;
	node->is_open = !node->is_refused;
	return LYC_OK;
}

static void env_uplink_close(void *arg)
{
	struct fake_node *node = arg;
	node->is_open = false;
	frames_drop(&node->up);
	frames_drop(&node->down);
}

static enum lyc_status env_plugin_start(void *arg, struct plugin *plugin, struct lyc_error *error)
{
	struct fake_node *node = arg;
	node->start_count++;
	if (node->start_status != LYC_OK) {
		snprintf(error->text, sizeof(error->text), "it cannot be started");
		return node->start_status;
	}
	plugin->instance = node;
	return LYC_OK;
}

static void env_plugin_stop(void *arg, struct plugin *plugin, uint32_t grace_ms)
{
	(void)plugin;
	(void)grace_ms;
	((struct fake_node *)arg)->stop_count++;
}

static void storage(void *arg, struct store_stats *ret_stats, const char **ret_folder)
{
	const struct fake_node *node = arg;
	ret_stats->last_seq = node->record_count;
	*ret_folder = "nowhere";
}

/* ---- daemons ---- */

static void node_start(struct fake_node *node)
{
	static char *const names[] = {"ann", "root", "wales", "cork", "derry"};
	static const Lyceum__V1__Role roles[] = {LYCEUM__V1__ROLE__PERSON,
						 LYCEUM__V1__ROLE__OPERATOR, LYCEUM__V1__ROLE__NODE,
						 LYCEUM__V1__ROLE__NODE, LYCEUM__V1__ROLE__NODE};
	static char *policy_group[] = {"policy"};
	Lyceum__V1__Config config = LYCEUM__V1__CONFIG__INIT;
	Lyceum__V1__Limits limits = LYCEUM__V1__LIMITS__INIT;
	Lyceum__V1__Uplink uplink = LYCEUM__V1__UPLINK__INIT;
	Lyceum__V1__PeerKey keys[5];
	Lyceum__V1__PeerKey *key_items[5];
	for (size_t i = 0; i < 5; i++) {
		lyceum__v1__peer_key__init(&keys[i]);
		keys[i].name = names[i];
		keys[i].public_key = (char *)(uintptr_t)KEY;
		keys[i].role = roles[i];
		key_items[i] = &keys[i];
	}
	keys[0].groups = policy_group;
	keys[0].n_groups = 1;
	limits.call_credit = 200000;
	limits.publish_credit = 200000;
	config.name = node->name;
	config.keys = key_items;
	config.n_keys = node->hub ? 2 : 5;
	config.limits = &limits;
	if (node->hub) {
		uplink.name = node->hub->name;
		uplink.endpoint = (char *)(uintptr_t) "fake://hub";
		uplink.server_key = (char *)(uintptr_t)KEY;
		config.uplink = &uplink;
	}
	struct lyc_error error = {0};
	assert_int_equal(
		daemon_init(&node->daemon, &config, &node->env, node->epoch, "/plugins", &error),
		LYC_OK);
	node->daemon.storage = storage;
	assert_int_equal(types_add(&node->daemon.types, node->world->schema), LYC_OK);
	policy_grant(&node->daemon.policy, "board", "", ROLE_PLUGIN);
	policy_grant(&node->daemon.policy, "board.2", "", ROLE_PLUGIN);
	for (size_t i = 0; i < node->record_count; i++)
		daemon_replay(&node->daemon, i + 1,
			      span_of(node->records[i].record.data, node->records[i].record.len));
	daemon_start(&node->daemon);
	node->is_running = true;
}

static void node_end(struct fake_node *node)
{
	while (node->appends) {
		node->append_status = LYC_UNAVAILABLE;
		fake_commit(node, 1);
	}
	while (node->reads) {
		struct log_read *read = node->reads;
		node->reads = read->next;
		read->status = LYC_UNAVAILABLE;
		read->on_done(read);
	}
	node->append_status = LYC_OK;
	daemon_fini(&node->daemon);
	node->is_running = false;
	env_uplink_close(node);
}

struct fake_node *fake_node_add(struct fake_world *world, const char *name, struct fake_node *hub)
{
	struct fake_node *node = mem_new(struct fake_node);
	ensure(world->node_count < FAKE_MAX_NODES);
	world->nodes[world->node_count++] = node;
	node->world = world;
	node->hub = hub;
	node->epoch = 1000 + world->node_count;
	snprintf(node->name, sizeof(node->name), "%s", name);
	node->env = (struct env){.world = node,
				 .now_ms = env_now,
				 .wall_ms = env_wall,
				 .send = env_send,
				 .cut = env_cut,
				 .append = env_append,
				 .read = env_read,
				 .last_of = env_last_of,
				 .save = env_save,
				 .load = env_load,
				 .random = env_random,
				 .uplink_open = env_uplink_open,
				 .uplink_close = env_uplink_close,
				 .plugin_start = env_plugin_start,
				 .plugin_stop = env_plugin_stop};
	node_start(node);
	return node;
}

void fake_node_restart(struct fake_node *node)
{
	node_end(node);
	for (size_t i = 0; i < node->world->node_count; i++) {
		struct fake_node *other = node->world->nodes[i];
		if (other->hub == node)
			fake_cut(other);
	}
	node_start(node);
}

static void node_free(struct fake_node *node)
{
	node_end(node);
	for (size_t i = 0; i < node->record_count; i++) {
		buf_fini(&node->records[i].subject);
		buf_fini(&node->records[i].record);
	}
	free(node->records);
	while (node->values) {
		struct fake_value *value = node->values;
		node->values = value->next;
		buf_fini(&value->value);
		free(value->key);
		free(value);
	}
	buf_fini(&node->seen_up);
	buf_fini(&node->seen_down);
	free(node);
}

struct fake_world *fake_world_new(uint64_t seed)
{
	struct fake_world *world = mem_new(struct fake_world);
	log_configure(LOG_TEXT, LOG_ERROR, "test");
	rng_init(&world->rng, seed);
	world->now_ms = 1000000;
	world->schema = schema_file_compile(NOTICE_SET, NULL);
	return world;
}

void fake_world_free(struct fake_world *world)
{
	for (size_t i = 0; i < world->client_count; i++) {
		frames_drop(&world->clients[i]->in);
		buf_fini(&world->clients[i]->frame);
		buf_fini(&world->clients[i]->out);
		world->clients[i]->node = NULL;
	}
	for (size_t i = 0; i < world->node_count; i++)
		node_free(world->nodes[i]);
	for (size_t i = 0; i < world->client_count; i++)
		free(world->clients[i]);
	schema_unref(world->schema);
	free(world);
}

/* ---- the disk ---- */

static void judge(struct fake_node *node, struct append *append)
{
	struct span subject = span_of(append->subject.data, append->subject.len);
	append->status = node->append_status;
	if (append->status == LYC_OK && append->has_expect &&
	    env_last_of(node, subject) != append->expect_seq)
		append->status = LYC_FAILED_PRECONDITION;
	if (append->status != LYC_OK) {
		snprintf(append->text, sizeof(append->text), "the log does not take it");
		append->seq = env_last_of(node, subject);
		return;
	}
	struct fake_record *records =
		realloc(node->records, (node->record_count + 1) * sizeof(*records));
	ensure(records != NULL);
	node->records = records;
	struct fake_record *record = &records[node->record_count];
	*record = (struct fake_record){0};
	buf_add(&record->subject, append->subject.data, append->subject.len);
	buf_add(&record->record, append->record.data, append->record.len);
	append->seq = ++node->record_count;
}

size_t fake_commit(struct fake_node *node, size_t count)
{
	size_t done = 0;
	for (; done < count && node->appends; done++) {
		struct append *append = node->appends;
		node->appends = append->next;
		judge(node, append);
		append->on_done(append);
	}
	return done;
}

static void serve(struct fake_node *node, struct log_read *read)
{
	uint64_t seq = read->from ? read->from : 1;
	for (; seq <= node->record_count && read->records.len < read->max_bytes; seq++) {
		const struct fake_record *record = &node->records[seq - 1];
		struct span subject = span_of(record->subject.data, record->subject.len);
		uint32_t len = (uint32_t)record->record.len;
		if ((read->pattern && !subject_matches(fake_text(read->pattern), subject)) ||
		    (read->only_last && env_last_of(node, subject) != seq))
			continue;
		buf_add(&read->records, &seq, sizeof(seq));
		buf_add(&read->records, &len, sizeof(len));
		buf_add(&read->records, record->record.data, len);
	}
	read->next_seq = seq;
	read->on_done(read);
}

size_t fake_serve(struct fake_node *node, size_t count)
{
	size_t done = 0;
	for (; done < count && node->reads; done++) {
		struct log_read *read = node->reads;
		node->reads = read->next;
		serve(node, read);
	}
	return done;
}

/* ---- links and time ---- */

bool fake_deliver_up(struct fake_node *node)
{
	struct buf frame;
	char id[48];
	if (!node->hub || !frames_take(&node->up, &frame))
		return false;
	link_id(node, id, sizeof(id));
	daemon_frame(&node->hub->daemon, LISTENER, fake_text(id), node->name, 7,
		     span_of(frame.data, frame.len));
	daemon_turn(&node->hub->daemon);
	buf_fini(&frame);
	return true;
}

bool fake_deliver_down(struct fake_node *node)
{
	struct buf frame;
	if (!frames_take(&node->down, &frame))
		return false;
	daemon_frame(&node->daemon, PORT_UPLINK, span_of(NULL, 0), node->hub->name, 7,
		     span_of(frame.data, frame.len));
	daemon_turn(&node->daemon);
	buf_fini(&frame);
	return true;
}

void fake_cut(struct fake_node *node)
{
	frames_drop(&node->up);
	frames_drop(&node->down);
	node->connection++;
}

static bool step(struct fake_world *world)
{
	bool is_busy = false;
	for (size_t i = 0; i < world->node_count; i++) {
		struct fake_node *node = world->nodes[i];
		is_busy |= fake_commit(node, SIZE_MAX) > 0;
		is_busy |= fake_serve(node, SIZE_MAX) > 0;
		daemon_turn(&node->daemon);
	}
	for (size_t i = 0; i < world->node_count; i++) {
		while (fake_deliver_up(world->nodes[i]))
			is_busy = true;
		while (fake_deliver_down(world->nodes[i]))
			is_busy = true;
	}
	return is_busy;
}

void fake_settle(struct fake_world *world)
{
	for (int round = 0; step(world); round++)
		ensure(round < SETTLE_ROUNDS);
}

void fake_tick(struct fake_world *world, uint64_t ms)
{
	world->now_ms += ms;
	for (size_t i = 0; i < world->node_count; i++) {
		daemon_tick(&world->nodes[i]->daemon);
		daemon_turn(&world->nodes[i]->daemon);
	}
}

void fake_pass(struct fake_world *world, uint64_t ms)
{
	fake_settle(world);
	for (uint64_t passed = 0; passed < ms; passed += 10) {
		fake_tick(world, ms - passed < 10 ? ms - passed : 10);
		fake_settle(world);
	}
}

/* ---- clients ---- */

struct fake_client *fake_client_new(struct fake_node *node, const char *identity)
{
	struct fake_world *world = node->world;
	struct fake_client *client = mem_new(struct fake_client);
	ensure(world->client_count < FAKE_MAX_CLIENTS);
	client->node = node;
	snprintf(client->identity, sizeof(client->identity), "%s", identity);
	snprintf(client->routing_id, sizeof(client->routing_id), "client%zu", world->client_count);
	world->clients[world->client_count++] = client;
	return client;
}

void fake_send_bytes(struct fake_client *client, struct span frame)
{
	daemon_frame(&client->node->daemon, LISTENER, fake_text(client->routing_id),
		     client->identity, 42, frame);
	daemon_turn(&client->node->daemon);
}

void fake_send(struct fake_client *client, const struct packet *packet)
{
	buf_clear(&client->out);
	packet_write(&client->out, packet);
	fake_send_bytes(client, span_of(client->out.data, client->out.len));
}

const struct packet *fake_next(struct fake_client *client)
{
	for (;;) {
		if (client->is_reading) {
			enum frame_result result = frame_next(&client->reader, &client->packet);
			assert_true(result == FRAME_PACKET || result == FRAME_END);
			if (result == FRAME_PACKET)
				return &client->packet;
			client->is_reading = false;
		}
		buf_fini(&client->frame);
		if (!frames_take(&client->in, &client->frame))
			return NULL;
		frame_start(&client->reader, span_of(client->frame.data, client->frame.len));
		client->is_reading = true;
	}
}

const struct packet *fake_expect(struct fake_client *client, enum packet_kind kind)
{
	const struct packet *packet = fake_next(client);
	if (!packet)
		fail_msg("'%s' got nothing instead of a packet of kind %d", client->identity,
			 (int)kind);
	if (packet->kind != kind)
		fail_msg("'%s' got a packet of kind %d instead of %d", client->identity,
			 (int)packet->kind, (int)kind);
	return packet;
}

void fake_expect_nothing(struct fake_client *client)
{
	const struct packet *packet = fake_next(client);
	if (packet)
		fail_msg("'%s' got a packet of kind %d", client->identity, (int)packet->kind);
}

struct fake_client *fake_client_add(struct fake_node *node, const char *identity)
{
	struct fake_client *client = fake_client_new(node, identity);
	struct packet packet = {.kind = PACKET_HELLO};
	packet.hello = (struct packet_hello){
		.version = WIRE_VERSION, .software = fake_text("test"), .call_credit = 150000};
	fake_send(client, &packet);
	fake_expect(client, PACKET_WELCOME);
	return client;
}

struct fake_client *fake_board_add(struct fake_node *node, const char *identity)
{
	struct fake_client *client = fake_client_add(node, identity);
	struct span service = fake_text("lyceum.notice.v1.Board");
	struct packet packet = {.kind = PACKET_REGISTER};
	packet.reg = (struct packet_register){.id = 1, .services = &service, .service_count = 1};
	fake_send(client, &packet);
	assert_int_equal(fake_expect(client, PACKET_REGISTERED)->registered.status, LYC_OK);
	return client;
}

/* ---- what tests say again and again ---- */

void fake_notice(struct buf *to, const char *home, const char *id, const char *text, int visibility,
		 const char *audience)
{
	pb_write_text(to, 1, home);
	pb_write_text(to, 2, id);
	pb_write_text(to, 3, text);
	if (visibility == 0)
		return;
	size_t label = pb_begin(to, 4);
	pb_write_uint(to, 2, (uint64_t)visibility);
	pb_write_text(to, 3, audience);
	pb_end(to, label);
}

void fake_post(struct fake_client *client, uint64_t publish_id, const char *id, const char *text,
	       int visibility, const char *audience)
{
	struct buf body = {0};
	fake_notice(&body, client->node->name, id, text, visibility, audience);
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){.id = publish_id,
						 .subject = fake_text("lyceum.notice.v1.Notice"),
						 .body = span_of(body.data, body.len),
						 .durable = true};
	fake_send(client, &packet);
	buf_fini(&body);
}

void fake_remove(struct fake_client *client, uint64_t publish_id, const char *id)
{
	char subject[120];
	snprintf(subject, sizeof(subject), "lyceum.notice.v1.Notice.%s.%s", client->node->name, id);
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){
		.id = publish_id, .subject = fake_text(subject), .durable = true, .remove = true};
	fake_send(client, &packet);
}

void fake_subscribe(struct fake_client *client, const struct packet_subscribe *subscribe)
{
	struct packet packet = {.kind = PACKET_SUBSCRIBE};
	packet.subscribe = *subscribe;
	fake_send(client, &packet);
}
