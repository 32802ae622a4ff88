/* Which kind a darknet packet is: exactly one of six, by rules that stand in kind.c and nowhere else. */
#pragma once

#include "record/kind.h"
#include "wire/packet.h"

#include <stdbool.h>

/* By the packet alone: no state, no look-ahead. PACKET_SURVEY is never answered: whether a scan is a survey is a matter
 * of its source (survey.h), which the caller asks for what is PACKET_SCAN here. */
enum packet_kind packet_kind_of(const struct packet *packet);

/* The same for a burst. */
void packet_kinds(struct packet *const *packets, unsigned count, uint8_t *ret_kinds);

/* Names the rule of packet_kind_of() that decided, for `explain` and tests: "tcp.syn", "udp.answer.dns" ... */
const char *packet_kind_rule(const struct packet *packet, enum packet_kind *ret_kind);

/* Systems begin at 64 or 128 and few at 255: what still has 200 was mostly written by a forger (Dainotti et al. 2014).
 */
static inline bool packet_ttl_is_odd(uint8_t ttl)
{
	return ttl >= 200;
}

/* IPv6: a multicast source, or the destination's own address. */
bool packet_is_spoofed_v6(const struct packet *packet);

/* The source is probably not who it claims: an address nobody sends from (0/8, loopback, multicast and 240/4, RFC
 * 6890); odd protocol; TTL of 200 or more (unless the tool is masscan, which sends 255); host part .0 or .255; source
 * equal to destination; port 0. Without branches where it can be: it is asked of every packet. */
static inline bool packet_is_spoofed(const struct packet *packet, enum scan_tool tool)
{
	bool ports = packet->protocol == 6 || packet->protocol == 17;
	bool known = ports | (packet->protocol == 1) | (packet->protocol == 58);
	bool no_port = ports & (packet->l4 != NULL) & ((packet->sport == 0) | (packet->dport == 0));
	bool odd = !known | no_port | (packet_ttl_is_odd(packet->ttl) & (tool != TOOL_MASSCAN));
	if (__builtin_expect(packet->version != 4, 0))
		return odd || packet_is_spoofed_v6(packet);
	uint8_t first = (uint8_t)(packet->src >> 24), host = (uint8_t)packet->src;
	bool impossible = (first == 0) | (first == 127) | (first >= 224);
	return odd | impossible | ((uint8_t)(host + 1) <= 1) | (packet->src == packet->dst);
}

/* Which of these it bears, for the few of whom it is asked: bits as in `signs` of a sighting. */
enum spoof_sign {
	SIGN_PROTOCOL = 1,
	SIGN_TTL = 2,
	SIGN_HOST_PART = 4,
	SIGN_SOURCE_IS_TARGET = 8,
	SIGN_PORT_ZERO = 16,
	SIGN_IMPOSSIBLE = 32,
};
uint8_t packet_spoof_signs(const struct packet *packet, enum scan_tool tool);
