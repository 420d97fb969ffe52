/*
 * Children by fork(): memory of several kinds, and what is known of it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_UNIT_FORK_H
#define WRITEWATCH_UNIT_FORK_H

#include <sys/wait.h>

#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

static const char *backend;

#define PAGES    512    /* of each memory */
#define ACCESS   384    /* of those from VirtualAlloc, as many are committed at first */
#define STEPS    400

/* Memory, and what is known of it. */
static struct memory
{
    char         *base;
    int           allocated;              /* by VirtualAlloc */
    unsigned char written[PAGES];
    unsigned char committed[PAGES];
    unsigned char filled[PAGES];          /* has contents that were written */
} fresh, mapped, shared, bare;           /* bare: mapped, and without a page when it is watched */

static struct memory * const memories[] = { &fresh, &mapped, &shared, &bare };

#define MEMORIES (sizeof(memories) / sizeof(memories[0]))

static inline size_t bytes( size_t pages )
{
    return pages << page_shift;
}

static inline void write_page( struct memory *memory, size_t page )
{
    ++*(volatile char *)(memory->base + bytes( page ));
    memory->written[page] = memory->filled[page] = 1;
}

static inline void read_page( struct memory *memory, size_t page )
{
    (void)*(volatile char *)(memory->base + bytes( page ));
}

/* queries a range; returns how many pages were reported, or -1 */
static inline long ask( struct memory *memory, size_t first, size_t count, int reset,
                        unsigned char *reported )
{
    void *addresses[PAGES];
    ULONG_PTR found = PAGES;
    DWORD granularity;
    size_t i;

    memset( reported, 0, PAGES );
    if (GetWriteWatch( reset ? WRITE_WATCH_FLAG_RESET : 0, memory->base + bytes( first ),
                       bytes( count ), addresses, &found, &granularity )) return -1;
    for (i = 0; i < found; i++) reported[((char *)addresses[i] - memory->base) >> page_shift] = 1;
    return found;
}

/* what is reported must be what was written */
static inline void compare( struct memory *memory, size_t first, size_t count, int reset,
                            const char *process )
{
    unsigned char reported[PAGES];
    unsigned int missed = 0, untrue = 0;
    size_t i;

    if (ask( memory, first, count, reset, reported ) < 0)
    {
        fprintf( stderr, "%s, %s: query failed, %u %s\n", backend, process, GetLastError(),
                 writewatch_reason() );
        unit_failures++;
        return;
    }
    for (i = first; i < first + count; i++)
    {
        if (memory->written[i] && !reported[i]) missed++;
        if (!memory->written[i] && reported[i]) untrue++;
        if (reset) memory->written[i] = 0;
    }
    if (!missed && !untrue) return;
    for (i = 0; i < MEMORIES && memories[i] != memory; i++) {}
    fprintf( stderr, "%s, %s, memory %u: %u missed, %u false\n", backend, process,
             (unsigned int)i, missed, untrue );
    unit_failures++;
}

/* In a new child all that was written must be reported, also if it was reset since, and nothing
 * that never was accessible. From then on reports are exact. */
static inline void take_over( struct memory *memory, const char *process )
{
    unsigned char reported[PAGES];
    unsigned int missed = 0, untrue = 0;
    size_t i;
    int reset;

    for (reset = 0; reset < 2; reset++)
    {
        if (ask( memory, 0, PAGES, reset, reported ) < 0)
        {
            fprintf( stderr, "%s, %s: first query failed, %u %s\n", backend, process,
                     GetLastError(), writewatch_reason() );
            unit_failures++;
            return;
        }
        for (i = 0; i < PAGES; i++)
        {
            if ((memory->written[i] || memory->filled[i]) && !reported[i]) missed++;
            if (memory->allocated && i >= ACCESS && !memory->committed[i] &&
                !memory->written[i] && reported[i]) untrue++;
            if (!memory->allocated && !reported[i]) missed++;
        }
    }
    memset( memory->written, 0, sizeof(memory->written) );
    if (missed || untrue)
    {
        fprintf( stderr, "%s, %s: at first %u missed, %u false\n", backend, process, missed,
                 untrue );
        unit_failures++;
    }
}

static inline void commit( struct memory *memory, size_t page, int whether )
{
    if (whether)
        check( VirtualAlloc( memory->base + bytes( page ), bytes( 1 ), MEM_COMMIT,
                             PAGE_READWRITE ));
    else check( VirtualFree( memory->base + bytes( page ), bytes( 1 ), MEM_DECOMMIT ));
    memory->committed[page] = whether;
    if (!whether) memory->filled[page] = 0;
}

static inline void steps( unsigned int seed, unsigned int count, const char *process )
{
    unsigned int i;

    for (i = 0; i < count && !unit_failures; i++)
    {
        struct memory *memory = memories[rand_r( &seed ) % MEMORIES];
        size_t page = rand_r( &seed ) % PAGES, number = 1 + rand_r( &seed ) % (PAGES - page);

        switch (rand_r( &seed ) % 8)
        {
        case 0: compare( memory, page, number, 1, process ); break;
        case 1: compare( memory, page, number, 0, process ); break;
        case 2: if (memory->allocated) commit( memory, page, !memory->committed[page] ); break;
        case 3: case 4: if (memory->committed[page]) read_page( memory, page ); break;
        default: if (memory->committed[page]) write_page( memory, page ); break;
        }
    }
    for (i = 0; i < MEMORIES; i++) compare( memories[i], 0, PAGES, 0, process );
}

static inline void open_memories(void)
{
    size_t i;

    fresh.base = VirtualAlloc( NULL, bytes( PAGES ), MEM_RESERVE | MEM_WRITE_WATCH,
                               PAGE_READWRITE );
    check( fresh.base && VirtualAlloc( fresh.base, bytes( ACCESS ), MEM_COMMIT, PAGE_READWRITE ));
    fresh.allocated = 1;
    memset( fresh.committed, 1, ACCESS );
    for (i = 1; i < MEMORIES; i++)
    {
        memories[i]->base = mmap( NULL, bytes( PAGES ), PROT_READ | PROT_WRITE, MAP_ANONYMOUS |
                                  (i == 2 ? MAP_SHARED : MAP_PRIVATE), -1, 0 );
        memset( memories[i]->committed, 1, PAGES );
        if (memories[i] != &bare) memset( memories[i]->base, 1, bytes( PAGES / 2 ));
        check( !writewatch_watch( memories[i]->base, bytes( PAGES )));
    }
    steps( 1, STEPS, "before" );
    /* written, and known from the bitmap alone */
    if (!fresh.committed[3]) commit( &fresh, 3, 1 );
    write_page( &fresh, 3 );
    commit( &fresh, 3, 0 );
}

/* waits for a child; whether it has passed */
static inline int passed( pid_t pid )
{
    int status;

    if (waitpid( pid, &status, 0 ) == pid && !status) return 1;
    fprintf( stderr, "%s: child ended by %s %d\n", backend,
             WIFSIGNALED( status ) ? "signal" : "status",
             WIFSIGNALED( status ) ? WTERMSIG( status ) : WEXITSTATUS( status ));
    return 0;
}

static inline pid_t start_child(void)
{
    pid_t pid;

    fflush( stdout );
    if (!(pid = fork())) alarm( UNIT_HANGS );
    return pid;
}

#endif /* WRITEWATCH_UNIT_FORK_H */
