/* pcapng: sections, interfaces, every packet block, time resolutions, and each kind of bad input. */
#include "../check.h"

#include "trace_file.h"

#include <errno.h>

static struct image image;
static struct reading reading;
static bool big; /* byte order of the section being written */
static size_t block_at;

static void begin_block(uint32_t type)
{
	block_at = image.used;
	image_u32(&image, type, big);
	image_u32(&image, 0, big);
}

static void end_block(void)
{
	while ((image.used - block_at) % 4 != 0)
		image.bytes[image.used++] = 0;
	uint32_t bytes = (uint32_t)(image.used - block_at) + 4;
	image_u32(&image, bytes, big);
	memcpy(image.bytes + block_at + 4, image.bytes + image.used - 4, 4);
}

static void section(bool is_big)
{
	big = is_big;
	begin_block(0x0a0d0d0a);
	image_u32(&image, 0x1a2b3c4d, big);
	image_u16(&image, 1, big);
	image_u16(&image, 0, big);
	image_u32(&image, UINT32_MAX, big);
	image_u32(&image, UINT32_MAX, big);
	end_block();
}

static void interface(uint16_t link_type, uint32_t snap, int resolution, int64_t offset_s)
{
	begin_block(1);
	image_u16(&image, link_type, big);
	image_u16(&image, 0, big);
	image_u32(&image, snap, big);
	image_u16(&image, 2, big); /* if_name, to be passed over */
	image_u16(&image, 3, big);
	image_add(&image, "en0", 4);
	if (resolution >= 0) {
		image_u16(&image, 9, big);
		image_u16(&image, 1, big);
		image_add(&image, (uint8_t[]){(uint8_t)resolution, 0, 0, 0}, 4);
	}
	if (offset_s != 0) {
		uint64_t v = big ? __builtin_bswap64((uint64_t)offset_s) : (uint64_t)offset_s;
		image_u16(&image, 14, big);
		image_u16(&image, 8, big);
		image_add(&image, &v, 8);
	}
	image_u32(&image, 0, big);
	end_block();
}

static void packet(uint32_t number, uint64_t ticks, uint32_t captured)
{
	begin_block(6);
	image_u32(&image, number, big);
	image_u32(&image, (uint32_t)(ticks >> 32), big);
	image_u32(&image, (uint32_t)ticks, big);
	image_u32(&image, captured, big);
	image_u32(&image, 100, big);
	image_add(&image, "0123456789", 10);
	end_block();
}

static void start(void)
{
	image.used = 0;
	section(false);
	interface(1, 0, -1, 0);
}

#define US ((uint64_t)BASE_S * 1000000)

static void assert_counts(unsigned frames, enum trace_anomaly anomaly, uint64_t times)
{
	image_read(&image, &reading);
	assert_int_equal(reading.result, 0);
	assert_int_equal(reading.count, frames);
	for (int i = 0; i < TRACE_ANOMALIES; i++)
		assert_int_equal(reading.trace.anomalies[i], i == (int)anomaly ? times : 0);
}

static void both_byte_orders_and_sections(void **state)
{
	(void)state;
	image.used = 0;
	for (int i = 0; i < 2; i++) {
		section(i == 1);
		interface(i == 0 ? 1 : 101, 0, -1, 0);
		interface(i == 0 ? 113 : 276, 0, 9, 0);
		packet(0, US + (unsigned)i, 10);
		packet(1, (uint64_t)BASE_S * 1000000000 + (unsigned)i * 1000 + 5, 10);
	}
	assert_counts(4, TRACE_ANOMALIES, 0);
	static const uint16_t links[] = {1, 113, 101, 276};
	for (int i = 0; i < 4; i++) {
		assert_int_equal(reading.frames[i].link_type, links[i]);
		assert_int_equal(reading.frames[i].interface, i % 2);
		assert_int_equal(reading.frames[i].time_ns, BASE_S * NS_PER_S + (i / 2) * 1000 + (i % 2 ? 5 : 0));
		assert_int_equal(reading.frames[i].captured_bytes, 10);
		assert_int_equal(reading.frames[i].wire_bytes, 100);
		assert_memory_equal(reading.frames[i].data, "0123456789", 10);
	}
}

