/* What UDP scanners, amplification abusers and misconfigured hosts put into their datagrams, and what abused servers
 * answer. Each payload is written into the caller's bytes; `random` makes identifiers differ. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAYLOAD_BYTES_MAX = 512 };

struct udp_payload {
	const char *name;
	uint16_t port;   /* where it is the payload by default; 0: nowhere */
	bool reflection; /* by the telescope's rules: asks for an answer much longer than itself */
	uint16_t length;
	const char *bytes;
	uint8_t id_bytes; /* so many bytes at id_offset are random: transaction identifiers */
	uint8_t id_offset;
};

extern const struct udp_payload udp_payloads[]; /* name NULL ends it; the first is "none", empty */
int udp_payload_by_name(const char *name);      /* -1 where absent */
int udp_payload_by_port(uint16_t port);         /* 0, the empty one, where none is known */

/* Write payload `index`, at most PAYLOAD_BYTES_MAX bytes. Returns its length. */
size_t udp_payload_write(uint8_t *out, int index, uint64_t random);

/* What a server sends back (response bit set, realistic length). */
size_t dns_answer_write(uint8_t *out, uint64_t random);
size_t ntp_answer_write(uint8_t *out, uint64_t random);
size_t memcached_answer_write(uint8_t *out, uint64_t random);
size_t ssdp_answer_write(uint8_t *out, uint64_t random);
