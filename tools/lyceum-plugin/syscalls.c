/* A seccomp filter, made with libseccomp. */
#include "syscalls.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

#define REFUSED SCMP_ACT_ERRNO(EPERM)
#define SOCKET_KIND 0xfu

static const int never[] = {
	/* Other processes. */
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(kcmp),
	SCMP_SYS(process_madvise),
	SCMP_SYS(pidfd_send_signal),
	/* Names, mounts and namespaces. */
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(open_tree),
	SCMP_SYS(move_mount),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig),
	SCMP_SYS(fsmount),
	SCMP_SYS(fspick),
	SCMP_SYS(mount_setattr),
	SCMP_SYS(name_to_handle_at),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(quotactl),
	SCMP_SYS(fanotify_init),
	/* The machine. */
	SCMP_SYS(reboot),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(acct),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(clock_adjtime),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(syslog),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(vhangup),
	SCMP_SYS(personality),
	/* Ways around a filter, and where faults were. */
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(modify_ldt),
	SCMP_SYS(lookup_dcookie),
	SCMP_SYS(nfsservctl),
	SCMP_SYS(vmsplice),
};

static bool refuse(scmp_filter_ctx filter, int number)
{
	int rc = seccomp_rule_add_array(filter, REFUSED, number, 0, NULL);
	/* A call that this machine does not have is not made either. */
	return rc == 0 || rc == -EDOM;
}

static bool refuse_family(scmp_filter_ctx filter, int family)
{
	return seccomp_rule_add(filter, REFUSED, SCMP_SYS(socket), 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family)) == 0;
}

/* With a network AF_INET, and its companions AF_NETLINK and AF_UNIX, which names are looked up
 * with; without one no socket at all: the daemon is on a descriptor that is there already. */
static bool limit_sockets(scmp_filter_ctx filter, const struct syscalls_allowed *allowed)
{
	bool has_network = allowed->connect || allowed->listen;
	bool is_good = seccomp_rule_add(filter, REFUSED, SCMP_SYS(socket), 1,
					SCMP_A0(SCMP_CMP_GT, AF_NETLINK)) == 0;
	for (int family = 0; family <= AF_NETLINK && is_good; family++) {
		bool is_internet = family == AF_INET || family == AF_INET6 ||
				   family == AF_NETLINK || family == AF_UNIX;
		if (!is_internet || !has_network)
			is_good = refuse_family(filter, family);
	}
	if (is_good)
		is_good =
			seccomp_rule_add(filter, REFUSED, SCMP_SYS(socket), 1,
					 SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_KIND, SOCK_RAW)) == 0 &&
			seccomp_rule_add(filter, REFUSED, SCMP_SYS(socket), 1,
					 SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_KIND, SOCK_PACKET)) ==
				0;
	if (is_good && !allowed->listen)
		is_good = refuse(filter, SCMP_SYS(listen));
	return is_good;
}

static bool limit_processes(scmp_filter_ctx filter, const struct syscalls_allowed *allowed)
{
	if (allowed->run)
		return true;
	bool is_good = refuse(filter, SCMP_SYS(execve)) && refuse(filter, SCMP_SYS(execveat)) &&
		       refuse(filter, SCMP_SYS(fork)) && refuse(filter, SCMP_SYS(vfork));
	/* Its flags lie in memory, where a filter cannot look; the C library then takes clone. */
	if (is_good)
		is_good =
			seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
	if (is_good && !SYSCALLS_LOOK_AT_SELF)
		is_good = seccomp_rule_add(filter, REFUSED, SCMP_SYS(clone), 1,
					   SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) == 0;
	/* Without children there is nobody but itself to send a signal to. */
	scmp_datum_t self = (scmp_datum_t)getpid();
	const int signals[] = {SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(rt_sigqueueinfo),
			       SCMP_SYS(rt_tgsigqueueinfo)};
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]) && is_good; i++)
		is_good = seccomp_rule_add(filter, REFUSED, signals[i], 1,
					   SCMP_A0(SCMP_CMP_NE, self)) == 0;
	return is_good && refuse(filter, SCMP_SYS(tkill));
}

enum lyc_status syscalls_restrict(const struct syscalls_allowed *allowed, struct lyc_error *error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (!filter)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for a seccomp filter.");
	bool is_good = limit_sockets(filter, allowed) && limit_processes(filter, allowed);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]) && is_good; i++)
		is_good = refuse(filter, never[i]);
	if (is_good && !SYSCALLS_LOOK_AT_SELF)
		is_good = refuse(filter, SCMP_SYS(ptrace));
	enum lyc_status status = LYC_OK;
	int rc = is_good ? seccomp_load(filter) : -ENOMEM;
	if (rc != 0)
		status = error_set(error, LYC_UNAVAILABLE, "The seccomp filter is not taken: %s.",
				   strerror(-rc));
	seccomp_release(filter);
	return status;
}
