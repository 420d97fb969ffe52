/*
 * The benchmark: numbers, and pages to write
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

int small;
const char *tag;

size_t scaled( uint64_t size )
{
    if (!small) return size;
    return size / 256 > 64 * KIB ? size / 256 : 64 * KIB;
}

int fits( uint64_t size )
{
    if (small) size /= 256;
    if (sizeof(void *) == 8 || size <= GIB) return 1;
    fprintf( stderr, "%u GiB do not fit into this address space\n", (unsigned int)(size / GIB) );
    return 0;
}

unsigned int repeats( unsigned int count )
{
    return small ? 1 : count;
}

static int compare( const void *a, const void *b )
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

double median( double *values, size_t count )
{
    qsort( values, count, sizeof(*values), compare );
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

double lowest_tenth( double *values, size_t count )
{
    qsort( values, count, sizeof(*values), compare );
    return values[(count - 1) / 10];
}

uint32_t next_random( uint64_t *state )
{
    if (!*state) *state = 0x9e3779b97f4a7c15ull;
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 32;
}

uint32_t *page_order( size_t pages )
{
    uint32_t *order = malloc( pages * sizeof(*order) );
    size_t i;

    if (!order) fail( "malloc" );
    for (i = 0; i < pages; i++) order[i] = i;
    return order;
}

void shuffle( uint32_t *order, size_t pages, size_t chosen, uint64_t *state )
{
    size_t i, j;
    uint32_t page;

    for (i = 0; i < chosen; i++)
    {
        j = i + next_random( state ) % (pages - i);
        page = order[i];
        order[i] = order[j];
        order[j] = page;
    }
}

void write_pages( void *base, size_t size, size_t stride )
{
    volatile char *ptr = base;
    size_t i;

    for (i = 0; i < size; i += stride * PAGE_SIZE) ptr[i]++;
}

void store_pages( void *base, size_t size, size_t stride )
{
    volatile char *ptr = base;
    size_t i;

    for (i = 0; i < size; i += stride * PAGE_SIZE) ptr[i] = 1;
}

void write_chosen( void *base, const uint32_t *order, size_t count )
{
    volatile char *ptr = base;
    size_t i;

    for (i = 0; i < count; i++) ptr[order[i] * PAGE_SIZE]++;
}

void **address_array( size_t size )
{
    void **addresses = malloc( size / PAGE_SIZE * sizeof(*addresses) );

    if (!addresses) fail( "malloc" );
    memset( addresses, 0xff, size / PAGE_SIZE * sizeof(*addresses) );
    return addresses;
}
