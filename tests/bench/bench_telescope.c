/* How quick the telescope is, how small its archive and its memory, beside its peers over the same file.
 *
 *   bench_telescope [--packets N] [--rounds N] [--sources N] [--no-peers] [--alone] [--file FILE]
 *
 * N packets (16,000,000) of traffic.h are written to a file in $TMPDIR or /var/tmp, which is removed at the end. Every
 * figure is of one core (CPU time of the process), the best of the rounds, because machines are shared. --sources N
 * afterwards feeds one packet each of N distinct sources at the rate of a record day and says what memory they took.
 */
#include "traffic.h"

#include "analyze/detectors.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/lpm.h"
#include "observe/telescope/telescope.h"
#include "sys/capture.h"
#include "wire/packet.h"
#include "wire/pcap_write.h"

#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

enum { MEMBER_PREFIXES = 100000, DAY_PPS = 29000 };
#define BEGIN_NS (INT64_C(1780000020) * NS_PER_S) /* a whole minute */

static uint64_t total; /* so that no loop is left out */
static unsigned rounds = 3;
static double libpcap_pps, pipeline_pps, tracereport_pps;

static double cpu_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const struct err *err)
{
	fprintf(stderr, "bench_telescope: %s\n", err->text);
	exit(1);
}

static void say(const char *what, double pps)
{
	printf("%-58s %8.2f Mpps %7.1f ns/packet\n", what, pps / 1e6, 1e9 / pps);
	fflush(stdout);
}

static int make_file(const char *path, uint64_t packets)
{
	FILE *file = fopen(path, "wb");
	if (!file)
		return -1;
	static char buffer[1 << 20];
	setvbuf(file, buffer, _IOFBF, sizeof buffer);
	uint8_t bytes[TRAFFIC_FRAME_BYTES_MAX + 64], frame_bytes[TRAFFIC_FRAME_BYTES_MAX];
	fwrite(bytes, 1, pcap_write_header(bytes, 1, 65535, false), file);
	struct traffic traffic = {.random = 1};
	for (uint64_t i = 0; i < packets; i++) {
		uint32_t length = (uint32_t)traffic_frame(&traffic, frame_bytes);
		struct frame frame = {BEGIN_NS + (int64_t)i * TRAFFIC_NS_PER_PACKET, frame_bytes, length, length, 1, 0};
		fwrite(bytes, 1, pcap_write_frame(bytes, &frame, false), file);
	}
	return fclose(file);
}

/* --- our own ways over the file ---------------------------------------------------------------------------------- */

typedef void burst_fn(void *context, const struct frame *frames, unsigned count);

static uint64_t walk(const char *path, burst_fn *work, void *context)
{
	struct capture *capture;
	struct err err = {""};
	struct frame frames[BURST_MAX];
	int got;
	if (capture_open_file(path, false, &capture, &err) < 0)
		fail(&err);
	while ((got = capture_read(capture, frames, BURST_MAX, 0, &err)) > 0)
		work(context, frames, (unsigned)got);
	uint64_t count = capture_counters(capture)->frames;
	capture_close(capture);
	return count;
}

static void work_count(void *context, const struct frame *frames, unsigned count)
{
	(void)context;
	total += frames[count - 1].captured_bytes;
}

static void work_parse(void *context, const struct frame *frames, unsigned count)
{
	(void)context;
	struct packet packets[BURST_MAX];
	total += packet_parse(frames, count, packets) + packets[count - 1].dport;
}

static void work_telescope(void *context, const struct frame *frames, unsigned count)
{
	struct err err;
	if (telescope_feed(context, frames, count, &err) < 0)
		fail(&err);
}

static double measure_walk(const char *what, const char *path, burst_fn *work)
{
	double best = 0;
	for (unsigned round = 0; round < rounds; round++) {
		double begin = cpu_seconds();
		double pps = (double)walk(path, work, NULL) / (cpu_seconds() - begin);
		best = pps > best ? pps : best;
	}
	say(what, best);
	return best;
}

/* What stands behind the telescope in the whole pipeline: sightings of members counted, victims found, rows encoded
 * when asked for. */
