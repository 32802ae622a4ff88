/* The generator: slots of time, an alias table of streams a slot, blocks of packets in a slot. See simulate.h.
 *
 * Within a slot all rates are constant, so the superposition of all devices' Poisson processes is one Poisson process
 * whose packets choose their stream by rate (Lewis and Shedler 1979 use the same decomposition for thinning). A run of
 * exactly N packets is such a process given its total: the slots share N multinomially and the instants within a slot
 * are order statistics, made from exponential gaps and normalised. A block of up to 256 packets draws its streams and
 * devices first and asks memory for them, then builds: devices lie far apart, and one miss a packet would cost most. */
#include "train/simulation.h"

#include "core/clock.h"
#include "core/hash.h"
#include "sys/places.h"

#include <errno.h>
#include <math.h>

enum { SLOTS_MAX = 20000, SLOTS_LEAST = 256, BLOCK_BYTES = BURST_MAX * CRAFT_FRAME_MAX };
static const int64_t DEFAULT_START_NS = INT64_C(1767225600) * NS_PER_S; /* 2026-01-01T00:00:00Z */

bool alias_fill(struct alias *alias, const double *weights, uint32_t count, uint32_t *scratch, double *scaled)
{
	double sum = 0;
	for (uint32_t i = 0; i < count; i++)
		sum += weights[i];
	alias->count = count;
	if (!(sum > 0))
		return false;
	/* Vose's method: `small` grows from the front of scratch, `large` from behind */
	uint32_t small = 0, large = 0;
	for (uint32_t i = 0; i < count; i++) {
		scaled[i] = weights[i] / sum * count;
		if (scaled[i] < 1)
			scratch[small++] = i;
		else
			scratch[2 * count - ++large] = i;
	}
	while (small && large) {
		uint32_t low = scratch[--small], high = scratch[2 * count - large];
		alias->places[low] = (struct alias_place){(uint32_t)(scaled[low] * 4294967295.0), high};
		scaled[high] -= 1 - scaled[low];
		if (scaled[high] < 1) {
			large--;
			scratch[small++] = high;
		}
	}
	while (large) {
		uint32_t at = scratch[2 * count - large--];
		alias->places[at] = (struct alias_place){UINT32_MAX, at};
	}
	while (small) {
		uint32_t at = scratch[--small];
		alias->places[at] = (struct alias_place){UINT32_MAX, at};
	}
	return true;
}

/* ---- rates ---- */

/* Which repetition covers the instant; -1: none. */
static int64_t turn_at(const struct class_state *state, const struct stream *stream, int64_t into_ns)
{
	int64_t at = into_ns - state->start_ns;
	if (state->every_ns) /* lanes follow one another evenly */
		at -= state->every_ns * stream->lane / state->class->parallel;
	if (at < 0)
		return -1;
	int64_t nth = state->every_ns ? at / state->every_ns : 0;
	return at - nth * state->every_ns < state->duration_ns ? nth : -1;
}

static double turns_mean(const struct class_state *state)
{
	return state->every_ns ? (double)state->duration_ns / (double)state->every_ns : 1;
}

/* Packets per second of a stream in the slot at `at_ns` by the description, and how many of its devices take part. */
static double stream_rate(const struct simulation *simulation, const struct stream *stream, int64_t at_ns,
			  uint32_t *ret_active)
{
	const struct class_state *state = &simulation->classes[stream->class];
	const struct traffic_class *class = state->class;
	int64_t into_ns = at_ns - simulation->start_ns;
	double rate = class->rate * stream->share;
	*ret_active = stream->devices;
	if (traffic_by_turns(class))
		return turn_at(state, stream, into_ns) < 0 ? 0 : rate;
	if (into_ns < state->start_ns || (state->duration_ns && into_ns >= state->start_ns + state->duration_ns))
		return 0;
	if (class->has_growth) { /* logistic: Verhulst's solution, shared out over the countries */
		double hours = (double)(into_ns - state->start_ns) / (double)NS_PER_HOUR;
		double most = (double)class->devices, first = (double)class->growth_initial;
		double infected = most / (1 + (most / first - 1) * exp(-class->growth_per_hour * hours));
		double active = stream->devices * infected / most;
		*ret_active = (uint32_t)fmin(stream->devices, fmax(1, ceil(active)));
		return rate * infected / most;
	}
	if (!state->duty)
		return rate;
	int64_t minute = (int64_t)floor((double)at_ns / (double)NS_PER_MINUTE + stream->hours_east * 60) % 1440;
	float duty = state->duty[minute < 0 ? minute + 1440 : minute];
	*ret_active = (uint32_t)fmin(stream->devices, fmax(1, ceil(duty * stream->devices)));
	return rate * duty / (class->duty_low + (1 - class->duty_low) / 2);
}

