/* Writers of pcap (draft-ietf-opsawg-pcap section 4, 5) and pcapng (draft-ietf-opsawg-pcapng section 4.1-4.3). Both
 * formats let the writer choose the byte order; this is a little-endian machine's (core/cursor.h asserts it). */
#include "wire/pcap_write.h"

#include "core/clock.h"
#include "core/cursor.h"

static uint8_t *put16(uint8_t *at, uint16_t v)
{
	memcpy(at, &v, sizeof v);
	return at + sizeof v;
}

static uint8_t *put32(uint8_t *at, uint32_t v)
{
	memcpy(at, &v, sizeof v);
	return at + sizeof v;
}

static uint8_t *put_padded(uint8_t *at, const void *data, size_t bytes)
{
	size_t padded = (bytes + 3) & ~(size_t)3;
	if (bytes)
		memcpy(at, data, bytes);
	memset(at + bytes, 0, padded - bytes);
	return at + padded;
}

size_t pcap_write_header(void *out, uint16_t link_type, uint32_t snap_bytes, bool nanoseconds)
{
	uint8_t *at = put32(out, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
	at = put16(at, 2);
	at = put16(at, 4);
	at = put32(at, 0);
	at = put32(at, 0);
	at = put32(at, snap_bytes);
	put32(at, link_type);
	return PCAP_HEADER_BYTES;
}

size_t pcap_write_frame(void *out, const struct frame *frame, bool nanoseconds)
{
	int64_t time_ns = frame->time_ns > 0 ? frame->time_ns : 0;
	uint8_t *at = put32(out, (uint32_t)(time_ns / NS_PER_S));
	at = put32(at, (uint32_t)(time_ns % NS_PER_S / (nanoseconds ? 1 : NS_PER_US)));
	at = put32(at, frame->captured_bytes);
	at = put32(at, frame->wire_bytes);
	if (frame->captured_bytes)
		memcpy(at, frame->data, frame->captured_bytes);
	return pcap_record_bytes(frame);
}

size_t pcapng_write_header(void *out)
{
	uint8_t *at = put32(out, 0x0a0d0d0a);
	at = put32(at, PCAPNG_HEADER_BYTES);
	at = put32(at, 0x1a2b3c4d);
	at = put16(at, 1);
	at = put16(at, 0);
	at = put32(at, 0xffffffff); /* section length: not known */
	at = put32(at, 0xffffffff);
	put32(at, PCAPNG_HEADER_BYTES);
	return PCAPNG_HEADER_BYTES;
}

size_t pcapng_write_interface(void *out, uint16_t link_type, uint32_t snap_bytes, const char *name)
{
	uint8_t *begin = out;
	uint8_t *at = put32(begin, 1);
	at = put32(at, 0); /* block length: below */
	at = put16(at, link_type);
	at = put16(at, 0);
	at = put32(at, snap_bytes);
	size_t name_bytes = name ? strnlen(name, 32) : 0;
	if (name_bytes) {
		at = put16(at, 2); /* if_name */
		at = put16(at, (uint16_t)name_bytes);
		at = put_padded(at, name, name_bytes);
	}
	at = put16(at, 9); /* if_tsresol: 10^-9 s */
	at = put16(at, 1);
	at = put32(at, 9);
	at = put32(at, 0); /* opt_endofopt */
	uint32_t bytes = (uint32_t)(at + 4 - begin);
	put32(at, bytes);
	put32(begin + 4, bytes);
	return bytes;
}

size_t pcapng_write_frame(void *out, const struct frame *frame)
{
	uint32_t bytes = (uint32_t)pcapng_record_bytes(frame);
	uint64_t time_ns = frame->time_ns > 0 ? (uint64_t)frame->time_ns : 0;
	uint8_t *at = put32(out, 6);
	at = put32(at, bytes);
	at = put32(at, frame->interface);
	at = put32(at, (uint32_t)(time_ns >> 32));
	at = put32(at, (uint32_t)time_ns);
	at = put32(at, frame->captured_bytes);
	at = put32(at, frame->wire_bytes);
	at = put_padded(at, frame->data, frame->captured_bytes);
	put32(at, bytes);
	return bytes;
}