struct behind {
	struct sink sink;
	void *victims;
	struct findings findings;
	struct detectors *detectors;
	uint64_t rows, sightings;
	double members_share;
	bool archive;
	uint64_t encoded_bytes, packed_bytes;
	void *encoded, *packed;
	size_t encoded_room, packed_room;
	struct batch *gathered;
};

static void archive_flush(struct behind *behind)
{
	struct batch *batch = behind->gathered;
	if (batch->rows == 0)
		return;
	size_t bytes = batch_encoded_bytes(batch);
	if (bytes > behind->encoded_room) {
		behind->encoded_room = bytes;
		behind->encoded = realloc(behind->encoded, bytes);
		behind->packed_room = ZSTD_compressBound(bytes);
		behind->packed = realloc(behind->packed, behind->packed_room);
	}
	batch_encode(batch, behind->encoded);
	behind->encoded_bytes += bytes;
	behind->packed_bytes += ZSTD_compress(behind->packed, behind->packed_room, behind->encoded, bytes, 3);
	batch->rows = 0;
}

/* Rows of tuples gathered to 65,536, as a store would. */
static void archive_take(struct behind *behind, const struct batch *batch)
{
	struct batch *all = behind->gathered;
	size_t columns = record_column_count(batch->kind);
	for (uint32_t done = 0; done < batch->rows;) {
		uint32_t some =
			all->capacity - all->rows < batch->rows - done ? all->capacity - all->rows : batch->rows - done;
		for (size_t i = 0; i < columns; i++) {
			size_t width = column_width(batch->kind->columns[i].type);
			memcpy((char *)all->columns[i] + all->rows * width,
			       (const char *)batch->columns[i] + done * width, some * width);
		}
		all->rows += some;
		done += some;
		if (all->rows == all->capacity)
			archive_flush(behind);
	}
}

static int behind_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct behind *behind = (struct behind *)sink;
	behind->rows += batch->kind == &record_tuple ? batch->rows : 0;
	behind->sightings += batch->kind == &record_sighting ? batch->rows : 0;
	if (behind->archive && batch->kind == &record_tuple)
		archive_take(behind, batch);
	if (behind->detectors)
		return detectors_take(behind->detectors, batch, err);
	if (behind->victims && batch->kind == &record_echo)
		return detector_table[0]->take(behind->victims, batch, &behind->findings, err);
	return 0;
}

static int nothing_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	(void)sink;
	(void)err;
	total += batch->rows;
	return 0;
}

/* Ten prefixes a member, one in eight of them IPv6. Those of a country lie in a twentieth of IPv4 and fill most of it;
 * `everywhere` they lie in all of it and hold a fifth, far more than any country has. */
static struct lpm_entry *members_make(bool everywhere)
{
	struct lpm_entry *entries = calloc(MEMBER_PREFIXES, sizeof *entries);
	uint64_t seed = 5;
	for (uint32_t i = 0; entries && i < MEMBER_PREFIXES; i++) {
		unsigned bits = (everywhere ? 16 : 18) + (unsigned)random_below(&seed, everywhere ? 13 : 11);
		uint32_t v4 = (uint32_t)random_next(&seed);
		if (!everywhere)
			v4 = (v4 & 0xffffff) | (uint32_t)(20 * (1 + random_below(&seed, 12))) << 24;
		v4 &= (uint32_t)(UINT64_MAX << (32 - bits));
		struct prefix prefix = {addr_from_v4(v4), (uint8_t)(96 + bits)};
		if (i % 8 == 0)
			prefix =
				(struct prefix){{{0x24, (uint8_t)(i >> 13), (uint8_t)(i >> 5), (uint8_t)(i << 3)}}, 32};
		entries[i] = (struct lpm_entry){prefix, i / 10 + 1};
	}
	return entries;
}

static struct telescope *telescope_make(struct sink *sink, bool only_counts, struct pool *pool)
{
	struct prefix_list darknet = {pool_array(pool, 2, sizeof(struct prefix)), 2};
	struct err err;
	struct telescope *telescope;
	if (prefix_parse("198.18.0.0/15", &darknet.items[0], &err) < 0 ||
	    prefix_parse("2001:db8::/32", &darknet.items[1], &err) < 0)
		fail(&err);
	struct telescope_options options = {.darknet = darknet, .only_counts = only_counts};
	if (telescope_new(&options, sink, &telescope, &err) < 0)
		fail(&err);
	return telescope;
}

