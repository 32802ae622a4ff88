/* Live capture over a veth pair in a network namespace of our own; skipped where that is not allowed. */
#include "../check.h"

#include "core/clock.h"
#include "sys/capture.h"
#include "veth.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

static void send_frames(const char *name, unsigned first, unsigned count)
{
	int fd = veth_sender(name);
	assert_true(fd >= 0);
	uint8_t frame[VETH_FRAME_BYTES];
	for (unsigned i = first; i < first + count; i++) {
		veth_frame(frame, i);
		while (send(fd, frame, sizeof frame, 0) < 0)
			assert_true(errno == ENOBUFS || errno == EAGAIN);
	}
	close(fd);
}

static struct capture *open_live(const char *name, unsigned fanout_id, unsigned fanout_of)
{
	struct capture *capture = NULL;
	struct err err = {""};
	if (capture_open_interface(name, 4, fanout_id, fanout_of, &capture, &err) < 0)
		fail_msg("%s", err.text);
	return capture;
}

static unsigned drain(struct capture *capture)
{
	struct frame frames[BURST_MAX];
	struct err err;
	unsigned count = 0;
	int got;
	while ((got = capture_read(capture, frames, BURST_MAX, 100, &err)) > 0)
		count += (unsigned)got;
	assert_int_equal(got, 0);
	return count;
}

static void frames_arrive_whole(void **state)
{
	(void)state;
	struct capture *capture = open_live("ygb", 0, 0);
	assert_string_equal(capture_where(capture), "ygb");
	assert_true(capture_fd(capture) >= 0);
	send_frames("yga", 0, 1000);
	send_frames("ygb", 0, 100); /* our own on their way out: not seen */
	struct frame frames[BURST_MAX];
	struct packet packets[BURST_MAX];
	struct err err;
	unsigned next = 0;
	int got;
	int64_t now_ns = clock_now_ns();
	while ((got = capture_read(capture, frames, BURST_MAX, 200, &err)) > 0) {
		assert_int_equal(packet_parse(frames, (unsigned)got, packets), got);
		for (int i = 0; i < got; i++, next++) {
			uint8_t expected[VETH_FRAME_BYTES];
			veth_frame(expected, next);
			assert_int_equal(frames[i].captured_bytes, sizeof expected);
			assert_int_equal(frames[i].wire_bytes, sizeof expected);
			assert_memory_equal(frames[i].data, expected, sizeof expected);
			assert_true(llabs(frames[i].time_ns - now_ns) < 10 * NS_PER_S);
			assert_int_equal(packets[i].dport, 23);
		}
	}
	assert_int_equal(next, 1000);
	assert_int_equal(capture_counters(capture)->frames, 1000);
	assert_int_equal(capture_counters(capture)->lost, 0);
	capture_close(capture);
}

static void vlan_tags_are_put_back(void **state)
{
	(void)state;
	struct capture *capture = open_live("ygb", 0, 0);
	static const uint8_t tags[][8] = {{0x81, 0, 0x20, 5}, {0x88, 0xa8, 0, 7, 0x81, 0, 0, 5}};
	int fd = veth_sender("yga");
	for (unsigned i = 0; i < 2; i++) {
		uint8_t plain[VETH_FRAME_BYTES], tagged[VETH_FRAME_BYTES + 8];
		size_t bytes = i == 0 ? 4 : 8;
		veth_frame(plain, 77);
		memcpy(tagged, plain, 12);
		memcpy(tagged + 12, tags[i], bytes);
		memcpy(tagged + 12 + bytes, plain + 12, sizeof plain - 12);
		assert_int_equal(send(fd, tagged, sizeof plain + bytes, 0), sizeof plain + bytes);
		struct frame frame;
		struct packet packet;
		struct err err;
		assert_int_equal(capture_read(capture, &frame, 1, 1000, &err), 1);
		assert_int_equal(frame.captured_bytes, sizeof plain + bytes);
		assert_memory_equal(frame.data, tagged, sizeof plain + bytes);
		assert_int_equal(packet_parse(&frame, 1, &packet), 1);
		assert_int_equal(packet.dport, 23);
	}
	close(fd);
	capture_close(capture);
}

