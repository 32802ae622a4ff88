/* Captures from an interface: AF_PACKET with a TPACKET_V3 ring (Documentation/networking/packet_mmap.rst of Linux).
 *
 * The kernel fills blocks of many packets and hands over a whole block at a time, so a busy interface costs one wake-up
 * a block and an idle one RETIRE_MS of delay. A block is given back only by the capture_read() after the one that used
 * its last frame; until then frames point into it.
 *
 * VLAN tags that the card or the kernel took out of the frame stand beside it; they are put back into the room that
 * PACKET_RESERVE left in front, so that the frame is what was on the wire. */
#include "sys/capture_internal.h"

#include "core/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BLOCK_BYTES = 1 << 20,
	RING_MIB = 64,
	RETIRE_MS = 10,
	VLAN_BYTES = 4,
};

struct capture_live {
	struct capture capture;
	char name[IFNAMSIZ];
	int fd, index;
	uint16_t link_type;
	uint8_t *ring;
	size_t ring_bytes;
	unsigned blocks, block; /* the one being read */
	unsigned left;          /* packets of it */
	bool held;              /* by us */
	bool give_back;         /* before the next read */
	struct tpacket3_hdr *packet;
};

static struct capture_live *live_of(const struct capture *capture)
{
	return (struct capture_live *)(uintptr_t)capture;
}

static struct tpacket_block_desc *block_of(const struct capture_live *live, unsigned number)
{
	return (struct tpacket_block_desc *)(void *)(live->ring + (size_t)number * BLOCK_BYTES);
}

static void live_close(struct capture *capture)
{
	struct capture_live *live = live_of(capture);
	if (live->ring)
		munmap(live->ring, live->ring_bytes);
	if (live->fd >= 0)
		close(live->fd);
	free(live);
}

static int went_away(const struct capture_live *live, int code, struct err *err)
{
	return err_set(err, -ENETDOWN, "%s: the interface went away (%s)", live->name, strerror(code));
}

/* Whether the interface is still there, under whatever name, and up. */
static int look_at_link(const struct capture_live *live, struct err *err)
{
	struct ifreq request = {.ifr_ifindex = live->index};
	if (ioctl(live->fd, SIOCGIFNAME, &request) < 0)
		return errno == ENODEV ? went_away(live, ENODEV, err) : 0;
	if (ioctl(live->fd, SIOCGIFFLAGS, &request) < 0)
		return errno == ENODEV ? went_away(live, ENODEV, err) : 0;
	return request.ifr_flags & IFF_UP ? 0 : went_away(live, ENETDOWN, err);
}

static void give_block_back(struct capture_live *live)
{
	struct tpacket_block_desc *block = block_of(live, live->block);
	__atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	live->block = (live->block + 1) % live->blocks;
	live->held = live->give_back = false;
}

/* Take the next block if it is ours. */
static bool take_block(struct capture_live *live)
{
	struct tpacket_block_desc *block = block_of(live, live->block);
	if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
		return false;
	live->held = true;
	live->left = block->hdr.bh1.num_pkts;
	live->packet = (struct tpacket3_hdr *)(void *)((uint8_t *)block + block->hdr.bh1.offset_to_first_pkt);
	return true;
}

/* Put the tag back: the two addresses move four bytes to the front, into reserved room. */
static uint8_t *restore_vlan(const struct tpacket3_hdr *header, uint8_t *data)
{
	uint16_t tag[2];
	bool has_type = header->tp_status & TP_STATUS_VLAN_TPID_VALID;
	tag[0] = htons(has_type ? header->hv1.tp_vlan_tpid : ETH_P_8021Q);
	tag[1] = htons((uint16_t)header->hv1.tp_vlan_tci);
	memmove(data - VLAN_BYTES, data, (size_t)2 * ETH_ALEN);
	memcpy(data - VLAN_BYTES + (ptrdiff_t)2 * ETH_ALEN, tag, sizeof tag);
	return data - VLAN_BYTES;
}