static void time_resolutions(void **state)
{
	(void)state;
	static const struct {
		int resolution;
		uint64_t ticks;
		int64_t offset_s, time_ns;
	} cases[] = {
		{-1, 1500000, 0, 1500000000},      {6, 1500000, 0, 1500000000},
		{9, 1500000000, 0, 1500000000},    {0, 3, 0, 3000000000},
		{3, 1500, 0, 1500000000},          {12, 1500000000000, 0, 1500000000},
		{0x80 | 10, 1536, 0, 1500000000},  {0x80 | 32, (UINT64_C(3) << 32) / 2, 0, 1500000000},
		{6, 1500000, 3600, 3601500000000}, {6, 1500000, -1, 500000000},
		{0, UINT64_MAX, 0, INT64_MAX}, /* past what a time can say */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		image.used = 0;
		section(i % 2);
		interface(1, 0, cases[i].resolution, cases[i].offset_s);
		packet(0, cases[i].ticks, 10);
		image_read(&image, &reading);
		assert_int_equal(reading.count, 1);
		assert_int_equal(reading.frames[0].time_ns, cases[i].time_ns);
	}
	image.used = 0;
	section(false);
	interface(1, 0, 0x7f, 0); /* 10^-127 s */
	packet(0, US, 10);
	assert_counts(1, TRACE_BLOCK, 1);
}

static void simple_and_obsolete_packets(void **state)
{
	(void)state;
	image.used = 0;
	section(true);
	interface(101, 6, -1, 0);
	begin_block(2);
	image_u16(&image, 0, big);
	image_u16(&image, 3, big); /* drops */
	image_u32(&image, (uint32_t)(US >> 32), big);
	image_u32(&image, (uint32_t)US, big);
	image_u32(&image, 10, big);
	image_u32(&image, 11, big);
	image_add(&image, "0123456789", 10);
	end_block();
	begin_block(3);
	image_u32(&image, 10, big);
	image_add(&image, "abcdef", 6);
	end_block();
	assert_counts(2, TRACE_ANOMALIES, 0);
	assert_int_equal(reading.frames[0].captured_bytes, 10);
	assert_int_equal(reading.frames[0].wire_bytes, 11);
	assert_int_equal(reading.frames[1].captured_bytes, 6); /* cut by the interface's snap length */
	assert_int_equal(reading.frames[1].wire_bytes, 10);
	assert_int_equal(reading.frames[1].time_ns, reading.frames[0].time_ns);
}

static void unknown_blocks(void **state)
{
	(void)state;
	start();
	static const uint32_t kinds[] = {4, 5, 9, 10, 0xbad, 0x40000bad, 0x80001234, 77};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		begin_block(kinds[i]);
		image_add(&image, "anything at all", i * 2);
		end_block();
		packet(0, US + i, 10);
	}
	assert_counts(8, TRACE_ANOMALIES, 0);
}

static void what_we_write_we_read(void **state)
{
	(void)state;
	image.used = pcapng_write_header(image.bytes);
	image.used += pcapng_write_interface(image.bytes + image.used, 1, 65535, "veth0");
	size_t bytes = pcapng_write_interface(image.bytes + image.used, 101, 0, NULL);
	assert_in_range(bytes, 20, PCAPNG_INTERFACE_BYTES_MAX);
	image.used += bytes;
	for (uint32_t i = 0; i < 6; i++) {
		struct frame frame = {BASE_S * NS_PER_S + i, (const uint8_t *)"abcdefgh", i, 99, 0, i % 2};
		bytes = pcapng_write_frame(image.bytes + image.used, &frame);
		assert_int_equal(bytes, pcapng_record_bytes(&frame));
		image.used += bytes;
	}
	assert_counts(6, TRACE_ANOMALIES, 0);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(reading.frames[i].time_ns, BASE_S * NS_PER_S + i);
		assert_int_equal(reading.frames[i].link_type, i % 2 ? 101 : 1);
		assert_int_equal(reading.frames[i].captured_bytes, i);
		assert_memory_equal(reading.frames[i].data, "abcdefgh", (size_t)i);
	}
}

