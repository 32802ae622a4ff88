/* See exports.h. */
#include "exports.h"

#include "core/hash.h"

#include <stdbool.h>

enum { SECONDS = 1780000000, UPTIME_MS = 400000000, V4 = 256, V6 = 257, V4_TWO = 258, REFRESH = 256 };

struct out {
	uint8_t *at;
};

static void put(struct out *out, uint64_t number, unsigned width)
{
	for (unsigned i = width; i-- > 0;)
		*out->at++ = (uint8_t)(number >> 8 * i);
}

static void patch(uint8_t *at, size_t number)
{
	at[0] = (uint8_t)(number >> 8);
	at[1] = (uint8_t)number;
}

/* What routers send: addresses, ports, protocol, flags, counts, times, interfaces, AS numbers; the second form for IPv4
 * has fewer and longer ones. */
static const struct field {
	uint16_t id, bytes;
} v4_fields[] = {{8, 4}, {12, 4}, {15, 4}, {10, 4}, {14, 4}, {2, 4},  {1, 4},  {22, 4}, {21, 4},
		 {7, 2}, {11, 2}, {6, 1},  {4, 1},  {5, 1},  {61, 1}, {16, 4}, {17, 4}},
  v6_fields[] = {{27, 16}, {28, 16}, {10, 4}, {14, 4}, {2, 8}, {1, 8}, {22, 4},
		 {21, 4},  {7, 2},   {11, 2}, {6, 1},  {4, 1}, {5, 1}},
  two_fields[] = {{1, 8}, {2, 8}, {22, 4}, {21, 4}, {8, 4}, {12, 4}, {7, 2}, {11, 2}, {4, 1}, {6, 1}, {136, 1}};
enum {
	V4_FIELDS = sizeof v4_fields / sizeof *v4_fields,
	V6_FIELDS = sizeof v6_fields / sizeof *v6_fields,
	TWO_FIELDS = sizeof two_fields / sizeof *two_fields,
};

/* IPFIX tells times in milliseconds since 1970. */
static struct field as_ipfix(struct field field, enum export_form form)
{
	if (form != EXPORT_IPFIX || (field.id != 21 && field.id != 22))
		return field;
	return (struct field){field.id == 22 ? 152 : 153, 8};
}

static void put_template(struct out *out, enum export_form form, unsigned id, const struct field *fields,
			 unsigned count)
{
	put(out, id, 2);
	put(out, count, 2);
	for (unsigned i = 0; i < count; i++) {
		struct field field = as_ipfix(fields[i], form);
		put(out, field.id, 2);
		put(out, field.bytes, 2);
	}
}

static void put_templates(struct out *out, enum export_form form)
{
	uint8_t *set = out->at;
	put(out, form == EXPORT_IPFIX ? 2 : 0, 2);
	put(out, 0, 2);
	put_template(out, form, V4, v4_fields, V4_FIELDS);
	put_template(out, form, V6, v6_fields, V6_FIELDS);
	put_template(out, form, V4_TWO, two_fields, TWO_FIELDS);
	patch(set + 2, (size_t)(out->at - set));
}

static uint64_t value_of(const struct exports *exports, uint16_t id, uint64_t r)
{
	switch (id) {
	case 1:
		return 40 + r % 150000;
	case 2:
		return 1 + r % 100;
	case 21:
	case 22:
		return UPTIME_MS - (id == 22 ? 30000 : 0) - r % 30000;
	case 152:
	case 153:
		return SECONDS * UINT64_C(1000) + exports->messages / 1000 - (id == 152 ? 30000 : 0) - r % 30000;
	case 4:
		return r % 3 ? 6 : 17;
	case 5:
		return r % 4 << 5;
	case 6:
		return (const uint8_t[]){0x02, 0x12, 0x18, 0x1a, 0x1b, 0x1f, 0x14, 0}[r % 8];
	case 10:
	case 14:
		return r % 500;
	case 15:
		return 0x0a000000 | r % 16;
	case 16:
	case 17:
		return 64512 + r % 1000;
	case 61:
		return r & 1;
	default:
		return r;
	}
}

