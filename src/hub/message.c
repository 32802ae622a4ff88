/* Messages between front and keeper. See message.h. */
#include "hub/message.h"

#include "core/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

const char *const http_method_names[] = {"GET", "POST", "PUT", "DELETE", NULL};

int message_send(int fd, const struct message_head *head, const void *data, size_t bytes, int wait_ms)
{
	struct iovec parts[2] = {{(void *)head, sizeof *head}, {(void *)data, bytes}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = bytes ? 2 : 1};
	int64_t until = clock_monotonic_ns() + wait_ms * NS_PER_MS;
	for (;;) {
		if (sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != ENOBUFS)
			return -errno;
		int64_t left = (until - clock_monotonic_ns()) / NS_PER_MS;
		if (left <= 0)
			return -EAGAIN;
		struct pollfd writable = {.fd = fd, .events = POLLOUT};
		(void)poll(&writable, 1, (int)left);
	}
}

int message_receive(int fd, struct message_head *ret_head, void *buffer, size_t *ret_bytes)
{
	struct iovec parts[2] = {{ret_head, sizeof *ret_head}, {buffer, LIMIT_MESSAGE_BYTES}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	for (;;) {
		ssize_t bytes = recvmsg(fd, &message, MSG_DONTWAIT);
		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (bytes == 0)
			return -EPIPE;
		if ((size_t)bytes < sizeof *ret_head || message.msg_flags & MSG_TRUNC)
			continue;
		*ret_bytes = (size_t)bytes - sizeof *ret_head;
		return 1;
	}
}

int texts_put(void *buffer, size_t room, size_t *used, const char *const *texts, unsigned count)
{
	uint8_t *at = buffer;
	for (unsigned i = 0; i < count; i++) {
		size_t length = texts[i] ? strlen(texts[i]) : 0;
		if (length > UINT16_MAX || *used + 3 + length > room)
			return -EMSGSIZE;
		uint16_t prefix = (uint16_t)length;
		memcpy(at + *used, &prefix, 2);
		memcpy(at + *used + 2, texts[i] ? texts[i] : "", length + 1);
		*used += 3 + length;
	}
	return 0;
}

bool texts_take(void *data, size_t bytes, const char **ret_texts, unsigned count, size_t *ret_used)
{
	uint8_t *at = data;
	size_t used = 0;
	for (unsigned i = 0; i < count; i++) {
		uint16_t length;
		if (bytes - used < 3)
			return false;
		memcpy(&length, at + used, 2);
		if (bytes - used < 3 + (size_t)length || at[used + 2 + length] != 0 ||
		    memchr(at + used + 2, 0, length) != NULL)
			return false;
		ret_texts[i] = (const char *)at + used + 2;
		used += 3 + (size_t)length;
	}
	*ret_used = used;
	return true;
}

int message_pair(int ret_fds[2], struct err *err)
{
	int room = 4 << 20;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0)
		return err_set(err, -errno, "a socket pair cannot be made: %s", strerror(errno));
	for (int i = 0; i < 2; i++)
		if (setsockopt(ret_fds[i], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0)
			(void)setsockopt(ret_fds[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	return 0;
}
