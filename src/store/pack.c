/* See pack.h. */
#include "store/pack.h"

#include "core/hash.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum pack_code { PACK_SAME, PACK_BITS, PACK_DICTIONARY };
enum {
	DICTIONARY_MAX = 1024,
	DICTIONARY_SLOTS = 4096,
	SAMPLE = 512,
	WIDTH_MAX = 56, /* that one load of 64 bits holds at any bit of a byte; wider ones take 64 */
	LOAD_PAST = 8,
	EXCEPTION_BYTES = 10,
};

size_t pack_bound(uint32_t count)
{
	return 64 + (size_t)count * 8 + LOAD_PAST;
}

static unsigned width_of(uint64_t number)
{
	return number ? 64 - (unsigned)__builtin_clzll(number) : 0;
}

static size_t bits_bytes(uint32_t count, unsigned width)
{
	return ((size_t)count * width + 7) / 8 + LOAD_PAST;
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

struct out {
	uint8_t *at;
};

static void put(struct out *out, uint64_t number, unsigned bytes)
{
	memcpy(out->at, &number, bytes);
	out->at += bytes;
}

/* Numbers below 2^width, one behind the other, the lowest bit first. */
static void put_bits(struct out *out, const uint64_t *numbers, uint32_t count, unsigned width)
{
	uint8_t *at = out->at;
	uint64_t word = 0;
	unsigned filled = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t number = numbers[i];
		word |= number << filled;
		filled += width;
		if (filled >= 64) {
			memcpy(at, &word, 8);
			at += 8;
			filled -= 64;
			word = filled ? number >> (width - filled) : 0;
		}
	}
	memcpy(at, &word, 8);
	uint8_t *end = out->at + bits_bytes(count, width);
	at += 8;
	if (at < end)
		memset(at, 0, (size_t)(end - at));
	out->at = end;
}

struct span {
	uint64_t least, most, unit;
};

/* Each unit apart, so that the compiler divides by a constant. */
#define SHARES(number_of)                                                                                              \
	for (uint32_t i = 0; i < count; i++)                                                                           \
		if ((numbers[i] - least) % (number_of))                                                                \
			return false;                                                                                  \
	return true

static bool shares_seconds(const uint64_t *numbers, uint32_t count, uint64_t least)
{
	SHARES(1000000000);
}

static bool shares_milliseconds(const uint64_t *numbers, uint32_t count, uint64_t least)
{
	SHARES(1000000);
}

static bool shares_microseconds(const uint64_t *numbers, uint32_t count, uint64_t least)
{
	SHARES(1000);
}

static uint64_t unit_of(const uint64_t *numbers, uint32_t count, uint64_t least)
{
	return shares_seconds(numbers, count, least)        ? 1000000000
	       : shares_milliseconds(numbers, count, least) ? 1000000
	       : shares_microseconds(numbers, count, least) ? 1000
							    : 1;
}

static struct span span_of(const uint64_t *numbers, uint32_t count)
{
	struct span span = {numbers[0], numbers[0], 1};
	for (uint32_t i = 1; i < count; i++) {
		span.least = numbers[i] < span.least ? numbers[i] : span.least;
		span.most = numbers[i] > span.most ? numbers[i] : span.most;
	}
	if (span.most - span.least >= 1000 && (numbers[count / 2] - span.least) % 1000 == 0)
		span.unit = unit_of(numbers, count, span.least);
	return span;
}

#define SCALE(number_of)                                                                                               \
	for (uint32_t i = 0; i < count; i++)                                                                           \
	scaled[i] = (numbers[i] - least) / (number_of)

static void scale(const uint64_t *numbers, uint32_t count, const struct span *span, uint64_t *scaled)
{
	uint64_t least = span->least;
	switch (span->unit) {
	case 1:
		SCALE(1);
		break;
	case 1000:
		SCALE(1000);
		break;
	case 1000000:
		SCALE(1000000);
		break;
	default:
		SCALE(1000000000);
	}
}

