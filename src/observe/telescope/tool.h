/* Which tool sent a packet, by what its makers wrote into the header. The rules stand in tool.c and nowhere else. */
#pragma once

#include "record/kind.h"
#include "wire/packet.h"

#include <stdbool.h>

enum tool_certainty {
	TOOL_ALONE,   /* this packet is enough */
	TOOL_SECOND,  /* a second agreeing packet of the source is wanted: 16 bits alone come by chance */
	TOOL_FOLLOWS, /* fits the tool, but others too: counts when the source is known to use the tool */
};

/* Versions by the rules table: what `tool_version` of a tuple means. */
enum tool_version {
	VERSION_UNTOLD,
	MASSCAN_TO_1_3_2 = 1,     /* window 1024, no options */
	MASSCAN_SINCE_2023 = 2,   /* window 1025, MSS 1460 */
	ZMAP_BEFORE_4_1 = 1,      /* IP ID 54321 */
	ZMAP_SINCE_4_1 = 2,       /* random IP ID, options of Windows */
	ZMAP_SINCE_4_1_LEAST = 3, /* random IP ID, MSS alone */
	NMAP_1024 = 1,            /* window 1024 */
	NMAP_OLDER = 2,           /* window 2048, 3072 or 4096, as up to Nmap 5 */
};

struct tool_guess {
	enum scan_tool tool;
	uint8_t version;
	enum tool_certainty certainty;
};

/* By one packet. TOOL_UNKNOWN where no rule fits. */
struct tool_guess tool_guess_packet(const struct packet *packet);

/* Nmap draws its window from 1024, 2048, 3072 and 4096 up to version 5 and uses 1024 since. */
static inline bool tool_has_nmap_window(uint16_t window)
{
	return (window & 1023) == 0 && window >= 1024 && window <= 4096;
}

/* Two packets of one source, of different targets. `seq` as in the header, host order. */
static inline bool tool_is_nmap(uint32_t seq1, uint32_t seq2)
{
	uint32_t x = seq1 ^ seq2;
	return (x >> 16) == (x & 0xffff) && (x & 0xffff) < 256;
}

/* Unicornscan: the same for all packets of one run. Destination in network byte order, as its source computes it. */
static inline uint32_t tool_unicornscan_key(uint32_t seq, uint32_t dst, uint16_t dport, uint16_t sport)
{
	return seq ^ __builtin_bswap32(dst) ^ (((uint32_t)dport << 16) + sport);
}

/* Two echo requests of ZMap since 4.1, each given as identifier << 16 | sequence number. */
static inline bool tool_is_zmap_echo_pair(uint32_t a, uint32_t b)
{
	return (a >> 16) != (b >> 16) && (a & 0xffff) != (b & 0xffff);
}
