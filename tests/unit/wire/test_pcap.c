/* pcap: every form of it, and each kind of bad input with its name and offset. */
#include "../check.h"

#include "trace_file.h"

#include <errno.h>
#include <stdlib.h>

static struct image image;
static struct reading reading;

static uint64_t errors_but(enum trace_anomaly anomaly)
{
	uint64_t sum = 0;
	for (int i = 0; i < TRACE_ANOMALIES; i++)
		sum += i == (int)anomaly ? 0 : reading.trace.anomalies[i];
	return sum;
}

/* Exactly this anomaly, this often, first at this offset. */
static void assert_anomaly(enum trace_anomaly anomaly, uint64_t times, uint64_t offset)
{
	assert_int_equal(reading.trace.anomalies[anomaly], times);
	assert_int_equal(errors_but(anomaly), 0);
	assert_int_equal(reading.trace.first_anomaly_offset, offset);
	assert_int_equal(reading.trace.first_anomaly, anomaly);
}

static void start(void)
{
	image.used = 0;
	image_pcap_header(&image, 0xa1b2c3d4, 1, false);
}

static void add(int64_t seconds)
{
	image_pcap_record(&image, seconds, 7, 60, 0xee, false);
}

static void every_form(void **state)
{
	(void)state;
	static const struct {
		uint32_t magic;
		bool big, modified;
		int64_t tick_ns;
	} forms[] = {
		{0xa1b2c3d4, false, false, 1000}, {0xa1b2c3d4, true, false, 1000}, {0xa1b23c4d, false, false, 1},
		{0xa1b23c4d, true, false, 1},     {0xa1b2cd34, false, true, 1000}, {0xa1b2cd34, true, true, 1000},
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		image.used = 0;
		image_pcap_header(&image, forms[i].magic, 276, forms[i].big);
		for (unsigned k = 0; k < 3; k++) {
			image_pcap_record(&image, BASE_S + k, 999, 0, 0, forms[i].big);
			uint32_t bytes = 20 + k;
			for (int field = 0; field < 2; field++) {
				uint32_t v = forms[i].big ? __builtin_bswap32(bytes) : bytes;
				memcpy(image.bytes + image.used - 8 + 4 * field, &v, 4);
			}
			image_add(&image, "modified", forms[i].modified ? 8 : 0);
			image_add(&image, "01234567890123456789abc", bytes);
		}
		image_read(&image, &reading);
		assert_int_equal(reading.result, 0);
		assert_int_equal(reading.count, 3);
		assert_int_equal(errors_but(TRACE_ANOMALIES), 0);
		for (unsigned k = 0; k < 3; k++) {
			assert_int_equal(reading.frames[k].time_ns, (BASE_S + k) * NS_PER_S + 999 * forms[i].tick_ns);
			assert_int_equal(reading.frames[k].captured_bytes, 20 + k);
			assert_int_equal(reading.frames[k].link_type, 276);
			assert_memory_equal(reading.frames[k].data, "0123456789", 10);
		}
	}
}

static void what_we_write_we_read(void **state)
{
	(void)state;
	for (int ns = 0; ns < 2; ns++) {
		struct frame frame = {BASE_S * NS_PER_S + 123456789, (const uint8_t *)"abcdefg", 7, 99, 101, 0};
		image.used = pcap_write_header(image.bytes, 101, 65535, ns);
		assert_int_equal(image.used, PCAP_HEADER_BYTES);
		size_t bytes = pcap_write_frame(image.bytes + image.used, &frame, ns);
		assert_int_equal(bytes, pcap_record_bytes(&frame));
		image.used += bytes;
		image_read(&image, &reading);
		assert_int_equal(reading.count, 1);
		assert_int_equal(reading.frames[0].time_ns, ns ? frame.time_ns : frame.time_ns / 1000 * 1000);
		assert_int_equal(reading.frames[0].wire_bytes, 99);
		assert_int_equal(reading.frames[0].link_type, 101);
		assert_memory_equal(reading.frames[0].data, "abcdefg", 7);
	}
}

