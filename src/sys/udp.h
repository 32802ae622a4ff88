/* Datagrams received in bursts, by several sockets on one address so that each core has its own.
 *
 * Which socket gets a datagram is decided by its source address alone: all that one machine sends comes by one socket,
 * from whatever port, so that what one thread learned of it (templates) serves all of it.
 */
#pragma once

#include "core/addr.h"
#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { UDP_BURST = 64, UDP_SOCKETS_MAX = 64 };

/* Bind `count` sockets to "ADDR:PORT"; port 0: any free one. Each asks for `buffer_bytes` of the kernel's memory and
 * gets what it allows: udp_buffer_bytes(). -EINVAL, -EADDRINUSE, -EACCES ... with a sentence. */
int udp_open(const char *where, unsigned count, int64_t buffer_bytes, int *ret_fds, struct err *err) must_check;
unsigned udp_port(int fd);
int64_t udp_buffer_bytes(int fd);
/* What the kernel threw away since the socket was opened, because nobody read it in time. */
uint64_t udp_dropped(int fd);

struct udp_datagram {
	struct addr from;
	const uint8_t *data;
	uint32_t bytes;
};

struct udp_burst;
struct udp_burst *udp_burst_new(void); /* NULL: no memory */
void udp_burst_free(struct udp_burst *burst);

/* What is waiting, up to UDP_BURST; valid until the next call. Does not wait: 0 when there is nothing. Negative errno
 * with a sentence. */
int udp_receive(struct udp_burst *burst, int fd, const struct udp_datagram **ret_datagrams, struct err *err) must_check;
