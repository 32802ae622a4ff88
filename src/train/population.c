/* Who sends: the description's classes made into streams (a class in one country, a lane of attacks) and devices with
 * addresses that are truly in their country and that no other device has.
 *
 * Everything is drawn from the seed in the order of the description, so the same description gives the same people. */
#include "train/simulation.h"

#include "core/clock.h"
#include "core/hash.h"
#include "sys/places.h"

#include <errno.h>
#include <math.h>

enum { ADDRESS_TRIES = 1000 };

/* ---- growing arrays, as the pool has no realloc ---- */

static void *grown(struct pool *pool, void *old, size_t used, uint32_t *room, size_t item_bytes)
{
	uint32_t wanted = *room ? *room * 2 : 256;
	void *items = pool_array(pool, wanted, item_bytes);
	if (!items)
		return NULL;
	if (used)
		memcpy(items, old, used * item_bytes);
	pool_release(pool, old);
	*room = wanted;
	return items;
}

/* ---- addresses ---- */

static bool taken_put(struct simulation *simulation, uint32_t addr)
{
	uint64_t at = hash_u64(addr) & simulation->taken_mask;
	while (simulation->taken[at]) {
		if (simulation->taken[at] == addr)
			return false;
		at = (at + 1) & simulation->taken_mask;
	}
	simulation->taken[at] = addr;
	simulation->taken_count++;
	return true;
}

static int taken_room(struct simulation *simulation)
{
	if (simulation->taken && simulation->taken_count < simulation->taken_mask / 2)
		return 0;
	uint32_t *old = simulation->taken;
	uint64_t old_places = old ? simulation->taken_mask + 1 : 0, places = old ? old_places * 2 : 1 << 16;
	simulation->taken = pool_array(simulation->pool, places, sizeof *simulation->taken);
	if (!simulation->taken)
		return -ENOMEM;
	simulation->taken_mask = places - 1;
	simulation->taken_count = 0;
	for (uint64_t i = 0; i < old_places; i++)
		if (old[i])
			taken_put(simulation, old[i]);
	pool_release(simulation->pool, old);
	return 0;
}

static bool in_darknet(const struct simulation *simulation, uint32_t addr)
{
	for (size_t i = 0; i < simulation->span_count; i++)
		if (addr - simulation->spans[i].base < simulation->spans[i].size)
			return true;
	return false;
}

static struct addr random_in(const struct prefix *prefix, uint64_t *random)
{
	struct addr addr = prefix->addr;
	uint64_t bits[2] = {random_next(random), random_next(random)};
	const uint8_t *bytes = (const uint8_t *)bits;
	for (unsigned bit = prefix->bits; bit < 128; bit++)
		if (bytes[bit / 8] >> (7 - bit % 8) & 1)
			addr.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return addr;
}

/* Anywhere in unicast space that is not special (RFC 6890, its larger blocks) and not the darknet. */
static uint32_t random_anywhere(uint64_t *random)
{
	for (;;) {
		uint32_t addr = (uint32_t)random_next(random), top = addr >> 24;
		if (top != 0 && top != 10 && top != 127 && top < 224 && addr >> 20 != 0xac1 && addr >> 16 != 0xc0a8 &&
		    addr >> 16 != 0xa9fe && addr >> 22 != 0x191 && addr >> 17 != 0x6309)
			return addr;
	}
}

static bool draw_v4(struct simulation *simulation, const struct traffic_class *class, uint16_t country,
		    uint64_t *random, uint32_t *ret_addr)
{
	uint32_t addr = 0;
	if (class->prefixes.count) {
		struct addr wide =
			random_in(&class->prefixes.items[random_below(random, class->prefixes.count)], random);
		addr = addr_to_v4(&wide);
	} else if (class->anywhere) {
		addr = random_anywhere(random);
	} else if (!places_random_v4(simulation->places, country, random, &addr)) {
		return false;
	}
	uint32_t last = addr & 0xff;
	if (class->section == SECTION_NOISE && class->spoof == SPOOF_EDGE)
		addr = (addr & ~0xffu) | (random_next(random) & 1 ? 255 : 0);
	else if (last == 0 || last == 255) /* hosts are rarely there, and the telescope takes them for spoofed */
		addr ^= 1 + (uint32_t)random_below(random, 0x7e);
	*ret_addr = addr;
	return true;
}

