/* When packets come: duty cycles by local time, the logistic growth of a worm, attacks from start to end, Poisson
 * arrivals, and rates by demand. */
#include "made.h"

#include <math.h>

#define MIRAI "sender: mirai, prefixes: [192.0.2.0/24, 203.0.113.0/24], ports: [tcp/23]"
enum { BINS = 24 };

struct bins {
	int64_t start_ns, bin_ns;
	uint64_t packets[BINS];
	uint8_t sources[BINS][65536 / 8];
	unsigned distinct[BINS];
};

static void into_bins(const struct frame *frame, const struct packet *packet, void *context)
{
	struct bins *bins = context;
	int64_t bin = (frame->time_ns - bins->start_ns) / bins->bin_ns;
	assert_true(bin >= 0 && bin < BINS);
	bins->packets[bin]++;
	uint32_t key = (packet->src ^ packet->src >> 16) & 0xffff;
	if (!(bins->sources[bin][key / 8] >> (key & 7) & 1)) {
		bins->sources[bin][key / 8] |= (uint8_t)(1 << (key & 7));
		bins->distinct[bin]++;
	}
}

static struct bins *binned(const char *fields, const char *section, uint64_t packets, int64_t seconds)
{
	static struct bins bins;
	char text[1024];
	snprintf(text, sizeof text, HEAD "%s:\n  - {name: a, %s}\n", section, fields);
	memset(&bins, 0, sizeof bins);
	bins.start_ns = INT64_C(1767225600) * NS_PER_S;
	bins.bin_ns = seconds * NS_PER_S / BINS;
	struct simulation *simulation = made_open(
		text, (struct simulation_options){.seed = 2, .packets = packets, .duration_ns = seconds * NS_PER_S});
	assert_int_equal(made_each(simulation, into_bins, &bins), packets);
	simulation_close(simulation);
	return &bins;
}

/* Prefixes have no place, so local time is UTC: the peak is the bin of 21 h, the low twelve hours before. */
static void days_have_nights(void **state)
{
	(void)state;
	struct bins *bins =
		binned("devices: 300, rate: 2, duty: {low: 0.25, peak: 21}, " MIRAI, "populations", 240000, 86400);
	double mean = 10000;
	for (int hour = 0; hour < BINS; hour++) {
		double duty = 0.25 + 0.75 * (0.5 + 0.5 * cos(2 * M_PI * (hour + 0.5 - 21) / 24));
		double expected = mean * duty / 0.625;
		assert_true(fabs((double)bins->packets[hour] - expected) < 6 * sqrt(expected));
	}
	assert_true(bins->distinct[21] > 290);
	assert_in_range(bins->distinct[9], 65, 85); /* a quarter of 300 is on */
}

static void worms_grow_by_the_logistic_curve(void **state)
{
	(void)state;
	struct bins *bins = binned("devices: 400, rate: 10, growth: {initial: 4, per-hour: 6}, " MIRAI, "populations",
				   100000, 7200);
	double curve[BINS], sum = 0;
	for (int i = 0; i < BINS; i++) {
		double part = 0;
		for (int j = 0; j < 100; j++)
			part += 1 / (1 + 99 * exp(-6 * (i + (j + 0.5) / 100) / 12));
		sum += curve[i] = part / 100;
	}
	for (int i = 0; i < BINS; i++) {
		double expected = 100000 * curve[i] / sum;
		assert_true(fabs((double)bins->packets[i] - expected) < 6 * sqrt(expected) + 1);
	}
	assert_in_range(bins->distinct[0], 4, 8);
	assert_true(bins->distinct[BINS - 1] > 390);
}

static void attacks_begin_and_end(void **state)
{
	(void)state;
	struct bins *bins = binned("prefixes: [192.0.2.0/24], rate: 10, ports: [tcp/80], answers: {rst: 1},\n"
				   "start: 25%, duration: 50%",
				   "attacks", 12000, 240);
	for (int i = 0; i < BINS; i++)
		if (i >= 6 && i < 18)
			assert_in_range(bins->packets[i], 800, 1200);
		else
			assert_int_equal(bins->packets[i], 0);
	assert_int_equal(bins->distinct[10], 1);
	bins = binned("prefixes: [192.0.2.0/24], rate: 10, ports: [tcp/80], answers: {rst: 1},\n"
		      "duration: 10s, every: 80s",
		      "attacks", 9000, 240);
	unsigned active = 0;
	for (int i = 0; i < BINS; i++)
		active += bins->packets[i] > 0;
	assert_int_equal(active, 3); /* three attacks, a bin each */
	bins = binned("prefixes: [192.0.2.0/24], rate: 10, ports: [tcp/80], answers: {rst: 1}, parallel: 4,\n"
		      "duration: 20s, every: 80s",
		      "attacks", 24000, 240);
	for (int i = 6; i < BINS; i++)
		assert_int_equal(bins->distinct[i], 1); /* they follow one another */
}

struct gaps {
	int64_t last_ns;
	double sum, squares;
	uint64_t count;
};

static void into_gaps(const struct frame *frame, const struct packet *packet, void *context)
{
	(void)packet;
	struct gaps *gaps = context;
	if (gaps->last_ns) {
		double gap = (double)(frame->time_ns - gaps->last_ns);
		gaps->sum += gap;
		gaps->squares += gap * gap;
		gaps->count++;
	}
	gaps->last_ns = frame->time_ns;
}

/* Of exponential gaps, the standard deviation is the mean. */
static void arrivals_are_poisson(void **state)
{
	(void)state;
	struct gaps gaps = {0};
	struct simulation *simulation =
		made_open(HEAD "populations:\n  - {name: a, devices: 50, rate: 10, " MIRAI "}\n",
			  (struct simulation_options){.seed = 2, .packets = 200000, .duration_ns = 100 * NS_PER_S});
	made_each(simulation, into_gaps, &gaps);
	simulation_close(simulation);
	double mean = gaps.sum / (double)gaps.count;
	double deviation = sqrt(gaps.squares / (double)gaps.count - mean * mean);
	assert_true(fabs(mean - 500000) < 5000);
	assert_true(fabs(deviation / mean - 1) < 0.03);
}

static uint64_t at_rate(double rate, int64_t history_s, double history_rate, double described)
{
	char text[512];
	snprintf(text, sizeof text,
		 HEAD "packets-per-second: %g\npopulations:\n  - {name: a, devices: 100, rate: 7, %s}\n", described,
		 MIRAI);
	struct simulation *simulation =
		made_open(text, (struct simulation_options){.seed = 2,
							    .duration_ns = 100 * NS_PER_S,
							    .packets_per_second = rate,
							    .history_ns = history_s * NS_PER_S,
							    .history_packets_per_second = history_rate});
	assert_true(simulation_rate(simulation) == described);
	struct frame frames[BURST_MAX];
	while (simulation_next(simulation, frames, BURST_MAX) > 0) {
	}
	uint64_t packets = simulation_packets(simulation);
	simulation_close(simulation);
	return packets;
}

static void rates_are_kept(void **state)
{
	(void)state;
	assert_in_range(at_rate(0, 0, 0, 500), 48500, 51500);
	assert_in_range(at_rate(50, 0, 0, 500), 4500, 5500);
	assert_in_range(at_rate(200, 50, 10, 500), 10000, 11000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_have_nights),      cmocka_unit_test(worms_grow_by_the_logistic_curve),
		cmocka_unit_test(attacks_begin_and_end), cmocka_unit_test(arrivals_are_poisson),
		cmocka_unit_test(rates_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
