/* Where simulations go: files that the capture reader reads back, a reader in real time, a feed that a second sensor
 * goes on with, and no interface outside a namespace. */
#include "made.h"

#include "sys/capture.h"
#include "sys/frame_source.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRAFFIC                                                                                                        \
	HEAD "populations:\n  - {name: a, sender: mirai, prefixes: [192.0.2.0/24], devices: 9, rate: 900,\n"           \
	     "     ports: [tcp/23]}\n"                                                                                 \
	     "  - {name: b, sender: linux, ip: 6, prefixes: [\"2001:db8:1::/48\"], devices: 9, rate: 100,\n"           \
	     "     ports: [tcp/22]}\n"

static const struct simulation_options run = {.seed = 4, .packets = 3000, .duration_ns = 10 * NS_PER_S};

static void files_hold_every_byte(void **state)
{
	(void)state;
	char path[] = "/tmp/yagura-pcap-XXXXXX";
	struct err err = {""};
	close(mkstemp(path));
	struct simulation *simulation = made_open(TRAFFIC, run);
	if (simulation_write_pcap(simulation, path, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	simulation_close(simulation);
	struct capture *capture;
	if (capture_open_file(path, false, &capture, &err) < 0)
		fail_msg("%s", err.text);
	unlink(path);
	simulation = made_open(TRAFFIC, run);
	struct frame read[1], made[1];
	unsigned packets = 0;
	while (capture_read(capture, read, 1, 0, &err) == 1) {
		assert_int_equal(simulation_next(simulation, made, 1), 1);
		assert_int_equal(read->time_ns, made->time_ns);
		assert_int_equal(read->captured_bytes, made->captured_bytes);
		assert_memory_equal(read->data, made->data, made->captured_bytes);
		packets++;
	}
	assert_int_equal(packets, 3000);
	assert_int_equal(simulation_next(simulation, made, 1), 0);
	simulation_close(simulation);
	capture_close(capture);
}

static void files_that_cannot_be_written_say_so(void **state)
{
	(void)state;
	struct err err = {""};
	struct simulation *simulation = made_open(TRAFFIC, run);
	assert_int_equal(simulation_write_pcap(simulation, "/nowhere/x.pcap", NULL, NULL, &err), -ENOENT);
	assert_contains(err.text, "/nowhere/x.pcap");
	assert_int_equal(simulation_write_truth(simulation, "/nowhere/x.json", &err), -ENOENT);
	assert_contains(err.text, "/nowhere/x.json");
	assert_int_equal(simulation_write_pcap(simulation, "/dev/full", NULL, NULL, &err), -ENOSPC);
	assert_contains(err.text, "/dev/full");
	simulation_close(simulation);
}

static void past_comes_at_once_and_now_in_time(void **state)
{
	(void)state;
	struct err err = {""};
	struct frame frames[BURST_MAX];
	int64_t begin_ns = clock_now_ns();
	struct simulation *simulation =
		made_open(TRAFFIC, (struct simulation_options){.seed = 4,
							       .start_ns = begin_ns - 60 * NS_PER_S,
							       .packets_per_second = 1000,
							       .history_ns = 60 * NS_PER_S,
							       .history_packets_per_second = 100});
	struct frame_source *source = simulation_source(simulation);
	assert_non_null(source);
	uint64_t past = 0, now = 0;
	while (clock_now_ns() < begin_ns + 300 * NS_PER_MS) {
		int count = source->read(source, frames, BURST_MAX, 10, &err);
		assert_true(count >= 0);
		for (int i = 0; i < count; i++) {
			assert_true(frames[i].time_ns <= clock_now_ns());
			*(frames[i].time_ns < begin_ns ? &past : &now) += 1;
		}
	}
	assert_in_range(past, 5500, 6500);
	assert_in_range(now, 150, 450);
	assert_int_equal(source->read(source, frames, 0, 0, &err), 0);
	void (*close_source)(struct frame_source *) = source->close;
	close_source(source);
	close_source(NULL);
}

static void a_second_reader_goes_on(void **state)
{
	(void)state;
	struct err err = {""};
	struct pool *pool = pool_new(NULL, "test");
	struct simulation_settings settings = {0};
	assert_int_equal(options_init(simulation_option_table, &settings, pool, &err), 0);
	assert_string_equal(settings.description, "country");
	settings.description = made_file(TRAFFIC);
	settings.history_ns = NS_PER_HOUR;
	struct simulation_feed made;
	/* a path without a slash or dot would be a name; this one has both */
	if (simulation_feed_new(&settings, pool, &made, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(made.darknet.count, 2);
	assert_null(made.members);
	struct frame_feed *feed = made.feed;
	struct frame_source *source;
	struct frame frames[BURST_MAX];
	int64_t last_ns = 0;
	for (int round = 0; round < 2; round++) {
		if (feed->open(feed, &source, &err) < 0)
			fail_msg("%s", err.text);
		int64_t begin_ns = clock_now_ns();
		for (int i = 0; i < 20; i++) {
			int count = source->read(source, frames, BURST_MAX, 10, &err);
			if (count <= 0)
				break;
			if (!round && !i)
				assert_true(frames[0].time_ns < begin_ns - 50 * NS_PER_MINUTE);
			assert_true(frames[0].time_ns > last_ns);
			last_ns = frames[count - 1].time_ns;
		}
		source->close(source);
	}
	unlink(settings.description);
	pool_free(pool);
}

/* With *stop set from the start nothing would be sent even if the refusal failed. */
static void nothing_leaves_the_machine(void **state)
{
	(void)state;
	struct err err = {""};
	_Atomic bool stop = true;
	uint64_t sent = 0;
	struct simulation *simulation = made_open(TRAFFIC, run);
	assert_true(simulation_send(simulation, "no-such-if", &stop, &sent, &err) < 0);
	struct if_nameindex *list = if_nameindex(), *at = list;
	while (at && at->if_index && strcmp(at->if_name, "lo") == 0)
		at++;
	if (!at || !at->if_index) {
		print_message("skipped in part: there is no interface but lo\n");
	} else {
		assert_int_equal(simulation_send(simulation, at->if_name, &stop, &sent, &err), -EPERM);
		assert_contains(err.text, at->if_name);
	}
	assert_int_equal(sent, 0);
	assert_int_equal(simulation_packets(simulation), 0);
	if_freenameindex(list);
	simulation_close(simulation);
}

static int ip(const char *format, const char *name)
{
	char command[256];
	snprintf(command, sizeof command, format, name);
	return system(command);
}

/* In a namespace of its own: both ends of a veth pair, one sends, the other captures. */
static int send_within(const char *name)
{
	char path[128];
	struct err err = {""};
	snprintf(path, sizeof path, "/run/netns/%s", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct capture *capture;
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0 || capture_open_interface("v1", 0, 0, 0, &capture, &err) < 0)
		return 2;
	_Atomic bool stop = false;
	uint64_t sent = 0, came = 0;
	struct simulation *simulation = made_open(
		TRAFFIC, (struct simulation_options){.seed = 4, .packets = 500, .duration_ns = NS_PER_S / 20});
	if (simulation_send(simulation, "v0", &stop, &sent, &err) < 0 || sent != 500)
		return 3;
	struct frame frames[BURST_MAX];
	struct packet packets[BURST_MAX];
	int count;
	for (int i = 0; i < 20 && came < 500; i++)
		while ((count = capture_read(capture, frames, BURST_MAX, 50, &err)) > 0) {
			packet_parse(frames, (unsigned)count, packets);
			for (int j = 0; j < count; j++) /* the kernel's own neighbour discovery comes in between */
				came += packets[j].protocol == 6 && packets[j].tcp_flags == 2;
		}
	return came == 500 ? 0 : 4;
}

static void a_namespace_of_its_own_gets_all(void **state)
{
	(void)state;
	char name[64];
	snprintf(name, sizeof name, "yagura-test-%d", (int)getpid());
	if (geteuid() != 0 || ip("ip netns add %s 2>/dev/null", name) != 0) {
		print_message("skipped: needs root and ip netns\n");
		skip();
	}
	int made = ip("ip -n %s link add v0 type veth peer name v1", name);
	made |= ip("ip -n %s link set v0 up", name) | ip("ip -n %s link set v1 up", name);
	pid_t pid = made == 0 ? fork() : -1;
	if (pid == 0)
		_exit(send_within(name));
	int status = -1;
	if (pid > 0)
		assert_int_equal(waitpid(pid, &status, 0), pid);
	ip("ip netns del %s", name);
	assert_int_equal(made, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_hold_every_byte),
		cmocka_unit_test(files_that_cannot_be_written_say_so),
		cmocka_unit_test(past_comes_at_once_and_now_in_time),
		cmocka_unit_test(a_second_reader_goes_on),
		cmocka_unit_test(nothing_leaves_the_machine),
		cmocka_unit_test(a_namespace_of_its_own_gets_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