static double slot_rate(struct simulation *simulation, int64_t at_ns)
{
	double sum = 0;
	for (uint32_t i = 0; i < simulation->stream_count; i++) {
		struct stream *stream = &simulation->streams[i];
		sum += simulation->weights[i] = stream_rate(simulation, stream, at_ns, &stream->active);
	}
	return sum;
}

/* ---- attacks and infections: whose turn it is ---- */

static int begin_turn(struct simulation *simulation, struct stream *stream, int64_t occurrence)
{
	struct class_state *state = &simulation->classes[stream->class];
	const struct traffic_class *class = state->class;
	if (simulation->victim_count == simulation->victim_room) {
		uint32_t room = simulation->victim_room ? simulation->victim_room * 2 : 64;
		struct victim *victims = pool_array(simulation->pool, room, sizeof *victims);
		if (!victims)
			return -ENOMEM;
		if (simulation->victim_count)
			memcpy(victims, simulation->victims, simulation->victim_count * sizeof *victims);
		pool_release(simulation->pool, simulation->victims);
		simulation->victims = victims;
		simulation->victim_room = room;
	}
	uint64_t random = hash_u64(
		simulation->options.seed ^
		hash_u64(((uint64_t)stream->class << 48) + ((uint64_t)stream->lane << 32) + (uint64_t)occurrence + 7));
	struct victim *victim = &simulation->victims[simulation->victim_count];
	*victim = (struct victim){.class = stream->class};
	uint16_t country = 0;
	if (class->mix.count) { /* few countries, rarely asked: a walk along the weights */
		double weights = 0, at;
		for (size_t i = 0; i < class->mix.count; i++)
			weights += class->mix.shares[i].weight;
		at = (double)(random_next(&random) >> 11) * 0x1p-53 * weights;
		size_t i = 0;
		while (i + 1 < class->mix.count && at >= class->mix.shares[i].weight)
			at -= class->mix.shares[i++].weight;
		country = COUNTRY(class->mix.shares[i].code[0], class->mix.shares[i].code[1]);
	}
	stream->country = country;
	int hosts = class->section == SECTION_ATTACKS ? VICTIM_HOSTS : 1;
	for (int i = 0; i < hosts; i++) {
		int result = population_address(simulation, class, country, &random, &victim->hosts[i].addr, NULL);
		if (result < 0)
			return result;
		victim->hosts[i].stream = (uint32_t)(stream - simulation->streams);
	}
	victim->port = alias_pick(&state->ports, random_next(&random));
	const struct port_choice *port = &class->ports[victim->port];
	victim->number = (uint16_t)(port->low + random_below(&random, port->high - port->low + 1u));
	victim->start_ns = simulation->start_ns + state->start_ns + occurrence * state->every_ns +
			   (state->every_ns ? state->every_ns * stream->lane / class->parallel : 0);
	victim->end_ns = victim->start_ns + state->duration_ns;
	if (victim->end_ns > simulation->end_ns)
		victim->end_ns = simulation->end_ns;
	stream->victim = simulation->victim_count++;
	stream->occurrence = occurrence;
	return 0;
}

/* Every attack and infection of this slot has its host. Out of memory or addresses: it is left out. */
static void begin_turns(struct simulation *simulation)
{
	for (uint32_t i = 0; i < simulation->stream_count; i++) {
		struct stream *stream = &simulation->streams[i];
		const struct class_state *state = &simulation->classes[stream->class];
		if (!traffic_by_turns(state->class) || simulation->weights[i] == 0)
			continue;
		int64_t occurrence = turn_at(state, stream, simulation->slot_at_ns - simulation->start_ns);
		if (occurrence != stream->occurrence && begin_turn(simulation, stream, occurrence) < 0)
			simulation->weights[i] = 0;
	}
}

/* ---- counts ---- */

static double uniform(uint64_t *random)
{
	return (double)((random_next(random) >> 11) + 1) * 0x1p-53; /* (0, 1] */
}