/* The width for which bits and exceptions together are shortest. */
static unsigned width_choose(const uint64_t *scaled, uint32_t count, uint32_t step, unsigned widest)
{
	uint32_t counts[66] = {0}, above = 0, looked = 0;
	for (uint32_t i = 0; i < count; i += step, looked++)
		counts[width_of(scaled[i])]++;
	unsigned best = widest > WIDTH_MAX ? 64 : widest;
	size_t best_bits = (size_t)looked * best;
	for (unsigned width = 64; width-- > 0;) {
		above += counts[width + 1];
		size_t bits = (size_t)looked * width + (size_t)above * EXCEPTION_BYTES * 8;
		if (bits < best_bits && width <= WIDTH_MAX) {
			best_bits = bits;
			best = width;
		}
	}
	return best;
}

static uint32_t put_exceptions(struct out *to, uint64_t *scaled, uint32_t count, unsigned width)
{
	uint32_t exceptions = 0;
	for (uint32_t i = 0; i < count; i++)
		if (scaled[i] >> width) {
			put(to, i, 2);
			put(to, scaled[i], 8);
			scaled[i] = 0;
			exceptions++;
		}
	return exceptions;
}

static size_t pack_bits(const uint64_t *numbers, uint32_t count, const struct span *span, uint8_t *out)
{
	static _Thread_local uint64_t scaled[PACK_ROWS_MAX];
	unsigned widest = width_of((span->most - span->least) / span->unit), width = widest;
	scale(numbers, count, span, scaled);
	if (widest > 2 && width_choose(scaled, count, count / SAMPLE + 1, widest) < widest) /* a few say that it pays */
		width = width_choose(scaled, count, 1, widest);
	width = width > WIDTH_MAX ? 64 : width;
	struct out to = {out};
	put(&to, PACK_BITS, 1);
	put(&to, width, 1);
	uint8_t *exceptions = to.at;
	put(&to, 0, 4);
	put(&to, span->least, 8);
	put(&to, span->unit, 8);
	uint32_t count_apart = width < widest && width < 64 ? put_exceptions(&to, scaled, count, width) : 0;
	memcpy(exceptions, &count_apart, 4);
	put_bits(&to, scaled, count, width);
	return (size_t)(to.at - out);
}

struct dictionary {
	uint32_t count;
	uint64_t numbers[DICTIONARY_MAX];
	uint16_t slots[DICTIONARY_SLOTS]; /* number + 1 */
};

/* The place of a number, made when new; DICTIONARY_MAX: there are too many. */
static uint32_t dictionary_place(struct dictionary *dictionary, uint64_t number)
{
	uint32_t slot = (uint32_t)((number * UINT64_C(0x9e3779b97f4a7c15)) >> 52);
	for (; dictionary->slots[slot]; slot = (slot + 1) & (DICTIONARY_SLOTS - 1))
		if (dictionary->numbers[dictionary->slots[slot] - 1] == number)
			return dictionary->slots[slot] - 1u;
	if (dictionary->count == DICTIONARY_MAX)
		return DICTIONARY_MAX;
	dictionary->numbers[dictionary->count] = number;
	dictionary->slots[slot] = (uint16_t)++dictionary->count;
	return dictionary->count - 1;
}

/* Few distinct ones among a sample: only then is a dictionary tried. */
static bool looks_repeated(const uint64_t *numbers, uint32_t count)
{
	struct dictionary seen;
	seen.count = 0;
	memset(seen.slots, 0, sizeof seen.slots);
	uint32_t step = count / SAMPLE + 1, looked = 0;
	for (uint32_t i = 0; i < count; i += step, looked++)
		dictionary_place(&seen, numbers[i]);
	return seen.count * 3 < looked || looked < 16;
}

/* 0: it would not be shorter than `least` bytes. */
static size_t pack_dictionary(const uint64_t *numbers, uint32_t count, size_t least, uint8_t *out)
{
	static _Thread_local uint64_t places[PACK_ROWS_MAX];
	struct dictionary dictionary;
	dictionary.count = 0;
	memset(dictionary.slots, 0, sizeof dictionary.slots);
	for (uint32_t i = 0; i < count; i++) {
		places[i] = dictionary_place(&dictionary, numbers[i]);
		if (places[i] == DICTIONARY_MAX)
			return 0;
	}
	unsigned width = width_of(dictionary.count - 1);
	if (6 + (size_t)dictionary.count * 8 + bits_bytes(count, width) >= least)
		return 0;
	struct out to = {out};
	put(&to, PACK_DICTIONARY, 1);
	put(&to, width, 1);
	put(&to, dictionary.count, 4);
	memcpy(to.at, dictionary.numbers, dictionary.count * sizeof *dictionary.numbers);
	to.at += dictionary.count * sizeof *dictionary.numbers;
	put_bits(&to, places, count, width);
	return (size_t)(to.at - out);
}

