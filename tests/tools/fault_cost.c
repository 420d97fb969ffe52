/*
 * test tool: prints how many times slower than a usual one this machine is, as a factor for limits
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGES       4096
#define ROUNDS      3
#define STEPS       (10 * 1000 * 1000)
#define FAULT_NS    500   /* the first touch of a page on a usual machine */
#define STEP_NS     2     /* a multiplication that needs the result of the last one, and more */
#define MAX_FACTOR  20

/***********************************************************************
 *           nanoseconds
 *
 * Real time, so that a machine that is busy with other things counts as slow.
 */
static uint64_t nanoseconds(void)
{
    struct timespec now;

    clock_gettime( CLOCK_MONOTONIC, &now );
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}


/***********************************************************************
 *           fault_cost
 *
 * Nanoseconds for the first touch of a page, or 0.
 */
static uint64_t fault_cost(void)
{
    size_t page_size = sysconf( _SC_PAGESIZE ), i;
    uint64_t start, sum = 0;
    unsigned int round;

    for (round = 0; round < ROUNDS; round++)
    {
        volatile char *memory = mmap( NULL, PAGES * page_size, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

        if (memory == MAP_FAILED) return 0;
        madvise( (void *)memory, PAGES * page_size, MADV_NOHUGEPAGE );
        start = nanoseconds();
        for (i = 0; i < PAGES; i++) memory[i * page_size] = 1;
        sum += nanoseconds() - start;
        munmap( (void *)memory, PAGES * page_size );
    }
    return sum / (PAGES * ROUNDS);
}


/***********************************************************************
 *           loop_cost
 *
 * Nanoseconds for so many steps of a loop that stays in the processor.
 */
static uint64_t loop_cost(void)
{
    volatile uint64_t result;
    uint64_t start = nanoseconds(), value = start | 1;
    unsigned int i;

    for (i = 0; i < STEPS; i++) value = value * 6364136223846793005ull + 1442695040888963407ull;
    result = value;
    (void)result;
    return nanoseconds() - start;
}


/***********************************************************************
 *           main
 *
 * usage: fault_cost
 *
 * Prints the greater one of two factors, rounded up: an integer from 1 to 20.
 */
int main(void)
{
    uint64_t faults = (fault_cost() + FAULT_NS - 1) / FAULT_NS;
    uint64_t loops = (loop_cost() + (uint64_t)STEPS * STEP_NS - 1) / ((uint64_t)STEPS * STEP_NS);
    uint64_t factor = faults > loops ? faults : loops;

    if (!factor) factor = 1;
    if (factor > MAX_FACTOR) factor = MAX_FACTOR;
    printf( "%u\n", (unsigned int)factor );
    return 0;
}