/* Poisson by inversion where small, else by the normal approximation (its error is far below a packet's meaning). */
static uint64_t draw_count(uint64_t *random, double mean, double variance)
{
	if (mean <= 0)
		return 0;
	if (mean < 30) {
		double left = exp(-mean), product = uniform(random);
		uint64_t count = 0;
		for (; product > left; count++)
			product *= uniform(random);
		return count;
	}
	double normal = sqrt(-2 * log(uniform(random))) * cos(2 * M_PI * uniform(random));
	return (uint64_t)fmax(0, round(mean + sqrt(variance) * normal));
}

static uint64_t slot_count(struct simulation *simulation, double rate, int64_t length_ns, bool last)
{
	double seconds = (double)length_ns * 1e-9;
	if (!simulation->options.packets) {
		bool history = simulation->slot_at_ns < simulation->start_ns + simulation->options.history_ns;
		double mean = rate * seconds * (history ? simulation->history_factor : simulation->factor);
		return draw_count(&simulation->random, mean, mean);
	}
	uint64_t left = simulation->options.packets - simulation->packets;
	double weight = rate * seconds, weight_left = simulation->weight_total - simulation->weight_done;
	simulation->weight_done += weight;
	if (weight <= 0)
		return 0;
	double share = weight / weight_left;
	if (last || share > 1 - 1e-9)
		return left;
	double mean = (double)left * share;
	uint64_t count = draw_count(&simulation->random, mean, mean * (1 - share));
	return count < left ? count : left;
}

/* Go to the next slot with packets. False at the end. */
static bool next_slot(struct simulation *simulation)
{
	do {
		simulation->slot_at_ns = simulation->slot_end_ns;
		if (simulation->slot_at_ns >= simulation->end_ns)
			return false;
		int64_t end_ns = simulation->slot_at_ns + simulation->slot_ns;
		simulation->slot_end_ns = end_ns < simulation->end_ns ? end_ns : simulation->end_ns;
		double rate = slot_rate(simulation, simulation->slot_at_ns);
		simulation->slot_packets =
			slot_count(simulation, rate, simulation->slot_end_ns - simulation->slot_at_ns,
				   simulation->slot_end_ns == simulation->end_ns);
		begin_turns(simulation);
		if (!alias_fill(&simulation->mix, simulation->weights, simulation->stream_count, simulation->scratch,
				simulation->scaled))
			simulation->slot_packets = 0;
		simulation->slot_blocks = (simulation->slot_packets + BURST_MAX - 1) / BURST_MAX;
		simulation->slot_block = 0;
	} while (!simulation->slot_packets);
	return true;
}

/* ---- packets ---- */

struct draw {
	struct stream *stream;
	struct device *device; /* NULL: an attack's */
	uint32_t port;
};

static void account(struct class_state *state, struct device *device, uint32_t port, int64_t time_ns, size_t bytes)
{
	if (!device->packets++)
		device->first_ns = time_ns;
	device->last_ns = time_ns;
	device->ports |= UINT32_C(1) << (port < 31 ? port : 31);
	if (!state->packets++)
		state->first_ns = time_ns;
	state->last_ns = time_ns;
	state->bytes += bytes;
	state->port_packets[port]++;
}

static size_t build_answer(struct simulation *simulation, struct class_state *state, struct stream *stream,
			   int64_t time_ns, uint8_t *at)
{
	struct victim *victim = &simulation->victims[stream->victim];
	enum answer answer = (enum answer)alias_pick(&state->answers, random_next(&simulation->random));
	const struct device *host;
	size_t bytes = answer_write(simulation, state, victim, answer, &host, at);
	if (!victim->packets++)
		victim->first_ns = time_ns;
	victim->last_ns = time_ns;
	victim->answers[answer]++;
	account(state, &victim->hosts[host - victim->hosts], victim->port, time_ns, bytes);
	simulation->kinds[PACKET_BACKSCATTER]++;
	return bytes;
}