size_t pack_same(uint64_t number, uint8_t *out)
{
	struct out to = {out};
	put(&to, PACK_SAME, 1);
	put(&to, number, 8);
	return (size_t)(to.at - out);
}

size_t pack_numbers(const uint64_t *numbers, uint32_t count, uint8_t *out)
{
	struct span span = span_of(numbers, count);
	if (span.least == span.most)
		return pack_same(span.least, out);
	unsigned width = width_of((span.most - span.least) / span.unit);
	size_t plain = bits_bytes(count, width);
	if (width > 1 && looks_repeated(numbers, count)) {
		size_t bytes = pack_dictionary(numbers, count, plain, out);
		if (bytes)
			return bytes;
	}
	return pack_bits(numbers, count, &span, out);
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

/* The bits were checked to be there, with LOAD_PAST bytes behind them. */
static void take_bits(const uint8_t *at, uint64_t *numbers, uint32_t count, unsigned width)
{
	if (width == 64) {
		memcpy(numbers, at, (size_t)count * 8);
		return;
	}
	uint64_t mask = (UINT64_C(1) << width) - 1;
	for (uint32_t i = 0; i < count; i++) {
		size_t bit = (size_t)i * width;
		numbers[i] = load_le64(at + (bit >> 3)) >> (bit & 7) & mask;
	}
}

static int unpack_bits(struct cursor *in, uint64_t *numbers, uint32_t count)
{
	unsigned width = cursor_u8(in);
	uint32_t exceptions = cursor_le32(in);
	uint64_t least = cursor_le64(in), unit = cursor_le64(in);
	if (in->failed || (width > WIDTH_MAX && width != 64) || exceptions > count)
		return -EBADMSG;
	const uint8_t *apart = cursor_take(in, (size_t)exceptions * EXCEPTION_BYTES);
	const uint8_t *bits = cursor_take(in, bits_bytes(count, width));
	if (!apart || !bits)
		return -EBADMSG;
	take_bits(bits, numbers, count, width);
	for (uint32_t i = 0; i < exceptions; i++) {
		uint32_t row = load_le16(apart + (size_t)i * EXCEPTION_BYTES);
		if (row >= count)
			return -EBADMSG;
		numbers[row] = load_le64(apart + (size_t)i * EXCEPTION_BYTES + 2);
	}
	for (uint32_t i = 0; i < count; i++)
		numbers[i] = numbers[i] * unit + least;
	return 0;
}

static int unpack_dictionary(struct cursor *in, uint64_t *numbers, uint32_t count)
{
	uint64_t dictionary[DICTIONARY_MAX];
	unsigned width = cursor_u8(in);
	uint32_t distinct = cursor_le32(in);
	if (in->failed || width > 10 || distinct > DICTIONARY_MAX)
		return -EBADMSG;
	const uint8_t *entries = cursor_take(in, (size_t)distinct * 8);
	const uint8_t *bits = cursor_take(in, bits_bytes(count, width));
	if (!entries || !bits)
		return -EBADMSG;
	memset(dictionary, 0, sizeof dictionary); /* a place that no entry has is 0 */
	memcpy(dictionary, entries, (size_t)distinct * 8);
	take_bits(bits, numbers, count, width);
	for (uint32_t i = 0; i < count; i++)
		numbers[i] = dictionary[numbers[i]];
	return 0;
}

int unpack_numbers(struct cursor *in, uint64_t *ret_numbers, uint32_t count)
{
	unsigned code = cursor_u8(in);
	if (code == PACK_BITS)
		return unpack_bits(in, ret_numbers, count);
	if (code == PACK_DICTIONARY)
		return unpack_dictionary(in, ret_numbers, count);
	uint64_t same = cursor_le64(in);
	if (in->failed || code != PACK_SAME)
		return -EBADMSG;
	for (uint32_t i = 0; i < count; i++)
		ret_numbers[i] = same;
	return 0;
}
