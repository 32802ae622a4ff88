/* What a confined process can no longer do, tried for real in forked children, and what it still can. */
#include "../check.h"

#include "sys/confine.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/yagura-confine-XXXXXX";
static char inside[64], outside[64], locked[64];

static int in_child(const struct confine_policy *policy, int (*attempt)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		struct err err = {""};
		int result = confine(policy, false, &err);
		if (result < 0) {
			print_error("%s\n", err.text);
			_exit(200);
		}
		_exit(attempt());
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Each attempt answers 0 when it was possible, else errno. */
static int attempt_open(const char *path, int flags)
{
	int fd = open(path, flags, 0600);
	return fd < 0 ? errno : 0;
}

static int read_passwd(void)
{
	return attempt_open("/etc/passwd", O_RDONLY);
}

static int read_inside(void)
{
	return attempt_open(inside, O_RDONLY);
}

static int write_inside(void)
{
	return attempt_open(inside, O_WRONLY | O_TRUNC);
}

static int make_inside(void)
{
	char path[96];
	snprintf(path, sizeof path, "%s/new", directory);
	int result = attempt_open(path, O_RDWR | O_CREAT);
	if (result == 0 && unlink(path) < 0)
		return errno;
	return result;
}

static int make_outside(void)
{
	return attempt_open("/tmp/yagura-confine-must-not-be", O_RDWR | O_CREAT);
}

static int write_sibling(void)
{
	return attempt_open(outside, O_WRONLY);
}

static int make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0;
}

static int make_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0;
}

static int make_packet_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) < 0 ? errno : 0;
}

static int run_program(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return errno;
}

static int make_process(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : 0;
}

static void *thread_main(void *context)
{
	*(int *)context = attempt_open("/etc/passwd", O_RDONLY);
	return NULL;
}

static int thread_is_confined_too(void)
{
	pthread_t thread;
	int result = 0;
	if (pthread_create(&thread, NULL, thread_main, &result) != 0)
		return 201;
	pthread_join(thread, NULL);
	return result;
}

static int trace_parent(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0 ? errno : 0;
}

static int kill_parent(void)
{
	return kill(getppid(), 0) < 0 ? errno : 0;
}

static int make_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return page == MAP_FAILED ? errno : 0;
}

static int memory_and_time(void)
{
	void *page = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || munmap(page, 1 << 20) < 0)
		return errno;
	char *text = malloc(1 << 22);
	int fds[2];
	if (!text || pipe2(fds, O_CLOEXEC) < 0)
		return 202;
	free(text);
	return usleep(1000) < 0 ? errno : 0;
}

static int regain(void)
{
	return setuid(0) == 0 && chown(locked, 0, 0) == 0 ? 0 : EPERM;
}

static const struct confine_policy nothing = {.files = false};

static void test_nothing_allowed(void **state)
{
	(void)state;
	assert_int_equal(in_child(&nothing, memory_and_time), 0);
	assert_int_equal(in_child(&nothing, read_passwd), EPERM);
	assert_int_equal(in_child(&nothing, read_inside), EPERM);
	assert_int_equal(in_child(&nothing, make_outside), EPERM);
	assert_int_equal(in_child(&nothing, make_socket), EPERM);
	assert_int_equal(in_child(&nothing, make_unix_socket), EPERM);
	assert_int_equal(in_child(&nothing, make_packet_socket), EPERM);
	assert_int_equal(in_child(&nothing, make_process), EPERM);
	assert_int_equal(in_child(&nothing, make_code), EPERM);
	assert_int_equal(in_child(&nothing, kill_parent), EPERM);
	assert_int_equal(in_child(&nothing, regain), EPERM);
	assert_int_equal(in_child(&nothing, run_program), 1000 + SIGSYS);
	assert_int_equal(in_child(&nothing, trace_parent), 1000 + SIGSYS);
}

static void test_paths(void **state)
{
	(void)state;
	const char *const paths[] = {directory, NULL};
	const struct confine_policy reader = {.read_paths = paths}, writer = {.write_paths = paths, .threads = true};
	assert_int_equal(in_child(&reader, read_inside), 0);
	assert_int_equal(in_child(&reader, write_inside), EACCES);
	assert_int_equal(in_child(&reader, make_inside), EACCES);
	assert_int_equal(in_child(&reader, read_passwd), EACCES);
	assert_int_equal(in_child(&writer, read_inside), 0);
	assert_int_equal(in_child(&writer, write_inside), 0);
	assert_int_equal(in_child(&writer, make_inside), 0);
	assert_int_equal(in_child(&writer, make_outside), EACCES);
	assert_int_equal(in_child(&writer, write_sibling), EACCES);
	assert_int_equal(in_child(&writer, read_passwd), EACCES);
	assert_int_equal(in_child(&writer, thread_is_confined_too), EACCES);
	assert_int_equal(in_child(&writer, make_process), EPERM);
	assert_int_equal(in_child(&writer, make_socket), EPERM);
}

static void test_sockets(void **state)
{
	(void)state;
	const struct confine_policy inet = {.sockets_inet = true}, local = {.sockets_unix = true};
	assert_int_equal(in_child(&inet, make_socket), 0);
	assert_int_equal(in_child(&inet, make_unix_socket), EPERM);
	assert_int_equal(in_child(&inet, make_packet_socket), EPERM);
	assert_int_equal(in_child(&local, make_unix_socket), 0);
	assert_int_equal(in_child(&local, make_socket), EPERM);
}

static int whoami(void)
{
	return getuid() == 65534 && getgid() == 65534 && geteuid() == 65534 && setuid(0) < 0 ? 0 : 1;
}

static void test_user(void **state)
{
	(void)state;
	if (getuid() != 0) {
		print_message("skipped: becoming another user needs root\n");
		skip();
	}
	const struct confine_policy nobody = {.uid = 65534, .gid = 65534};
	assert_int_equal(in_child(&nobody, whoami), 0);
}

static int group_setup(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(inside, sizeof inside, "%s/inside", directory);
	snprintf(outside, sizeof outside, "%s.outside", directory);
	snprintf(locked, sizeof locked, "%s/inside", directory);
	const char *const files[] = {inside, outside};
	for (unsigned i = 0; i < 2; i++) {
		int fd = open(files[i], O_WRONLY | O_CREAT, 0600);
		if (fd < 0)
			return -1;
		close(fd);
	}
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	unlink(inside);
	unlink(outside);
	return rmdir(directory);
}

int main(void)
{
	if (confine_landlock_abi() == 0) {
		print_message("skipped: this kernel has no Landlock\n");
		return 77;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_allowed),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_user),
	};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
