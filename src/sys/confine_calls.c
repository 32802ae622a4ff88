/* Allow lists of system calls, one table per need; what no table names fails with EPERM, what never has a place here
 * ends the process. Libraries probe for things (a file, a newer call) and live with a refusal, so the default is an
 * error and not death.
 *
 * Names are those of libseccomp, which knows the numbers of each architecture; calls that an architecture lacks are
 * skipped.
 */
#include "sys/confine_calls.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* Descriptors that are open, memory, time, waiting, ending. */
static const char *const calls_base[] = {"read",
					 "write",
					 "readv",
					 "writev",
					 "pread64",
					 "pwrite64",
					 "close",
					 "close_range",
					 "lseek",
					 "fstat",
					 "fcntl",
					 "dup",
					 "poll",
					 "ppoll",
					 "select",
					 "pselect6",
					 "epoll_create1",
					 "epoll_ctl",
					 "epoll_wait",
					 "epoll_pwait",
					 "epoll_pwait2",
					 "eventfd2",
					 "timerfd_create",
					 "timerfd_settime",
					 "pipe2",
					 "recvmsg",
					 "recvmmsg",
					 "recvfrom",
					 "sendmsg",
					 "sendmmsg",
					 "sendto",
					 "shutdown",
					 "getsockopt",
					 "getsockname",
					 "getpeername",
					 "socketpair",
					 "brk",
					 "munmap",
					 "mremap",
					 "madvise",
					 "mincore",
					 "membarrier",
					 "clock_gettime",
					 "clock_getres",
					 "clock_nanosleep",
					 "nanosleep",
					 "gettimeofday",
					 "time",
					 "futex",
					 "futex_waitv",
					 "set_robust_list",
					 "get_robust_list",
					 "rseq",
					 "sched_yield",
					 "sched_getaffinity",
					 "getcpu",
					 "getpid",
					 "gettid",
					 "getppid",
					 "getuid",
					 "geteuid",
					 "getgid",
					 "getegid",
					 "getrandom",
					 "getrusage",
					 "getrlimit",
					 "sysinfo",
					 "uname",
					 "rt_sigaction",
					 "rt_sigprocmask",
					 "rt_sigreturn",
					 "rt_sigtimedwait",
					 "rt_sigpending",
					 "sigaltstack",
					 "restart_syscall",
					 "tgkill",
					 "exit",
					 "exit_group",
					 "set_tid_address",
					 "setitimer",
					 "arch_prctl",
					 NULL};

/* Paths; which ones is for Landlock to say. */
static const char *const calls_files[] = {
	"open",       "openat",          "openat2",         "creat",     "stat",       "lstat",
	"newfstatat", "statx",           "access",          "faccessat", "faccessat2", "readlink",
	"readlinkat", "getcwd",          "getdents64",      "mkdir",     "mkdirat",    "unlink",
	"unlinkat",   "rmdir",           "rename",          "renameat",  "renameat2",  "fsync",
	"fdatasync",  "ftruncate",       "fallocate",       "flock",     "statfs",     "fstatfs",
	"fadvise64",  "sync_file_range", "copy_file_range", "sendfile",  "umask",      "fchmod",
	"fchmodat",   "utimensat",       "msync",           "syncfs",    "fchown",     "chmod",
	"link",       "linkat",          "preadv",          "pwritev",   NULL};

static const char *const calls_threads[] = {"sched_setaffinity",
					    "sched_getparam",
					    "sched_getscheduler",
					    "sched_setscheduler",
					    "sched_get_priority_max",
					    "sched_get_priority_min",
					    "setpriority",
					    "getpriority",
					    "set_mempolicy",
					    "get_mempolicy",
					    NULL};

/* Never: the process ends at once. */
static const char *const calls_deadly[] = {"execve",
					   "execveat",
					   "ptrace",
					   "process_vm_readv",
					   "process_vm_writev",
					   "kexec_load",
					   "init_module",
					   "finit_module",
					   "delete_module",
					   "bpf",
					   "mount",
					   "umount2",
					   "pivot_root",
					   "chroot",
					   "unshare",
					   "setns",
					   "io_uring_setup",
					   "userfaultfd",
					   "add_key",
					   "request_key",
					   "keyctl",
					   "reboot",
					   "swapon",
					   "perf_event_open",
					   "pidfd_getfd",
					   "personality",
					   NULL};

