/* Who of the members is seen in the darknet. See members.h.
 *
 * Packets are matched a burst at a time against the longest prefix; nearly all of them end there. An address that
 * matches has a record of its own (open addressing over an array in order of appearance) in which its packets are
 * summed up until the next row.
 *
 * A tool that one packet does not prove is settled here as the close of a minute does it (minute.c), over the packets
 * of the address: two that agree, and a sixteenth of all.
 */
#include "observe/telescope/members.h"

#include "core/cursor.h"
#include "observe/telescope/kind.h"
#include "observe/telescope/tool.h"
#include "wire/pcap_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	SLOTS = 2 * MEMBER_ADDRESSES_MAX,
	EVIDENCE_RECORD = PCAP_RECORD_BYTES + MEMBER_EVIDENCE_BYTES,
	SIXTEENTH = 16,
	NOBODY = UINT16_MAX,
};
#define FIRST_SUM_NS (10 * NS_PER_S)
#define LATER_SUM_NS NS_PER_MINUTE
#define FORGET_NS (10 * NS_PER_MINUTE)
#define LOOK_NS (5 * NS_PER_S)

/* What one packet left of itself, in a list of the address's. */
struct evidence {
	uint16_t next, bytes; /* NOBODY: the last */
	uint8_t record[EVIDENCE_RECORD];
};

/* Two cache lines. */
struct seen {
	struct addr address;
	uint32_t value, hash;
	int64_t last_ns, due_ns;

	/* since the last row */
	int64_t first_ns;
	uint64_t bytes, target_bits;
	uint32_t packets, scans, mistakes, doubtful;
	uint16_t port, evidence_first, evidence_last;
	uint8_t kind, protocol, ttl, flags, signs;

	/* of all packets */
	uint8_t role, tool, version, candidate, evidence_left;
	bool told, has_tcp;
	uint32_t probes, agreeing, seq, unicornscan_key, target_hash;
	uint16_t probe_port;
} __attribute__((aligned(128)));
_Static_assert(sizeof(struct seen) == 128, "two cache lines");

/* May be saved up to a burst, grows with time. */
struct bucket {
	int64_t full_ns; /* from when on it is full */
};

struct members {
	uint16_t sensor;
	struct sink *sink;
	struct batch *batch;

	struct pool *pool; /* of the list below */
	struct lpm *lpm;   /* value: place in the arrays, from 1 */
	uint32_t *numbers, *buckets_of;
	uint8_t *bits;
	struct bucket *buckets, all;

	struct seen *seen;
	struct addr *targets;        /* of each one's row */
	uint32_t seen_count, *slots; /* place + 1 */
	struct evidence *evidence;
	uint16_t evidence_free;
	int64_t look_ns, told_ns; /* the last look; all packets before have left as rows */
	uint64_t packets, refused;
};

/* --- the list of prefixes ----------------------------------------------------------------------------------------- */

static void evidence_begin(struct members *members)
{
	for (uint32_t i = 0; i < MEMBER_EVIDENCE_ROOM; i++)
		members->evidence[i].next = (uint16_t)(i + 1 < MEMBER_EVIDENCE_ROOM ? i + 1 : NOBODY);
	members->evidence_free = 0;
}

int members_new(uint16_t sensor, struct sink *sink, struct members **ret_members, struct err *err)
{
	struct members *members = calloc(1, sizeof *members);
	if (!members)
		return err_set(err, -ENOMEM, "no memory for members");
	members->sensor = sensor;
	members->sink = sink;
	members->look_ns = members->told_ns = INT64_MIN;
	members->batch = batch_new(&record_sighting, BATCH_ROWS);
	members->seen = table_room(MEMBER_ADDRESSES_MAX * sizeof *members->seen);
	members->targets = table_room(MEMBER_ADDRESSES_MAX * sizeof *members->targets);
	members->slots = table_room(SLOTS * sizeof *members->slots);
	members->evidence = calloc(MEMBER_EVIDENCE_ROOM, sizeof *members->evidence);
	if (!members->batch || !members->seen || !members->targets || !members->slots || !members->evidence) {
		members_free(members);
		return err_set(err, -ENOMEM, "no memory for members");
	}
	evidence_begin(members);
	*ret_members = members;
	return 0;
}

