/* Children by fork() and pidfd. The pause before a restart doubles from 100 ms to 30 s while deaths follow each other,
 * and starts over after a minute of health. pidfd_open(2) is Linux 5.3.
 */
#include "sys/child.h"

#include "core/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const child_state_names[] = {"idle", "running", "restarting", "ended", NULL};

#define PAUSE_LEAST_NS (100 * NS_PER_MS)
#define PAUSE_MOST_NS (30 * NS_PER_S)
#define HEALTHY_NS (60 * NS_PER_S)

static _Noreturn void child_main(const struct child *child, pid_t parent)
{
	sigset_t none;
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the whole group; the parent decides */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, child->name);
	struct err err = {""};
	int result = child->run(child->context, &err);
	_exit(result == 0 ? 0 : 1);
}

int child_start(struct child *child, struct err *err)
{
	pid_t parent = getpid();
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		child_main(child, parent);
	if (pid < 0)
		return err_set(err, -errno, "%s cannot be started: %s", child->name, strerror(errno));
	child->fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (child->fd < 0) {
		int code = errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return err_set(err, -code, "%s cannot be watched: %s", child->name, strerror(code));
	}
	child->pid = pid;
	child->state = CHILD_RUNNING;
	child->started_ns = clock_monotonic_ns();
	return 0;
}

static void child_rest(struct child *child, int64_t now)
{
	if (now - child->started_ns >= HEALTHY_NS)
		child->in_a_row = 0;
	int64_t pause = PAUSE_LEAST_NS << (child->in_a_row < 9 ? child->in_a_row : 9);
	child->in_a_row++;
	child->restart_ns = now + (pause < PAUSE_MOST_NS ? pause : PAUSE_MOST_NS);
	child->state = CHILD_WAITING;
}

int child_check(struct child *child, struct err *err)
{
	int64_t now = clock_monotonic_ns();
	if (child->state == CHILD_RUNNING) {
		pid_t ended = waitpid(child->pid, &child->status, WNOHANG);
		if (ended == 0)
			return 0;
		close(child->fd);
		child->fd = -1;
		child->pid = 0;
		if (child->may_end && WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0) {
			child->state = CHILD_ENDED;
			return 2;
		}
		child_rest(child, now);
		return 1;
	}
	if (child->state != CHILD_WAITING || now < child->restart_ns)
		return 0;
	int result = child_start(child, err);
	if (result < 0) {
		child_rest(child, now);
		return result;
	}
	child->restarts++;
	return 3;
}

int child_fd(const struct child *child)
{
	return child->state == CHILD_RUNNING ? child->fd : -1;
}

int child_wait_ms(const struct child *child)
{
	if (child->state != CHILD_WAITING)
		return -1;
	int64_t left = child->restart_ns - clock_monotonic_ns();
	return left <= 0 ? 0 : (int)(left / NS_PER_MS) + 1;
}

void child_describe(const struct child *child, char *text, int bytes)
{
	if (WIFSIGNALED(child->status))
		snprintf(text, (size_t)bytes, "killed by signal %d (%s)", WTERMSIG(child->status),
			 strsignal(WTERMSIG(child->status)));
	else
		snprintf(text, (size_t)bytes, "exit status %d", WEXITSTATUS(child->status));
}

void child_end(struct child *child, int patience_ms)
{
	if (!child || child->state != CHILD_RUNNING) {
		if (child && child->state == CHILD_WAITING)
			child->state = CHILD_IDLE;
		return;
	}
	kill(child->pid, SIGTERM);
	struct pollfd ended = {.fd = child->fd, .events = POLLIN};
	int64_t until = clock_monotonic_ns() + patience_ms * NS_PER_MS;
	int result;
	do {
		int64_t left = (until - clock_monotonic_ns()) / NS_PER_MS;
		result = poll(&ended, 1, left > 0 ? (int)left : 0);
	} while (result < 0 && errno == EINTR);
	if (result <= 0)
		kill(child->pid, SIGKILL);
	while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
		;
	close(child->fd);
	child->fd = -1;
	child->pid = 0;
	child->state = CHILD_IDLE;
}

static int fd_compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void child_keep_only(const int *fds, unsigned count)
{
	enum { KEEP_MAX = 1024 };
	int sorted[KEEP_MAX];
	unsigned kept = count < KEEP_MAX ? count : KEEP_MAX;
	memcpy(sorted, fds, kept * sizeof *fds);
	qsort(sorted, kept, sizeof *sorted, fd_compare);
	unsigned from = 3;
	for (unsigned i = 0; i < kept; i++) {
		if (sorted[i] < (int)from)
			continue;
		if ((unsigned)sorted[i] > from)
			syscall(SYS_close_range, from, (unsigned)sorted[i] - 1, 0);
		from = (unsigned)sorted[i] + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0);
}
