/* How quick the way from a capture file to parsed packets is: walk alone, walk and parse, through mapping and through
 * unpacking, in packets per second of one core and against a loop of libpcap over the same file.
 *
 *   bench_wire [PACKETS] [FILE]     default: 4,000,000 packets of a darknet's mixture, written to a file in
 *                                   $TMPDIR or /var/tmp, and removed at the end
 *
 * Each figure is the best of ROUNDS, because the machine is shared. */
#include "core/clock.h"
#include "core/hash.h"
#include "sys/capture.h"
#include "wire/packet.h"
#include "wire/pcap_write.h"
#include "wire/tcp_options.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 3, BURST = 64 };

static int64_t cpu_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* A darknet's mixture: nine SYNs in ten, some UDP, some ICMP errors; padded to 60 bytes as from a wire. */
static size_t make_frame(uint8_t *out, uint64_t *seed)
{
	uint64_t r = random_next(seed);
	memset(out, 0, 98);
	out[12] = 0x08;
	uint8_t *ip = out + 14;
	ip[0] = 0x45;
	ip[8] = 64;
	memcpy(ip + 12, &r, 4);
	ip[16] = 198;
	ip[17] = 18;
	memcpy(ip + 18, (uint8_t *)&r + 4, 2);
	unsigned sort = (unsigned)(r >> 48) % 100;
	size_t bytes = sort < 5 ? 44 : 40;
	ip[9] = sort < 90 ? 6 : sort < 97 ? 17 : 1;
	if (ip[9] == 6) {
		ip[32] = sort < 5 ? 0x60 : 0x50;
		ip[33] = 2;
		if (sort < 5)
			memcpy(ip + 40, "\x02\x04\x05\xb4", 4);
	} else if (ip[9] == 17) {
		ip[25] = 20;
	} else {
		bytes = 56;
		ip[20] = 3;
		memcpy(ip + 28, ip, 20);
		ip[28 + 9] = 17;
	}
	ip[3] = (uint8_t)bytes;
	memcpy(ip + 20 + (ip[9] == 1 ? 28 : 0), (uint8_t *)&r + 2, 4);
	return bytes + 14 < 60 ? 60 : bytes + 14;
}

static int make_file(const char *path, unsigned packets)
{
	FILE *file = fopen(path, "wb");
	if (!file)
		return -1;
	uint8_t bytes[256], frame_bytes[128];
	fwrite(bytes, 1, pcap_write_header(bytes, 1, 65535, false), file);
	uint64_t seed = 1;
	for (unsigned i = 0; i < packets; i++) {
		size_t length = make_frame(frame_bytes, &seed);
		struct frame frame = {.time_ns = INT64_C(1780000000) * NS_PER_S + i * INT64_C(1000),
				      .data = frame_bytes,
				      .captured_bytes = (uint32_t)length,
				      .wire_bytes = (uint32_t)length};
		fwrite(bytes, 1, pcap_write_frame(bytes, &frame, false), file);
	}
	return fclose(file);
}

static uint64_t sum; /* so that no loop is left out */

static void none(const struct frame *frames, unsigned count)
{
	sum += frames[count - 1].captured_bytes;
}

static void parse(const struct frame *frames, unsigned count)
{
	struct packet packets[BURST];
	sum += packet_parse(frames, count, packets);
	for (unsigned i = 0; i < count; i++)
		sum += packets[i].dport;
}

static void parse_options(const struct frame *frames, unsigned count)
{
	struct packet packets[BURST];
	sum += packet_parse(frames, count, packets);
	for (unsigned i = 0; i < count; i++)
		sum += (uint32_t)tcp_options_signature(&packets[i]);
}

static void measure(const char *what, const char *path, void (*work)(const struct frame *, unsigned))
{
	double best = 0;
	uint64_t count = 0;
	for (int round = 0; round < ROUNDS; round++) {
		struct capture *capture;
		struct err err;
		int64_t begin = cpu_now_ns();
		if (capture_open_file(path, false, &capture, &err) < 0) {
			fprintf(stderr, "%s\n", err.text);
			exit(1);
		}
		struct frame frames[BURST];
		int got;
		while ((got = capture_read(capture, frames, BURST, 0, &err)) > 0)
			work(frames, (unsigned)got);
		count = capture_counters(capture)->frames;
		capture_close(capture);
		double rate = (double)count * 1e9 / (double)(cpu_now_ns() - begin);
		best = rate > best ? rate : best;
	}
	printf("%-44s %8.2f Mpps  %6.1f ns/packet  (%llu packets)\n", what, best / 1e6, 1e9 / best,
	       (unsigned long long)count);
	fflush(stdout);
}

static void measure_libpcap(const char *path)
{
	double best = 0;
	for (int round = 0; round < ROUNDS; round++) {
		char text[PCAP_ERRBUF_SIZE];
		int64_t begin = cpu_now_ns();
		pcap_t *pcap = pcap_open_offline(path, text);
		struct pcap_pkthdr *header;
		const u_char *data;
		uint64_t count = 0;
		while (pcap && pcap_next_ex(pcap, &header, &data) == 1) {
			sum += header->caplen;
			count++;
		}
		if (pcap)
			pcap_close(pcap);
		double rate = (double)count * 1e9 / (double)(cpu_now_ns() - begin);
		best = rate > best ? rate : best;
	}
	printf("%-44s %8.2f Mpps  %6.1f ns/packet\n", "peer: libpcap, counting only", best / 1e6, 1e9 / best);
}

/* The parser alone, over frames that lie in the cache. */
static void measure_parser(void)
{
	static uint8_t bytes[BURST][128];
	struct frame frames[BURST];
	struct packet packets[BURST];
	uint64_t seed = 2;
	for (int i = 0; i < BURST; i++) {
		uint32_t length = (uint32_t)make_frame(bytes[i], &seed);
		frames[i] = (struct frame){0, bytes[i], length, length, 1, 0};
	}
	int64_t begin = cpu_now_ns();
	unsigned bursts = 300000;
	for (unsigned i = 0; i < bursts; i++)
		sum += packet_parse(frames, BURST, packets) + packets[i % BURST].dport;
	double rate = (double)bursts * BURST * 1e9 / (double)(cpu_now_ns() - begin);
	printf("%-44s %8.2f Mpps  %6.1f ns/packet\n", "parse alone, frames in the cache", rate / 1e6, 1e9 / rate);
}

int main(int argc, char **argv)
{
	unsigned packets = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 4000000;
	char own[64];
	const char *path = argc > 2 ? argv[2] : own;
	if (argc <= 2) {
		snprintf(own, sizeof own, "%s/bench_wire.%d.pcap", getenv("TMPDIR") ? getenv("TMPDIR") : "/var/tmp",
			 (int)getpid());
		if (make_file(own, packets) != 0) {
			perror(own);
			unlink(own);
			return 1;
		}
	}
	measure_parser();
	measure("walk", path, none);
	measure("walk + parse", path, parse);
	measure("walk + parse + TCP options", path, parse_options);
	measure_libpcap(path);
	if (argc <= 2)
		unlink(own);
	return sum == 0;
}
