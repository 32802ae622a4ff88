/* The lock of a data directory. flock(2) goes with its process, so nothing stale is left by kill -9. */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

int lock_take(const char *dir, int *ret_fd, struct err *err)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/lock", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int code = errno == EWOULDBLOCK ? -EBUSY : -errno;
		char holder[64] = "";
		ssize_t bytes = pread(fd, holder, sizeof holder - 1, 0);
		holder[bytes > 0 ? strcspn(holder, "\n") : 0] = '\0';
		err_set(err, code, "%s: %s", path,
			code == -EBUSY ? "the data directory is in use by another process" : strerror(-code));
		if (code == -EBUSY && *holder)
			err_set(err, code, "%s: the data directory is in use by %s", path, holder);
		close(fd);
		return code;
	}
	char holder[64];
	int length = snprintf(holder, sizeof holder, "process %ld\n", (long)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, holder, (size_t)length, 0) < 0) {
		/* On a full disk the name is missing; the lock holds all the same. */
	}
	*ret_fd = fd;
	return 0;
}
