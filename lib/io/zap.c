/*
 * The ZAP handler: a REP socket on a thread of its own, so that a busy loop never delays a
 * handshake. The table is a hash by key; a new one is built aside and swapped under the mutex.
 */
#include "io/zap.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) (void)(element)
#include <uthash.h>
#include <zmq.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/keyfile.h"
#include "io/zap_probe.h"

#define ENDPOINT "inproc://zeromq.zap.01"
#define KEY_LEN 32
#define REQUEST_FRAMES 8
#define MAX_FRAME 255
#define PROBE_NAME "lyceum-probe"

struct known {
	uint8_t key[KEY_LEN];
	UT_hash_handle hh;
	char name[];
};

struct zap {
	void *handler;     /* the thread's, once it runs */
	void *stop_sender; /* the caller's end of a PAIR that ends the thread */
	void *stop_receiver;
	pthread_t thread;
	char plain_domain[MAX_FRAME + 1];
	bool has_plain_domain;

	pthread_mutex_t mutex;
	/* Under the mutex. */
	struct known *table;
	struct zap_refusals refusals;
};

struct request {
	size_t count;
	size_t len[REQUEST_FRAMES];
	uint8_t frame[REQUEST_FRAMES][MAX_FRAME + 1];
};

/* In the order of RFC 27. */
enum { VERSION, REQUEST_ID, DOMAIN, ADDRESS, IDENTITY, MECHANISM, CREDENTIALS };

static void table_free(struct known *table)
{
	struct known *entry, *next;
	HASH_ITER (hh, table, entry, next) {
		HASH_DEL(table, entry);
		free(entry);
	}
}

static bool frame_is(const struct request *request, size_t index, const char *text)
{
	return index < request->count && request->len[index] == strlen(text) &&
	       memcmp(request->frame[index], text, request->len[index]) == 0;
}

/* A whole request; frames that are too long or too many are kept as what matches nothing. */
static bool read_request(struct zap *zap, struct request *request)
{
	int more = 1;
	size_t len = sizeof(more);
	request->count = 0;
	while (more) {
		uint8_t skipped[1];
		bool has_room = request->count < REQUEST_FRAMES;
		uint8_t *to = has_room ? request->frame[request->count] : skipped;
		int size = zmq_recv(zap->handler, to, has_room ? MAX_FRAME + 1 : 1, 0);
		if (size < 0)
			return false;
		if (has_room)
			request->len[request->count++] = (size_t)size;
		if (zmq_getsockopt(zap->handler, ZMQ_RCVMORE, &more, &len) != 0)
			return false;
	}
	return true;
}

/* The key that the request proves to have. */
static bool proven_key(const struct request *request, uint8_t ret_key[KEY_LEN])
{
	if (!frame_is(request, MECHANISM, "CURVE") || request->count != CREDENTIALS + 1 ||
	    request->len[CREDENTIALS] != KEY_LEN)
		return false;
	memcpy(ret_key, request->frame[CREDENTIALS], KEY_LEN);
	return true;
}

/* Copies the name under which this request gets in; false: it does not. */
static bool admit(struct zap *zap, const struct request *request, char *ret_name)
{
	if (!frame_is(request, VERSION, "1.0") || request->count <= MECHANISM)
		return false;
	if (frame_is(request, MECHANISM, "NULL")) {
		if (!zap->has_plain_domain || !frame_is(request, DOMAIN, zap->plain_domain))
			return false;
		memcpy(ret_name, ZAP_ANONYMOUS, sizeof(ZAP_ANONYMOUS));
		return true;
	}
	uint8_t key[KEY_LEN];
	if (!proven_key(request, key))
		return false;
	struct known *entry = NULL;
	pthread_mutex_lock(&zap->mutex);
	HASH_FIND(hh, zap->table, key, KEY_LEN, entry);
	if (entry)
		memcpy(ret_name, entry->name, strlen(entry->name) + 1);
	pthread_mutex_unlock(&zap->mutex);
	return entry != NULL;
}