void members_free(struct members *members)
{
	if (!members)
		return;
	batch_free(members->batch);
	table_room_free(members->seen, MEMBER_ADDRESSES_MAX * sizeof *members->seen);
	table_room_free(members->targets, MEMBER_ADDRESSES_MAX * sizeof *members->targets);
	table_room_free(members->slots, SLOTS * sizeof *members->slots);
	free(members->evidence);
	pool_free(members->pool);
	free(members);
}

static int number_compare(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	return a < b ? -1 : a > b;
}

/* Members are numbered as their registry likes; their buckets stand side by side. */
static int buckets_make(struct members *made, size_t count, struct err *err)
{
	uint32_t *sorted = malloc((count + 1) * sizeof *sorted), distinct = 0;
	if (!sorted)
		return err_set(err, -ENOMEM, "no memory for %zu prefixes of members", count);
	memcpy(sorted, made->numbers + 1, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, number_compare);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || sorted[i] != sorted[i - 1])
			sorted[distinct++] = sorted[i];
	for (size_t i = 1; i <= count; i++) {
		const uint32_t *at = bsearch(&made->numbers[i], sorted, distinct, sizeof *sorted, number_compare);
		made->buckets_of[i] = (uint32_t)(at - sorted);
	}
	free(sorted);
	made->buckets = pool_array(made->pool, distinct + 1, sizeof *made->buckets);
	if (!made->buckets)
		return err_set(err, -ENOMEM, "no memory for %u members", distinct);
	for (uint32_t i = 0; i < distinct; i++)
		made->buckets[i].full_ns = INT64_MIN;
	return 0;
}

static int list_make(struct members *made, struct lpm_entry *entries, size_t count, struct err *err)
{
	made->pool = pool_new(NULL, "members");
	if (made->pool) {
		made->numbers = pool_array(made->pool, count + 1, sizeof *made->numbers);
		made->buckets_of = pool_array(made->pool, count + 1, sizeof *made->buckets_of);
		made->bits = pool_array(made->pool, count + 1, sizeof *made->bits);
	}
	if (!made->pool || !made->numbers || !made->buckets_of || !made->bits)
		return err_set(err, -ENOMEM, "no memory for %zu prefixes of members", count);
	for (size_t i = 0; i < count; i++) {
		made->numbers[i + 1] = entries[i].value;
		made->bits[i + 1] = entries[i].prefix.bits;
		entries[i].value = (uint32_t)(i + 1);
	}
	int result = buckets_make(made, count, err);
	return result == 0 ? lpm_new(entries, count, made->pool, &made->lpm, err) : result;
}

static void forget_all(struct members *members)
{
	members->seen_count = 0;
	memset(members->slots, 0, SLOTS * sizeof *members->slots);
	evidence_begin(members);
}

int members_set(struct members *members, struct lpm_entry *entries, size_t count, struct err *err)
{
	struct members made = {.all.full_ns = members->all.full_ns};
	int result = list_make(&made, entries, count, err);
	if (result == 0)
		result = members_finish(members, err);
	if (result < 0) {
		pool_free(made.pool);
		return result;
	}
	forget_all(members);
	pool_free(members->pool);
	members->pool = made.pool;
	members->lpm = count ? made.lpm : NULL;
	members->numbers = made.numbers;
	members->buckets_of = made.buckets_of;
	members->bits = made.bits;
	members->buckets = made.buckets;
	return 0;
}

/* --- matching ----------------------------------------------------------------------------------------------------- */