enum behind_what { BEHIND_NOTHING, BEHIND_MEMBERS, BEHIND_EVERYWHERE, BEHIND_VICTIMS, BEHIND_ALL, BEHIND_ARCHIVE };

static void victims_open(struct behind *behind, struct pool *pool)
{
	const struct detector *detector = detector_table[0];
	const struct vantage vantage = {.darknet_addresses = 131072};
	void *options = pool_alloc(pool, detector->options_bytes);
	static struct sink findings_sink = {.put = nothing_put};
	struct err err;
	if (findings_init(&behind->findings, &findings_sink) < 0 ||
	    options_init(detector->options, options, pool, &err) < 0 ||
	    detector->open(options, &vantage, pool, &behind->victims, &err) < 0)
		fail(&err);
}

static double pipeline_once(const char *path, enum behind_what what, struct behind *behind)
{
	struct pool *pool = pool_new(NULL, "bench");
	struct sink nothing = {.put = nothing_put};
	struct err err;
	const struct vantage vantage = {.darknet_addresses = 131072};
	*behind = (struct behind){.sink.put = what == BEHIND_NOTHING ? nothing_put : behind_put,
				  .archive = what == BEHIND_ARCHIVE};
	if (what == BEHIND_VICTIMS)
		victims_open(behind, pool);
	if (what == BEHIND_ALL && detectors_new(NULL, &vantage, &nothing, pool, &behind->detectors, &err) < 0)
		fail(&err);
	if (what == BEHIND_ARCHIVE)
		behind->gathered = batch_new(&record_tuple, BATCH_ROWS_MAX);
	struct telescope *telescope = telescope_make(&behind->sink, false, pool);
	if (what != BEHIND_NOTHING && what != BEHIND_ARCHIVE) {
		struct lpm_entry *entries = members_make(what == BEHIND_EVERYWHERE);
		if (!entries || telescope_members(telescope, entries, MEMBER_PREFIXES, &err) < 0)
			fail(&err);
		free(entries);
	}
	double begin = cpu_seconds();
	uint64_t packets = walk(path, work_telescope, telescope);
	if (telescope_finish(telescope, &err) < 0)
		fail(&err);
	double pps = (double)packets / (cpu_seconds() - begin);
	behind->members_share = (double)telescope_counts(telescope)->member_packets / (double)packets;
	if (what == BEHIND_ARCHIVE) {
		archive_flush(behind);
		printf("%-58s %8.2f bytes/packet (%.2f before zstd, %.3f rows/packet)\n",
		       "tuple archive, batches of 65,536 rows, zstd level 3",
		       (double)behind->packed_bytes / (double)packets, (double)behind->encoded_bytes / (double)packets,
		       (double)behind->rows / (double)packets);
		batch_free(behind->gathered);
		free(behind->encoded);
		free(behind->packed);
	}
	if (behind->victims)
		findings_done(&behind->findings);
	detectors_free(behind->detectors);
	telescope_free(telescope);
	pool_free(pool);
	return pps;
}

static double measure_pipeline(const char *what, const char *path, enum behind_what behind_what)
{
	struct behind behind;
	double best = 0;
	for (unsigned round = 0; round < rounds; round++) {
		double pps = pipeline_once(path, behind_what, &behind);
		best = pps > best ? pps : best;
	}
	say(what, best);
	if (behind.sightings)
		printf("%-58s %8llu sightings, %.1f %% of the packets about members\n", "",
		       (unsigned long long)behind.sightings, 100 * behind.members_share);
	return best;
}

static double measure_counts(const char *path)
{
	double best = 0;
	for (unsigned round = 0; round < rounds; round++) {
		struct pool *pool = pool_new(NULL, "bench");
		struct sink sink = {.put = nothing_put};
		struct telescope *telescope = telescope_make(&sink, true, pool);
		double begin = cpu_seconds();
		double pps = (double)walk(path, work_telescope, telescope) / (cpu_seconds() - begin);
		best = pps > best ? pps : best;
		telescope_free(telescope);
		pool_free(pool);
	}
	say("kinds and ports only", best);
	return best;
}

