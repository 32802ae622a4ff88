/* The generator as a whole: reproducible, exact, in order, and its truth is what was generated. */
#include "made.h"

#include <errno.h>
#include <jansson.h>

#include "record/kind.h"

static struct simulation *open_small(uint64_t seed, uint64_t packets, int64_t seconds)
{
	struct err err = {""};
	struct simulation *simulation;
	struct simulation_options options = {.description = DATA_DIR "/simulate/small.yaml",
					     .places_dir = DEPS_DIR,
					     .seed = seed,
					     .packets = packets,
					     .duration_ns = seconds * NS_PER_S};
	int result = simulation_open(&options, &simulation, &err);
	if (result == -ENOENT) {
		print_message("skipped: %s\n", err.text);
		skip();
	}
	if (result < 0)
		fail_msg("%s", err.text);
	return simulation;
}

/* FNV-1a over times, lengths and bytes. */
static uint64_t digest(struct simulation *simulation, unsigned burst)
{
	struct frame frames[BURST_MAX];
	uint64_t hash = 0xcbf29ce484222325;
	unsigned count;
	while ((count = simulation_next(simulation, frames, burst)) > 0)
		for (unsigned i = 0; i < count; i++) {
			hash = (hash ^ (uint64_t)frames[i].time_ns) * 0x100000001b3;
			for (uint32_t j = 0; j < frames[i].captured_bytes; j++)
				hash = (hash ^ frames[i].data[j]) * 0x100000001b3;
		}
	return hash;
}

static void the_seed_decides(void **state)
{
	(void)state;
	uint64_t hashes[3];
	static const uint64_t seeds[] = {7, 7, 8};
	static const unsigned bursts[] = {BURST_MAX, 7, BURST_MAX}; /* how it is read makes no difference */
	for (int i = 0; i < 3; i++) {
		struct simulation *simulation = open_small(seeds[i], 20000, 60);
		hashes[i] = digest(simulation, bursts[i]);
		simulation_close(simulation);
	}
	assert_true(hashes[0] == hashes[1]);
	assert_true(hashes[0] != hashes[2]);
}

struct order {
	int64_t last_ns, start_ns, end_ns;
};

static void in_order(const struct frame *frame, const struct packet *packet, void *context)
{
	(void)packet;
	struct order *order = context;
	assert_true(frame->time_ns >= order->last_ns);
	assert_true(frame->time_ns >= order->start_ns && frame->time_ns < order->end_ns);
	order->last_ns = frame->time_ns;
}

static void exactly_so_many_in_order(void **state)
{
	(void)state;
	static const struct {
		uint64_t packets;
		int64_t seconds;
	} runs[] = {{1, 1}, {2, 86400}, {255, 3}, {257, 1}, {1000, 7}, {99991, 100}, {50000, 7200}};
	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
		struct simulation *simulation = open_small(3, runs[i].packets, runs[i].seconds);
		int64_t start_ns = INT64_C(1767225600) * NS_PER_S;
		struct order order = {0, start_ns, start_ns + runs[i].seconds * NS_PER_S};
		assert_int_equal(made_each(simulation, in_order, &order), runs[i].packets);
		assert_int_equal(simulation_packets(simulation), runs[i].packets);
		simulation_close(simulation);
	}
}

static json_t *truth_of(const struct simulation *simulation)
{
	char path[] = "/tmp/yagura-truth-XXXXXX";
	struct err err = {""};
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	if (simulation_write_truth(simulation, path, &err) < 0)
		fail_msg("%s", err.text);
	json_error_t error;
	json_t *truth = json_load_file(path, 0, &error);
	unlink(path);
	if (!truth)
		fail_msg("the truth is not JSON: %s", error.text);
	return truth;
}

static int64_t number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static int64_t sum_of(const json_t *list, const char *name)
{
	int64_t sum = 0;
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item) sum += number(item, name);
	return sum;
}

/* What the frames say, counted here. */
struct counted {
	uint64_t packets, bytes, ports[65536], backscatter;
	struct addr sources[4096];
	uint64_t by_source[4096];
	size_t source_count;
};

