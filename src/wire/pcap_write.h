/* Write captures into memory: pcap and pcapng, this machine's byte order, micro- or nanoseconds.
 *
 * Each function writes one header or record at `out`, which must have the room that the _bytes() beside it tells, and
 * returns how many bytes it wrote. Pure; nothing is kept between calls.
 */
#pragma once

#include "wire/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PCAP_HEADER_BYTES = 24,
	PCAP_RECORD_BYTES = 16,          /* in front of each packet's bytes */
	PCAPNG_HEADER_BYTES = 28,        /* section header block */
	PCAPNG_INTERFACE_BYTES_MAX = 96, /* interface description block with a name of at most 32 bytes */
};

/* The file's header. */
size_t pcap_write_header(void *out, uint16_t link_type, uint32_t snap_bytes, bool nanoseconds);

/* One packet with its record header. A time before 1970 is written as 0 (the format has no sign). */
static inline size_t pcap_record_bytes(const struct frame *frame)
{
	return PCAP_RECORD_BYTES + (size_t)frame->captured_bytes;
}
size_t pcap_write_frame(void *out, const struct frame *frame, bool nanoseconds);

/* pcapng: a section header, one description per interface (numbered in the order written), then packets, whose
 * frame->interface says which. Times have nanoseconds. `name` may be NULL; past 32 bytes it is cut. */
size_t pcapng_write_header(void *out);
size_t pcapng_write_interface(void *out, uint16_t link_type, uint32_t snap_bytes, const char *name);
static inline size_t pcapng_record_bytes(const struct frame *frame)
{
	return 32 + (((size_t)frame->captured_bytes + 3) & ~(size_t)3);
}
size_t pcapng_write_frame(void *out, const struct frame *frame);