static size_t build(struct simulation *simulation, const struct draw *draw, int64_t time_ns, uint8_t *at)
{
	struct class_state *state = &simulation->classes[draw->stream->class];
	if (!draw->device)
		return build_answer(simulation, state, draw->stream, time_ns, at);
	const struct port_choice *port = &state->class->ports[draw->port];
	uint16_t dport;
	size_t bytes = sender_write(simulation, state, draw->device, port, at, &dport);
	account(state, draw->device, draw->port, time_ns, bytes);
	if (state->class->section == SECTION_INFECTIONS) {
		struct victim *victim = &simulation->victims[draw->stream->victim];
		if (!victim->packets++)
			victim->first_ns = time_ns;
		victim->last_ns = time_ns;
	}
	bool odd = state->class->section == SECTION_NOISE && state->class->spoof == SPOOF_PROTOCOL;
	if (port->protocol != 1 && !odd)
		simulation->port_packets[port->protocol == 17][dport]++;
	simulation->kinds[traffic_kind(state->class, port)]++;
	return bytes;
}

static void draw_sender(struct simulation *simulation, struct draw *draw)
{
	draw->stream = &simulation->streams[alias_pick(&simulation->mix, random_next(&simulation->random))];
	const struct class_state *state = &simulation->classes[draw->stream->class];
	draw->device = NULL;
	if (state->class->section == SECTION_ATTACKS)
		return;
	if (state->class->section == SECTION_INFECTIONS) {
		draw->device = &simulation->victims[draw->stream->victim].hosts[0];
		draw->port = alias_pick(&state->ports, random_next(&simulation->random));
		return;
	}
	uint64_t random = random_next(&simulation->random), part = random >> 32;
	if (state->skewed) /* the square makes a tail: a tenth of the devices sends a third of the packets */
		part = part * part >> 32;
	draw->device = &simulation->devices[draw->stream->first_device + (part * draw->stream->active >> 32)];
	__builtin_prefetch(draw->device, 1);
	draw->port = alias_pick(&state->ports, random_next(&simulation->random));
}

/* Order statistics of `count` uniform instants in the block's part of the slot. */
static void draw_times(struct simulation *simulation, unsigned count, uint64_t *random)
{
	float gaps[BURST_MAX + 1], sum = 0;
	for (unsigned i = 0; i <= count; i++) {
		uint64_t bits = random_next(random);
		uint32_t at = (uint32_t)(bits >> 54);
		float low = simulation->exponential[at], high = simulation->exponential[at + 1];
		gaps[i] = low + (high - low) * (float)(bits & 0xffffff) * 0x1p-24f;
		sum += gaps[i];
	}
	double length = (double)(simulation->slot_end_ns - simulation->slot_at_ns);
	double part = length / (double)simulation->slot_blocks, begin = part * (double)simulation->slot_block;
	double at = 0, unit = part / (double)sum;
	for (unsigned i = 0; i < count; i++) {
		at += (double)gaps[i];
		int64_t time_ns = simulation->slot_at_ns + (int64_t)(begin + at * unit);
		simulation->block[i].time_ns =
			time_ns < simulation->slot_end_ns ? time_ns : simulation->slot_end_ns - 1;
	}
}

static bool next_block(struct simulation *simulation)
{
	if (simulation->slot_block == simulation->slot_blocks && !next_slot(simulation))
		return false;
	uint64_t n = simulation->slot_packets, m = simulation->slot_blocks, j = simulation->slot_block;
	unsigned count = (unsigned)(n * (j + 1) / m - n * j / m);
	draw_times(simulation, count, &simulation->random);
	simulation->slot_block++;
	struct draw draws[BURST_MAX];
	for (unsigned i = 0; i < count; i++)
		draw_sender(simulation, &draws[i]);
	uint8_t *at = simulation->bytes_of_block;
	for (unsigned i = 0; i < count; i++) {
		struct frame *frame = &simulation->block[i];
		size_t bytes = build(simulation, &draws[i], frame->time_ns, at);
		frame->data = at;
		frame->captured_bytes = frame->wire_bytes = (uint32_t)bytes;
		frame->link_type = 1;
		frame->interface = 0;
		simulation->bytes += bytes;
		at += (bytes + 15) & ~(size_t)15;
	}
	if (!simulation->packets)
		simulation->first_ns = simulation->block[0].time_ns;
	simulation->packets += count;
	simulation->last_ns = simulation->block[count - 1].time_ns;
	simulation->block_count = count;
	simulation->block_at = 0;
	return true;
}

unsigned simulation_next(struct simulation *simulation, struct frame *frames, unsigned max)
{
	if (!max || (simulation->block_at == simulation->block_count && !next_block(simulation)))
		return 0;
	unsigned left = simulation->block_count - simulation->block_at, count = left < max ? left : max;
	memcpy(frames, simulation->block + simulation->block_at, count * sizeof *frames);
	simulation->block_at += count;
	return count;
}

