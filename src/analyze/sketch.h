/* Counting distinct things in little room, with hashes as input. */
#pragma once

#include "core/addr.h"
#include "core/hash.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* A hash of an address that is the same in every process: for sketches, which a stranger gains nothing from filling. */
static inline uint64_t addr_hash(const struct addr *addr)
{
	uint64_t words[2];
	memcpy(words, addr->bytes, sizeof words);
	return hash_u64(hash_u64(words[0] + UINT64_C(0x9e3779b97f4a7c15)) ^ words[1]);
}

/* Linear counting (Whang et al. 1990) over 512 bits: within 1 up to some 40, within 5 % up to 1,000, full at 3,000. */
struct few {
	uint64_t bits[8];
};

static inline uint64_t *few_word(struct few *few, uint64_t hash)
{
	return &few->bits[hash >> 61];
}

/* True when the bit was new. */
static inline int few_add(struct few *few, uint64_t hash)
{
	uint64_t *word = few_word(few, hash), bit = UINT64_C(1) << (hash >> 55 & 63);
	int fresh = !(*word & bit);
	*word |= bit;
	return fresh;
}

static inline double few_count(const struct few *few)
{
	int set = 0;
	for (int i = 0; i < 8; i++)
		set += __builtin_popcountll(few->bits[i]);
	return set >= 512 ? 3194 : -512 * log(1 - set / 512.0);
}

/* HyperLogLog (Flajolet et al. 2007) with 512 registers: 4.6 % standard error; linear counting where few. */
enum { MANY_REGISTERS = 512 };
struct many {
	uint8_t registers[MANY_REGISTERS];
};

static inline uint8_t *many_register(struct many *many, uint64_t hash)
{
	return &many->registers[hash >> 55];
}

static inline void many_add(struct many *many, uint64_t hash)
{
	uint64_t rest = hash << 9 | 1 << 8;
	uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
	uint8_t *at = many_register(many, hash);
	if (rank > *at)
		*at = rank;
}

static inline double many_count(const struct many *many)
{
	double sum = 0;
	int zeros = 0;
	for (int i = 0; i < MANY_REGISTERS; i++) {
		sum += ldexp(1, -many->registers[i]);
		zeros += many->registers[i] == 0;
	}
	double estimate = 0.7213 / (1 + 1.079 / MANY_REGISTERS) * MANY_REGISTERS * MANY_REGISTERS / sum;
	return estimate < 2.5 * MANY_REGISTERS && zeros ? MANY_REGISTERS * log((double)MANY_REGISTERS / zeros)
							: estimate;
}
