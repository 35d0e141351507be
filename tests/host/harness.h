/*
 * A scripted daemon for tests of plugins: it starts one instance, as a thread or as a process,
 * answers Hello by itself, keeps what comes in order, and sends what the test says. Waits for
 * events, each with a deadline, never for time to pass.
 */
#ifndef LYC_TEST_HARNESS_H
#define LYC_TEST_HARNESS_H

#include <stdbool.h>

#include "host/instance.h"
#include "wire/packet.h"

#define HARNESS_NODE "wales"
#define HARNESS_EPOCH 7

struct harness;

/* Before all else; runner is the lyceum-plugin executable. */
void harness_configure(bool as_thread, const char *runner);
bool harness_is_thread(void);

struct harness *harness_open(void);
/* Fails the test when the instance cannot even be started. */
void harness_start(struct harness *harness, const char *path, const char *name, const char *config);
/* The next packet of this kind; others before it are dropped. Fails the test when none comes in
 * time, or when the instance ends instead. Valid until the next call. */
const struct packet *harness_expect(struct harness *harness, enum packet_kind kind);
/* The last reply of this call, or, with more, the next one. */
const struct packet_reply *harness_expect_reply(struct harness *harness, uint64_t id);
void harness_send(struct harness *harness, const struct packet *packet);
/* Call Echo/Say with this text. */
void harness_say(struct harness *harness, uint64_t id, const char *text, uint32_t timeout_ms);
/* Is the body of a SayReply this text? */
bool harness_said(const struct packet_reply *reply, const char *text);
/* Expect Register, answer Registered. */
void harness_register(struct harness *harness);
/* Wait until the instance has ended. */
void harness_wait_exit(struct harness *harness);
void harness_stop(struct harness *harness, uint32_t grace_ms);
/* Wait for a line that contains this. */
void harness_expect_line(struct harness *harness, const char *part);
bool harness_was_clean(const struct harness *harness);
bool harness_was_refused(const struct harness *harness);
/* How it ended, in words. */
const char *harness_exit_text(const struct harness *harness);
/* Stops what still runs. */
void harness_close(struct harness *harness);

#endif
