/* A child process with a name: started, its death noticed, restarted with growing pauses, counted, ended.
 *
 * Whoever holds the table polls child_fd() of each (readable: it ended), then calls child_check(). Nothing here blocks
 * but child_end().
 */
#pragma once

#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum child_state {
	CHILD_IDLE, /* never started, or ended by child_end() */
	CHILD_RUNNING,
	CHILD_WAITING, /* died; will be started again at restart_ns */
	CHILD_ENDED,   /* finished by itself with status 0, and was meant to */
};

extern const char *const child_state_names[]; /* "idle", "running", "restarting", "ended" */

struct child {
	const char *name;                           /* at most 15 bytes are shown by ps; borrowed */
	int (*run)(void *context, struct err *err); /* in the child; its answer becomes the exit status 0 or 1 */
	void *context;
	bool may_end; /* an exit with status 0 is its end, not a death */

	/* kept by child_*() */
	enum child_state state;
	pid_t pid;
	int fd;
	unsigned restarts;  /* since the beginning */
	unsigned in_a_row;  /* deaths without a minute of health between them */
	int status;         /* of the last end, as waitpid() gives it */
	int64_t started_ns; /* monotonic */
	int64_t restart_ns; /* monotonic; meaningful when waiting */
};

/* Fork. The child gets default signals, dies with its parent, and leaves with _exit(). -EAGAIN, -ENOMEM ... */
int child_start(struct child *child, struct err *err) must_check;

/* Notice an end (answer 1: it died and waits for its restart; 2: it ended for good), start again what waited long
 * enough (answer 3), else 0. Negative when starting failed; it is tried again later. */
int child_check(struct child *child, struct err *err) must_check;

int child_fd(const struct child *child);      /* -1 unless running */
int child_wait_ms(const struct child *child); /* until it wants child_check() by itself; -1: not at all */
void child_describe(const struct child *child, char *text, int bytes); /* "killed by signal 9", "exit status 1" */

/* SIGTERM, then SIGKILL after patience_ms. NULL and idle ones are fine. */
void child_end(struct child *child, int patience_ms);

/* In a child: close every descriptor from 3 up but these (at most 1024, any order, -1 is skipped). */
void child_keep_only(const int *fds, unsigned count);