/* An ICMP error is about whom the packet that it quotes was for. */
static inline bool is_about_quoted(const struct packet *packet, uint8_t kind)
{
	return (packet->flags & PACKET_QUOTES) && kind == PACKET_BACKSCATTER;
}

/* The value of a packet that is not plain IPv4 from its source. */
static uint32_t match_other(const struct members *members, const struct packet *packet, uint8_t kind,
			    uint32_t *ret_address)
{
	struct addr address = is_about_quoted(packet, kind) ? packet_quoted(packet).destination : packet_source(packet);
	*ret_address = addr_is_v4(&address) ? addr_to_v4(&address) : 0;
	return lpm_find(members->lpm, &address);
}

/* Most packets end at the first look; what is left is fetched while others are searched. */
unsigned members_match(const struct members *members, struct packet *const *packets, const uint8_t *kinds,
		       unsigned count, struct member_match *ret_matches)
{
	const struct lpm *lpm = members->lpm;
	unsigned candidates = 0, matches = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct packet *packet = packets[i];
		bool other = packet->version != 4 || is_about_quoted(packet, kinds[i]);
		ret_matches[candidates] = (struct member_match){packet->src, 0, (uint16_t)i};
		if (__builtin_expect(other, 0))
			ret_matches[candidates].value =
				match_other(members, packet, kinds[i], &ret_matches[candidates].address);
		candidates += other ? ret_matches[candidates].value != 0 : lpm_may_have_v4(lpm, packet->src);
	}
	for (unsigned i = 0; i < candidates; i++)
		lpm_prefetch_v4_block(lpm, ret_matches[i].address);
	for (unsigned i = 0; i < candidates; i++)
		lpm_prefetch_v4_range(lpm, ret_matches[i].address);
	for (unsigned i = 0; i < candidates; i++) {
		struct member_match match = ret_matches[i];
		if (!match.value)
			match.value = lpm_find_v4(lpm, match.address);
		ret_matches[matches] = match;
		matches += match.value != 0;
	}
	return matches;
}

/* --- addresses ---------------------------------------------------------------------------------------------------- */

/* Taken as many a second as `rate`, after a silence up to `burst` at once (a leaky bucket told by one instant). Times
 * that go back by more than that silence start it anew. */
static bool bucket_has(const struct bucket *bucket, int64_t now_ns, int64_t rate, int64_t burst)
{
	int64_t cost = NS_PER_S / rate;
	return bucket->full_ns == INT64_MIN || bucket->full_ns - now_ns <= (burst - 1) * cost ||
	       bucket->full_ns - now_ns > 2 * burst * cost;
}

static void bucket_take(struct bucket *bucket, int64_t now_ns, int64_t rate, int64_t burst)
{
	int64_t cost = NS_PER_S / rate;
	bool anew =
		bucket->full_ns == INT64_MIN || bucket->full_ns < now_ns || bucket->full_ns - now_ns > 2 * burst * cost;
	bucket->full_ns = (anew ? now_ns : bucket->full_ns) + cost;
}

static bool may_be_new(struct members *members, uint32_t value, int64_t now_ns)
{
	struct bucket *own = &members->buckets[members->buckets_of[value]];
	if (members->seen_count == MEMBER_ADDRESSES_MAX ||
	    !bucket_has(own, now_ns, MEMBER_NEW_PER_S_OF_ONE, MEMBER_NEW_BURST_OF_ONE) ||
	    !bucket_has(&members->all, now_ns, MEMBER_NEW_PER_S, MEMBER_NEW_BURST))
		return false;
	bucket_take(own, now_ns, MEMBER_NEW_PER_S_OF_ONE, MEMBER_NEW_BURST_OF_ONE);
	bucket_take(&members->all, now_ns, MEMBER_NEW_PER_S, MEMBER_NEW_BURST);
	return true;
}

/* A packet of a burst that is about a member's address. */
struct met {
	struct addr address;
	uint32_t hash, value;
	uint16_t packet;
	uint8_t role;
};

