/* See carrier.h: who there is, and a heap of clocks that makes their contacts. carrier_view.c is what routers tell of
 * them. */
#include "train/carrier_parts.h"

#include "core/clock.h"
#include "core/hash.h"
#include "record/flow_row.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { BATCH_ROWS = 8192, TCP = 6, UDP = 17, CLOCKS_MAX = 200000000 };

/* --- who and where ----------------------------------------------------------------------------------------------- */

static uint64_t mixed(const struct carrier *carrier, uint64_t one, uint64_t two, uint64_t three)
{
	return hash_u64(hash_u64(hash_u64(carrier->options.seed ^ one) + two) + three);
}

uint32_t carrier_home(const struct carrier *carrier, const struct behaviour *behaviour, uint32_t client)
{
	const struct behaviour *own = behaviour->master ? behaviour->master : behaviour;
	return (uint32_t)((own->offset + (uint64_t)client * own->stride) % (uint64_t)carrier->description.head.homes);
}

struct addr carrier_home_address(const struct carrier *carrier, uint32_t home)
{
	return addr_from_v4(addr_to_v4(&carrier->description.head.inside.items[0].addr) + home + 1);
}

static struct addr outside_address(const struct carrier *carrier, uint64_t number)
{
	const struct prefix_list *outside = &carrier->description.head.outside;
	const struct prefix *prefix = &outside->items[hash_u64(number ^ 1) % outside->count];
	struct addr addr = prefix->addr;
	for (unsigned bit = prefix->bits; bit < 128; bit++) {
		uint64_t word = hash_u64(number + (bit >> 6));
		addr.bytes[bit / 8] |= (uint8_t)((word >> (bit & 63) & 1) << (7 - bit % 8));
	}
	return addr;
}

/* Strides without a common divisor with the number of homes give each client a home of its own. */
static uint32_t stride_of(uint64_t wanted, uint64_t homes)
{
	for (uint64_t stride = wanted % homes | 1;; stride += 2) {
		uint64_t a = homes, b = stride % homes;
		while (b) {
			uint64_t rest = a % b;
			a = b;
			b = rest;
		}
		if (a == 1)
			return (uint32_t)(stride % homes);
	}
}

/* --- contacts ---------------------------------------------------------------------------------------------------- */

/* With whom: `choice` draws among the servers, the more popular first. */
static void server_choose(const struct carrier *carrier, const struct behaviour *behaviour, uint64_t choice,
			  int64_t time_ns, struct flow_row *flow)
{
	uint64_t life = behaviour->hop_ns ? (uint64_t)((time_ns - carrier->options.start_ns) / behaviour->hop_ns) : 0;
	uint64_t number = choice; /* any address */
	if (behaviour->servers) {
		double rank = pow((double)(hash_u64(choice) >> 11) * 0x1p-53, (double)behaviour->popularity);
		number = (uint64_t)(rank * (double)behaviour->servers);
	}
	uint64_t host = mixed(carrier, behaviour->number + 1, number, life);
	struct span ports = behaviour->ports;
	flow->target = outside_address(carrier, host);
	flow->target_port = (uint16_t)(ports.low + hash_u64(host + 7) % (ports.high - ports.low + 1));
}

static uint64_t server_choice(struct carrier *carrier, const struct behaviour *behaviour, const struct clock *clock)
{
	if (behaviour->keeps_to)
		return mixed(carrier, behaviour->number + 1, clock->client + 1000,
			     random_below(&carrier->random, (uint64_t)behaviour->keeps_to));
	if (behaviour->shape == SHAPE_HELD)
		return mixed(carrier, behaviour->number + 1, clock->client, (uint64_t)clock->until_ns);
	return random_next(&carrier->random);
}

/* Routers tell of it; attacks begin with a word of the server. */
static int contact_make(struct carrier *carrier, struct behaviour *behaviour, struct clock *clock, int64_t time_ns,
			uint64_t choice, struct err *err)
{
	double lasts = carrier_exponential(carrier);
	struct flow_row up = {
		.source = carrier_home_address(carrier, carrier_home(carrier, behaviour, clock->client)),
		.source_port = clock->sport,
		.protocol = behaviour->protocol ? UDP : TCP,
		.sampling = (uint32_t)carrier->options.sampling,
		.first_ns = time_ns,
		.last_ns = time_ns + (int64_t)((double)behaviour->seconds_ns * (lasts < 6 ? lasts : 6)),
	};
	server_choose(carrier, behaviour, choice, time_ns, &up);
	return carrier_tell(carrier, behaviour, &up, err);
}

/* --- clocks ------------------------------------------------------------------------------------------------------ */

