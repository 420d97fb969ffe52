/*
 * The comparison of backends: clock, numbers, plain memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "backends_tools.h"

size_t page_size;

/***********************************************************************
 *           now_ns
 */
uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime( CLOCK_MONOTONIC, &now );
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}


/***********************************************************************
 *           next_random
 */
unsigned int next_random( uint64_t *state )
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return *state >> 33;
}


/***********************************************************************
 *           compare_doubles
 */
static int compare_doubles( const void *a, const void *b )
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}


/***********************************************************************
 *           median
 */
double median( double *values, unsigned int count )
{
    qsort( values, count, sizeof(values[0]), compare_doubles );
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}


/***********************************************************************
 *           fail
 *
 * Notes why there are no findings; returns -1.
 */
int fail( struct findings *findings, const char *format, ... )
{
    va_list args;

    va_start( args, format );
    vsnprintf( findings->reason, sizeof(findings->reason), format, args );
    va_end( args );
    findings->state = STATE_FAILED;
    return -1;
}


/***********************************************************************
 *           plain_allocate
 *
 * In small pages, as all watched memory is, or the first writes could not be compared.
 */
char *plain_allocate( const struct tracker *tracker, size_t size )
{
    char *base = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

    (void)tracker;
    if (base == MAP_FAILED) return NULL;
    madvise( base, size, MADV_NOHUGEPAGE );
    return base;
}


/***********************************************************************
 *           plain_release
 */
void plain_release( char *base, size_t size )
{
    munmap( base, size );
}