/* False: our own packet on its way out (or the loopback's second sight of it). */
static bool take_packet(struct capture_live *live, struct frame *frame)
{
	struct tpacket3_hdr *header = live->packet;
	const struct sockaddr_ll *from =
		(const struct sockaddr_ll *)(const void *)((uint8_t *)header + TPACKET_ALIGN(sizeof *header));
	if (header->tp_next_offset)
		live->packet = (struct tpacket3_hdr *)(void *)((uint8_t *)header + header->tp_next_offset);
	live->left--;
	if (from->sll_pkttype == PACKET_OUTGOING)
		return false;
	uint8_t *data = (uint8_t *)header + header->tp_mac;
	uint32_t captured = header->tp_snaplen, wire = header->tp_len;
	if (live->link_type != 1) { /* raw IP, whatever the driver has in front */
		uint32_t ahead = (uint32_t)header->tp_net - header->tp_mac;
		ahead = ahead < captured ? ahead : 0;
		data += ahead;
		captured -= ahead;
		wire -= ahead;
	} else if (header->tp_status & TP_STATUS_VLAN_VALID && captured >= 2 * ETH_ALEN) {
		data = restore_vlan(header, data);
		captured += VLAN_BYTES;
		wire += VLAN_BYTES;
	}
	*frame = (struct frame){
		.time_ns = (int64_t)header->tp_sec * NS_PER_S + header->tp_nsec,
		.data = data,
		.captured_bytes = captured,
		.wire_bytes = wire,
		.link_type = live->link_type,
	};
	return true;
}

static unsigned take_packets(struct capture_live *live, struct frame *frames, unsigned max)
{
	unsigned count = 0;
	/* One block a call: frames of two would need both to be held. */
	while (live->left > 0 && count < max)
		count += take_packet(live, &frames[count]);
	if (live->left == 0)
		live->give_back = true;
	return count;
}

/* An error of the socket: the interface went down or away. */
static int socket_error(const struct capture_live *live, struct err *err)
{
	int code = 0;
	socklen_t bytes = sizeof code;
	getsockopt(live->fd, SOL_SOCKET, SO_ERROR, &code, &bytes);
	if (code == ENETDOWN || code == ENODEV || code == ENXIO)
		return went_away(live, code, err);
	return code ? err_set(err, -code, "%s: %s", live->name, strerror(code)) : 0;
}

static int live_read(struct capture *capture, struct frame *frames, unsigned max, int timeout_ms, struct err *err)
{
	struct capture_live *live = live_of(capture);
	int64_t until_ns = 0;
	for (;;) {
		if (live->give_back)
			give_block_back(live);
		if (live->held || take_block(live)) {
			unsigned count = take_packets(live, frames, max);
			if (count > 0)
				return (int)count;
			continue;
		}
		int wait_ms = timeout_ms;
		if (timeout_ms > 0) {
			int64_t now_ns = clock_monotonic_ns();
			if (until_ns == 0)
				until_ns = now_ns + timeout_ms * NS_PER_MS;
			wait_ms = (int)((until_ns - now_ns) / NS_PER_MS);
		}
		if (wait_ms == 0 || (timeout_ms > 0 && wait_ms < 0))
			return 0;
		struct pollfd ready = {.fd = live->fd, .events = POLLIN | POLLERR};
		int result = poll(&ready, 1, wait_ms);
		if (result < 0 && errno != EINTR)
			return err_set(err, -errno, "%s: poll: %s", live->name, strerror(errno));
		if (result < 0)
			return 0; /* a signal: let the caller look whether it is to stop */
		if (result == 0 && (result = look_at_link(live, err)) < 0)
			return result;
		if (ready.revents & (POLLERR | POLLHUP | POLLNVAL)) {
			result = socket_error(live, err);
			if (result < 0)
				return result;
		}
	}
}

static const char *live_where(const struct capture *capture)
{
	return live_of(capture)->name;
}

static const char *live_trouble(const struct capture *capture)
{
	(void)capture;
	return NULL;
}

static int live_fd(const struct capture *capture)
{
	return live_of(capture)->fd;
}

/* PACKET_STATISTICS starts anew each time it is asked. tp_drops are what found no room in the ring. */
static void live_count(struct capture *capture)
{
	struct tpacket_stats_v3 stats;
	socklen_t bytes = sizeof stats;
	if (getsockopt(live_of(capture)->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes) == 0)
		capture->counters.lost += stats.tp_drops;
}

static const struct capture_type live_type = {
	.read = live_read,
	.where = live_where,
	.trouble = live_trouble,
	.fd = live_fd,
	.count = live_count,
	.close = live_close,
};

static int failed(const struct capture_live *live, const char *what, struct err *err)
{
	int code = errno;
	return err_set(err, -code, "%s: %s: %s", live->name, what, strerror(code));
}

/* What the interface's frames begin with. */
static int find_link_type(struct capture_live *live, struct err *err)
{
	struct ifreq request = {0};
	memcpy(request.ifr_name, live->name, sizeof live->name);
	if (ioctl(live->fd, SIOCGIFHWADDR, &request) < 0)
		return failed(live, "its type cannot be asked for", err);
	switch (request.ifr_hwaddr.sa_family) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		live->link_type = 1;
		return 0;
	case ARPHRD_NONE: /* tun, WireGuard */
	case ARPHRD_RAWIP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case ARPHRD_PPP:
		live->link_type = 101;
		return 0;
	default:
		return err_set(err, -EPROTONOSUPPORT,
			       "%s: interfaces of type %u are not read here; Ethernet, tunnels or raw IP were expected",
			       live->name, request.ifr_hwaddr.sa_family);
	}
}

