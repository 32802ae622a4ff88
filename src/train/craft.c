/* Packets from their parts. See craft.h. Sums are taken in memory order, 32 bits at a time into 64: RFC 1071 section 2
 * shows that neither order nor width matters to the ones' complement sum. */
#include "train/craft.h"

enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ICMP6 = 58 };

uint64_t checksum_add(uint64_t sum, const uint8_t *bytes, size_t count)
{
	uint32_t word;
	for (; count >= 4; bytes += 4, count -= 4) {
		memcpy(&word, bytes, 4);
		sum += word;
	}
	if (count) {
		word = 0;
		memcpy(&word, bytes, count);
		sum += word;
	}
	return sum;
}

uint16_t checksum_end(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)~sum;
}

size_t craft_ip_header(uint8_t *at, const struct craft_ip *ip, uint8_t protocol, size_t l4_bytes)
{
	if (ip->six) {
		store_be32(at, 0x60000000);
		store_be16(at + 4, (uint16_t)l4_bytes);
		at[6] = protocol;
		at[7] = ip->ttl;
		memcpy(at + 8, ip->src6.bytes, 16);
		memcpy(at + 24, ip->dst6.bytes, 16);
		return 40;
	}
	store_be16(at, 0x4500);
	store_be16(at + 2, (uint16_t)(20 + l4_bytes));
	store_be16(at + 4, ip->id);
	store_be16(at + 6, ip->dont_fragment ? 0x4000 : 0);
	at[8] = ip->ttl;
	at[9] = protocol;
	memset(at + 10, 0, 2);
	store_be32(at + 12, ip->src);
	store_be32(at + 16, ip->dst);
	uint16_t sum = checksum_end(checksum_add(0, at, 20));
	memcpy(at + 10, &sum, 2);
	return 20;
}

/* Link and IP headers in front of l4_bytes that are in place; returns the sum of the pseudo-header. */
static uint64_t craft_around(uint8_t *frame, const struct craft_ip *ip, uint8_t protocol, size_t l4_bytes)
{
	/* locally administered addresses: 02:59:47:00:00:01 (the telescope) and :02 (the router before it) */
	static const uint8_t link[12] = {2, 0x59, 0x47, 0, 0, 1, 2, 0x59, 0x47, 0, 0, 2};
	memcpy(frame, link, sizeof link);
	store_be16(frame + 12, ip->six ? 0x86dd : 0x0800);
	uint8_t *header = frame + CRAFT_LINK_BYTES;
	craft_ip_header(header, ip, protocol, l4_bytes);
	uint64_t sum = ip->six ? checksum_add(0, header + 8, 32) : checksum_add(0, header + 12, 8);
	return sum + __builtin_bswap16(protocol) + __builtin_bswap16((uint16_t)l4_bytes);
}

size_t craft_tcp(uint8_t *frame, const struct craft_ip *ip, const struct craft_tcp *tcp)
{
	size_t l4_bytes = 20u + tcp->option_bytes;
	uint64_t sum = craft_around(frame, ip, PROTOCOL_TCP, l4_bytes);
	uint8_t *at = frame + craft_l4(ip);
	store_be16(at, tcp->sport);
	store_be16(at + 2, tcp->dport);
	store_be32(at + 4, tcp->seq);
	store_be32(at + 8, tcp->ack);
	at[12] = (uint8_t)(l4_bytes / 4 << 4);
	at[13] = tcp->flags;
	store_be16(at + 14, tcp->window);
	memset(at + 16, 0, 4);
	if (tcp->option_bytes)
		memcpy(at + 20, tcp->options, tcp->option_bytes);
	uint16_t check = checksum_end(checksum_add(sum, at, l4_bytes));
	memcpy(at + 16, &check, 2);
	return craft_l4(ip) + l4_bytes;
}

size_t craft_udp(uint8_t *frame, const struct craft_ip *ip, uint16_t sport, uint16_t dport, size_t payload_bytes)
{
	size_t l4_bytes = 8 + payload_bytes;
	uint64_t sum = craft_around(frame, ip, PROTOCOL_UDP, l4_bytes);
	uint8_t *at = frame + craft_l4(ip);
	store_be16(at, sport);
	store_be16(at + 2, dport);
	store_be16(at + 4, (uint16_t)l4_bytes);
	memset(at + 6, 0, 2);
	uint16_t check = checksum_end(checksum_add(sum, at, l4_bytes));
	if (!check)
		check = 0xffff; /* 0 would say that there is none */
	memcpy(at + 6, &check, 2);
	return craft_l4(ip) + l4_bytes;
}

size_t craft_icmp(uint8_t *frame, const struct craft_ip *ip, uint8_t type, uint8_t code, uint32_t rest,
		  size_t body_bytes)
{
	size_t l4_bytes = 8 + body_bytes;
	uint64_t sum = craft_around(frame, ip, ip->six ? PROTOCOL_ICMP6 : PROTOCOL_ICMP, l4_bytes);
	uint8_t *at = frame + craft_l4(ip);
	at[0] = type;
	at[1] = code;
	memset(at + 2, 0, 2);
	store_be32(at + 4, rest);
	/* ICMP for IPv4 has no pseudo-header (RFC 792), ICMPv6 has (RFC 4443 section 2.3) */
	uint16_t check = checksum_end(checksum_add(ip->six ? sum : 0, at, l4_bytes));
	memcpy(at + 2, &check, 2);
	return craft_l4(ip) + l4_bytes;
}

size_t craft_raw(uint8_t *frame, const struct craft_ip *ip, uint8_t protocol, size_t payload_bytes)
{
	craft_around(frame, ip, protocol, payload_bytes);
	return craft_l4(ip) + payload_bytes;
}