static void cut_files(void **state)
{
	(void)state;
	start();
	add(BASE_S);
	add(BASE_S + 1);
	size_t whole = image.used;
	for (size_t cut = 24; cut <= whole; cut++) {
		image.used = cut;
		image_read(&image, &reading);
		assert_int_equal(reading.result, 0);
		assert_int_equal(reading.count, (cut - 24) / 76);
		size_t rest = (cut - 24) % 76;
		if (rest == 0)
			assert_int_equal(errors_but(TRACE_ANOMALIES), 0);
		else
			assert_anomaly(TRACE_TRUNCATED, 1, cut - rest);
	}
	image.used = 23;
	image_read(&image, &reading);
	assert_int_equal(reading.result, -EBADMSG);
	assert_contains(reading.err.text, "offset 23");
	image.used = 0;
	image_read(&image, &reading);
	assert_int_equal(reading.result, -ENODATA);
}

static void bad_headers(void **state)
{
	(void)state;
	image.used = 0;
	image_pcap_header(&image, 0xa1b2c3d4, 105, false);
	image_read(&image, &reading);
	assert_int_equal(reading.result, -EBADMSG);
	assert_contains(reading.err.text, "offset 20");
	assert_contains(reading.err.text, "105");
	start();
	image.bytes[4] = 9;
	image_read(&image, &reading);
	assert_int_equal(reading.result, -EBADMSG);
	assert_contains(reading.err.text, "offset 4: pcap version 9.4");
	image.used = 0;
	image_add(&image, "GET / HTTP/1.1\r\nHost: example.org\r\n", 35);
	image_read(&image, &reading);
	assert_int_equal(reading.result, -EBADMSG);
	assert_contains(reading.err.text, "47 45 54");
}

static void garbage_between_records(void **state)
{
	(void)state;
	uint8_t noise[4096];
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)(i * 167 + 13);
	for (size_t length = 1; length < sizeof noise; length = length * 2 + 3) {
		for (int zeros = 0; zeros < 2; zeros++) {
			start();
			add(BASE_S);
			add(BASE_S + 1);
			size_t offset = image.used;
			if (zeros)
				memset(image.bytes + image.used, 0, length);
			else
				memcpy(image.bytes + image.used, noise, length);
			image.used += length;
			for (int i = 2; i < 6; i++)
				add(BASE_S + i);
			image_read(&image, &reading);
			assert_int_equal(reading.result, 0);
			assert_int_equal(reading.count, 6);
			assert_int_equal(reading.trace.anomalies[TRACE_GARBAGE], 1);
			assert_int_equal(reading.trace.first_anomaly_offset, offset);
		}
	}
}

static void a_length_that_lies(void **state)
{
	(void)state;
	start();
	for (int i = 0; i < 6; i++)
		add(BASE_S + i);
	uint32_t huge = 0x7fffffff, past_end = 50000, into_next = 100;
	uint8_t *length = image.bytes + 24 + 2 * 76 + 8;
	memcpy(length, &huge, 4);
	image_read(&image, &reading); /* that record is lost, all others are kept */
	assert_int_equal(reading.result, 0);
	assert_int_equal(reading.count, 5);
	assert_int_equal(reading.trace.anomalies[TRACE_OVERLONG], 1);
	assert_int_equal(reading.trace.anomalies[TRACE_GARBAGE], 1);
	memcpy(length, &past_end, 4);
	memcpy(length + 4, &past_end, 4);
	image_read(&image, &reading);
	assert_int_equal(reading.result, 0);
	assert_int_equal(reading.count, 5);
	assert_anomaly(TRACE_GARBAGE, 1, 24 + 2 * 76);
	memcpy(length, &into_next, 4);
	memcpy(length + 4, &into_next, 4);
	image_read(&image, &reading); /* swallows the next one's header; the rest is found again */
	assert_int_equal(reading.result, 0);
	assert_in_range(reading.count, 4, 5);
	assert_int_equal(reading.trace.anomalies[TRACE_GARBAGE], 1);
}

