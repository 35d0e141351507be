/* A ruleset of what may be opened, made from a confinement. */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

#define VERSION_QUESTION 1u
#define RULE_BELOW 1

enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_MAKE_CHAR = 1 << 6,
	FS_MAKE_BLOCK = 1 << 11,
	FS_TRUNCATE = 1 << 14,
	FS_IOCTL_DEVICE = 1 << 15,
};
/* All that the first version knows, and what came with 2 (moving between folders), 3 and 5. */
#define FS_OF_1 0x1fffu
#define FS_OF_2 0x3fffu
#define FS_OF_3 0x7fffu
#define FS_OF_5 0xffffu
/* What makes sense for something that is no folder. */
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEVICE)
#define FS_READ (FS_READ_FILE | FS_READ_DIR)

#define NET_BIND 1u
#define NET_CONNECT 2u
#define SCOPE_ABSTRACT_SOCKETS 1u
#define SCOPE_SIGNALS 2u

struct ruleset_attr {
	uint64_t handled_fs;
	uint64_t handled_net;
	uint64_t scoped;
};

struct below_attr {
	uint64_t allowed;
	int32_t folder_fd;
} __attribute__((packed));

struct rules {
	int fd;
	uint64_t handled;
};

/* What every C program opens; nothing of it is about a person. */
static const char *const libraries[] = {"/lib", "/lib64", "/usr/lib", "/usr/lib64",
					"/usr/local/lib"};
static const char *const readable[] = {"/etc/ld.so.cache",    "/etc/localtime",
				       "/usr/share/zoneinfo", "/usr/share/locale",
				       "/dev/urandom",        "/dev/random",
				       "/proc/self",          "/proc/meminfo",
				       "/proc/stat",          "/sys/devices/system/cpu"};
static const char *const writable[] = {"/dev/null", "/dev/zero"};
/* Names of other machines, and the certificates by which they prove them. */
static const char *const names[] = {"/etc/resolv.conf",
				    "/etc/hosts",
				    "/etc/nsswitch.conf",
				    "/etc/host.conf",
				    "/etc/gai.conf",
				    "/etc/services",
				    "/run/systemd/resolve",
				    "/etc/ssl",
				    "/usr/share/ca-certificates",
				    "/usr/local/share/ca-certificates",
				    "/etc/ca-certificates"};

int landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_QUESTION);
	return version > 0 ? (int)version : 0;
}

static uint64_t handled_by(int version)
{
	return version >= 5 ? FS_OF_5 : version >= 3 ? FS_OF_3 : version >= 2 ? FS_OF_2 : FS_OF_1;
}

static enum lyc_status allow(const struct rules *rules, const char *path, uint64_t rights,
			     struct lyc_error *error)
{
	struct stat stat;
	if (!path)
		return LYC_OK;
	int fd = open(path, O_PATH | O_CLOEXEC);
	/* What is not there now needs no rule: opening it will say so by itself. */
	if (fd < 0)
		return LYC_OK;
	if (fstat(fd, &stat) == 0 && !S_ISDIR(stat.st_mode))
		rights &= FS_OF_FILES;
	struct below_attr below = {.allowed = rights & rules->handled, .folder_fd = fd};
	long rc = syscall(SYS_landlock_add_rule, rules->fd, RULE_BELOW, &below, 0);
	int code = errno;
	close(fd);
	if (rc != 0)
		return error_set(error, LYC_UNAVAILABLE,
				 "The process cannot be confined to %s: %s.", path, strerror(code));
	return LYC_OK;
}

static enum lyc_status allow_all(const struct rules *rules, const char *const *paths, size_t count,
				 uint64_t rights, struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	for (size_t i = 0; i < count && status == LYC_OK; i++)
		status = allow(rules, paths[i], rights, error);
	return status;
}

#define ALLOW_ALL(rules, paths, rights, error)                                                     \
	allow_all(rules, paths, sizeof(paths) / sizeof((paths)[0]), rights, error)

static enum lyc_status allow_reach(const struct rules *rules, const struct reach *reach,
				   struct lyc_error *error)
{
	const uint64_t change = FS_OF_5 & ~(uint64_t)(FS_EXECUTE | FS_MAKE_CHAR | FS_MAKE_BLOCK);
	switch (reach->kind) {
	case REACH_READ:
		return allow(rules, reach->what, FS_READ, error);
	case REACH_WRITE:
		return allow(rules, reach->what, change, error);
	case REACH_RUN:
		return allow(rules, reach->what, FS_READ | FS_EXECUTE, error);
	case REACH_CONNECT:
		return ALLOW_ALL(rules, names, FS_READ, error);
	default:
		return LYC_OK;
	}
}

static enum lyc_status allow_what_is_asked(const struct rules *rules,
					   const struct confinement *confinement,
					   struct lyc_error *error)
{
	const uint64_t change = FS_OF_5 & ~(uint64_t)(FS_EXECUTE | FS_MAKE_CHAR | FS_MAKE_BLOCK);
	enum lyc_status status = ALLOW_ALL(rules, libraries, FS_READ | FS_EXECUTE, error);
	if (status == LYC_OK)
		status = ALLOW_ALL(rules, readable, FS_READ, error);
	if (status == LYC_OK)
		status = ALLOW_ALL(rules, writable, FS_READ | FS_WRITE_FILE | FS_TRUNCATE, error);
	if (status == LYC_OK)
		status = allow(rules, confinement->plugin_file, FS_READ | FS_EXECUTE, error);
	if (status == LYC_OK)
		status = allow(rules, confinement->data_folder, change, error);
	if (status == LYC_OK)
		status = allow(rules, confinement->config_file, FS_READ, error);
	for (size_t i = 0; i < confinement->reach_count && status == LYC_OK; i++)
		status = allow_reach(rules, &confinement->reach[i], error);
	return status;
}

static uint64_t refused_tcp(const struct confinement *confinement)
{
	uint64_t refused = NET_BIND | NET_CONNECT;
	for (size_t i = 0; i < confinement->reach_count; i++) {
		if (confinement->reach[i].kind == REACH_LISTEN)
			refused &= ~(uint64_t)NET_BIND;
		if (confinement->reach[i].kind == REACH_CONNECT)
			refused &= ~(uint64_t)NET_CONNECT;
	}
	return refused;
}

enum lyc_status landlock_restrict(const struct confinement *confinement, int version,
				  struct lyc_error *error)
{
	struct ruleset_attr attr = {.handled_fs = handled_by(version)};
	/* A kernel takes the attributes that its version has, and refuses more. */
	size_t size = sizeof(attr.handled_fs);
	if (version >= LANDLOCK_HAS_TCP) {
		attr.handled_net = refused_tcp(confinement);
		size += sizeof(attr.handled_net);
	}
	if (version >= LANDLOCK_HAS_SCOPES) {
		attr.scoped = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
		size += sizeof(attr.scoped);
	}
	struct rules rules = {
		.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0),
		.handled = attr.handled_fs,
	};
	if (rules.fd < 0)
		return error_set(error, LYC_UNAVAILABLE, "Landlock gives no ruleset: %s.",
				 strerror(errno));
	enum lyc_status status = allow_what_is_asked(&rules, confinement, error);
	if (status == LYC_OK && syscall(SYS_landlock_restrict_self, rules.fd, 0) != 0)
		status = error_set(error, LYC_UNAVAILABLE,
				   "Landlock does not take the ruleset: %s.", strerror(errno));
	close(rules.fd);
	return status;
}
