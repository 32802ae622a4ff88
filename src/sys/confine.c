/* Confinement: user, capabilities, Landlock, seccomp, in that order, because each step needs what the next takes away.
 *
 * Landlock is asked for by its system calls, as the C library has no wrappers; rights that the running kernel does not
 * know are left out of the request (ABI 1 is Linux 5.13; 2 adds refer, 3 truncate, 4 TCP, 5 ioctl on devices, 6
 * scopes). ABI 3 matters: before it truncate() is not governed by Landlock, so seccomp refuses truncate() by path
 * there. The allow lists of system calls are in confine_calls.c. Source: Documentation/userspace-api/landlock.rst,
 * seccomp(2).
 */
#include "sys/confine.h"

#include "sys/confine_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Headers of Debian 12 end at ABI 2. */
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_ABI_1 ((UINT64_C(1) << 13) - 1)
#define FS_DIRECTORY                                                                                                   \
	(LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER)
#define FS_WRITE (FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_DIRECTORY | FS_TRUNCATE)

struct ruleset {
	uint64_t fs, net, scoped;
};

int confine_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	return abi > 0 ? (int)abi : 0;
}

static struct ruleset ruleset_for(const struct confine_policy *policy, int abi)
{
	struct ruleset rules = {.fs = FS_ABI_1};
	if (abi >= 2)
		rules.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rules.fs |= FS_TRUNCATE;
	if (abi >= 4)
		rules.net = NET_BIND_TCP | (policy->sockets_inet ? 0 : NET_CONNECT_TCP);
	if (abi >= 5)
		rules.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		rules.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	return rules;
}

static int landlock_allow(int ruleset, const char *path, uint64_t rights, struct err *err)
{
	struct stat status;
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0; /* nothing there to allow */
	if (fd < 0 || fstat(fd, &status) < 0) {
		int code = errno;
		if (fd >= 0)
			close(fd);
		return err_set(err, -code, "%s: cannot be allowed to a confined process: %s", path, strerror(code));
	}
	struct landlock_path_beneath_attr rule = {
		.allowed_access = S_ISDIR(status.st_mode) ? rights : rights & ~(uint64_t)FS_DIRECTORY,
		.parent_fd = fd,
	};
	long result = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	int code = errno;
	close(fd);
	return result == 0 ? 0 : err_set(err, -code, "%s: Landlock refused the rule: %s", path, strerror(code));
}

static int landlock_apply(const struct confine_policy *policy, int abi, struct err *err)
{
	struct ruleset rules = ruleset_for(policy, abi);
	size_t bytes = abi >= 6 ? sizeof rules : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, bytes, 0);
	if (ruleset < 0)
		return err_set(err, -errno, "Landlock refused a ruleset: %s", strerror(errno));
	int result = 0;
	for (size_t i = 0; policy->read_paths && policy->read_paths[i] && result == 0; i++)
		result = landlock_allow(ruleset, policy->read_paths[i], FS_READ & rules.fs, err);
	for (size_t i = 0; policy->write_paths && policy->write_paths[i] && result == 0; i++)
		result = landlock_allow(ruleset, policy->write_paths[i], FS_WRITE & rules.fs, err);
	if (result == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		result = err_set(err, -errno, "Landlock refused to restrict: %s", strerror(errno));
	close(ruleset);
	return result;
}

static int user_become(const struct confine_policy *policy, struct err *err)
{
	if (policy->uid == 0 || geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(policy->gid, policy->gid, policy->gid) < 0 ||
	    setresuid(policy->uid, policy->uid, policy->uid) < 0)
		return err_set(err, -errno, "cannot become user %u: %s", (unsigned)policy->uid, strerror(errno));
	return 0;
}

/* The bounding set goes first: emptying it needs a capability. */
static int capabilities_drop(struct err *err)
{
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			(void)prctl(PR_CAPBSET_DROP, i, 0, 0,
				    0); /* fails without CAP_SETPCAP; exec is refused anyway */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	cap_t none = cap_init();
	int result = none && cap_set_proc(none) == 0 ? 0 : -errno;
	cap_free(none);
	return result == 0 ? 0 : err_set(err, result, "capabilities cannot be dropped: %s", strerror(-result));
}

int confine(const struct confine_policy *policy, bool unconfined, struct err *err)
{
	int abi = confine_landlock_abi(), lacking = 0;
	bool seccomp = confine_seccomp_works();
	if ((abi == 0 || !seccomp) && !unconfined)
		return err_set(
			err, -ENOTSUP,
			"this kernel offers no %s, and a process that reads strangers' data is not run without it; "
			"--unconfined runs it all the same",
			abi == 0 ? "Landlock" : "seccomp filters");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "no_new_privs was refused: %s", strerror(errno));
	/* Landlock before the user changes: paths are opened with the rights that are left until here. */
	int result = abi > 0 ? landlock_apply(policy, abi, err) : 0;
	lacking |= abi == 0;
	if (result == 0)
		result = user_become(policy, err);
	if (result == 0)
		result = capabilities_drop(err);
	if (result == 0 && seccomp)
		result = confine_calls_apply(policy, abi, err);
	lacking |= !seccomp;
	return result < 0 ? result : lacking;
}