static uint32_t address_hash(const struct addr *address, bool attacked)
{
	uint64_t high, low;
	memcpy(&high, address->bytes, 8);
	memcpy(&low, address->bytes + 8, 8);
	return (uint32_t)(hash_u64(hash_u64(high) ^ low ^ (uint64_t)attacked << 63) >> 32);
}

static inline bool is_met(const struct seen *seen, const struct met *met)
{
	return seen->hash == met->hash && (seen->role != ROLE_SOURCE) == (met->role != ROLE_SOURCE) &&
	       addr_same(&seen->address, &met->address);
}

/* An address that sends and is attacked at once is two matters. */
static struct seen *seen_at(struct members *members, const struct met *met, int64_t now_ns)
{
	uint32_t slot = met->hash & (SLOTS - 1);
	for (; members->slots[slot]; slot = (slot + 1) & (SLOTS - 1))
		if (is_met(&members->seen[members->slots[slot] - 1], met))
			return &members->seen[members->slots[slot] - 1];
	if (!may_be_new(members, met->value, now_ns))
		return NULL;
	struct seen *seen = &members->seen[members->seen_count];
	members->slots[slot] = ++members->seen_count;
	*seen = (struct seen){.address = met->address,
			      .value = met->value,
			      .hash = met->hash,
			      .role = met->role,
			      .evidence_first = NOBODY,
			      .evidence_left = MEMBER_EVIDENCE_PACKETS};
	return seen;
}

/* --- tools -------------------------------------------------------------------------------------------------------- */

static void tool_stands(struct seen *seen, uint8_t tool, uint8_t version)
{
	if ((uint64_t)seen->agreeing * SIXTEENTH < seen->probes)
		return;
	seen->tool = tool;
	seen->version = version;
}

/* A print of 16 bits that was seen before. Where it is but twenty zeros, what changes has to change as well. */
static bool agrees_alone(const struct seen *seen, const struct packet *packet, const struct tuple_key *key,
			 uint32_t seq)
{
	bool zeros = key->tool == TOOL_ZMAP && packet->protocol == 1 && key->tool_version == ZMAP_SINCE_4_1;
	return seen->candidate == key->tool && (!zeros || tool_is_zmap_echo_pair(seen->seq, seq));
}

static void tool_settle(struct seen *seen, const struct packet *packet, const struct verdict_line *line)
{
	const struct tuple_key *key = &line->key;
	bool tcp4 = packet->protocol == 6 && packet->version == 4;
	bool other = line->target_hash != seen->target_hash || packet->dport != seen->probe_port;
	uint32_t seq = key->tool == TOOL_ZMAP && packet->protocol == 1 ? load_be32(packet->l4 + 4) : packet->seq;
	uint32_t unicornscan = tcp4 ? tool_unicornscan_key(packet->seq, packet->dst, packet->dport, packet->sport) : 0;
	seen->probes += seen->probes != UINT32_MAX;
	if (key->tool != TOOL_UNKNOWN && line->certainty == TOOL_ALONE) {
		seen->tool = key->tool;
		seen->version = key->tool_version;
	} else if (key->tool == TOOL_NMAP) {
		seen->agreeing += seen->candidate == TOOL_NMAP && other && tool_is_nmap(seen->seq, seq);
		if (seen->agreeing)
			tool_stands(seen, key->tool, key->tool_version);
	} else if (key->tool != TOOL_UNKNOWN && line->certainty == TOOL_SECOND) {
		seen->agreeing += agrees_alone(seen, packet, key, seq);
		if (seen->agreeing)
			tool_stands(seen, key->tool, key->tool_version);
	} else if (key->tool == TOOL_UNKNOWN && tcp4 && seen->has_tcp && other &&
		   seen->unicornscan_key == unicornscan) {
		seen->agreeing++;
		tool_stands(seen, TOOL_UNICORNSCAN, VERSION_UNTOLD);
	}
	if (key->tool != TOOL_UNKNOWN)
		seen->candidate = key->tool;
	seen->seq = seq;
	seen->unicornscan_key = unicornscan;
	seen->target_hash = line->target_hash;
	seen->probe_port = packet->dport;
	seen->has_tcp |= tcp4;
}