/* --- peers ------------------------------------------------------------------------------------------------------- */

static double measure_libpcap(const char *path)
{
	double best = 0;
	for (unsigned round = 0; round < rounds; round++) {
		char text[PCAP_ERRBUF_SIZE];
		struct pcap_pkthdr *header;
		const u_char *data;
		uint64_t count = 0;
		double begin = cpu_seconds();
		pcap_t *pcap = pcap_open_offline(path, text);
		while (pcap && pcap_next_ex(pcap, &header, &data) == 1) {
			total += header->caplen;
			count++;
		}
		if (pcap)
			pcap_close(pcap);
		double pps = (double)count / (cpu_seconds() - begin);
		best = pps > best ? pps : best;
	}
	say("peer: libpcap, counting loop", best);
	return best;
}

/* A peer as Debian ships it: its CPU time (user and system, all threads). 0 where it is not installed or fails. */
static double measure_program(const char *what, const char *const *arguments, uint64_t packets)
{
	double best = 0;
	char directory[] = "/tmp/bench_telescope.XXXXXX";
	if (!mkdtemp(directory))
		return 0;
	for (unsigned round = 0; round < rounds; round++) {
		struct rusage usage;
		int status;
		pid_t pid = fork();
		if (pid == 0) {
			int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
			if (out < 0 || chdir(directory) != 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
				_exit(126);
			execvp(arguments[0], (char *const *)arguments);
			_exit(127);
		}
		if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
			break;
		double seconds = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
				 (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
		double pps = (double)packets / seconds;
		best = pps > best ? pps : best;
	}
	const char *const left[] = {"rm", "-rf", directory, NULL};
	pid_t pid = fork();
	if (pid == 0) {
		execvp(left[0], (char *const *)left);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (best > 0)
		say(what, best);
	else
		printf("%-58s not installed, or it failed\n", what);
	fflush(stdout);
	return best;
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

static long resident_bytes(void)
{
	long pages = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (file) {
		if (fscanf(file, "%ld %ld", &pages, &resident) != 2)
			resident = 0;
		fclose(file);
	}
	return resident * sysconf(_SC_PAGESIZE);
}

/* One SYN each of so many sources, as on a record day: 29,000 packets a second, minute by minute. */
static void measure_sources(uint64_t sources)
{
	struct pool *pool = pool_new(NULL, "bench");
	struct sink sink = {.put = nothing_put};
	struct telescope *telescope = telescope_make(&sink, false, pool);
	static uint8_t bytes[BURST_MAX][60];
	struct frame frames[BURST_MAX];
	struct err err;
	uint64_t seed = 9;
	long before = resident_bytes(), most = 0;
	double begin = cpu_seconds();
	for (uint64_t done = 0; done < sources;) {
		unsigned count = sources - done < BURST_MAX ? (unsigned)(sources - done) : BURST_MAX;
		for (unsigned i = 0; i < count; i++) {
			uint64_t r = random_next(&seed);
			uint32_t src = (uint32_t)(done + i) * 2654435761u; /* odd: every number once */
			uint8_t *ip = bytes[i] + 14;
			memcpy(bytes[i] + 12, "\x08\0\x45\0\0\x28", 6);
			memcpy(ip + 4, &r, 2);
			memcpy(ip + 6, "\x40\0\x33\6", 4);
			src = __builtin_bswap32(src);
			memcpy(ip + 12, &src, 4);
			memcpy(ip + 16, "\xc6\x12", 2);
			memcpy(ip + 18, (char *)&r + 2, 4);
			r = random_next(&seed);
			memcpy(ip + 24, &r, 4);
			ip[22] = 0;
			ip[23] = 23;
			memcpy(ip + 32, "\x50\2\x16\xd0", 4);
			frames[i] = (struct frame){
				BEGIN_NS + (int64_t)((done + i) * (NS_PER_S / DAY_PPS)), bytes[i], 60, 60, 1, 0};
		}
		work_telescope(telescope, frames, count);
		done += count;
		if (done % (1 << 20) < BURST_MAX) {
			long now = resident_bytes();
			most = now > most ? now : most;
		}
	}
	if (telescope_finish(telescope, &err) < 0)
		fail(&err);
	long now = resident_bytes();
	most = now > most ? now : most;
	printf("%llu distinct sources: exact %llu, %.2f GiB resident at most (%.1f bytes a source), %.1f ns/packet\n",
	       (unsigned long long)sources, (unsigned long long)telescope_counts(telescope)->sources,
	       (double)(most - before) / (1 << 30), (double)(most - before) / (double)sources,
	       (cpu_seconds() - begin) * 1e9 / (double)sources);
	telescope_free(telescope);
	pool_free(pool);
}

int main(int argc, char **argv)
{
	uint64_t packets = 16000000, sources = 0;
	bool peers = true, alone = false;
	const char *given = NULL;
	char own[128];
	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;
		if (strcmp(argv[i], "--no-peers") == 0)
			peers = false;
		else if (more && strcmp(argv[i], "--make") == 0)
			return make_file(argv[i + 1], packets) != 0;
		else if (strcmp(argv[i], "--alone") == 0)
			alone = true;
		else if (more && strcmp(argv[i], "--packets") == 0)
			packets = strtoull(argv[++i], NULL, 10);
		else if (more && strcmp(argv[i], "--rounds") == 0)
			rounds = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (more && strcmp(argv[i], "--sources") == 0)
			sources = strtoull(argv[++i], NULL, 10);
		else if (more && strcmp(argv[i], "--file") == 0)
			given = argv[++i];
	}
	const char *path = given ? given : own;
	if (packets > 0) {
		snprintf(own, sizeof own, "%s/bench_telescope.%d.pcap",
			 getenv("TMPDIR") ? getenv("TMPDIR") : "/var/tmp", (int)getpid());
		if (!given && make_file(own, packets) != 0) {
			perror(own);
			unlink(own);
			return 1;
		}
		if (alone) { /* to be looked at by a profiler */
			measure_pipeline("whole pipeline: with members and victims", path, BEHIND_VICTIMS);
			if (!given)
				unlink(own);
			return 0;
		}
		measure_walk("walk of the file, counting", path, work_count);
		measure_walk("walk and parse", path, work_parse);
		double counts_pps = measure_counts(path);
		measure_pipeline("telescope alone: all rules, sources, minute tuples", path, BEHIND_NOTHING);
		measure_pipeline("  with 100,000 prefixes of a country's members", path, BEHIND_MEMBERS);
		measure_pipeline("  with 100,000 prefixes all over IPv4", path, BEHIND_EVERYWHERE);
		pipeline_pps = measure_pipeline("whole pipeline: with members and victims", path, BEHIND_VICTIMS);
		measure_pipeline("whole pipeline and every other detector", path, BEHIND_ALL);
		struct behind behind;
		pipeline_once(path, BEHIND_ARCHIVE, &behind);
		if (peers) {
			libpcap_pps = measure_libpcap(path);
			char uri[160];
			snprintf(uri, sizeof uri, "pcapfile:%s", path);
			const char *const report[] = {"tracereport", "-P", uri, NULL};
			const char *const stats[] = {"tracestats", uri, NULL};
			const char *const dump[] = {"tcpdump", "-nr", path, "--count", NULL};
			tracereport_pps = measure_program("peer: tracereport -P (libtrace)", report, packets);
			measure_program("peer: tracestats (libtrace)", stats, packets);
			measure_program("peer: tcpdump --count", dump, packets);
			printf("whole pipeline against libpcap's counting loop: %.2f times; against tracereport -P: "
			       "%.2f times\n",
			       pipeline_pps / libpcap_pps, tracereport_pps > 0 ? pipeline_pps / tracereport_pps : 0);
			printf("kinds and ports against libpcap's counting loop: %.2f times\n",
			       counts_pps / libpcap_pps);
		}
		if (!given)
			unlink(own);
	}
	if (sources > 0)
		measure_sources(sources);
	return total == 0;
}