/* ---- open and close ---- */

static int check_options(const struct simulation_options *options, struct err *err)
{
	if (!options->description)
		return err_set(err, -EINVAL, "a simulation needs a description");
	if (options->packets && options->duration_ns <= 0)
		return err_set(err, -EINVAL, "a number of packets needs a length of time to spread them over");
	if (options->duration_ns < 0 || options->history_ns < 0 || options->packets_per_second < 0 ||
	    options->history_packets_per_second < 0)
		return err_set(err, -EINVAL, "times and rates of a simulation are not negative");
	if (options->history_ns && !(options->history_packets_per_second > 0))
		return err_set(err, -EINVAL, "a simulated history needs its packets per second");
	if (options->packets && options->packets_per_second > 0)
		return err_set(err, -EINVAL, "a simulation has either a number of packets or a rate");
	return 0;
}

/* The slot: the least decimal length that gives at most SLOTS_MAX of them, and SLOTS_LEAST at least. */
static int64_t slot_length(int64_t duration_ns)
{
	int64_t slot_ns = NS_PER_MS;
	while (slot_ns < NS_PER_S && duration_ns / slot_ns > SLOTS_MAX)
		slot_ns *= 10;
	if (duration_ns / slot_ns > SLOTS_MAX)
		slot_ns = 10 * NS_PER_S;
	while (duration_ns / slot_ns > 10 * SLOTS_MAX)
		slot_ns *= 6;
	while (slot_ns > 1000 && duration_ns / slot_ns < SLOTS_LEAST)
		slot_ns /= 10;
	return slot_ns;
}

static int set_darknet(struct simulation *simulation, struct err *err)
{
	const struct prefix_list *darknet = &simulation->description.darknet;
	simulation->spans = pool_array(simulation->pool, darknet->count, sizeof *simulation->spans);
	simulation->six = pool_array(simulation->pool, darknet->count, sizeof *simulation->six);
	if (!simulation->spans || !simulation->six)
		return -ENOMEM;
	for (size_t i = 0; i < darknet->count; i++) {
		const struct prefix *prefix = &darknet->items[i];
		if (!addr_is_v4(&prefix->addr)) {
			simulation->six[simulation->six_count++] = *prefix;
			continue;
		}
		if (prefix->bits < 96 + 1)
			return err_set(err, -EINVAL, "%s: a darknet of all IPv4", simulation->description.path);
		struct span *span = &simulation->spans[simulation->span_count++];
		*span = (struct span){addr_to_v4(&prefix->addr), UINT64_C(1) << (128 - prefix->bits)};
		simulation->span_total += span->size;
	}
	return 0;
}

static bool wants_places(const struct description *description)
{
	for (size_t i = 0; i < description->class_count; i++)
		if (description->classes[i].mix.count)
			return true;
	return false;
}

static double described_rate(const struct simulation *simulation)
{
	double sum = 0;
	for (uint32_t i = 0; i < simulation->description.class_count; i++) {
		const struct class_state *state = &simulation->classes[i];
		sum += state->class->rate * (traffic_by_turns(state->class) ? turns_mean(state) : 1);
	}
	return sum;
}

/* Populations shrink below the described rate, so that a device keeps its pace; above it each one sends more. */
static double population_scale(const struct simulation *simulation)
{
	const struct simulation_options *options = &simulation->options;
	double sum = 0;
	for (size_t i = 0; i < simulation->description.class_count; i++)
		sum += simulation->description.classes[i].rate;
	double described =
		simulation->description.packets_per_second > 0 ? simulation->description.packets_per_second : sum;
	double wanted = options->packets ? (double)options->packets / ((double)options->duration_ns * 1e-9)
					 : options->packets_per_second;
	return wanted > 0 ? fmin(1, wanted / described) : 1;
}