int population_address(struct simulation *simulation, const struct traffic_class *class, uint16_t country,
		       uint64_t *random, uint32_t *ret_addr, struct err *err)
{
	if (class->ip == 6) {
		struct addr addr;
		if (simulation->addr_count == simulation->addr_room) {
			simulation->addrs = grown(simulation->pool, simulation->addrs, simulation->addr_count,
						  &simulation->addr_room, sizeof addr);
			if (!simulation->addrs)
				return -ENOMEM;
		}
		if (class->prefixes.count)
			addr = random_in(&class->prefixes.items[random_below(random, class->prefixes.count)], random);
		else if (!places_random_v6(simulation->places, country, random, &addr))
			return err_set(err, -ENOENT, "%s:%d: %s: no IPv6 addresses are known of %c%c",
				       simulation->description.path, class->line, class->name, country >> 8,
				       country & 0xff);
		simulation->addrs[simulation->addr_count] = addr;
		*ret_addr = simulation->addr_count++;
		return 0;
	}
	if (taken_room(simulation) < 0)
		return -ENOMEM;
	for (int i = 0; i < ADDRESS_TRIES; i++) {
		uint32_t addr;
		if (!draw_v4(simulation, class, country, random, &addr))
			return err_set(err, -ENOENT, "%s:%d: %s: no IPv4 addresses are known of %c%c",
				       simulation->description.path, class->line, class->name, country >> 8,
				       country & 0xff);
		if (!in_darknet(simulation, addr) && taken_put(simulation, addr)) {
			*ret_addr = addr;
			return 0;
		}
	}
	return err_set(err, -ENOENT, "%s:%d: %s: more devices than addresses", simulation->description.path,
		       class->line, class->name);
}

/* ---- streams and devices ---- */

static struct stream *add_stream(struct simulation *simulation, uint32_t class, uint16_t country)
{
	if (simulation->stream_count == simulation->stream_room) {
		simulation->streams = grown(simulation->pool, simulation->streams, simulation->stream_count,
					    &simulation->stream_room, sizeof *simulation->streams);
		if (!simulation->streams)
			return NULL;
	}
	float latitude, longitude = 0;
	if (!country || !places_country_point(country, &latitude, &longitude))
		longitude = 0;
	struct stream *stream = &simulation->streams[simulation->stream_count++];
	*stream = (struct stream){.class = class,
				  .country = country,
				  .first_device = simulation->device_count,
				  .hours_east = longitude / 15,
				  .victim = UINT32_MAX,
				  .occurrence = -1};
	return stream;
}

static int add_devices(struct simulation *simulation, uint32_t class, uint16_t country, uint32_t count, double share,
		       uint64_t *random, struct err *err)
{
	struct stream *stream = add_stream(simulation, class, country);
	if (!stream)
		return -ENOMEM;
	stream->devices = count;
	stream->share = share;
	for (uint32_t i = 0; i < count; i++) {
		if (simulation->device_count == simulation->device_room) {
			simulation->devices = grown(simulation->pool, simulation->devices, simulation->device_count,
						    &simulation->device_room, sizeof *simulation->devices);
			if (!simulation->devices)
				return -ENOMEM;
		}
		struct device *device = &simulation->devices[simulation->device_count];
		int result = population_address(simulation, simulation->classes[class].class, country, random,
						&device->addr, err);
		if (result < 0)
			return result;
		device->stream = simulation->stream_count - 1;
		simulation->device_count++;
	}
	return 0;
}

static uint16_t country_code(const struct country_share *share)
{
	return COUNTRY(share->code[0], share->code[1]);
}

static int make_senders(struct simulation *simulation, uint32_t index, double scale, uint64_t *random, struct err *err)
{
	const struct traffic_class *class = simulation->classes[index].class;
	bool many = class->section != SECTION_SCANNERS;
	double wanted = many ? fmax(1, ceil((double)class->devices * scale)) : (double)class->devices;
	uint32_t total = (uint32_t)wanted;
	if (!class->mix.count)
		return add_devices(simulation, index, 0, total, 1, random, err);
	double weights = 0, before = 0;
	for (size_t i = 0; i < class->mix.count; i++)
		weights += class->mix.shares[i].weight;
	/* country i has the devices between the rounded ends of its part of the line */
	for (size_t i = 0; i < class->mix.count; i++) {
		double after = before + class->mix.shares[i].weight;
		uint32_t count = (uint32_t)(llround(after / weights * total) - llround(before / weights * total));
		before = after;
		int result = count ? add_devices(simulation, index, country_code(&class->mix.shares[i]), count,
						 (double)count / total, random, err)
				   : 0;
		if (result < 0)
			return result;
	}
	return 0;
}