static void count(const struct frame *frame, const struct packet *packet, void *context)
{
	struct counted *counted = context;
	counted->packets++;
	counted->bytes += frame->wire_bytes;
	bool answer =
		(packet->protocol == 6 && packet->tcp_flags != 2) ||
		(packet->protocol == 17 && (packet->sport == 53 || packet->sport == 123) && packet->dport >= 1024) ||
		(packet->protocol == 1 && packet->l4[0] != 8) || packet->protocol == 58;
	counted->backscatter += answer;
	if (packet->protocol == 6 && !answer)
		counted->ports[packet->dport]++;
	struct addr source = packet_source(packet);
	size_t at = 0;
	while (at < counted->source_count && addr_compare(&counted->sources[at], &source) != 0)
		at++;
	if (at == counted->source_count) {
		assert_true(at < 4096);
		counted->sources[counted->source_count++] = source;
	}
	counted->by_source[at]++;
}

static void sources_match(const struct counted *counted, const json_t *list)
{
	size_t i;
	json_t *item;
	assert_int_equal(json_array_size(list), counted->source_count);
	json_array_foreach(list, i, item)
	{
		struct addr addr;
		assert_int_equal(addr_parse(json_string_value(json_object_get(item, "address")), &addr, NULL), 0);
		size_t at = 0;
		while (at < counted->source_count && addr_compare(&counted->sources[at], &addr) != 0)
			at++;
		assert_true(at < counted->source_count);
		assert_int_equal(number(item, "packets"), counted->by_source[at]);
		assert_true(json_array_size(json_object_get(item, "ports")) > 0);
	}
}

static void the_truth_is_what_was_sent(void **state)
{
	(void)state;
	static struct counted counted;
	struct simulation *simulation = open_small(11, 30000, 120);
	made_each(simulation, count, &counted);
	json_t *truth = truth_of(simulation);
	assert_int_equal(number(truth, "packets"), 30000);
	assert_int_equal(number(truth, "bytes"), counted.bytes);
	assert_int_equal(number(truth, "sources"), counted.source_count);
	sources_match(&counted, json_object_get(truth, "truth"));
	assert_int_equal(sum_of(json_object_get(truth, "classes"), "packets"), 30000);
	assert_int_equal(sum_of(json_object_get(truth, "classes"), "sources"), counted.source_count);
	const json_t *kinds = json_object_get(truth, "kinds");
	int64_t kinds_sum = 0;
	for (int i = 0; packet_kind_names[i]; i++)
		kinds_sum += number(kinds, packet_kind_names[i]);
	assert_int_equal(kinds_sum, 30000);
	assert_int_equal(number(kinds, "backscatter"), counted.backscatter);
	assert_int_equal(sum_of(json_object_get(truth, "victims"), "packets"), counted.backscatter);
	assert_int_equal(json_array_size(json_object_get(truth, "victims")), 6);
	size_t i;
	json_t *port;
	json_array_foreach(json_object_get(truth, "ports"), i,
			   port) if (strcmp(json_string_value(json_object_get(port, "protocol")), "tcp") == 0)
		assert_int_equal(number(port, "packets"), counted.ports[number(port, "port")]);
	json_decref(truth);
	simulation_close(simulation);
}

static void options_are_checked(void **state)
{
	(void)state;
	struct err err = {""};
	struct simulation *simulation;
	struct simulation_options options = {.description = DATA_DIR "/simulate/small.yaml", .packets = 5};
	assert_int_equal(simulation_open(&options, &simulation, &err), -EINVAL);
	assert_contains(err.text, "length of time");
	options = (struct simulation_options){.description = "/nowhere.yaml", .duration_ns = 1};
	assert_int_equal(simulation_open(&options, &simulation, &err), -ENOENT);
	options = (struct simulation_options){.description = DATA_DIR "/simulate/small.yaml", .duration_ns = 1};
	assert_int_equal(simulation_open(&options, &simulation, &err), -ENOENT);
	assert_contains(err.text, "place database");
	options.places_dir = "/nowhere";
	assert_int_equal(simulation_open(&options, &simulation, &err), -ENOENT);
	assert_contains(err.text, "/nowhere");
	simulation_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_seed_decides),
		cmocka_unit_test(exactly_so_many_in_order),
		cmocka_unit_test(the_truth_is_what_was_sent),
		cmocka_unit_test(options_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