static void note_refusal(struct zap *zap, const struct request *request)
{
	uint8_t key[KEY_LEN];
	bool has_key = proven_key(request, key);
	pthread_mutex_lock(&zap->mutex);
	zap->refusals.count++;
	zap->refusals.public_key[0] = '\0';
	if (has_key)
		zmq_z85_encode(zap->refusals.public_key, key, KEY_LEN);
	zap->refusals.reason =
		has_key ? "an unknown key was refused" : "a peer that proved no key was refused";
	pthread_mutex_unlock(&zap->mutex);
}

void zap_get_refusals(struct zap *zap, struct zap_refusals *ret_refusals)
{
	pthread_mutex_lock(&zap->mutex);
	*ret_refusals = zap->refusals;
	pthread_mutex_unlock(&zap->mutex);
}

static bool answer(struct zap *zap, const struct request *request, bool is_admitted,
		   const char *name)
{
	const char *code = is_admitted ? "200" : "400";
	const char *text = is_admitted ? "OK" : "not known here";
	size_t id_len = request->count > REQUEST_ID && request->len[REQUEST_ID] <= MAX_FRAME
				? request->len[REQUEST_ID]
				: 0;
	void *socket = zap->handler;
	return zmq_send(socket, "1.0", 3, ZMQ_SNDMORE) >= 0 &&
	       zmq_send(socket, request->frame[REQUEST_ID], id_len, ZMQ_SNDMORE) >= 0 &&
	       zmq_send(socket, code, 3, ZMQ_SNDMORE) >= 0 &&
	       zmq_send(socket, text, strlen(text), ZMQ_SNDMORE) >= 0 &&
	       zmq_send(socket, name, strlen(name), ZMQ_SNDMORE) >= 0 &&
	       zmq_send(socket, "", 0, 0) >= 0;
}

static void *zap_run(void *arg)
{
	struct zap *zap = arg;
	struct request request;
	zmq_pollitem_t items[2] = {
		{.socket = zap->handler, .events = ZMQ_POLLIN},
		{.socket = zap->stop_receiver, .events = ZMQ_POLLIN},
	};
	for (;;) {
		if (zmq_poll(items, 2, -1) < 0) {
			if (zmq_errno() == EINTR)
				continue;
			break;
		}
		if (items[1].revents)
			break;
		char name[ZAP_MAX_NAME + 1] = "";
		if (!items[0].revents)
			continue;
		if (!read_request(zap, &request))
			break;
		bool is_admitted = admit(zap, &request, name);
		if (!is_admitted)
			note_refusal(zap, &request);
		if (!answer(zap, &request, is_admitted, name))
			break;
	}
	zmq_close(zap->handler);
	zmq_close(zap->stop_receiver);
	return NULL;
}

static bool open_sockets(struct zap *zap, void *zmq_ctx)
{
	char stop[64];
	int zero = 0;
	snprintf(stop, sizeof(stop), "inproc://lyceum-zap-stop");
	zap->handler = zmq_socket(zmq_ctx, ZMQ_REP);
	zap->stop_sender = zmq_socket(zmq_ctx, ZMQ_PAIR);
	zap->stop_receiver = zmq_socket(zmq_ctx, ZMQ_PAIR);
	if (!zap->handler || !zap->stop_sender || !zap->stop_receiver)
		return false;
	zmq_setsockopt(zap->handler, ZMQ_LINGER, &zero, sizeof(zero));
	zmq_setsockopt(zap->stop_sender, ZMQ_LINGER, &zero, sizeof(zero));
	return zmq_bind(zap->handler, ENDPOINT) == 0 && zmq_bind(zap->stop_receiver, stop) == 0 &&
	       zmq_connect(zap->stop_sender, stop) == 0;
}

static void close_socket(void *socket)
{
	if (socket)
		zmq_close(socket);
}

static enum lyc_status prove(struct zap *zap, void *zmq_ctx, struct lyc_error *error)
{
	struct keypair keys;
	enum lyc_status status = keyfile_make(&keys, error);
	if (status != LYC_OK)
		return status;
	struct zap_key entry = {.name = PROBE_NAME, .public_key = keys.public_key};
	status = zap_set_keys(zap, &entry, 1, error);
	if (status == LYC_OK)
		status = zap_probe(zmq_ctx, &keys, PROBE_NAME, error);
	if (status == LYC_OK)
		status = zap_set_keys(zap, NULL, 0, error);
	/* The probe's own do not count. */
	pthread_mutex_lock(&zap->mutex);
	zap->refusals = (struct zap_refusals){.reason = ""};
	pthread_mutex_unlock(&zap->mutex);
	return status;
}

