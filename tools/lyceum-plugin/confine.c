/* Both ways of giving up, and what they hold in words. */
#include "confine.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/error.h"
#include "landlock.h"
#include "syscalls.h"

static bool asks_for(const struct confinement *confinement, enum reach_kind kind)
{
	for (size_t i = 0; i < confinement->reach_count; i++) {
		if (confinement->reach[i].kind == kind)
			return true;
	}
	return false;
}

static void say_reach(const struct confinement *confinement, struct buf *to)
{
	static const char *const verbs[] = {
		[REACH_CONNECT] = "connects by tcp",
		[REACH_LISTEN] = "listens on tcp",
		[REACH_READ] = "reads",
		[REACH_WRITE] = "writes",
		[REACH_RUN] = "runs",
	};
	buf_add_text(to, "reaches its folder");
	if (confinement->config_file)
		buf_add_text(to, " and configuration");
	for (size_t i = 0; i < confinement->reach_count; i++) {
		const struct reach *reach = &confinement->reach[i];
		if (reach->kind == REACH_READ_CONFIG)
			continue;
		buf_add_format(to, ", %s", verbs[reach->kind]);
		if (reach->what)
			buf_add_format(to, " %s", reach->what);
	}
}

/* What the kernel cannot refuse though nobody asked for it. */
static void say_gaps(const struct confinement *confinement, int version, bool has_filter,
		     struct buf *to)
{
	bool connects = asks_for(confinement, REACH_CONNECT);
	bool listens = asks_for(confinement, REACH_LISTEN);
	if (version == 0)
		buf_add_text(to, "; all files of its user (this kernel has no Landlock)");
	if (!has_filter)
		buf_add_text(to, "; other programs and processes (this kernel has no seccomp)");
	if (!has_filter && version < LANDLOCK_HAS_TCP && !connects)
		buf_add_text(to, "; the network");
	else if (listens && !connects && version < LANDLOCK_HAS_TCP)
		buf_add_text(to, "; connections to others (Landlock refuses them from version 4)");
}

enum lyc_status confine(const struct confinement *confinement, struct buf *ret_text,
			struct lyc_error *error)
{
	struct syscalls_allowed allowed = {
		.connect = asks_for(confinement, REACH_CONNECT),
		.listen = asks_for(confinement, REACH_LISTEN),
		.run = asks_for(confinement, REACH_RUN),
	};
	struct buf gaps = {0};
	struct lyc_error reason = {0};
	int version = landlock_version();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return error_set(error, LYC_UNAVAILABLE, "no_new_privs cannot be set: %s.",
				 strerror(errno));
	enum lyc_status status = LYC_OK;
	if (version > 0)
		status = landlock_restrict(confinement, version, error);
	if (status != LYC_OK)
		return status;
	bool has_filter = syscalls_restrict(&allowed, &reason) == LYC_OK;
	say_gaps(confinement, version, has_filter, &gaps);
	if (gaps.len > 0 && confinement->is_required) {
		status = error_set(error, LYC_FAILED_PRECONDITION,
				   "Its confinement is required, but this kernel could not refuse "
				   "it%s.",
				   buf_text(&gaps) + 1);
	} else {
		say_reach(confinement, ret_text);
		if (gaps.len > 0)
			buf_add_format(ret_text, "; not refused%s", buf_text(&gaps));
		buf_add_text(ret_text, version > 0 && has_filter ? " (Landlock, seccomp)"
				       : version > 0             ? " (Landlock)"
				       : has_filter              ? " (seccomp)"
								 : "");
	}
	buf_fini(&gaps);
	return status;
}
