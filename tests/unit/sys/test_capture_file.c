/* Captures from files: mapped, packed, piped, followed, of directories, and damaged in every way; and real captures,
 * whose packet counts are known from capinfos. */
#include "../check.h"

#include "core/clock.h"
#include "sys/capture.h"
#include "wire/pcap_write.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { IMAGE_BYTES = 8 << 20 };

static char folder[] = "/tmp/yagura-capture-XXXXXX";
static uint8_t image[IMAGE_BYTES], packed[IMAGE_BYTES];

static const char *path_of(const char *name)
{
	static char paths[4][256];
	static unsigned turn;
	char *path = paths[turn++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

static void put_file(const char *name, const void *data, size_t bytes, int flags)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | flags, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, bytes), bytes);
	close(fd);
}

/* Records numbered from `first`: the number is the time's seconds and the frame's first four bytes. */
static size_t put_records(uint8_t *out, unsigned first, unsigned count)
{
	size_t used = 0;
	for (unsigned i = first; i < first + count; i++) {
		uint8_t bytes[200] = {0};
		memcpy(bytes, &i, sizeof i);
		struct frame frame = {(INT64_C(1780000000) + i) * NS_PER_S, bytes, 60 + i % 100, 60 + i % 100, 1, 0};
		used += pcap_write_frame(out + used, &frame, false);
	}
	return used;
}

static size_t make_image(unsigned first, unsigned count)
{
	size_t used = pcap_write_header(image, 1, 65535, false);
	return used + put_records(image + used, first, count);
}

struct outcome {
	int result;
	unsigned count, next; /* number expected next */
	struct capture_counters counters;
	struct err err;
	char trouble[ERR_TEXT_BYTES];
};

/* Read until the end, a failure, `most` frames or a second without any; each frame must be the next by number. */
static struct outcome drain(struct capture *capture, unsigned first, unsigned most)
{
	struct outcome o = {.next = first};
	struct frame frames[100];
	while (o.count < most && (o.result = capture_read(capture, frames, 100, 1000, &o.err)) > 0) {
		for (int i = 0; i < o.result; i++) {
			unsigned number;
			memcpy(&number, frames[i].data, sizeof number);
			assert_int_equal(number, o.next);
			assert_int_equal(frames[i].captured_bytes, 60 + number % 100);
			assert_int_equal(frames[i].time_ns, (INT64_C(1780000000) + number) * NS_PER_S);
			o.next++;
			o.count++;
		}
	}
	o.counters = *capture_counters(capture);
	if (capture_trouble(capture))
		snprintf(o.trouble, sizeof o.trouble, "%s", capture_trouble(capture));
	return o;
}

static struct outcome read_file(const char *path, unsigned first)
{
	struct capture *capture;
	struct err err = {""};
	int result = capture_open_file(path, false, &capture, &err);
	if (result < 0)
		return (struct outcome){.result = result, .err = err};
	struct outcome o = drain(capture, first, UINT32_MAX);
	capture_close(capture);
	return o;
}

static void assert_clean(const struct outcome *o, unsigned count)
{
	assert_int_equal(o->result, -ENODATA);
	assert_int_equal(o->count, count);
	assert_int_equal(o->counters.frames, count);
	for (int i = 0; i < TRACE_ANOMALIES; i++)
		assert_int_equal(o->counters.errors[i], 0);
	assert_string_equal(o->trouble, "");
}

static void a_plain_file(void **state)
{
	(void)state;
	size_t bytes = make_image(0, 5000);
	put_file("plain", image, bytes, O_TRUNC);
	struct outcome o = read_file(path_of("plain"), 0);
	assert_clean(&o, 5000);
	assert_int_equal(o.counters.total_bytes, bytes);
	assert_int_equal(o.counters.done_bytes, bytes);
	assert_int_equal(o.counters.files, 1);
	put_file("header-only", image, 24, O_TRUNC);
	o = read_file(path_of("header-only"), 0);
	assert_clean(&o, 0);
}

static size_t pack_gzip(const uint8_t *data, size_t bytes, uint8_t *out)
{
	z_stream z = {.next_in = (uint8_t *)(uintptr_t)data,
		      .avail_in = (uInt)bytes,
		      .next_out = out,
		      .avail_out = IMAGE_BYTES};
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static size_t pack_zstd(const uint8_t *data, size_t bytes, uint8_t *out)
{
	return ZSTD_compress(out, IMAGE_BYTES, data, bytes, 3);
}

static size_t pack_xz(const uint8_t *data, size_t bytes, uint8_t *out)
{
	size_t used = 0;
	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, data, bytes, out, &used, IMAGE_BYTES),
			 LZMA_OK);
	return used;
}

static size_t (*const packers[])(const uint8_t *, size_t, uint8_t *) = {pack_gzip, pack_zstd, pack_xz};