static int make_tables(struct simulation *simulation, struct err *err)
{
	struct pool *pool = simulation->pool;
	uint32_t count = simulation->stream_count;
	simulation->weights = pool_array(pool, count, sizeof *simulation->weights);
	simulation->scaled = pool_array(pool, count, sizeof *simulation->scaled);
	simulation->scratch = pool_array(pool, 2 * (size_t)count, sizeof *simulation->scratch);
	simulation->mix.places = pool_array(pool, count, sizeof *simulation->mix.places);
	simulation->bytes_of_block = pool_alloc(pool, BLOCK_BYTES + 16 * BURST_MAX);
	for (int i = 0; i < 2; i++)
		simulation->port_packets[i] = pool_array(pool, 65536, sizeof *simulation->port_packets[i]);
	if (!simulation->weights || !simulation->scaled || !simulation->scratch || !simulation->mix.places ||
	    !simulation->bytes_of_block || !simulation->port_packets[0] || !simulation->port_packets[1])
		return -ENOMEM;
	for (int i = 0; i < 1024; i++)
		simulation->exponential[i] = -logf((float)(1024 - i) / 1024);
	simulation->exponential[1024] = -logf(1.0f / 8192);
	if (!simulation->options.packets)
		return 0;
	for (int64_t at = simulation->start_ns; at < simulation->end_ns; at += simulation->slot_ns) {
		int64_t length =
			simulation->end_ns - at < simulation->slot_ns ? simulation->end_ns - at : simulation->slot_ns;
		simulation->weight_total += slot_rate(simulation, at) * (double)length * 1e-9;
	}
	if (!(simulation->weight_total > 0))
		return err_set(err, -EINVAL, "%s: nothing sends within these %g s", simulation->description.path,
			       (double)simulation->options.duration_ns * 1e-9);
	return 0;
}

static int set_rates(struct simulation *simulation)
{
	const struct simulation_options *options = &simulation->options;
	double sum = described_rate(simulation);
	simulation->described_rate =
		simulation->description.packets_per_second > 0 ? simulation->description.packets_per_second : sum;
	double wanted = options->packets_per_second > 0 ? options->packets_per_second : simulation->described_rate;
	simulation->factor = wanted / sum;
	simulation->history_factor = options->history_packets_per_second / sum;
	return 0;
}

static int open_in(struct simulation *simulation, struct err *err)
{
	const struct simulation_options *options = &simulation->options;
	int result = description_read(options->description, simulation->pool, &simulation->description, err);
	if (result < 0)
		return result;
	simulation->start_ns = options->start_ns ? options->start_ns : DEFAULT_START_NS;
	simulation->end_ns = options->duration_ns ? simulation->start_ns + options->duration_ns : INT64_MAX;
	simulation->slot_ns = options->duration_ns ? slot_length(options->duration_ns) : NS_PER_S;
	simulation->slot_end_ns = simulation->slot_at_ns = simulation->start_ns;
	simulation->random = hash_u64(options->seed + 1);
	result = set_darknet(simulation, err);
	if (result < 0)
		return result;
	if (wants_places(&simulation->description)) {
		if (!options->places_dir)
			return err_set(err, -ENOENT, "%s names countries; the place database is needed",
				       options->description);
		result = places_open(options->places_dir, &simulation->places, err);
		if (result < 0)
			return result;
	}
	result = population_make(simulation, population_scale(simulation), err);
	if (result == 0)
		result = make_tables(simulation, err);
	return result < 0 ? result : set_rates(simulation);
}

int simulation_open(const struct simulation_options *options, struct simulation **ret_simulation, struct err *err)
{
	int result = check_options(options, err);
	if (result < 0)
		return result;
	struct pool *pool = pool_new(NULL, "simulation");
	struct simulation *simulation = pool ? pool_alloc(pool, sizeof *simulation) : NULL;
	if (!simulation) {
		pool_free(pool);
		return err_set(err, -ENOMEM, "out of memory");
	}
	simulation->pool = pool;
	simulation->options = *options;
	result = open_in(simulation, err);
	if (result < 0) {
		if (result == -ENOMEM)
			err_set(err, result, "%s: out of memory", options->description);
		simulation_close(simulation);
		return result;
	}
	*ret_simulation = simulation;
	return 0;
}

void simulation_close(struct simulation *simulation)
{
	if (!simulation)
		return;
	places_close(simulation->places);
	pool_free(simulation->pool);
}

const struct prefix_list *simulation_darknet(const struct simulation *simulation)
{
	return &simulation->description.darknet;
}

double simulation_rate(const struct simulation *simulation)
{
	return simulation->described_rate;
}

uint64_t simulation_packets(const struct simulation *simulation)
{
	return simulation->packets;
}
