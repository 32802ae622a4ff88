/* A veth pair in a network namespace of our own, and a sender into it, for tests and benchmarks of live capture. */
#pragma once

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Enter a new namespace with the pair yga - ygb, both up. False: not allowed, or no ip(8). */
static inline bool veth_enter(void)
{
	return geteuid() == 0 && unshare(CLONE_NEWNET) == 0 &&
	       system("ip link add yga type veth peer name ygb && "
		      "sysctl -qw net.ipv6.conf.yga.disable_ipv6=1 net.ipv6.conf.ygb.disable_ipv6=1 2>&1; "
		      "ip link set yga up && ip link set ygb up") == 0;
}

/* A socket that sends whole frames out of the interface, past its queueing. */
static inline int veth_sender(const char *name)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name)};
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
	return fd;
}

enum { VETH_FRAME_BYTES = 60 };

/* An Ethernet frame with a SYN; `number` stands in its source address, ports and sequence number. */
static inline void veth_frame(uint8_t frame[VETH_FRAME_BYTES], uint32_t number)
{
	static const uint8_t head[54] = {2, 0, 0, 0,  0, 1, 2, 0, 0, 0, 0, 2,   8,  0, 0x45, 0, 0, 40, 0,
					 1, 0, 0, 64, 6, 0, 0, 0, 0, 0, 0, 198, 18, 0, 9,    0, 0, 0,  23};
	memset(frame, 0, VETH_FRAME_BYTES);
	memcpy(frame, head, sizeof head);
	memcpy(frame + 26, &number, 4);
	memcpy(frame + 34, &number, 2);
	memcpy(frame + 38, &number, 4);
	frame[46] = 0x50;
	frame[47] = 2;
}
