/* What the two kinds of instance have to bring, and what they find here. */
#ifndef LYC_HOST_INSTANCE_KIND_H
#define LYC_HOST_INSTANCE_KIND_H

#include "host/instance.h"

struct instance_kind {
	/* Tell it to stop. */
	void (*ask)(struct instance *instance);
	/* The grace is over. */
	void (*give_up)(struct instance *instance);
	/* Free the whole; every handle has been closed. */
	void (*free)(struct instance *instance);
};

/* First in the structs of both kinds. */
struct instance {
	const struct instance_kind *kind;
	instance_line_fn on_line;
	instance_exit_fn on_exit;
	void *arg;

	uv_timer_t grace;
	uint32_t grace_ms;
	uint64_t grace_ends_ms;
	int open_handles;
	int pid;

	bool is_stopping;
	bool is_clean;
	bool is_refused;
	bool is_given_up;
	char last_error[512];

	/* Lines of the present second, and those of it that were not passed on. */
	unsigned line_count;
	uint64_t dropped_count;
	uv_timer_t second;
	char end_text[640];
};

/* Pass a line on. */
void instance_say(struct instance *instance, int level, const char *text);
/* How it ended: said when the last handle has closed. */
void instance_end(struct instance *instance, bool clean, const char *format, ...) LYC_PRINTF(3, 4);
/* Begin with what both kinds have; close that again. */
void instance_init(struct instance *instance, uv_loop_t *loop, const struct instance_kind *kind,
		   void *arg);
void instance_close_base(struct instance *instance);
/* Count a handle that has just been initialised; close one. */
void instance_handle(struct instance *instance, uv_handle_t *handle);
void instance_close(uv_handle_t *handle);

LYC_MUST_USE enum lyc_status instance_start_process(uv_loop_t *loop,
						    const struct instance_options *options,
						    struct instance **ret_instance,
						    struct lyc_error *error);
LYC_MUST_USE enum lyc_status instance_start_thread(uv_loop_t *loop,
						   const struct instance_options *options,
						   struct instance **ret_instance,
						   struct lyc_error *error);

#endif
