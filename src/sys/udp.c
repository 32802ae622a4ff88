/* See udp.h. SO_REUSEPORT spreads by source and target with their ports; a classic BPF program (socket(7),
 * SO_ATTACH_REUSEPORT_CBPF) spreads by the source's address instead. Losses are read with SO_MEMINFO, which tells them
 * at any time, where SO_RXQ_OVFL tells them only with the next datagram. */
#include "sys/udp.h"

#include "sys/endpoint.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	DATAGRAM_BYTES = 65536,
	STRIDE = DATAGRAM_BYTES + 3 * 64, /* the beginnings of datagrams fall into different lines of a cache */
};

struct udp_burst {
	struct mmsghdr messages[UDP_BURST];
	struct iovec parts[UDP_BURST];
	struct sockaddr_in6 from[UDP_BURST];
	struct udp_datagram datagrams[UDP_BURST];
	uint8_t room[];
};

struct udp_burst *udp_burst_new(void)
{
	struct udp_burst *burst = malloc(sizeof *burst + (size_t)UDP_BURST * STRIDE);
	if (!burst)
		return NULL;
	memset(burst, 0, sizeof *burst);
	for (unsigned i = 0; i < UDP_BURST; i++) {
		burst->parts[i] = (struct iovec){burst->room + (size_t)i * STRIDE, DATAGRAM_BYTES};
		burst->messages[i].msg_hdr =
			(struct msghdr){.msg_name = &burst->from[i], .msg_iov = &burst->parts[i], .msg_iovlen = 1};
	}
	return burst;
}

void udp_burst_free(struct udp_burst *burst)
{
	free(burst);
}

static struct addr address_of(const struct sockaddr_in6 *from)
{
	struct addr address = {{0}};
	if (from->sin6_family == AF_INET)
		return addr_from_v4(ntohl(((const struct sockaddr_in *)from)->sin_addr.s_addr));
	if (from->sin6_family == AF_INET6)
		memcpy(address.bytes, &from->sin6_addr, sizeof address.bytes);
	return address;
}

int udp_receive(struct udp_burst *burst, int fd, const struct udp_datagram **ret_datagrams, struct err *err)
{
	for (unsigned i = 0; i < UDP_BURST; i++)
		burst->messages[i].msg_hdr.msg_namelen = sizeof burst->from[i];
	int count = recvmmsg(fd, burst->messages, UDP_BURST, MSG_DONTWAIT, NULL);
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (count < 0)
		return err_set(err, -errno, "receiving datagrams: %s", strerror(errno));
	for (int i = 0; i < count; i++)
		burst->datagrams[i] = (struct udp_datagram){address_of(&burst->from[i]), burst->parts[i].iov_base,
							    burst->messages[i].msg_len};
	*ret_datagrams = burst->datagrams;
	return count;
}

/* --- sockets ----------------------------------------------------------------------------------------------------- */

#define NETWORK(offset) ((uint32_t)SKF_NET_OFF + (offset))

/* The words of the source's address, mixed, modulo the count of sockets. */
static int spread_by_source(int fd, unsigned count)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NETWORK(0)),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x40, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NETWORK(12)),
		BPF_STMT(BPF_JMP | BPF_JA, 10),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NETWORK(8)),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NETWORK(12)),
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NETWORK(16)),
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NETWORK(20)),
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program);
}

/* Past net.core.rmem_max where the process may, else up to it. */
static void buffer_ask(int fd, int64_t bytes)
{
	int half = (int)(bytes / 2 > INT32_MAX / 2 ? INT32_MAX / 2 : bytes / 2); /* the kernel doubles it */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &half, sizeof half) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &half, sizeof half);
}

static int socket_open(const struct sockaddr_in6 *address, int64_t buffer_bytes)
{
	int one = 1, zero = 0;
	bool v6 = address->sin6_family == AF_INET6;
	socklen_t bytes = v6 ? sizeof *address : sizeof(struct sockaddr_in);
	int fd = socket(address->sin6_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	buffer_ask(fd, buffer_bytes);
	if (v6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0 &&
	    bind(fd, (const struct sockaddr *)address, bytes) == 0)
		return fd;
	int code = errno;
	close(fd);
	return -code;
}

/* SO_REUSEPORT lets a second collector of the same user share the port, and each would get a part. So ask first for the
 * port alone. */
static int port_is_free(const struct sockaddr_in6 *address)
{
	bool v6 = address->sin6_family == AF_INET6;
	int zero = 0, fd = socket(address->sin6_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (v6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
	int result = bind(fd, (const struct sockaddr *)address, v6 ? sizeof *address : sizeof(struct sockaddr_in));
	result = result < 0 ? -errno : 0;
	close(fd);
	return result;
}

int udp_open(const char *where, unsigned count, int64_t buffer_bytes, int *ret_fds, struct err *err)
{
	struct sockaddr_in6 address;
	unsigned opened = 0;
	int result = endpoint_parse(where, &address, err);
	if (result < 0)
		return result;
	result = port_is_free(&address);
	while (result == 0 && opened < count) {
		int fd = socket_open(&address, buffer_bytes);
		if (fd < 0) {
			result = fd;
			break;
		}
		ret_fds[opened++] = fd;
		address.sin6_port = htons((uint16_t)udp_port(fd));
	}
	if (result == 0 && count > 1 && spread_by_source(ret_fds[0], count) < 0)
		result = -errno;
	if (result == 0)
		return 0;
	while (opened > 0)
		close(ret_fds[--opened]);
	return err_set(err, result, "UDP %s: %s", where, strerror(-result));
}

unsigned udp_port(int fd)
{
	struct sockaddr_in6 bound = {0};
	socklen_t bytes = sizeof bound;
	return getsockname(fd, (struct sockaddr *)&bound, &bytes) == 0 ? ntohs(bound.sin6_port) : 0;
}

int64_t udp_buffer_bytes(int fd)
{
	int bytes = 0;
	socklen_t size = sizeof bytes;
	return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &size) == 0 ? bytes : 0;
}

uint64_t udp_dropped(int fd)
{
	uint32_t figures[SK_MEMINFO_VARS] = {0};
	socklen_t bytes = sizeof figures;
	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures, &bytes) == 0 ? figures[SK_MEMINFO_DROPS] : 0;
}
