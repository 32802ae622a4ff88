/* The generator behind traffic.h: a table of who sends what, with shares; sources of a class are drawn by a power law
 * (rank = count * u^3), so that few send much and many send little. */
#include "traffic.h"

#include "core/hash.h"

#include <string.h>

enum sort {
	SORT_MIRAI,
	SORT_MASSCAN,
	SORT_MASSCAN_NEW,
	SORT_ZMAP,
	SORT_ZMAP_NEW,
	SORT_NMAP,
	SORT_PLAIN, /* a bare SYN of no tool known */
	SORT_LINUX,
	SORT_WINDOWS,
	SORT_SYN_ACK,
	SORT_RST,
	SORT_ICMP_ERROR,
	SORT_ECHO_REPLY,
	SORT_ECHO_REQUEST,
	SORT_UDP_PROBE,
	SORT_DNS_ANY,
	SORT_NTP_MONLIST,
	SORT_DNS_ANSWER,
	SORTS,
};

static const struct {
	uint16_t share; /* of 1,000 */
	uint32_t sources;
} classes[SORTS] = {
	[SORT_MIRAI] = {300, 120000}, [SORT_MASSCAN] = {120, 240},     [SORT_MASSCAN_NEW] = {110, 260},
	[SORT_ZMAP] = {70, 120},      [SORT_ZMAP_NEW] = {60, 140},     [SORT_NMAP] = {15, 160},
	[SORT_PLAIN] = {70, 60000},   [SORT_LINUX] = {50, 20000},      [SORT_WINDOWS] = {60, 40000},
	[SORT_SYN_ACK] = {50, 400},   [SORT_RST] = {15, 300},          [SORT_ICMP_ERROR] = {12, 3000},
	[SORT_ECHO_REPLY] = {5, 60},  [SORT_ECHO_REQUEST] = {8, 1500}, [SORT_UDP_PROBE] = {30, 2500},
	[SORT_DNS_ANY] = {10, 200},   [SORT_NTP_MONLIST] = {7, 100},   [SORT_DNS_ANSWER] = {8, 2000},
};

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static uint16_t port_of(enum sort sort, uint64_t r)
{
	static const uint16_t usual[16] = {23,  80,   443,  22,   8080, 3389, 5555, 2323,
					   445, 1433, 6379, 8443, 5900, 21,   25,   81};
	if (sort == SORT_MIRAI)
		return r & 7 ? 23 : usual[r >> 8 & 15];
	if (sort == SORT_WINDOWS)
		return r & 7 ? 445 : 3389;
	if (sort == SORT_UDP_PROBE)
		return r & 1 ? 5060 : (uint16_t)(r >> 8);
	return (r & 3) == 0 ? usual[r >> 8 & 15] : (uint16_t)((r >> 8 & 0xffff) | 1);
}

static size_t tcp(uint8_t *l4, uint16_t sport, uint16_t dport, uint32_t seq, uint8_t flags, uint16_t window,
		  const char *options, size_t option_bytes)
{
	put16(l4, sport);
	put16(l4 + 2, dport);
	put32(l4 + 4, seq);
	put32(l4 + 8, flags & 0x10 ? seq + 1 : 0);
	l4[12] = (uint8_t)((20 + option_bytes) / 4 << 4);
	l4[13] = flags;
	put16(l4 + 14, window);
	put32(l4 + 16, 0);
	memcpy(l4 + 20, options, option_bytes);
	return 20 + option_bytes;
}

static size_t udp(uint8_t *l4, uint16_t sport, uint16_t dport, const void *payload, size_t bytes)
{
	put16(l4, sport);
	put16(l4 + 2, dport);
	put16(l4 + 4, (uint32_t)(8 + bytes));
	put16(l4 + 6, 0);
	memcpy(l4 + 8, payload, bytes);
	return 8 + bytes;
}