static uint16_t port_new(struct carrier *carrier)
{
	return (uint16_t)(32768 + random_below(&carrier->random, 28232));
}

/* Of the evening's height, by the hour in Tokyo: people sleep, work and come home. */
static double wakefulness(int64_t time_ns)
{
	static const uint8_t percent[24] = {62, 38, 22, 13, 10, 13, 24, 42, 50, 52,  54, 56,
					    64, 60, 56, 58, 62, 70, 80, 90, 97, 100, 96, 82};
	return percent[(time_ns + 9 * NS_PER_HOUR) / NS_PER_HOUR % 24] / 100.0;
}

/* Attack number k is at the same time for all. */
static int64_t attack_ns(const struct carrier *carrier, const struct behaviour *behaviour, uint64_t k)
{
	uint64_t share = mixed(carrier, behaviour->number + 1, 77, k) >> 11;
	return carrier->options.start_ns + behaviour->begin_ns + (int64_t)k * behaviour->every_ns +
	       (int64_t)((double)share * 0x1p-53 * 0.5 * (double)behaviour->every_ns);
}

static uint64_t attack_number(const struct carrier *carrier, const struct behaviour *behaviour, int64_t time_ns)
{
	return (uint64_t)((time_ns - carrier->options.start_ns - behaviour->begin_ns) / behaviour->every_ns);
}

static int64_t next_of(struct carrier *carrier, const struct behaviour *behaviour, int64_t now_ns)
{
	double every = (double)behaviour->every_ns, jitter = (double)behaviour->jitter / 100;
	switch ((enum carrier_shape)behaviour->shape) {
	case SHAPE_VISITS:
		return now_ns + 1 + (int64_t)(every * (double)behaviour->burst * carrier_exponential(carrier));
	case SHAPE_BEACON:
	case SHAPE_HELD:
		return now_ns + 1 + (int64_t)(every * (1 + jitter * (2 * carrier_chance(carrier) - 1)));
	case SHAPE_ATTACK:
		break;
	}
	return attack_ns(carrier, behaviour, attack_number(carrier, behaviour, now_ns) + 1) +
	       (int64_t)(carrier_chance(carrier) * 3 * (double)NS_PER_S);
}

static int clock_strike(struct carrier *carrier, struct clock *clock, struct err *err)
{
	struct behaviour *behaviour = &carrier->description.behaviours[clock->behaviour];
	int64_t now_ns = clock->next_ns;
	clock->next_ns = next_of(carrier, behaviour, now_ns);
	if (behaviour->by_day && carrier_chance(carrier) > wakefulness(now_ns))
		return 0;
	if (behaviour->shape != SHAPE_HELD) {
		clock->sport = port_new(carrier);
	} else if (now_ns >= clock->until_ns) {
		clock->sport = port_new(carrier);
		clock->until_ns = now_ns + (int64_t)((double)behaviour->life_ns * carrier_exponential(carrier));
	}
	if (behaviour->shape == SHAPE_ATTACK) {
		uint64_t k = attack_number(carrier, behaviour, now_ns);
		struct behaviour *master =
			&carrier->description
				 .behaviours[behaviour->master ? behaviour->master->number : behaviour->number];
		int result = master == behaviour ? 0
						 : contact_make(carrier, master, clock, now_ns - NS_PER_S,
								server_choice(carrier, master, clock), err);
		return result < 0 ? result
				  : contact_make(carrier, behaviour, clock, now_ns,
						 mixed(carrier, 99, behaviour->number, k), err);
	}
	uint64_t contacts = behaviour->burst > 1
				    ? 1 + (uint64_t)(carrier_exponential(carrier) * (double)(behaviour->burst - 1))
				    : 1;
	int result = 0;
	for (uint64_t i = 0; i < contacts && result == 0; i++) {
		clock->sport = (uint16_t)(clock->sport + (i ? 1 : 0));
		result = contact_make(
			carrier, behaviour, clock,
			now_ns + (int64_t)(carrier_chance(carrier) * (double)(contacts - 1) * 200 * NS_PER_MS),
			server_choice(carrier, behaviour, clock), err);
	}
	return result;
}

static void sift_down(struct clock *heap, uint32_t count, uint32_t at)
{
	struct clock moved = heap[at];
	for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
		child += child + 1 < count && heap[child + 1].next_ns < heap[child].next_ns;
		if (moved.next_ns <= heap[child].next_ns)
			break;
		heap[at] = heap[child];
	}
	heap[at] = moved;
}