static void packed_files(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		size_t bytes = make_image(0, 30000); /* more than one window */
		size_t packed_bytes = packers[i](image, bytes, packed);
		assert_true(packed_bytes < bytes);
		put_file("packed", packed, packed_bytes, O_TRUNC);
		struct outcome o = read_file(path_of("packed"), 0);
		assert_clean(&o, 30000);
		assert_int_equal(o.counters.done_bytes, packed_bytes);
		/* two members, frames, streams in one file, divided inside a record */
		size_t part = 100001;
		size_t first = packers[i](image, part, packed);
		size_t second = packers[i](image + part, bytes - part, packed + first);
		put_file("packed", packed, first + second, O_TRUNC);
		o = read_file(path_of("packed"), 0);
		assert_clean(&o, 30000);
	}
}

static void packed_and_cut(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		size_t bytes = make_image(0, 30000);
		size_t packed_bytes = packers[i](image, bytes, packed);
		put_file("packed", packed, packed_bytes / 2, O_TRUNC);
		struct outcome o = read_file(path_of("packed"), 0);
		assert_int_equal(o.result, -ENODATA);
		assert_in_range(o.count, i == 2 ? 0 : 1000, 29999); /* xz unpacks by large blocks */
		assert_int_equal(o.counters.errors[TRACE_UNPACK], 1);
		assert_string_not_equal(o.trouble, "");
		assert_contains(o.trouble, "/packed: offset ");
	}
}

static void packed_and_damaged(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		size_t bytes = make_image(0, 30000);
		size_t packed_bytes = packers[i](image, bytes, packed);
		memset(packed + packed_bytes / 2, 0x55, 100);
		put_file("packed", packed, packed_bytes, O_TRUNC);
		struct capture *capture;
		struct err err;
		assert_int_equal(capture_open_file(path_of("packed"), false, &capture, &err), 0);
		struct frame frames[100];
		int result;
		while ((result = capture_read(capture, frames, 100, 0, &err)) > 0)
			;
		if (result != -ENODATA) { /* deflate may read bent bytes as other ones */
			assert_int_equal(result, -EBADMSG);
			assert_contains(err.text, "/packed: offset ");
			assert_int_equal(capture_read(capture, frames, 100, 0, &err), -ENODATA);
		}
		uint64_t errors = 0;
		for (int k = 0; k < TRACE_ANOMALIES; k++)
			errors += capture_counters(capture)->errors[k];
		assert_true(errors > 0);
		capture_close(capture);
	}
}

static void damaged_files(void **state)
{
	(void)state;
	size_t bytes = make_image(0, 10);
	put_file("cut", image, bytes - 5, O_TRUNC);
	struct outcome o = read_file(path_of("cut"), 0);
	assert_int_equal(o.result, -ENODATA);
	assert_int_equal(o.count, 9);
	assert_int_equal(o.counters.errors[TRACE_TRUNCATED], 1);
	char expected[300];
	snprintf(expected, sizeof expected, "%s/cut: offset %zu: truncated", folder, bytes - 69 - 16);
	assert_string_equal(o.trouble, expected);

	put_file("text", "this is no capture\n", 19, O_TRUNC);
	o = read_file(path_of("text"), 0);
	assert_int_equal(o.result, -EBADMSG);
	assert_contains(o.err.text, "/text: offset 0: neither pcap");
	put_file("empty", "", 0, O_TRUNC);
	o = read_file(path_of("empty"), 0);
	assert_int_equal(o.result, -ENODATA);
	o = read_file(path_of("missing"), 0);
	assert_int_equal(o.result, -ENOENT);
	assert_contains(o.err.text, "/missing: ");
	image[20] = 105;
	put_file("link", image, bytes, O_TRUNC);
	o = read_file(path_of("link"), 0);
	assert_int_equal(o.result, -EBADMSG);
	assert_contains(o.err.text, "/link: offset 20: link type 105");
}

static void a_file_that_shrinks(void **state)
{
	(void)state;
	size_t bytes = make_image(0, 60000);
	put_file("shrinks", image, bytes, O_TRUNC);
	struct capture *capture;
	struct err err;
	assert_int_equal(capture_open_file(path_of("shrinks"), false, &capture, &err), 0);
	struct frame frames[10];
	assert_int_equal(capture_read(capture, frames, 10, 0, &err), 10);
	assert_int_equal(truncate(path_of("shrinks"), (off_t)bytes - 10000), 0);
	int result;
	while ((result = capture_read(capture, frames, 10, 0, &err)) > 0)
		;
	assert_int_equal(result, -EIO);
	assert_contains(err.text, "/shrinks: offset ");
	capture_close(capture);
}

