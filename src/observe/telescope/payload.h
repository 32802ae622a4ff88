/* What packets carry: the first bytes of UDP and TCP data, told by protocol, known exploits named, equal ones counted
 * together as clusters. Patterns are facts for telling probes apart; they stand in tables in payload.c.
 */
#pragma once

#include "wire/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PAYLOAD_HASHED = 64,     /* first bytes that make two payloads the same */
	PAYLOAD_SEARCHED = 1024, /* first bytes in which exploits are looked for */
	PAYLOAD_CLUSTERS_MAX = 65536,
};

struct payload_exploit {
	const char *name; /* what is attacked */
	const char *cve;  /* "CVE-2017-17215"; NULL where none was given out */
};

struct payload_cluster {
	uint32_t hash;    /* as in a tuple's `payload` */
	uint8_t protocol; /* 6, 17 */
	uint8_t length;   /* of `bytes` */
	uint16_t port;    /* of the first packet */
	uint64_t packets;
	int64_t first_ns, last_ns;
	const char *guess;                     /* "sip", "http" ...; NULL where none is known */
	const struct payload_exploit *exploit; /* of the first packet; NULL: none known */
	uint8_t bytes[PAYLOAD_HASHED];
};

struct payloads;

struct payloads *payloads_new(void); /* NULL: out of memory */
void payloads_free(struct payloads *payloads);

/* Hash of a TCP or UDP packet's first PAYLOAD_HASHED bytes of data, never 0; 0 where there is none. The packet is added
 * to its cluster; what finds no place any more is only counted as refused. */
uint32_t payloads_note(struct payloads *payloads, const struct packet *packet);

/* The `most` clusters with the most packets, most first. Returns how many. */
size_t payloads_top(const struct payloads *payloads, struct payload_cluster *ret_clusters, size_t most);
uint64_t payloads_refused(const struct payloads *payloads);

/* By the bytes, and by the port where bytes alone do not tell. NULL: unknown. */
const char *payload_guess(const uint8_t *bytes, size_t length, uint8_t protocol, uint16_t port);
const struct payload_exploit *payload_exploit_of(const uint8_t *bytes, size_t length);
