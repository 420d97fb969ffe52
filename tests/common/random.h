/*
 * Random numbers of the tests: the same ones for the same seed on every system
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_RANDOM_H
#define WRITEWATCH_RANDOM_H

#include <stdint.h>

/* Spreads seeds that follow each other: the golden ratio, as a fraction of 2^64. */
#define RANDOM_SPREAD 0x9e3779b97f4a7c15ull

/* a xorshift generator; the state is the caller's and not zero */
static inline uint64_t random_word( uint64_t *state )
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* the better half of a word */
static inline uint32_t next_random( uint64_t *state )
{
    return random_word( state ) >> 32;
}

/* splitmix64, for which each state is good */
static inline uint64_t random_mix( uint64_t *state )
{
    uint64_t value = *state += RANDOM_SPREAD;

    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ value >> 27) * 0x94d049bb133111ebull;
    return value ^ value >> 31;
}

#endif /* WRITEWATCH_RANDOM_H */
