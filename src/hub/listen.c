/* Listening sockets. See listen.h. */
#include "hub/listen.h"

#include "sys/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LISTEN_BACKLOG = 1024 };

static void url_make(int fd, const char *scheme, char ret_url[LISTEN_URL_BYTES])
{
	struct sockaddr_in6 bound = {0};
	socklen_t bytes = sizeof bound;
	char host[INET6_ADDRSTRLEN];
	(void)getsockname(fd, (struct sockaddr *)&bound, &bytes);
	bool v6 = bound.sin6_family == AF_INET6;
	const void *address = v6 ? (const void *)&bound.sin6_addr : &((struct sockaddr_in *)&bound)->sin_addr;
	inet_ntop(bound.sin6_family, address, host, sizeof host);
	bool any = v6 ? IN6_IS_ADDR_UNSPECIFIED(&bound.sin6_addr)
		      : ((struct sockaddr_in *)&bound)->sin_addr.s_addr == INADDR_ANY;
	snprintf(ret_url, LISTEN_URL_BYTES, "%s://%s%s%s:%u", scheme, v6 && !any ? "[" : "", any ? "localhost" : host,
		 v6 && !any ? "]" : "", ntohs(bound.sin6_port));
}

int listen_tcp(const char *where, const char *scheme, int *ret_fd, char ret_url[LISTEN_URL_BYTES], struct err *err)
{
	struct sockaddr_in6 address;
	int one = 1, zero = 0, result = endpoint_parse(where, &address, err);
	if (result < 0)
		return err_prefix(err, result, "--listen");
	bool v6 = address.sin6_family == AF_INET6;
	int fd = socket(address.sin6_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool right = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0;
	if (right && v6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
	right = right && bind(fd, (struct sockaddr *)&address, v6 ? sizeof address : sizeof(struct sockaddr_in)) == 0 &&
		listen(fd, LISTEN_BACKLOG) == 0;
	if (!right) {
		int code = errno;
		if (fd >= 0)
			close(fd);
		return err_set(err, -code, "--listen %s: %s", where, strerror(code));
	}
	url_make(fd, scheme, ret_url);
	*ret_fd = fd;
	return 0;
}

int listen_unix(const char *path, int *ret_fd, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		return err_set(err, -ENAMETOOLONG, "%s: longer than a unix socket's name may be (%zu bytes)", path,
			       sizeof address.sun_path - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	(void)unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);
	bool right = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 128) == 0;
	int code = errno;
	umask(mask);
	if (right) {
		*ret_fd = fd;
		return 0;
	}
	if (fd >= 0)
		close(fd);
	return err_set(err, -code, "%s: cannot be listened on: %s", path, strerror(code));
}