static void directories(void **state)
{
	(void)state;
	mkdir(path_of("dir"), 0700);
	static const char *const names[] = {"dir/cap-1.pcap", "dir/cap-2.pcap.gz", "dir/cap-10.pcap",
					    "dir/cap-11.pcap"};
	for (unsigned i = 0; i < 4; i++) {
		size_t bytes = make_image(i * 100, 100);
		if (i == 1) {
			bytes = pack_gzip(image, bytes, packed);
			put_file(names[i], packed, bytes, O_TRUNC);
		} else {
			put_file(names[i], image, bytes, O_TRUNC);
		}
	}
	put_file("dir/README", "no capture\n", 11, O_TRUNC);
	put_file("dir/.hidden", "no capture\n", 11, O_TRUNC);
	put_file("dir/cap-5.empty", "", 0, O_TRUNC);
	mkdir(path_of("dir/cap-3"), 0700);
	assert_int_equal(symlink(folder, path_of("dir/cap-4")), 0);
	struct outcome o = read_file(path_of("dir"), 0);
	assert_int_equal(o.result, -ENODATA);
	assert_int_equal(o.count, 400);
	assert_int_equal(o.counters.files, 4);
	assert_int_equal(o.counters.errors[TRACE_NOT_CAPTURE], 2);

	/* a file that cannot be read to its end does not keep the others from being read */
	size_t bytes = make_image(100, 50);
	memset(image + bytes, 0xff, TRACE_RESYNC_BYTES + 1000);
	put_file("dir/cap-2.pcap.gz", image, bytes + TRACE_RESYNC_BYTES + 1000, O_TRUNC);
	struct capture *capture;
	struct err err;
	assert_int_equal(capture_open_file(path_of("dir"), false, &capture, &err), 0);
	o = drain(capture, 0, UINT32_MAX);
	assert_int_equal(o.count, 150);
	assert_int_equal(o.result, -EBADMSG);
	assert_contains(o.err.text, "/dir/cap-2.pcap.gz: offset ");
	o = drain(capture, 200, UINT32_MAX);
	assert_int_equal(o.count, 200);
	assert_int_equal(o.result, -ENODATA);
	capture_close(capture);

	mkdir(path_of("bare"), 0700);
	o = read_file(path_of("bare"), 0);
	assert_int_equal(o.result, -ENOENT);
}

/* A child that runs `work` and must end well. */
static pid_t in_child(void (*work)(void))
{
	pid_t child = fork();
	if (child == 0) {
		work();
		_exit(0);
	}
	assert_true(child > 0);
	return child;
}