static int set_option(const struct capture_live *live, int option, const void *value, socklen_t bytes, const char *what,
		      struct err *err)
{
	if (setsockopt(live->fd, SOL_PACKET, option, value, bytes) < 0)
		return failed(live, what, err);
	return 0;
}

static int make_ring(struct capture_live *live, unsigned ring_mib, struct err *err)
{
	int version = TPACKET_V3, on = 1, reserve = VLAN_BYTES;
	int result = set_option(live, PACKET_VERSION, &version, sizeof version, "TPACKET_V3", err);
	if (result == 0)
		result = set_option(live, PACKET_RESERVE, &reserve, sizeof reserve, "PACKET_RESERVE", err);
	if (result < 0)
		return result;
#ifdef PACKET_IGNORE_OUTGOING
	(void)setsockopt(live->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on,
			 sizeof on); /* Linux 4.20; else take_packet() */
#else
	(void)on;
#endif
	live->blocks = ring_mib ? ring_mib : RING_MIB;
	if (live->blocks < 2)
		live->blocks = 2;
	struct tpacket_req3 request = {
		.tp_block_size = BLOCK_BYTES,
		.tp_block_nr = live->blocks,
		.tp_frame_size = 2048,
		.tp_frame_nr = BLOCK_BYTES / 2048 * live->blocks,
		.tp_retire_blk_tov = RETIRE_MS,
	};
	char what[64];
	snprintf(what, sizeof what, "a ring of %u MiB", live->blocks);
	result = set_option(live, PACKET_RX_RING, &request, sizeof request, what, err);
	if (result < 0)
		return result;
	live->ring_bytes = (size_t)live->blocks * BLOCK_BYTES;
	void *ring = mmap(NULL, live->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, live->fd, 0);
	if (ring == MAP_FAILED)
		return failed(live, what, err);
	live->ring = ring;
	return 0;
}

static int open_live(struct capture_live *live, unsigned ring_mib, unsigned fanout_id, unsigned fanout_of,
		     struct err *err)
{
	live->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* silent until it is bound */
	if (live->fd < 0)
		return failed(live, errno == EPERM ? "capturing needs CAP_NET_RAW" : "socket", err);
	struct ifreq request = {0};
	memcpy(request.ifr_name, live->name, sizeof live->name);
	if (ioctl(live->fd, SIOCGIFINDEX, &request) < 0)
		return failed(live, "there is no such interface", err);
	live->index = request.ifr_ifindex;
	int result = find_link_type(live, err);
	if (result == 0)
		result = look_at_link(live, err);
	if (result == 0)
		result = make_ring(live, ring_mib, err);
	if (result < 0)
		return result;
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = live->index};
	if (bind(live->fd, (struct sockaddr *)&address, sizeof address) < 0)
		return failed(live, "bind", err);
	struct packet_mreq promiscuous = {.mr_ifindex = live->index, .mr_type = PACKET_MR_PROMISC};
	result = set_option(live, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous, "promiscuous mode", err);
	if (result < 0 || fanout_of <= 1)
		return result;
	uint32_t fanout = (fanout_id & 0xffff) | (uint32_t)PACKET_FANOUT_HASH << 16;
	return set_option(live, PACKET_FANOUT, &fanout, sizeof fanout, "joining the fanout group", err);
}

int capture_open_interface(const char *name, unsigned ring_mib, unsigned fanout_id, unsigned fanout_of,
			   struct capture **ret_capture, struct err *err)
{
	if (strlen(name) == 0 || strlen(name) >= IFNAMSIZ)
		return err_set(err, -ENODEV, "\"%s\" is no name of an interface: 1 to %d bytes were expected", name,
			       IFNAMSIZ - 1);
	if (fanout_of > 1 && (fanout_id == 0 || fanout_id > UINT16_MAX))
		return err_set(err, -EINVAL, "%s: fanout group %u, 1 to 65535 was expected", name, fanout_id);
	struct capture_live *live = calloc(1, sizeof *live);
	if (!live)
		return err_set(err, -ENOMEM, "no memory to capture from %s", name);
	live->capture.type = &live_type;
	live->fd = -1;
	snprintf(live->name, sizeof live->name, "%s", name);
	int result = open_live(live, ring_mib, fanout_id, fanout_of, err);
	if (result < 0) {
		live_close(&live->capture);
		return result;
	}
	*ret_capture = &live->capture;
	return 0;
}
