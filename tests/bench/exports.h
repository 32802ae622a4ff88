/* Export messages of a carrier's routers as a benchmark wants them: high entropy, IPv4 and IPv6, two forms of template,
 * full datagrams. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { EXPORT_BYTES_MAX = 1472 };

enum export_form { EXPORT_V5, EXPORT_V9, EXPORT_IPFIX };

struct exports {
	enum export_form form;
	uint64_t seed;
	uint32_t messages, records, sequence; /* made so far */
};

/* The next datagram, with *ret_records data records in it. Its templates come with the first and every 256th message.
 * Returns bytes. */
size_t exports_next(struct exports *exports, uint8_t out[EXPORT_BYTES_MAX], unsigned *ret_records);