static void losses_are_counted(void **state)
{
	(void)state;
	struct capture *capture = open_live("ygb", 0, 0);
	send_frames("yga", 0, 60000); /* a ring of 4 MiB holds fewer */
	unsigned got = drain(capture);
	const struct capture_counters *counters = capture_counters(capture);
	assert_true(counters->lost > 0);
	assert_int_equal(got + counters->lost, 60000);
	uint64_t lost = counters->lost;
	send_frames("yga", 0, 100);
	assert_int_equal(drain(capture), 100);
	assert_int_equal(capture_counters(capture)->lost, lost);
	capture_close(capture);
}

static void fanout_shares_by_flow(void **state)
{
	(void)state;
	struct capture *a = open_live("ygb", 4711, 2), *b = open_live("ygb", 4711, 2);
	send_frames("yga", 0, 2000);
	unsigned count_a = drain(a), count_b = drain(b);
	assert_int_equal(count_a + count_b, 2000);
	assert_true(count_a > 200 && count_b > 200);
	capture_close(a);
	capture_close(b);
}

static void timeouts(void **state)
{
	(void)state;
	struct capture *capture = open_live("ygb", 0, 0);
	struct frame frame;
	struct err err;
	int64_t begin = clock_monotonic_ns();
	assert_int_equal(capture_read(capture, &frame, 1, 0, &err), 0);
	assert_int_equal(capture_read(capture, &frame, 1, 50, &err), 0);
	assert_in_range(clock_monotonic_ns() - begin, 45 * NS_PER_MS, 3 * NS_PER_S);
	capture_close(capture);
}

static void wrong_names(void **state)
{
	(void)state;
	struct capture *capture;
	struct err err;
	assert_int_equal(capture_open_interface("nowhere0", 4, 0, 0, &capture, &err), -ENODEV);
	assert_contains(err.text, "nowhere0");
	assert_int_equal(capture_open_interface("", 4, 0, 0, &capture, &err), -ENODEV);
	assert_int_equal(capture_open_interface("a-name-that-is-too-long", 4, 0, 0, &capture, &err), -ENODEV);
	assert_int_equal(capture_open_interface("ygb", 4, 0, 2, &capture, &err), -EINVAL);
}

/* Down, then gone: the last test, it takes the pair away. */
static void an_interface_that_goes_away(void **state)
{
	(void)state;
	struct capture *capture = open_live("ygb", 0, 0);
	struct frame frames[4];
	struct err err = {""};
	send_frames("yga", 0, 3);
	assert_int_equal(system("ip link set ygb down"), 0);
	unsigned got = 0;
	int result;
	while ((result = capture_read(capture, frames, 4, 2000, &err)) > 0)
		got += (unsigned)result;
	assert_int_equal(got, 3); /* what came before is delivered */
	assert_int_equal(result, -ENETDOWN);
	assert_contains(err.text, "ygb: the interface went away");
	capture_close(capture);
	assert_int_equal(capture_open_interface("ygb", 4, 0, 0, &capture, &err), -ENETDOWN);

	assert_int_equal(system("ip link set ygb up"), 0);
	capture = open_live("ygb", 0, 0);
	assert_int_equal(system("ip link del yga"), 0);
	err.text[0] = '\0';
	assert_int_equal(capture_read(capture, frames, 4, 2000, &err), -ENETDOWN);
	assert_contains(err.text, "ygb");
	capture_close(capture);
}

int main(void)
{
	if (!veth_enter()) {
		printf("skipped: live capture needs root and a network namespace of its own\n");
		return 77;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_arrive_whole),
		cmocka_unit_test(vlan_tags_are_put_back),
		cmocka_unit_test(losses_are_counted),
		cmocka_unit_test(fanout_shares_by_flow),
		cmocka_unit_test(timeouts),
		cmocka_unit_test(wrong_names),
		cmocka_unit_test(an_interface_that_goes_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