static void records_of_the_wrong_byte_order(void **state)
{
	(void)state;
	start();
	add(BASE_S);
	size_t offset = image.used;
	for (int i = 0; i < 4; i++)
		image_pcap_record(&image, BASE_S + i, 7, 60, 0xee, true);
	image_read(&image, &reading);
	assert_int_equal(reading.count, 1);
	assert_int_equal(reading.trace.anomalies[TRACE_GARBAGE], 1);
	assert_int_equal(reading.trace.first_anomaly_offset, offset);
}

static void garbage_without_end(void **state)
{
	(void)state;
	size_t bytes = TRACE_RESYNC_BYTES + 200;
	uint8_t *big = malloc(bytes);
	memset(big, 0xff, bytes);
	start();
	add(BASE_S);
	memcpy(big, image.bytes, image.used);
	struct frame frames[4];
	struct err err;
	size_t used, at;
	assert_int_equal(trace_start(&reading.trace, big, bytes, true, &used, &err), 0);
	at = used;
	assert_int_equal(trace_read(&reading.trace, big + at, bytes - at, true, frames, 4, &used, &err), 1);
	at += used;
	assert_int_equal(trace_read(&reading.trace, big + at, bytes - at, true, frames, 4, &used, &err), -EBADMSG);
	assert_contains(err.text, "offset 100:");
	free(big);
}

static void times(void **state)
{
	(void)state;
	start();
	add(BASE_S);
	add(BASE_S - 5);
	add(BASE_S);
	image_read(&image, &reading);
	assert_int_equal(reading.count, 3);
	assert_anomaly(TRACE_TIME_BACK, 1, 24 + 76);
	start();
	for (int day = 0; day < 7; day++) /* a known peer hangs on these */
		add(BASE_S + day * INT64_C(86401));
	image_read(&image, &reading);
	assert_int_equal(reading.count, 7);
	assert_anomaly(TRACE_TIME_LEAP, 6, 24 + 76);
	start();
	add(BASE_S);
	add(BASE_S - 400000);
	image_read(&image, &reading);
	assert_int_equal(reading.count, 2);
	assert_int_equal(reading.trace.anomalies[TRACE_TIME_LEAP], 1);
	assert_int_equal(reading.trace.anomalies[TRACE_TIME_BACK], 1);
	start();
	add(1);
	add(UINT32_MAX);
	image_read(&image, &reading);
	assert_int_equal(reading.count, 2);
	assert_int_equal(reading.frames[1].time_ns, INT64_C(4294967295) * NS_PER_S + 7000);
}

/* Windows of any size, grown when asked, give what one window gives. */
static void streams_as_files(void **state)
{
	(void)state;
	start();
	for (int i = 0; i < 20; i++)
		image_pcap_record(&image, BASE_S + i, 7, 60 + (uint32_t)i, 0xee, false);
	for (size_t step = 1; step < 300; step += 7) {
		static struct trace trace;
		struct frame frames[8];
		size_t end = 0, at = 0, used = 0;
		unsigned count = 0;
		int result;
		while ((result = trace_start(&trace, image.bytes, end, end == image.used, &used, NULL)) == 1)
			end = end + step < image.used ? end + step : image.used;
		for (at = used; result >= 0; at += used) {
			result = trace_read(&trace, image.bytes + at, end - at, end == image.used, frames, 8, &used,
					    NULL);
			count += result > 0 ? (unsigned)result : 0;
			if (result == 0 && end == image.used)
				break;
			if (result == 0)
				end = end + step < image.used ? end + step : image.used;
		}
		assert_int_equal(count, 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form),
		cmocka_unit_test(what_we_write_we_read),
		cmocka_unit_test(cut_files),
		cmocka_unit_test(bad_headers),
		cmocka_unit_test(garbage_between_records),
		cmocka_unit_test(a_length_that_lies),
		cmocka_unit_test(records_of_the_wrong_byte_order),
		cmocka_unit_test(garbage_without_end),
		cmocka_unit_test(times),
		cmocka_unit_test(streams_as_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