/* --- evidence ----------------------------------------------------------------------------------------------------- */

static void evidence_keep(struct members *members, struct seen *seen, const struct packet *packet,
			  const struct frame *frame)
{
	if (!seen->evidence_left || members->evidence_free == NOBODY)
		return;
	size_t have = frame->captured_bytes - (size_t)(packet->ip - frame->data);
	uint32_t wire = packet->ip_bytes;
	have = wire && have > wire ? wire : have; /* without the padding of short Ethernet frames */
	have = have > MEMBER_EVIDENCE_BYTES ? MEMBER_EVIDENCE_BYTES : have;
	struct frame kept = {.time_ns = packet->time_ns,
			     .data = packet->ip,
			     .captured_bytes = (uint32_t)have,
			     .wire_bytes = wire > have ? wire : (uint32_t)have};
	uint16_t place = members->evidence_free;
	struct evidence *evidence = &members->evidence[place];
	members->evidence_free = evidence->next;
	evidence->next = NOBODY;
	evidence->bytes = (uint16_t)pcap_write_frame(evidence->record, &kept, true);
	if (seen->evidence_first == NOBODY)
		seen->evidence_first = place;
	else
		members->evidence[seen->evidence_last].next = place;
	seen->evidence_last = place;
	seen->evidence_left--;
}

