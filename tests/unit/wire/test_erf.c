/* ERF: types that carry IP, extension headers, padding, and each kind of bad input. */
#include "../check.h"

#include "trace_file.h"

#include <errno.h>

static struct image image;
static struct reading reading;

/* A record whose inside, behind `extensions` extension headers and `ahead` bytes, is "payload". */
static void record(uint8_t type, unsigned extensions, unsigned ahead, int64_t seconds)
{
	size_t bytes = 16 + (size_t)8 * extensions + ahead + 8;
	uint64_t time = (uint64_t)seconds << 32 | 0x80000000; /* half a second */
	image_add(&image, &time, 8);
	image_add(&image, (uint8_t[]){extensions ? type | 0x80 : type, 4 | 1}, 2);
	image_u16(&image, (uint16_t)bytes, true);
	image_u16(&image, 0, true);
	image_u16(&image, 7, true);
	for (unsigned i = 0; i < extensions; i++)
		image_add(&image, i + 1 < extensions ? "\x83\1\2\3\4\5\6\7" : "\x03\1\2\3\4\5\6\7", 8);
	image_add(&image, "\0\0\0\0", ahead);
	image_add(&image, "payload", 8);
}

static void types(void **state)
{
	(void)state;
	static const struct {
		uint8_t type;
		unsigned extensions, ahead;
		uint16_t link_type;
	} kinds[] = {
		{2, 0, 2, 1},   {2, 1, 2, 1},    {2, 3, 2, 1},    {11, 0, 2, 1},  {16, 0, 2, 1},   {20, 0, 2, 1},
		{1, 0, 0, 104}, {10, 1, 0, 104}, {15, 0, 0, 104}, {5, 0, 4, 104}, {22, 0, 0, 228}, {23, 2, 0, 229},
	};
	image.used = 0;
	size_t count = sizeof kinds / sizeof *kinds;
	for (size_t i = 0; i < count; i++)
		record(kinds[i].type, kinds[i].extensions, kinds[i].ahead, BASE_S + (int64_t)i);
	image_read(&image, &reading);
	assert_int_equal(reading.result, 0);
	assert_int_equal(reading.trace.format, TRACE_ERF);
	assert_int_equal(reading.count, count);
	for (size_t i = 0; i < count; i++) {
		const struct frame *frame = &reading.frames[i];
		assert_int_equal(frame->link_type, kinds[i].link_type);
		assert_int_equal(frame->captured_bytes, 7); /* without padding */
		assert_int_equal(frame->interface, 1);
		assert_int_equal(frame->time_ns, (BASE_S + (int64_t)i) * NS_PER_S + NS_PER_S / 2);
		assert_memory_equal(frame->data, "payload", 7);
	}
}

static void records_without_packets(void **state)
{
	(void)state;
	image.used = 0;
	record(2, 0, 2, BASE_S);
	record(48, 0, 0, BASE_S); /* padding */
	record(27, 1, 0, BASE_S); /* provenance */
	record(3, 0, 0, BASE_S);  /* ATM: a packet, of a kind that is not read */
	record(2, 0, 2, BASE_S);
	image_read(&image, &reading);
	assert_int_equal(reading.count, 3);
	struct packet packets[3];
	packet_parse(reading.frames, 3, packets);
	assert_int_equal(packets[1].anomaly, ANOMALY_LINK_UNKNOWN);
}

static void bad_input(void **state)
{
	(void)state;
	image.used = 0;
	record(2, 0, 2, BASE_S);
	record(2, 0, 2, BASE_S);
	size_t each = image.used / 2, whole = image.used;
	for (size_t cut = 16; cut < whole; cut++) {
		image.used = cut;
		image_read(&image, &reading);
		assert_int_equal(reading.result, 0);
		assert_int_equal(reading.count, cut / each);
		assert_int_equal(reading.trace.anomalies[TRACE_TRUNCATED], cut % each != 0);
	}
	image.used = whole;
	memset(image.bytes + image.used, 0xff, 100);
	image.used += 100;
	record(2, 0, 2, BASE_S);
	record(2, 0, 2, BASE_S);
	image_read(&image, &reading);
	assert_int_equal(reading.result, 0);
	assert_int_equal(reading.count, 4);
	assert_int_equal(reading.trace.anomalies[TRACE_GARBAGE], 1);
	assert_int_equal(reading.trace.first_anomaly_offset, whole);
	image.bytes[11] = 3; /* a record shorter than its header */
	image_read(&image, &reading);
	assert_int_equal(reading.result, -EBADMSG);
	assert_contains(reading.err.text, "neither pcap, pcapng nor ERF");

	image.used = 0;
	record(2, 0, 2, BASE_S);
	record(2, 0, 2, BASE_S);
	image.bytes[each + 8] = 0x82; /* extension headers that run past the record */
	memset(image.bytes + each + 16, 0x80, each - 16);
	image_read(&image, &reading);
	assert_int_equal(reading.count, 1);
	assert_int_equal(reading.trace.anomalies[TRACE_BLOCK], 1);

	image.used = 0;
	record(2, 0, 2, BASE_S);
	record(2, 0, 2, BASE_S + 200000);
	record(2, 0, 2, BASE_S + 199999);
	image_read(&image, &reading);
	assert_int_equal(reading.count, 3);
	assert_int_equal(reading.trace.anomalies[TRACE_TIME_LEAP], 1);
	assert_int_equal(reading.trace.anomalies[TRACE_TIME_BACK], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types),
		cmocka_unit_test(records_without_packets),
		cmocka_unit_test(bad_input),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
