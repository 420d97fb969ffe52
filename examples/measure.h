/*
 * What fuzz_reset.c and checkpoint.c measure with: options, times, processes, soft-dirty bits
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef EXAMPLES_MEASURE_H
#define EXAMPLES_MEASURE_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <writewatch.h>

struct option
{
    const char *name, *help;
    size_t     *value;
};

/* the arguments: --NAME NUMBER */
static inline void read_options( char *argv[], const struct option *options )
{
    const struct option *option;

    while (*++argv)
    {
        option = options;
        while (option->name && strcmp( *argv, option->name )) option++;
        if (!option->name || !argv[1])
        {
            for (option = options; option->name; option++)
                printf( "%-12s NUMBER  %s (%zu)\n", option->name, option->help, *option->value );
            exit( 2 );
        }
        *option->value = strtoul( *++argv, NULL, 10 );
    }
}

static inline void fail( const char *what, int err )
{
    fprintf( stderr, "%s: %s\n", what, strerror( err ));
    exit( 1 );
}

/* a different start for each number */
static inline uint64_t seed( size_t number )
{
    uint64_t value = (number + 1) * 0x9e3779b97f4a7c15ull;

    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
    return value ^ value >> 27;
}

static inline uint64_t next_random( uint64_t *state )
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 11;
}

/* Seconds that have passed, and that processors have spent for the process and its children. */
struct times
{
    double wall, cpu;
};

static inline struct times now(void)
{
    struct rusage self, children;
    struct timespec time;
    struct times times;

    clock_gettime( CLOCK_MONOTONIC, &time );
    getrusage( RUSAGE_SELF, &self );
    getrusage( RUSAGE_CHILDREN, &children );
    times.wall = time.tv_sec + time.tv_nsec / 1e9;
    times.cpu = self.ru_utime.tv_sec + self.ru_stime.tv_sec + children.ru_utime.tv_sec +
                children.ru_stime.tv_sec + (self.ru_utime.tv_usec + self.ru_stime.tv_usec +
                children.ru_utime.tv_usec + children.ru_stime.tv_usec) / 1e6;
    return times;
}

static inline void add_times( struct times *sum, struct times start )
{
    struct times end = now();

    sum->wall += end.wall - start.wall;
    sum->cpu += end.cpu - start.cpu;
}

/* the first contents of a page */
static inline void make_page( size_t number, uint64_t *words, size_t bytes )
{
    uint64_t state = seed( number );
    size_t i;

    for (i = 0; i < bytes / sizeof(*words); i++) words[i] = next_random( &state );
}

/* Memory whose pages have these contents. Huge pages would hide what a single page costs, as each
 * written byte would make 2 MiB to be copied. */
static inline char *make_memory( size_t size )
{
    char *memory = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    size_t i, page_bytes = sysconf( _SC_PAGESIZE );

    if (memory == MAP_FAILED) fail( "memory", errno );
    madvise( memory, size, MADV_NOHUGEPAGE );
    for (i = 0; i < size / page_bytes; i++)
        make_page( i, (uint64_t *)(memory + i * page_bytes), page_bytes );
    return memory;
}

/* Memory that children share. */
static inline void *shared( size_t size )
{
    void *addr = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0 );

    if (addr == MAP_FAILED) fail( "memory", errno );
    return addr;
}

/* Runs a function in a process of its own. */
static inline void in_child( void (*function)( size_t, size_t ), size_t way, size_t round )
{
    pid_t pid = fork();
    int status;

    if (!pid)
    {
        function( way, round );
        _exit( 0 );
    }
    if (pid == -1 || waitpid( pid, &status, 0 ) != pid) fail( "fork", errno );
    if (!status) return;
    fprintf( stderr, "the process for a way ended with status %#x\n", status );
    exit( 1 );
}

/* Soft-dirty bits: the kernel sets bit 55 of a page's entry in pagemap when the page is
 * written, and clears all of them for a "4" to clear_refs. Writes between reading and clearing are
 * lost, so the writers must be stopped. */
static int soft_dirty_pagemap, soft_dirty_clear_refs;

static inline void soft_dirty_clear(void)
{
    if (write( soft_dirty_clear_refs, "4", 1 ) != 1) fail( "clear_refs", errno );
}

/* Lists pages that are soft-dirty from *pos on, like writewatch_tracker_list(). */
static inline size_t soft_dirty_list( const char **pos, const char *end,
                                      struct writewatch_range *ranges, size_t count )
{
    size_t i, got, used = 0, page_bytes = sysconf( _SC_PAGESIZE );
    uint64_t entries[1024];

    while (*pos < end)
    {
        got = (end - *pos) / page_bytes;
        if (got > 1024) got = 1024;
        got = pread( soft_dirty_pagemap, entries, got * 8, (uintptr_t)*pos / page_bytes * 8 );
        if (got == (size_t)-1 || got < 8) fail( "pagemap", errno );
        got /= 8;
        for (i = 0; i < got; i++, *pos += page_bytes)
        {
            if (!(entries[i] >> 55 & 1)) continue;
            if (used && ranges[used - 1].end == (uintptr_t)*pos)
                ranges[used - 1].end += page_bytes;
            else if (used == count) return used;
            else
            {
                ranges[used].start = (uintptr_t)*pos;
                ranges[used++].end = (uintptr_t)*pos + page_bytes;
            }
        }
    }
    return used;
}

/* Returns why there are none here, or NULL. The memory must have been written. */
static inline const char *soft_dirty_begin( char *memory )
{
    struct writewatch_range range;
    const char *pos = memory, *end = memory + sysconf( _SC_PAGESIZE );

    soft_dirty_pagemap = open( "/proc/self/pagemap", O_RDONLY | O_CLOEXEC );
    soft_dirty_clear_refs = open( "/proc/self/clear_refs", O_WRONLY | O_CLOEXEC );
    if (soft_dirty_pagemap == -1 || soft_dirty_clear_refs == -1) return strerror( errno );
    soft_dirty_clear();
    ++*(volatile char *)memory;
    --*(volatile char *)memory;
    if (!soft_dirty_list( &pos, end, &range, 1 ))
        return "no page is ever soft-dirty (the kernel has no CONFIG_MEM_SOFT_DIRTY)";
    soft_dirty_clear();
    return NULL;
}

#endif /* EXAMPLES_MEASURE_H */