static int make_lanes(struct simulation *simulation, uint32_t index)
{
	const struct traffic_class *class = simulation->classes[index].class;
	for (int64_t lane = 0; lane < class->parallel; lane++) {
		struct stream *stream = add_stream(simulation, index, 0);
		if (!stream)
			return -ENOMEM;
		stream->lane = (uint32_t)lane;
		stream->share = 1.0 / (double)class->parallel;
	}
	return 0;
}

/* Spans of time: shares of the run are kept negative; a run without end counts shares of an hour. Attacks begin and
 * end with slots, so that the truth can name the instants. */
static int64_t span_ns(const struct simulation *simulation, double seconds)
{
	int64_t run = simulation->end_ns == INT64_MAX ? NS_PER_HOUR : simulation->end_ns - simulation->start_ns;
	double ns = seconds < 0 ? -seconds * (double)run : seconds * 1e9;
	return llround(ns / (double)simulation->slot_ns) * simulation->slot_ns;
}

static int make_alias(struct pool *pool, struct alias *alias, const double *weights, uint32_t count)
{
	alias->places = pool_array(pool, count, sizeof *alias->places);
	uint32_t *scratch = pool_array(pool, 2 * (size_t)count, sizeof *scratch);
	double *scaled = pool_array(pool, count, sizeof *scaled);
	bool ready = alias->places && scratch && scaled;
	if (ready)
		alias_fill(alias, weights, count, scratch, scaled);
	pool_release(pool, scratch);
	pool_release(pool, scaled);
	return ready ? 0 : -ENOMEM;
}

static int make_duty(struct pool *pool, struct class_state *state)
{
	const struct traffic_class *class = state->class;
	state->duty = pool_array(pool, 1440, sizeof *state->duty);
	if (!state->duty)
		return -ENOMEM;
	for (int minute = 0; minute < 1440; minute++) {
		double angle = 2 * M_PI * (minute / 60.0 - class->duty_peak) / 24;
		state->duty[minute] = (float)(class->duty_low + (1 - class->duty_low) * (0.5 + 0.5 * cos(angle)));
	}
	return 0;
}

static int make_class(struct simulation *simulation, struct class_state *state, const struct traffic_class *class)
{
	struct pool *pool = simulation->pool;
	*state = (struct class_state){.class = class,
				      .skewed = class->section == SECTION_POPULATIONS && !class->has_growth,
				      .start_ns = span_ns(simulation, class->start),
				      .duration_ns = span_ns(simulation, class->duration),
				      .every_ns = span_ns(simulation, class->every)};
	if (traffic_by_turns(class) && state->duration_ns < simulation->slot_ns)
		state->duration_ns = simulation->slot_ns;
	if (class->every != 0 && state->every_ns < state->duration_ns)
		state->every_ns = state->duration_ns;
	state->port_packets = pool_array(pool, class->port_count, sizeof *state->port_packets);
	double *weights = pool_array(pool, class->port_count, sizeof *weights);
	if (!state->port_packets || !weights)
		return -ENOMEM;
	for (size_t i = 0; i < class->port_count; i++)
		weights[i] = class->ports[i].weight;
	int result = make_alias(pool, &state->ports, weights, (uint32_t) class->port_count);
	pool_release(pool, weights);
	if (result == 0 && class->section == SECTION_ATTACKS)
		result = make_alias(pool, &state->answers, class->answers, ANSWERS);
	if (result == 0 && class->has_duty)
		result = make_duty(pool, state);
	return result;
}

int population_make(struct simulation *simulation, double scale, struct err *err)
{
	const struct description *description = &simulation->description;
	uint64_t random = hash_u64(simulation->options.seed ^ 0x706f70756c617465);
	simulation->classes = pool_array(simulation->pool, description->class_count, sizeof *simulation->classes);
	if (!simulation->classes)
		return -ENOMEM;
	for (uint32_t i = 0; i < description->class_count; i++) {
		const struct traffic_class *class = &description->classes[i];
		int result = make_class(simulation, &simulation->classes[i], class);
		if (result == 0)
			result = traffic_by_turns(class) ? make_lanes(simulation, i)
							 : make_senders(simulation, i, scale, &random, err);
		if (result < 0)
			return result;
	}
	return 0;
}