static void put_record(struct out *out, struct exports *exports, const struct field *fields, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct field field = as_ipfix(fields[i], exports->form);
		uint64_t r = random_next(&exports->seed);
		if (field.bytes == 16) {
			put(out, 0x20010db800000000 | (r & 0xffffff), 8);
			put(out, random_next(&exports->seed), 8);
		} else {
			put(out, value_of(exports, field.id, r), field.bytes);
		}
	}
}

static size_t record_bytes(enum export_form form, const struct field *fields, unsigned count)
{
	size_t bytes = 0;
	for (unsigned i = 0; i < count; i++)
		bytes += as_ipfix(fields[i], form).bytes;
	return bytes;
}

static unsigned put_data(struct out *out, const uint8_t *end, struct exports *exports, unsigned id,
			 const struct field *fields, unsigned count, unsigned most)
{
	size_t bytes = record_bytes(exports->form, fields, count);
	uint8_t *set = out->at;
	unsigned records = 0;
	if (out->at + 4 + bytes > end)
		return 0;
	put(out, id, 2);
	put(out, 0, 2);
	for (; records < most && out->at + bytes <= end; records++)
		put_record(out, exports, fields, count);
	patch(set + 2, (size_t)(out->at - set));
	return records;
}

static unsigned put_v5(struct out *out, struct exports *exports)
{
	static const struct field fields[] = {{8, 4},  {12, 4}, {15, 4}, {10, 2}, {14, 2},  {2, 4},  {1, 4},
					      {22, 4}, {21, 4}, {7, 2},  {11, 2}, {210, 1}, {6, 1},  {4, 1},
					      {5, 1},  {16, 2}, {17, 2}, {9, 1},  {13, 1},  {210, 2}};
	enum { RECORDS = 30 };
	put(out, 5, 2), put(out, RECORDS, 2), put(out, UPTIME_MS, 4), put(out, SECONDS, 4), put(out, 0, 4);
	put(out, exports->sequence, 4), put(out, 0, 4);
	for (unsigned i = 0; i < RECORDS; i++)
		put_record(out, exports, fields, sizeof fields / sizeof *fields);
	exports->sequence += RECORDS;
	return RECORDS;
}

/* Five in eight records IPv4, one in eight the other form, two in eight IPv6: a set of each in every datagram. */
static unsigned put_sets(struct out *out, struct exports *exports, const uint8_t *end)
{
	unsigned records = put_data(out, end, exports, V4, v4_fields, V4_FIELDS, 15);
	records += put_data(out, end, exports, V4_TWO, two_fields, TWO_FIELDS, 3);
	records += put_data(out, end, exports, V6, v6_fields, V6_FIELDS, 6);
	return records;
}

size_t exports_next(struct exports *exports, uint8_t out[EXPORT_BYTES_MAX], unsigned *ret_records)
{
	struct out to = {out};
	const uint8_t *end = out + EXPORT_BYTES_MAX;
	bool with_templates = exports->messages % REFRESH == 0;
	if (exports->form == EXPORT_V5) {
		*ret_records = put_v5(&to, exports);
	} else if (exports->form == EXPORT_V9) {
		put(&to, 9, 2), put(&to, 3, 2), put(&to, UPTIME_MS, 4), put(&to, SECONDS, 4);
		put(&to, exports->sequence++, 4), put(&to, 1, 4);
		if (with_templates)
			put_templates(&to, exports->form);
		*ret_records = put_sets(&to, exports, end);
	} else {
		put(&to, 10, 2), put(&to, 0, 2), put(&to, SECONDS, 4), put(&to, exports->sequence, 4), put(&to, 1, 4);
		if (with_templates)
			put_templates(&to, exports->form);
		*ret_records = put_sets(&to, exports, end);
		exports->sequence += *ret_records;
		patch(out + 2, (size_t)(to.at - out));
	}
	exports->messages++;
	exports->records += *ret_records;
	return (size_t)(to.at - out);
}
