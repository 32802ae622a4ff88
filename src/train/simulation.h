/* The inside of a simulation, shared by the files of src/train that make one (simulate.c), build its packets
 * (senders.c) and write its truth (truth.c). */
#pragma once

#include "core/memory.h"
#include "train/craft.h"
#include "train/description.h"
#include "train/simulate.h"

struct places;

/* Walker's alias table: a weighted choice at the cost of one comparison. */
struct alias {
	uint32_t count;
	struct alias_place {
		uint32_t threshold, other;
	} * places;
};

/* Weights need not add up to anything. `scratch` has 2 * count numbers. False when all are zero. */
bool alias_fill(struct alias *alias, const double *weights, uint32_t count, uint32_t *scratch, double *scaled);

static inline uint32_t alias_pick(const struct alias *alias, uint64_t random)
{
	uint32_t at = (uint32_t)((random >> 32) * alias->count >> 32);
	const struct alias_place *place = &alias->places[at];
	return (uint32_t)random < place->threshold ? at : place->other;
}

/* One sender. `addr` is an IPv4 address, or an index into the table of IPv6 addresses. Two in a cache line. */
struct device {
	uint32_t addr;
	uint32_t stream;
	uint32_t packets;
	uint32_t ports; /* bit i: the class's i-th choice of port was used; bit 31 stands for all from there */
	int64_t first_ns, last_ns;
};

enum { VICTIM_HOSTS = 3 }; /* the victim and two routers before it */

/* An attack's victim, or an infected host. */
struct victim {
	uint32_t class, port; /* index into the class's ports */
	int64_t start_ns, end_ns, first_ns, last_ns;
	uint64_t packets;
	uint16_t number; /* the attacked port */
	uint32_t answers[ANSWERS];
	struct device hosts[VICTIM_HOSTS]; /* an infection has the first alone */
};

/* The senders of a class in one country, or one lane of parallel attacks. */
struct stream {
	uint32_t class;
	uint16_t country;
	uint32_t first_device, devices;
	uint32_t active; /* in this slot: the first so many */
	double share;    /* of the class's rate */
	double hours_east;
	uint32_t lane, victim; /* by turns; victim UINT32_MAX: none now */
	int64_t occurrence;    /* which repetition `victim` is */
};

struct class_state {
	const struct traffic_class *class;
	struct alias ports, answers;
	uint64_t *port_packets;
	uint64_t packets, bytes;
	int64_t first_ns, last_ns;
	float *duty; /* by minute of the local day; NULL: even */
	int64_t start_ns, duration_ns, every_ns;
	bool skewed; /* some devices send much more than others */
};

struct simulation {
	struct pool *pool;
	struct simulation_options options;
	struct description description;
	struct places *places;
	uint64_t random;
	double described_rate; /* of the description in full */
	double factor, history_factor;

	struct span {
		uint32_t base;
		uint64_t size;
	} * spans; /* the darknet's IPv4 */
	size_t span_count;
	uint64_t span_total;
	struct prefix *six;
	size_t six_count;

	struct class_state *classes;
	struct stream *streams;
	uint32_t stream_count, stream_room;
	struct device *devices;
	uint32_t device_count, device_room;
	struct addr *addrs; /* IPv6 sources */
	uint32_t addr_count, addr_room;
	struct victim *victims;
	uint32_t victim_count, victim_room;
	uint32_t *taken; /* set of IPv4 addresses in use: open addressing, 0 is free */
	uint64_t taken_mask, taken_count;

	struct alias mix; /* of streams in this slot */
	double *weights, *scaled;
	uint32_t *scratch;
	int64_t start_ns, end_ns, slot_ns; /* end INT64_MAX: none */
	int64_t slot_at_ns, slot_end_ns;
	uint64_t slot_packets, slot_done, slot_blocks, slot_block;
	double weight_total, weight_done;

	uint64_t packets, bytes;
	uint64_t *port_packets[2]; /* TCP, UDP: 65,536 each, destination ports but of backscatter */
	uint64_t kinds[PACKET_KINDS];
	int64_t first_ns, last_ns;
	float exponential[1025];

	struct frame block[BURST_MAX];
	unsigned block_count, block_at;
	uint8_t *bytes_of_block;
};

/* population.c: who there is. `scale` (0..1] shrinks populations. */
int population_make(struct simulation *simulation, double scale, struct err *err) must_check;
/* An address nobody has yet, of the class's kind, as a device holds it. -ENOENT where there is none left. */
int population_address(struct simulation *simulation, const struct traffic_class *class, uint16_t country,
		       uint64_t *random, uint32_t *ret_addr, struct err *err) must_check;

/* Build one packet of a device at `frame` (CRAFT_FRAME_MAX bytes). `port` is the index of the class's choice. Returns
 * its length. */
size_t sender_write(struct simulation *simulation, const struct class_state *state, const struct device *device,
		    const struct port_choice *port, uint8_t *frame, uint16_t *ret_dport);
/* One answer of a victim. `host` says which of its hosts sent it. */
size_t answer_write(struct simulation *simulation, const struct class_state *state, const struct victim *victim,
		    enum answer answer, const struct device **ret_host, uint8_t *frame);
