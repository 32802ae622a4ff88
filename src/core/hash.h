/* Hashes for tables: quick, seeded, not for secrets. */
#pragma once

#include <stdint.h>

/* A strong 64-bit mixer (the finaliser of MurmurHash3 by Appleby, with Stafford's "mix 13" constants). */
static inline uint64_t hash_u64(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	x ^= x >> 31;
	return x;
}

/* splitmix64: the next of a reproducible series of random numbers. */
static inline uint64_t random_next(uint64_t *state)
{
	return hash_u64(*state += UINT64_C(0x9e3779b97f4a7c15));
}

/* Uniform in 0..bound-1, bound > 0 (Lemire's multiply-shift; its bias is below 2^-32 for bounds below 2^32). */
static inline uint64_t random_below(uint64_t *state, uint64_t bound)
{
	return (uint64_t)(((unsigned __int128)random_next(state) * bound) >> 64);
}