/* All of it in one piece, copied into the batch; its room is free again. */
static struct text evidence_hand_out(struct members *members, struct seen *seen)
{
	uint8_t all[MEMBER_EVIDENCE_PACKETS * EVIDENCE_RECORD];
	size_t used = 0;
	while (seen->evidence_first != NOBODY) {
		uint16_t place = seen->evidence_first;
		struct evidence *evidence = &members->evidence[place];
		memcpy(all + used, evidence->record, evidence->bytes);
		used += evidence->bytes;
		seen->evidence_first = evidence->next;
		evidence->next = members->evidence_free;
		members->evidence_free = place;
	}
	return used ? batch_text(members->batch, (const char *)all, used) : (struct text){NULL, 0};
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

static int batch_hand_out(struct members *members, struct err *err)
{
	int result = members->batch->rows ? members->sink->put(members->sink, members->batch, err) : 0;
	batch_clear(members->batch);
	return result < 0 ? result : 0;
}

static void row_write(struct members *members, struct seen *seen)
{
	struct batch *batch = members->batch;
	uint32_t row = batch->rows++, column = 0;
#define PUT(type, value) (BATCH_COLUMN(batch, type, column)[row] = (value), column++)
	PUT(int64_t, seen->last_ns);
	PUT(uint16_t, members->sensor);
	PUT(uint32_t, members->numbers[seen->value]);
	PUT(struct addr, seen->address);
	PUT(uint8_t, members->bits[seen->value]);
	PUT(uint8_t, seen->role);
	PUT(uint8_t, !seen->told);
	PUT(uint8_t, seen->kind);
	PUT(uint8_t, seen->tool);
	PUT(uint8_t, seen->version);
	PUT(uint8_t, seen->protocol);
	PUT(uint16_t, seen->port);
	PUT(struct addr, members->targets[seen - members->seen]);
	PUT(uint8_t, seen->ttl);
	PUT(uint8_t, seen->flags);
	PUT(uint8_t, seen->signs);
	PUT(uint32_t, seen->packets);
	PUT(uint32_t, seen->scans);
	PUT(uint32_t, seen->mistakes);
	PUT(uint32_t, seen->doubtful);
	PUT(uint64_t, seen->bytes);
	PUT(uint32_t, targets_estimate(seen->target_bits, seen->packets));
	PUT(int64_t, seen->first_ns);
	PUT(struct text, evidence_hand_out(members, seen));
#undef PUT
}

static int row_hand_out(struct members *members, struct seen *seen, struct err *err)
{
	row_write(members, seen);
	seen->due_ns = seen->last_ns + (seen->told ? LATER_SUM_NS : FIRST_SUM_NS);
	seen->told = true;
	seen->packets = seen->scans = seen->mistakes = seen->doubtful = 0;
	seen->bytes = seen->target_bits = 0;
	seen->signs = 0;
	return members->batch->rows == members->batch->capacity ? batch_hand_out(members, err) : 0;
}

static void row_begin(struct members *members, struct seen *seen, const struct packet *packet,
		      const struct verdict_line *line, uint8_t role)
{
	seen->role = role;
	seen->kind = line->key.kind;
	seen->protocol = packet->protocol;
	seen->port = line->key.port;
	seen->flags = packet->tcp_flags;
	seen->ttl = packet->ttl;
	seen->first_ns = packet->time_ns;
	members->targets[seen - members->seen] = packet_destination(packet);
	if (role == ROLE_QUOTED) {
		struct packet_quote quote = packet_quoted(packet);
		seen->protocol = quote.protocol;
		seen->port = quote.dport;
	} else if (role == ROLE_ANSWERING && packet->protocol != 6 && packet->protocol != 17) {
		seen->port = 0;
	}
}

static void packet_fold(struct members *members, struct seen *seen, const struct packet *packet,
			const struct verdict_line *line, uint8_t role)
{
	bool probe = line->key.kind == PACKET_SCAN || line->key.kind == PACKET_REFLECTION;
	if (seen->packets == 0)
		row_begin(members, seen, packet, line, role);
	if (probe)
		tool_settle(seen, packet, line);
	uint8_t signs = role == ROLE_SOURCE ? packet_spoof_signs(packet, (enum scan_tool)line->key.tool) : 0;
	seen->signs |= signs;
	seen->packets += seen->packets != UINT32_MAX;
	seen->doubtful += signs != 0;
	seen->scans += role == ROLE_SOURCE && !signs && probe;
	seen->mistakes += role == ROLE_SOURCE && !signs && !probe;
	seen->bytes += packet->ip_bytes;
	seen->target_bits |= target_bit(line->target_hash);
	seen->first_ns = packet->time_ns < seen->first_ns ? packet->time_ns : seen->first_ns;
	seen->last_ns = packet->time_ns > seen->last_ns ? packet->time_ns : seen->last_ns;
}

static int met_take(struct members *members, const struct met *met, const struct packet *packet,
		    const struct frame *frame, const struct verdict_line *line, struct err *err)
{
	struct seen *seen = seen_at(members, met, packet->time_ns);
	if (!seen) {
		members->refused++;
		return 0;
	}
	bool at_once = !seen->told || packet->time_ns - seen->last_ns >= FIRST_SUM_NS;
	packet_fold(members, seen, packet, line, met->role);
	evidence_keep(members, seen, packet, frame);
	return at_once ? row_hand_out(members, seen, err) : 0;
}

/* Known surveys are left out: they are on purpose. */
static unsigned burst_met(const struct members *members, struct packet *const *packets,
			  const struct verdict_line *lines, const struct member_match *matches, unsigned count,
			  struct met *ret_met)
{
	unsigned met_count = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct packet *packet = packets[matches[i].packet];
		uint8_t kind = lines[matches[i].packet].key.kind;
		if (kind == PACKET_SURVEY)
			continue;
		uint8_t role = kind != PACKET_BACKSCATTER      ? ROLE_SOURCE
			       : is_about_quoted(packet, kind) ? ROLE_QUOTED
							       : ROLE_ANSWERING;
		struct met *met = &ret_met[met_count++];
		met->address = role == ROLE_QUOTED ? packet_quoted(packet).destination : packet_source(packet);
		met->hash = address_hash(&met->address, role != ROLE_SOURCE);
		met->value = matches[i].value;
		met->packet = matches[i].packet;
		met->role = role;
		__builtin_prefetch(&members->slots[met->hash & (SLOTS - 1)]);
	}
	for (unsigned i = 0; i < met_count; i++) {
		uint32_t place = members->slots[ret_met[i].hash & (SLOTS - 1)];
		if (place) {
			__builtin_prefetch(&members->seen[place - 1], 1);
			__builtin_prefetch((const char *)&members->seen[place - 1] + 64, 1);
		}
	}
	return met_count;
}