enum lyc_status zap_start(void *zmq_ctx, const char *plain_domain, struct zap **ret_zap,
			  struct lyc_error *error)
{
	if (plain_domain && strlen(plain_domain) > MAX_FRAME)
		return error_set(error, LYC_INVALID_ARGUMENT, "The plain ZAP domain is too long.");
	struct zap *zap = mem_try(sizeof(*zap));
	if (!zap)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for the key check.");
	pthread_mutex_init(&zap->mutex, NULL);
	zap->has_plain_domain = plain_domain && plain_domain[0];
	snprintf(zap->plain_domain, sizeof(zap->plain_domain), "%s",
		 plain_domain ? plain_domain : "");
	if (!open_sockets(zap, zmq_ctx) || pthread_create(&zap->thread, NULL, zap_run, zap) != 0) {
		enum lyc_status status =
			error_set(error, LYC_INTERNAL, "The key check cannot start: %s.",
				  zmq_strerror(zmq_errno()));
		close_socket(zap->handler);
		close_socket(zap->stop_sender);
		close_socket(zap->stop_receiver);
		pthread_mutex_destroy(&zap->mutex);
		free(zap);
		return status;
	}
	enum lyc_status status = prove(zap, zmq_ctx, error);
	if (status != LYC_OK) {
		zap_stop(zap);
		return status;
	}
	*ret_zap = zap;
	return LYC_OK;
}

static enum lyc_status add_key(struct known **table, const struct zap_key *key,
			       struct lyc_error *error)
{
	size_t name_len = strlen(key->name);
	if (name_len == 0 || name_len > ZAP_MAX_NAME)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The name of the key %.50s has to have 1 to %d bytes.",
				 key->public_key, ZAP_MAX_NAME);
	uint8_t bytes[KEY_LEN];
	if (strlen(key->public_key) != 40 || !zmq_z85_decode(bytes, key->public_key))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The public key of \"%s\" is not a key: 40 characters of Z85.",
				 key->name);
	struct known *entry;
	HASH_FIND(hh, *table, bytes, KEY_LEN, entry);
	if (entry && strcmp(entry->name, key->name) != 0)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "\"%.80s\" and \"%.80s\" have the same public key.", entry->name,
				 key->name);
	if (entry)
		return LYC_OK;
	entry = mem_try(sizeof(*entry) + name_len + 1);
	if (!entry)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for the keys.");
	memcpy(entry->key, bytes, KEY_LEN);
	memcpy(entry->name, key->name, name_len + 1);
	unsigned count = HASH_COUNT(*table);
	HASH_ADD(hh, *table, key, KEY_LEN, entry);
	if (HASH_COUNT(*table) == count) {
		free(entry);
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for the keys.");
	}
	return LYC_OK;
}

enum lyc_status zap_set_keys(struct zap *zap, const struct zap_key *keys, size_t key_count,
			     struct lyc_error *error)
{
	struct known *table = NULL;
	if (key_count > ZAP_MAX_KEYS)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "There are %zu keys; at most %d can be known.", key_count,
				 ZAP_MAX_KEYS);
	for (size_t i = 0; i < key_count; i++) {
		enum lyc_status status = add_key(&table, &keys[i], error);
		if (status != LYC_OK) {
			table_free(table);
			return status;
		}
	}
	pthread_mutex_lock(&zap->mutex);
	struct known *old = zap->table;
	zap->table = table;
	pthread_mutex_unlock(&zap->mutex);
	table_free(old);
	return LYC_OK;
}

void zap_stop(struct zap *zap)
{
	if (!zap)
		return;
	/* Cannot block: nothing was ever sent here before. A terminated context ends the thread,
	 * too. */
	zmq_send(zap->stop_sender, "", 0, ZMQ_DONTWAIT);
	pthread_join(zap->thread, NULL);
	zmq_close(zap->stop_sender);
	table_free(zap->table);
	pthread_mutex_destroy(&zap->mutex);
	free(zap);
}
