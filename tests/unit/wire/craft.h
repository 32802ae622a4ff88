/* Packets made by hand for tests: each function puts one layer around what `p` holds, innermost first. */
#pragma once

#include "wire/packet.h"

#include <string.h>

struct craft {
	uint8_t room[4096];
	uint8_t *at; /* first byte; grows to the front */
};

static inline void craft_start(struct craft *p, const void *payload, size_t bytes)
{
	p->at = p->room + sizeof p->room - bytes;
	if (payload)
		memcpy(p->at, payload, bytes);
	else
		memset(p->at, 0, bytes);
}

static inline uint32_t craft_bytes(const struct craft *p)
{
	return (uint32_t)(p->room + sizeof p->room - p->at);
}

static inline uint8_t *craft_front(struct craft *p, const void *header, size_t bytes)
{
	p->at -= bytes;
	if (header)
		memcpy(p->at, header, bytes);
	else
		memset(p->at, 0, bytes);
	return p->at;
}

static inline void set16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void set32(uint8_t *at, uint32_t value)
{
	set16(at, value >> 16);
	set16(at + 2, value & 0xffff);
}

static inline uint8_t *craft_tcp(struct craft *p, unsigned sport, unsigned dport)
{
	uint8_t *tcp = craft_front(p, NULL, 20);
	set16(tcp, sport);
	set16(tcp + 2, dport);
	set32(tcp + 4, 0x01020304);
	set32(tcp + 8, 0x0a0b0c0d);
	tcp[12] = 0x50;
	tcp[13] = 0x02;
	set16(tcp + 14, 1024);
	return tcp;
}

static inline uint8_t *craft_udp(struct craft *p, unsigned sport, unsigned dport)
{
	unsigned bytes = craft_bytes(p) + 8;
	uint8_t *udp = craft_front(p, NULL, 8);
	set16(udp, sport);
	set16(udp + 2, dport);
	set16(udp + 4, bytes);
	return udp;
}

/* 198.51.100.7 -> 198.18.0.9, ttl 64, id 54321 */
static inline uint8_t *craft_ipv4(struct craft *p, unsigned protocol)
{
	unsigned bytes = craft_bytes(p) + 20;
	uint8_t *ip = craft_front(p, NULL, 20);
	ip[0] = 0x45;
	set16(ip + 2, bytes);
	set16(ip + 4, 54321);
	ip[8] = 64;
	ip[9] = (uint8_t)protocol;
	set32(ip + 12, 0xc6336407);
	set32(ip + 16, 0xc6120009);
	return ip;
}

/* 2001:db8::1 -> 2001:db8::2, hop limit 63 */
static inline uint8_t *craft_ipv6(struct craft *p, unsigned next)
{
	unsigned bytes = craft_bytes(p);
	uint8_t *ip = craft_front(p, NULL, 40);
	ip[0] = 0x60;
	set16(ip + 4, bytes);
	ip[6] = (uint8_t)next;
	ip[7] = 63;
	set32(ip + 8, 0x20010db8);
	ip[23] = 1;
	set32(ip + 24, 0x20010db8);
	ip[39] = 2;
	return ip;
}

static inline uint8_t *craft_ether(struct craft *p, unsigned type)
{
	uint8_t *ether = craft_front(p, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\0\0", 14);
	set16(ether + 12, type);
	return ether;
}

static inline void craft_syn4(struct craft *p)
{
	craft_start(p, NULL, 0);
	craft_tcp(p, 40000, 23);
	craft_ipv4(p, 6);
}

static inline void craft_syn6(struct craft *p)
{
	craft_start(p, NULL, 0);
	craft_tcp(p, 40000, 23);
	craft_ipv6(p, 6);
}

static inline struct frame craft_frame(const struct craft *p, uint16_t link_type)
{
	return (struct frame){1, p->at, craft_bytes(p), craft_bytes(p), link_type, 0};
}

static inline struct packet craft_parse(const struct craft *p, uint16_t link_type)
{
	struct frame frame = craft_frame(p, link_type);
	struct packet packet;
	packet_parse(&frame, 1, &packet);
	return packet;
}

static inline struct packet craft_parse_inner(const struct craft *p, uint16_t link_type)
{
	struct frame frame = craft_frame(p, link_type);
	struct packet packet;
	packet_parse_inner(&frame, 1, &packet);
	return packet;
}