static void await_child(pid_t child)
{
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void write_in_pieces(void)
{
	static uint8_t out[1 << 18];
	int fd = open(path_of("grows"), O_WRONLY | O_APPEND);
	size_t bytes = put_records(out, 0, 300);
	for (size_t at = 0; at < bytes; at += 997) { /* never at a record's end */
		size_t piece = bytes - at < 997 ? bytes - at : 997;
		if (write(fd, out + at, piece) != (ssize_t)piece)
			_exit(1);
		usleep(2000);
	}
	/* rotation: another file takes the name */
	usleep(50000);
	uint8_t header[24];
	pcap_write_header(header, 1, 65535, false);
	put_file("grows.new", header, 24, O_TRUNC);
	rename(path_of("grows.new"), path_of("grows"));
	bytes = put_records(out, 300, 50); /* the writer still holds the old one */
	if (write(fd, out, bytes) != (ssize_t)bytes)
		_exit(1);
	close(fd);
	usleep(20000);
	bytes = put_records(out, 350, 100);
	put_file("grows", out, bytes, O_APPEND);
}

static void following_a_writer(void **state)
{
	(void)state;
	struct capture *capture;
	struct err err;
	struct frame frames[10];
	put_file("grows", image, pcap_write_header(image, 1, 65535, false) - 9,
		 O_TRUNC); /* not even its header is whole */
	assert_int_equal(capture_open_file(path_of("grows"), true, &capture, &err), 0);
	assert_int_equal(capture_read(capture, frames, 10, 0, &err), 0);
	assert_true(capture_fd(capture) >= 0);
	put_file("grows", image + 15, 9, O_APPEND);
	int64_t begin = clock_monotonic_ns();
	assert_int_equal(capture_read(capture, frames, 10, 30, &err), 0);
	assert_in_range(clock_monotonic_ns() - begin, 29 * NS_PER_MS, 2 * NS_PER_S);
	pid_t child = in_child(write_in_pieces);
	struct outcome o = drain(capture, 0, 450);
	assert_int_equal(o.count, 450);
	assert_int_equal(o.counters.files, 2);
	for (int i = 0; i < TRACE_ANOMALIES; i++)
		assert_int_equal(o.counters.errors[i], 0);
	await_child(child);
	capture_close(capture);
}

static void following_a_directory(void **state)
{
	(void)state;
	struct capture *capture;
	struct err err;
	struct frame frames[10];
	mkdir(path_of("live"), 0700);
	assert_int_equal(capture_open_file(path_of("live"), true, &capture, &err), 0);
	assert_int_equal(capture_read(capture, frames, 10, 0, &err), 0);
	unsigned next = 0;
	for (unsigned i = 0; i < 3; i++) {
		char name[32];
		snprintf(name, sizeof name, "live/%u.pcap", i);
		put_file(name, image, make_image(i * 100, 50), O_TRUNC);
		struct outcome o = drain(capture, next, 50);
		assert_int_equal(o.count, 50);
		put_file(name, image, put_records(image, i * 100 + 50, 50), O_APPEND);
		o = drain(capture, next + 50, 50);
		assert_int_equal(o.count, 50);
		next += 100;
	}
	capture_close(capture);
}

static int pipe_ends[2];

static void write_slowly(void)
{
	size_t bytes = make_image(0, 200);
	for (size_t at = 0; at < bytes; at += 3001) {
		size_t piece = bytes - at < 3001 ? bytes - at : 3001;
		if (write(pipe_ends[1], image + at, piece) != (ssize_t)piece)
			_exit(1);
		usleep(5000);
	}
}

static void standard_input(void **state)
{
	(void)state;
	int saved = dup(STDIN_FILENO);
	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(dup2(pipe_ends[0], STDIN_FILENO), STDIN_FILENO);
	close(pipe_ends[0]);
	struct capture *capture;
	struct err err;
	struct frame frame;
	assert_int_equal(capture_open_file("-", false, &capture, &err), 0);
	assert_int_equal(capture_read(capture, &frame, 1, 0, &err), 0); /* nothing there yet, and no waiting */
	assert_int_equal(capture_fd(capture), STDIN_FILENO);
	pid_t child = in_child(write_slowly);
	close(pipe_ends[1]);
	struct outcome o = drain(capture, 0, UINT32_MAX);
	assert_clean(&o, 200);
	capture_close(capture);
	await_child(child);
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	close(saved);
}

static void real_captures(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned packets, ip;
	} known[] = {
		{"chris_synscan.pcapng", 2011, 2011},
		{"libtrace_100.erf", 100, 100},
		{"maltrail_infection_scan.pcap", 41, 41},
		{"ndpi_malformed_icmp.pcap", 1, 1},
		{"ndpi_tcp_scan.pcapng", 30, 18},
		{"own_linux_connect.pcap", 168, 168},
		{"own_masscan132_tcp.pcap", 16384, 16384},
		{"own_nmap_udp.pcap", 1792, 1792},
		{"own_zmapHEAD_icmp.pcap", 4096, 4096},
		{"sgr_ip_proto_scan.pcapng", 252, 252},
		{"slips_test7_malicious.pcap", 2000, 1969},
		{"slips_test8_malicious.pcap", 534, 15},
		{"stopddos_bacnet_37810.pcapng", 9617, 9617},
		{"stopddos_dns_rrsig_frag.pcap", 4412, 4412},
		{"stopddos_synflood_spoofed.pcap", 37841, 37841},
		{"zeek_fragmented_syn.pcap", 2, 2},
		{"zeek_icmp_destunreach_udp.pcap", 1, 1},
	};
	if (access(SHARED_DATA "/telescope/manifest.tsv", R_OK) != 0) {
		print_message("skipped: the real captures are not at %s/telescope\n", SHARED_DATA);
		skip();
	}
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		char path[512];
		snprintf(path, sizeof path, "%s/telescope/%s", SHARED_DATA, known[i].name);
		struct capture *capture;
		struct err err = {""};
		if (capture_open_file(path, false, &capture, &err) < 0)
			fail_msg("%s", err.text);
		struct frame frames[BURST_MAX];
		struct packet packets[BURST_MAX];
		unsigned ip = 0;
		int got;
		while ((got = capture_read(capture, frames, BURST_MAX, 0, &err)) > 0)
			ip += packet_parse(frames, (unsigned)got, packets);
		assert_int_equal(got, -ENODATA);
		assert_int_equal(capture_counters(capture)->frames, known[i].packets);
		assert_int_equal(ip, known[i].ip);
		capture_close(capture);
	}
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int take_down(void **state)
{
	(void)state;
	char command[300];
	snprintf(command, sizeof command, "rm -r '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_file),          cmocka_unit_test(packed_files),
		cmocka_unit_test(packed_and_cut),        cmocka_unit_test(packed_and_damaged),
		cmocka_unit_test(damaged_files),         cmocka_unit_test(a_file_that_shrinks),
		cmocka_unit_test(directories),           cmocka_unit_test(following_a_writer),
		cmocka_unit_test(following_a_directory), cmocka_unit_test(standard_input),
		cmocka_unit_test(real_captures),
	};
	return cmocka_run_group_tests(tests, set_up, take_down);
}
