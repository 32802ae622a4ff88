/* What routers tell of a contact: a record a direction, cut at the active timeout, of sampled packets. */
#include "train/carrier_parts.h"

#include "core/hash.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { TCP = 6, SIGHTED_FIRST = 1024, FLAGS_WHOLE = 0x1b, FLAGS_HELD = 0x18, FLAGS_SYN = 0x02 };

double carrier_chance(struct carrier *carrier)
{
	return (double)(random_next(&carrier->random) >> 11) * 0x1p-53;
}

double carrier_exponential(struct carrier *carrier)
{
	return -log1p(-carrier_chance(carrier));
}

static uint64_t drawn(struct carrier *carrier, struct span span)
{
	return span.low + random_below(&carrier->random, (uint64_t)span.high - span.low + 1);
}

/* How many of `packets` one in so many chose (a binomial draw; for rates of 1:10 and less by Poisson's, above a mean of
 * 50 by the normal distribution). */
static uint64_t sampled(struct carrier *carrier, uint64_t packets)
{
	int64_t one_in = carrier->options.sampling;
	if (one_in <= 1)
		return packets;
	double mean = (double)packets / (double)one_in;
	if (mean > 50) {
		double turn = sqrt(-2 * log1p(-carrier_chance(carrier))) * cos(2 * M_PI * carrier_chance(carrier));
		double count = round(mean + turn * sqrt(mean));
		return count > 0 ? (uint64_t)count : 0;
	}
	uint64_t count = 0;
	if (one_in < 10) {
		for (uint64_t i = 0; i < packets; i++)
			count += random_below(&carrier->random, (uint64_t)one_in) == 0;
		return count;
	}
	for (double sum = carrier_exponential(carrier); sum < mean; sum += carrier_exponential(carrier))
		count++;
	return count < packets ? count : packets;
}

int carrier_batch_out(struct carrier *carrier, struct err *err)
{
	int result = carrier->batch->rows ? carrier->sink->put(carrier->sink, carrier->batch, err) : 0;
	batch_clear(carrier->batch);
	return result;
}

/* One direction of a contact, or of a part of it. Returns whether it was told: 1, 0; negative errors. */
static int flow_tell(struct carrier *carrier, struct flow_row *flow, uint64_t packets, uint64_t packet_bytes,
		     struct err *err)
{
	uint64_t seen = sampled(carrier, packets), stands_for = (uint64_t)flow->sampling;
	if (!seen)
		return 0;
	struct flow_row told = *flow;
	told.packets = seen * stands_for;
	told.bytes = told.packets * packet_bytes;
	if (stands_for > 1) { /* first and last of those that were looked at */
		double span = (double)(flow->last_ns - flow->first_ns), first = 1, last = 0;
		for (uint64_t i = 0; i < seen && i < 8; i++) {
			double at = carrier_chance(carrier);
			first = at < first ? at : first;
			last = at > last ? at : last;
		}
		told.first_ns = flow->first_ns + (int64_t)(first * span);
		told.last_ns = flow->first_ns + (int64_t)(last * span);
	}
	flow_row_put(carrier->batch, &told);
	int result = carrier->batch->rows == carrier->batch->capacity ? carrier_batch_out(carrier, err) : 0;
	return result < 0 ? result : 1;
}

static struct sighted *sighted_find(struct sighted *table, uint32_t room, const struct addr *addr, uint16_t port,
				    const struct behaviour *behaviour)
{
	uint64_t words[2];
	memcpy(words, addr->bytes, sizeof words);
	for (uint64_t at = hash_u64(hash_u64(words[0]) + words[1] + port);; at++) {
		struct sighted *entry = &table[at & (room - 1)];
		if (!entry->behaviour ||
		    (entry->behaviour == behaviour && entry->port == port && addr_same(&entry->addr, addr)))
			return entry;
	}
}

static int sighted_note(struct carrier *carrier, const struct behaviour *behaviour, const struct flow_row *up,
			uint64_t flows, struct err *err)
{
	if (carrier->sighted_count * 2 >= carrier->sighted_room) {
		uint32_t room = carrier->sighted_room ? carrier->sighted_room * 2 : SIGHTED_FIRST;
		struct sighted *table = pool_array(carrier->pool, room, sizeof *table);
		if (!table)
			return err_set(err, -ENOMEM, "no memory for the truth");
		for (uint32_t i = 0; i < carrier->sighted_room; i++) {
			const struct sighted *old = &carrier->sighted[i];
			if (old->behaviour)
				*sighted_find(table, room, &old->addr, old->port, old->behaviour) = *old;
		}
		pool_release(carrier->pool, carrier->sighted);
		carrier->sighted = table;
		carrier->sighted_room = room;
	}
	struct sighted *entry =
		sighted_find(carrier->sighted, carrier->sighted_room, &up->target, up->target_port, behaviour);
	if (!entry->behaviour) {
		*entry = (struct sighted){
			.behaviour = behaviour, .addr = up->target, .port = up->target_port, .first_ns = up->first_ns};
		carrier->sighted_count++;
	}
	entry->contacts++;
	entry->flows += flows;
	entry->last_ns = up->last_ns;
	return 0;
}

/* Both directions, in parts no longer than the active timeout. */
int carrier_tell(struct carrier *carrier, struct behaviour *behaviour, struct flow_row *up, struct err *err)
{
	bool answered = carrier_chance(carrier) * 100 < (double)behaviour->answered;
	bool tcp = up->protocol == TCP, given_up = !answered && behaviour->shape != SHAPE_ATTACK;
	uint64_t sent = !given_up ? drawn(carrier, behaviour->packet_span)
			: tcp     ? 1 + random_below(&carrier->random, 3)
				  : 1;
	uint64_t got = answered ? drawn(carrier, behaviour->answer_span) : 0;
	uint64_t sent_bytes = tcp && given_up ? 60 : drawn(carrier, behaviour->size_span);
	uint64_t got_bytes = drawn(carrier, behaviour->answer_size_span);
	int64_t first_ns = up->first_ns, last_ns = up->last_ns, flows = 0;
	int64_t parts = 1 + (last_ns - first_ns) / carrier->description.head.active_ns;
	up->flags = !tcp ? 0 : !answered ? FLAGS_SYN : behaviour->shape == SHAPE_HELD ? FLAGS_HELD : FLAGS_WHOLE;
	for (int64_t part = 0; part < parts; part++) {
		up->first_ns = first_ns + (last_ns - first_ns) / parts * part;
		up->last_ns = part + 1 == parts ? last_ns : up->first_ns + (last_ns - first_ns) / parts;
		struct flow_row down = *up;
		down.source = up->target;
		down.target = up->source;
		down.source_port = up->target_port;
		down.target_port = up->source_port;
		uint64_t of_sent = sent / (uint64_t)parts + ((uint64_t)part < sent % (uint64_t)parts);
		uint64_t of_got = got / (uint64_t)parts + ((uint64_t)part < got % (uint64_t)parts);
		int result = of_sent ? flow_tell(carrier, up, of_sent, sent_bytes, err) : 0;
		flows += result > 0;
		if (result >= 0 && of_got)
			result = flow_tell(carrier, &down, of_got, got_bytes, err);
		if (result < 0)
			return result;
		flows += result > 0 && of_got;
	}
	behaviour->contacts++;
	behaviour->flows += (uint64_t)flows;
	up->first_ns = first_ns;
	bool of_botnet = behaviour->family && behaviour->servers && behaviour->shape != SHAPE_ATTACK;
	return of_botnet && flows ? sighted_note(carrier, behaviour, up, (uint64_t)flows, err) : 0;
}