/* What is due goes out, who was silent for long is forgotten. */
static int members_look(struct members *members, int64_t now_ns, struct err *err)
{
	uint32_t kept = 0;
	int result = 0;
	members->look_ns = members->told_ns = now_ns;
	for (uint32_t i = 0; i < members->seen_count; i++) {
		struct seen *seen = &members->seen[i];
		if (seen->packets && (seen->due_ns <= now_ns || seen->due_ns - now_ns > 2 * LATER_SUM_NS)) {
			int step = row_hand_out(members, seen, err);
			result = result < 0 ? result : step;
		}
		if (seen->packets && seen->first_ns < members->told_ns)
			members->told_ns = seen->first_ns;
		bool silent = now_ns - seen->last_ns > FORGET_NS || seen->last_ns - now_ns > FORGET_NS;
		if (silent && !seen->packets)
			continue;
		if (kept != i) {
			members->seen[kept] = *seen;
			members->targets[kept] = members->targets[i];
		}
		kept++;
	}
	if (kept == members->seen_count)
		return result;
	members->seen_count = kept;
	memset(members->slots, 0, SLOTS * sizeof *members->slots);
	for (uint32_t i = 0; i < kept; i++) {
		uint32_t slot = members->seen[i].hash & (SLOTS - 1);
		while (members->slots[slot])
			slot = (slot + 1) & (SLOTS - 1);
		members->slots[slot] = i + 1;
	}
	return result;
}

int members_take(struct members *members, struct packet *const *packets, const struct frame *const *frames,
		 const struct verdict_line *lines, const struct member_match *matches, unsigned count, int64_t now_ns,
		 struct err *err)
{
	struct met met[BURST_MAX];
	unsigned met_count = burst_met(members, packets, lines, matches, count, met);
	int result = 0;
	members->packets += met_count;
	for (unsigned i = 0; i < met_count; i++) {
		unsigned at = met[i].packet;
		int step = met_take(members, &met[i], packets[at], frames[at], &lines[at], err);
		result = result < 0 ? result : step;
	}
	if (members->seen_count && (now_ns - members->look_ns >= LOOK_NS || now_ns < members->look_ns - LOOK_NS)) {
		int step = members_look(members, now_ns, err);
		result = result < 0 ? result : step;
	}
	int step = batch_hand_out(members, err);
	return result < 0 ? result : step;
}

int members_tick(struct members *members, int64_t now_ns, struct err *err)
{
	int result = 0;
	if (members->seen_count && now_ns - members->look_ns >= LOOK_NS)
		result = members_look(members, now_ns, err);
	int step = batch_hand_out(members, err);
	return result < 0 ? result : step;
}

int members_finish(struct members *members, struct err *err)
{
	int result = 0;
	for (uint32_t i = 0; i < members->seen_count; i++)
		if (members->seen[i].packets) {
			int step = row_hand_out(members, &members->seen[i], err);
			result = result < 0 ? result : step;
		}
	int step = batch_hand_out(members, err);
	return result < 0 ? result : step;
}

void members_count(const struct members *members, struct telescope_counts *counts)
{
	counts->member_addresses = members->seen_count;
	counts->member_packets = members->packets;
	counts->sightings_refused = members->refused;
}

int64_t members_told_until(const struct members *members, int64_t now_ns)
{
	return members->seen_count == 0 || members->told_ns > now_ns ? now_ns : members->told_ns;
}