static void bad_packets(void **state)
{
	(void)state;
	start();
	packet(7, US, 10); /* an interface that was not described */
	packet(0, US, 10);
	assert_counts(1, TRACE_INTERFACE, 1);
	start();
	packet(0, US, 13); /* more than its block holds */
	packet(0, US, 10);
	assert_counts(1, TRACE_OVERLONG, 1);
	start();
	begin_block(6);
	image_add(&image, "short", 5);
	end_block();
	packet(0, US, 10);
	assert_counts(1, TRACE_BLOCK, 1);
	image.used = 0;
	section(false);
	begin_block(1);
	image_u32(&image, 1, big);
	image_u32(&image, 0, big);
	image_u16(&image, 2, big); /* an option past the block */
	image_u16(&image, 400, big);
	end_block();
	packet(0, US, 10);
	assert_counts(1, TRACE_BLOCK, 1);
}

static void broken_blocks(void **state)
{
	(void)state;
	static const uint32_t lengths[] = {0, 8, 13, 900, 0x7ffffff0};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		start();
		packet(0, US, 10);
		size_t offset = image.used;
		packet(0, US, 10);
		memcpy(image.bytes + offset + 4, &lengths[i], 4);
		for (int k = 0; k < 40; k++)
			packet(0, US, 10);
		image_read(&image, &reading);
		assert_int_equal(reading.result, 0);
		assert_int_equal(reading.count, 41);
		assert_int_equal(reading.trace.anomalies[TRACE_GARBAGE], 1);
		assert_int_equal(reading.trace.first_anomaly_offset, offset);
		assert_int_equal(reading.trace.anomalies[TRACE_OVERLONG], lengths[i] == 0x7ffffff0);
	}
	start();
	image_add(&image, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 21); /* of odd length */
	packet(0, US, 10);
	assert_counts(1, TRACE_GARBAGE, 1);
}

static void cut_files(void **state)
{
	(void)state;
	start();
	size_t head = image.used;
	packet(0, US, 10);
	packet(0, US, 10);
	size_t each = (image.used - head) / 2, whole = image.used;
	for (size_t cut = 12; cut < whole; cut++) {
		image.used = cut;
		image_read(&image, &reading);
		assert_int_equal(reading.result, 0);
		assert_int_equal(reading.count, cut < head ? 0 : (cut - head) / each);
		bool between = cut == head || cut == head + each || cut == 28; /* 28: after the section header */
		assert_int_equal(reading.trace.anomalies[TRACE_TRUNCATED], !between);
	}
}

static void too_many_interfaces(void **state)
{
	(void)state;
	start();
	for (int i = 1; i < TRACE_INTERFACES_MAX; i++)
		interface(1, 0, -1, 0);
	packet(TRACE_INTERFACES_MAX - 1, US, 10);
	assert_counts(1, TRACE_ANOMALIES, 0);
	interface(1, 0, -1, 0);
	packet(TRACE_INTERFACES_MAX, US, 10);
	assert_counts(1, TRACE_INTERFACE, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_byte_orders_and_sections),
		cmocka_unit_test(time_resolutions),
		cmocka_unit_test(simple_and_obsolete_packets),
		cmocka_unit_test(unknown_blocks),
		cmocka_unit_test(what_we_write_we_read),
		cmocka_unit_test(bad_packets),
		cmocka_unit_test(broken_blocks),
		cmocka_unit_test(cut_files),
		cmocka_unit_test(too_many_interfaces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