static int calls_add(scmp_filter_ctx filter, uint32_t action, const char *const *names)
{
	int result = 0;
	for (size_t i = 0; names[i] && result == 0; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);
		if (number != __NR_SCMP_ERROR)
			result = seccomp_rule_add(filter, action, number, 0);
		if (result == -EDOM || result == -EACCES)
			result = 0; /* not on this architecture */
	}
	return result;
}

#define ALLOW(call, count, ...) seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(call), count, ##__VA_ARGS__)

/* No memory that can be run: the door of most code injection. */
static int calls_memory(scmp_filter_ctx filter)
{
	int result = ALLOW(mmap, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (result == 0)
		result = ALLOW(mprotect, 1, SCMP_A1(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return result;
}

static int calls_sockets(scmp_filter_ctx filter, const struct confine_policy *policy)
{
	static const char *const outgoing[] = {"connect", "bind", NULL};
	static const char *const accepting[] = {"accept", "accept4", NULL};
	static const int families[] = {AF_INET, AF_INET6, AF_NETLINK}; /* getaddrinfo() asks netlink */
	int result = 0;
	for (size_t i = 0; policy->sockets_inet && i < 3 && result == 0; i++)
		result = ALLOW(socket, 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	if (result == 0 && policy->sockets_unix)
		result = ALLOW(socket, 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	if (result == 0 && (policy->sockets_inet || policy->sockets_unix))
		result = calls_add(filter, SCMP_ACT_ALLOW, outgoing);
	if (result == 0 && policy->accept)
		result = calls_add(filter, SCMP_ACT_ALLOW, accepting);
	if (result == 0 && (policy->accept || policy->raw || policy->sockets_inet || policy->sockets_unix))
		result = ALLOW(setsockopt, 0);
	return result;
}

/* FIONREAD and FIONBIO; everything else of ioctl() is a driver's own world. */
static int calls_ioctl(scmp_filter_ctx filter)
{
	int result = ALLOW(ioctl, 1, SCMP_A1(SCMP_CMP_EQ, 0x541B));
	if (result == 0)
		result = ALLOW(ioctl, 1, SCMP_A1(SCMP_CMP_EQ, 0x5421));
	if (result == 0) /* names of threads */
		result = ALLOW(prctl, 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	if (result == 0) /* sanitizers and malloc name their mappings */
		result = ALLOW(prctl, 1, SCMP_A0(SCMP_CMP_EQ, 0x53564d41));
	if (result == 0)
		result = ALLOW(prlimit64, 1, SCMP_A2(SCMP_CMP_EQ, 0));
	return result;
}

static int calls_all(scmp_filter_ctx filter, const struct confine_policy *policy)
{
	bool files = policy->files || policy->read_paths || policy->write_paths || policy->sockets_inet;
	int result = calls_add(filter, SCMP_ACT_ALLOW, calls_base);
	if (result == 0)
		result = calls_memory(filter);
	if (result == 0)
		result = calls_ioctl(filter);
	if (result == 0 && files)
		result = calls_add(filter, SCMP_ACT_ALLOW, calls_files);
	if (result == 0)
		result = calls_sockets(filter, policy);
	if (result == 0 && policy->threads)
		result = calls_add(filter, SCMP_ACT_ALLOW, calls_threads);
	if (result == 0 && policy->threads) /* clone() as a thread and never as a process */
		result = ALLOW(clone, 1, SCMP_A0(SCMP_CMP_MASKED_EQ, 0x00010000, 0x00010000));
	if (result == 0)
		result = calls_add(filter, SCMP_ACT_KILL_PROCESS, calls_deadly);
	return result;
}

bool confine_seccomp_works(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

int confine_calls_apply(const struct confine_policy *policy, int landlock_abi, struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return err_set(err, -ENOMEM, "no memory for a seccomp filter");
	int result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree: many rules, many calls */
	if (result == 0)
		result = calls_all(filter, policy);
	if (result == 0 && landlock_abi >= 3 && policy->write_paths)
		result = ALLOW(truncate, 0);
	/* clone3() hides its flags behind a pointer; the C library falls back to clone() when told it does not exist.
	 */
	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	return result == 0 ? 0 : err_set(err, result, "the seccomp filter was refused: %s", strerror(-result));
}