/* The transport part; what it wants of the IP header it writes there. */
static size_t body(enum sort sort, uint8_t *ip, uint32_t source_seed, uint32_t dst, uint64_t r)
{
	static const char mss[] = "\2\4\5\xb4", many[] = "\2\4\5\xb4\4\2\x08\x0a\0\1\2\3\0\0\0\0\1\3\3\7";
	static const char windows[] = "\2\4\5\xb4\1\3\3\x08\1\1\4\2";
	uint8_t *l4 = ip + 20;
	uint32_t seq = (uint32_t)(r >> 16);
	uint16_t dport = port_of(sort, r >> 3), sport = (uint16_t)(32768 + (r >> 40) % 28000);
	ip[9] = 6;
	switch (sort) {
	case SORT_MIRAI:
		return tcp(l4, sport, dport, dst, 2, (uint16_t)(r >> 48), "", 0);
	case SORT_MASSCAN:
		put16(ip + 4, (dst ^ dport ^ seq) & 0xffff);
		return tcp(l4, sport, dport, seq, 2, 1024, "", 0);
	case SORT_MASSCAN_NEW:
		put16(ip + 4, (dst ^ dport ^ seq) & 0xffff);
		return tcp(l4, sport, dport, seq, 2, 1025, mss, 4);
	case SORT_ZMAP:
		put16(ip + 4, 54321);
		return tcp(l4, sport, dport, seq, 2, 65535, "", 0);
	case SORT_ZMAP_NEW:
		return tcp(l4, sport, dport, seq, 2, 65535, windows, 12);
	case SORT_NMAP:
		seq = source_seed * 2654435761u;
		return tcp(l4, 40000, dport, seq ^ (uint32_t)((r & 7) * 0x10001), 2, 1024, mss, 4);
	case SORT_PLAIN:
		return tcp(l4, sport, dport, seq, 2, 5840, "", 0);
	case SORT_LINUX:
		ip[6] = 0x40;
		return tcp(l4, sport, dport, seq, 2, 64240, many, 20);
	case SORT_WINDOWS:
		ip[6] = 0x40;
		return tcp(l4, sport, dport, seq, 2, 8192, windows, 12);
	case SORT_SYN_ACK:
		return tcp(l4, 443, sport, seq, 0x12, 65535, mss, 4);
	case SORT_RST:
		return tcp(l4, 80, sport, 0, 0x14, 0, "", 0);
	case SORT_ICMP_ERROR:
	case SORT_ECHO_REPLY:
	case SORT_ECHO_REQUEST:
		ip[9] = 1;
		memset(l4, 0, 36);
		l4[0] = sort == SORT_ICMP_ERROR ? 3 : sort == SORT_ECHO_REPLY ? 0 : 8;
		if (sort == SORT_ICMP_ERROR) {
			l4[1] = 3;
			l4[8] = 0x45;
			l4[8 + 9] = 17;
			put32(l4 + 8 + 12, dst);
			put32(l4 + 8 + 16, source_seed * 40503u);
			put16(l4 + 28, sport);
			put16(l4 + 30, 53);
		}
		return 36;
	case SORT_UDP_PROBE:
		ip[9] = 17;
		return udp(l4, sport, dport, "OPTIONS sip:100@198.18.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP", 52);
	case SORT_DNS_ANY:
		ip[9] = 17;
		return udp(l4, sport, 53, "\1\2\1\0\0\1\0\0\0\0\0\1\3isc\3org\0\0\xff\0\1\0\0\x29\x10\0\0\0\0\0\0\0",
			   36);
	case SORT_NTP_MONLIST:
		ip[9] = 17;
		return udp(l4, sport, 123, "\x17\0\3\x2a\0\0\0\0", 8);
	default:
		ip[9] = 17;
		return udp(l4, 53, sport,
			   "\1\2\x81\x80\0\1\0\1\0\0\0\0\3isc\3org\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\1\2\0\4\1\2\3\4", 41);
	}
}

size_t traffic_frame(struct traffic *traffic, uint8_t out[TRAFFIC_FRAME_BYTES_MAX])
{
	uint64_t r = random_next(&traffic->random), s = random_next(&traffic->random);
	unsigned share = (unsigned)(s % 1000), sort = 0;
	while (sort + 1 < SORTS && share >= classes[sort].share)
		share -= classes[sort++].share;
	double u = (double)(s >> 11) * 0x1p-53;
	uint32_t rank = (uint32_t)((double)classes[sort].sources * u * u * u);
	uint32_t source_seed = (uint32_t)hash_u64((uint64_t)sort << 32 | rank);
	uint32_t dst = TRAFFIC_DARKNET_V4 + (uint32_t)(r & 0x1ffff);

	memset(out, 0, 60);
	memcpy(out, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0\x45", 15);
	uint8_t *ip = out + 14;
	put16(ip + 4, (uint32_t)(r >> 44));
	ip[8] = (uint8_t)(40 + source_seed % 80);
	put32(ip + 12, 0x01000000 + source_seed % 0xdd000000);
	put32(ip + 16, dst);
	size_t bytes = 20 + body((enum sort)sort, ip, source_seed, dst, r);
	put16(ip + 2, (uint32_t)bytes);
	traffic->count++;
	return bytes + 14 < 60 ? 60 : bytes + 14;
}