static void behaviour_begin(struct carrier *carrier, struct behaviour *behaviour)
{
	uint64_t homes = (uint64_t)carrier->description.head.homes;
	uint64_t clients = behaviour->master    ? behaviour->master->client_count
			   : behaviour->clients ? (uint64_t)behaviour->clients
						: homes * (uint64_t)behaviour->homes_per_mille / 1000;
	behaviour->client_count = (uint32_t)(clients < homes ? clients : homes);
	behaviour->offset = (uint32_t)(mixed(carrier, behaviour->number + 1, 1, 1) % homes);
	behaviour->stride = stride_of(mixed(carrier, behaviour->number + 1, 2, 2), homes);
}

static void clocks_set(struct carrier *carrier)
{
	uint32_t at = 0;
	for (uint32_t b = 0; b < carrier->description.count; b++) {
		struct behaviour *behaviour = &carrier->description.behaviours[b];
		for (uint32_t client = 0; client < behaviour->client_count; client++) {
			int64_t begin_ns = carrier->options.start_ns + behaviour->begin_ns;
			int64_t next_ns = begin_ns + (int64_t)(carrier_chance(carrier) *
							       (double)(behaviour->every_ns * behaviour->burst));
			if (behaviour->shape == SHAPE_ATTACK)
				next_ns = attack_ns(carrier, behaviour, 0) +
					  (int64_t)(carrier_chance(carrier) * 3 * (double)NS_PER_S);
			carrier->heap[at++] = (struct clock){.next_ns = next_ns, .behaviour = b, .client = client};
		}
	}
	for (uint32_t i = carrier->clocks / 2; i-- > 0;)
		sift_down(carrier->heap, carrier->clocks, i);
}

/* --- the carrier ------------------------------------------------------------------------------------------------- */

static int people_make(struct carrier *carrier, struct err *err)
{
	struct carrier_description *description = &carrier->description;
	const struct prefix *inside = &description->head.inside.items[0];
	uint64_t clocks = 0;
	if (carrier->options.homes)
		description->head.homes = carrier->options.homes;
	if (!addr_is_v4(&inside->addr) || inside->bits < 96 ||
	    (uint64_t)description->head.homes + 2 > UINT64_C(1) << (128 - inside->bits))
		return err_set(err, -EINVAL,
			       "%s: carrier: inside: an IPv4 prefix with room for %lld homes was expected",
			       carrier->options.description, (long long)description->head.homes);
	for (uint32_t b = 0; b < description->count; b++) {
		behaviour_begin(carrier, &description->behaviours[b]);
		clocks += description->behaviours[b].client_count;
	}
	if (clocks == 0 || clocks > CLOCKS_MAX)
		return err_set(err, -EINVAL, "%s: %llu clients in all, 1 to %d were expected",
			       carrier->options.description, (unsigned long long)clocks, CLOCKS_MAX);
	carrier->clocks = (uint32_t)clocks;
	carrier->heap = pool_array(carrier->pool, clocks, sizeof *carrier->heap);
	carrier->batch = batch_new(&record_flow, BATCH_ROWS);
	if (!carrier->heap || !carrier->batch)
		return err_set(err, -ENOMEM, "no memory for %llu clients", (unsigned long long)clocks);
	clocks_set(carrier);
	return 0;
}

int carrier_open(const struct carrier_options *options, struct carrier **ret_carrier, struct err *err)
{
	struct pool *pool = pool_new(NULL, "carrier");
	struct carrier *carrier = pool ? pool_alloc(pool, sizeof *carrier) : NULL;
	if (!carrier) {
		pool_free(pool);
		return err_set(err, -ENOMEM, "no memory for a carrier");
	}
	*carrier = (struct carrier){.options = *options, .pool = pool, .random = options->seed};
	carrier->options.sampling = options->sampling > 1 ? options->sampling : 1;
	int result = carrier_description_read(options->description, pool, &carrier->description, err);
	if (result == 0)
		result = people_make(carrier, err);
	if (result < 0)
		carrier_close(carrier);
	else
		*ret_carrier = carrier;
	return result;
}

void carrier_close(struct carrier *carrier)
{
	if (!carrier)
		return;
	batch_free(carrier->batch);
	pool_free(carrier->pool);
}

int carrier_run(struct carrier *carrier, struct sink *sink, void (*progress)(void *context, int64_t done_ns),
		void *context, struct err *err)
{
	int64_t end_ns = carrier->options.start_ns + carrier->options.duration_ns;
	int result = 0;
	carrier->sink = sink;
	for (uint64_t strikes = 0; result == 0 && carrier->heap[0].next_ns < end_ns; strikes++) {
		if (progress && strikes % 65536 == 0)
			progress(context, carrier->heap[0].next_ns - carrier->options.start_ns);
		result = clock_strike(carrier, &carrier->heap[0], err);
		sift_down(carrier->heap, carrier->clocks, 0);
	}
	return result < 0 ? result : carrier_batch_out(carrier, err);
}
