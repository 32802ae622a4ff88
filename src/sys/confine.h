/* Giving up, once and for good, what a process does not need: paths (Landlock), system calls (seccomp), capabilities,
 * and where wanted the user. Open first, confine, and only then read a stranger's byte.
 *
 * What a policy does not name is refused: an open() fails with EACCES or EPERM, socket() with EPERM; running another
 * program, tracing, loading code into the kernel and the like end the process. Threads made later inherit all of it, so
 * call this while there is one thread.
 */
#pragma once

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct confine_policy {
	const char *const *read_paths;  /* NULL-terminated, or NULL: files and everything below directories */
	const char *const *write_paths; /* also make, rename, remove */
	bool files;                     /* open() at all; true is implied by paths */
	bool threads;                   /* make threads */
	bool accept;                    /* accept() on sockets that are open already */
	bool sockets_inet;              /* make sockets to the internet, and resolve names */
	bool sockets_unix;
	bool raw;  /* ask capture sockets for their figures and set them */
	uid_t uid; /* become this user and group where nonzero and running as root */
	gid_t gid;
};

/* What this kernel offers. 0: none. */
int confine_landlock_abi(void);
bool confine_seccomp_works(void);

/* Confine the calling process. With `unconfined` what the kernel lacks is left out, and the answer is 1; without, that
 * is -ENOTSUP with a sentence that says what is missing and names --unconfined. 0: wholly confined. */
int confine(const struct confine_policy *policy, bool unconfined, struct err *err) must_check;
