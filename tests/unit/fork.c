/*
 * Children by fork(): nothing of the parent changes, and the child goes on
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: fork [NAME...]    all that main() names if none is
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "writewatch.h"

#include "fault/userfault.h"
#include "sys/page.h"
#include "unit.h"

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
} fresh, mapped, shared;

static struct memory * const memories[] = { &fresh, &mapped, &shared };

#define MEMORIES (sizeof(memories) / sizeof(memories[0]))

static size_t bytes( size_t pages )
{
    return pages << page_shift;
}

static void write_page( struct memory *memory, size_t page )
{
    ++*(volatile char *)(memory->base + bytes( page ));
    memory->written[page] = memory->filled[page] = 1;
}

static void read_page( struct memory *memory, size_t page )
{
    (void)*(volatile char *)(memory->base + bytes( page ));
}

/* asks for a range; what was told, or -1 */
static long ask( struct memory *memory, size_t first, size_t count, int reset, unsigned char *told )
{
    void *addresses[PAGES];
    ULONG_PTR found = PAGES;
    DWORD granularity;
    size_t i;

    memset( told, 0, PAGES );
    if (GetWriteWatch( reset ? WRITE_WATCH_FLAG_RESET : 0, memory->base + bytes( first ),
                       bytes( count ), addresses, &found, &granularity )) return -1;
    for (i = 0; i < found; i++) told[((char *)addresses[i] - memory->base) >> page_shift] = 1;
    return found;
}

/* what is told must be what was written */
static void compare( struct memory *memory, size_t first, size_t count, int reset, const char *who )
{
    unsigned char told[PAGES];
    unsigned int missed = 0, untrue = 0;
    size_t i;

    if (ask( memory, first, count, reset, told ) < 0)
    {
        fprintf( stderr, "%s, %s: query failed, %u %s\n", backend, who, GetLastError(),
                 writewatch_reason() );
        unit_failures++;
        return;
    }
    for (i = first; i < first + count; i++)
    {
        if (memory->written[i] && !told[i]) missed++;
        if (!memory->written[i] && told[i]) untrue++;
        if (reset) memory->written[i] = 0;
    }
    if (!missed && !untrue) return;
    fprintf( stderr, "%s, %s, memory %d: %u missed, %u false\n", backend, who,
             memory == &mapped ? 1 : memory == &shared ? 2 : 0, missed, untrue );
    unit_failures++;
}

/* In a new child all that was written must be told, also if it was reset since, and nothing that
 * never was accessible. From then on what is told is exact. */
static void take_over( struct memory *memory, const char *who )
{
    unsigned char told[PAGES];
    unsigned int missed = 0, untrue = 0;
    size_t i;
    int reset;

    for (reset = 0; reset < 2; reset++)
    {
        if (ask( memory, 0, PAGES, reset, told ) < 0)
        {
            fprintf( stderr, "%s, %s: first query failed, %u %s\n", backend, who,
                     GetLastError(), writewatch_reason() );
            unit_failures++;
            return;
        }
        for (i = 0; i < PAGES; i++)
        {
            if ((memory->written[i] || memory->filled[i]) && !told[i]) missed++;
            if (memory->allocated && i >= ACCESS && !memory->committed[i] &&
                !memory->written[i] && told[i]) untrue++;
            if (!memory->allocated && !told[i]) missed++;
        }
    }
    memset( memory->written, 0, sizeof(memory->written) );
    if (missed || untrue)
    {
        fprintf( stderr, "%s, %s: at first %u missed, %u false\n", backend, who, missed,
                 untrue );
        unit_failures++;
    }
}

static void commit( struct memory *memory, size_t page, int whether )
{
    if (whether)
        check( VirtualAlloc( memory->base + bytes( page ), bytes( 1 ), MEM_COMMIT, PAGE_READWRITE ));
    else check( VirtualFree( memory->base + bytes( page ), bytes( 1 ), MEM_DECOMMIT ));
    memory->committed[page] = whether;
    if (!whether) memory->filled[page] = 0;
}

static void steps( unsigned int seed, unsigned int count, const char *who )
{
    unsigned int i;

    for (i = 0; i < count && !unit_failures; i++)
    {
        struct memory *memory = memories[rand_r( &seed ) % MEMORIES];
        size_t page = rand_r( &seed ) % PAGES, number = 1 + rand_r( &seed ) % (PAGES - page);

        switch (rand_r( &seed ) % 8)
        {
        case 0: compare( memory, page, number, 1, who ); break;
        case 1: compare( memory, page, number, 0, who ); break;
        case 2: if (memory->allocated) commit( memory, page, !memory->committed[page] ); break;
        case 3: case 4: if (memory->committed[page]) read_page( memory, page ); break;
        default: if (memory->committed[page]) write_page( memory, page ); break;
        }
    }
    for (i = 0; i < MEMORIES; i++) compare( memories[i], 0, PAGES, 0, who );
}

static void open_memories(void)
{
    size_t i;

    fresh.base = VirtualAlloc( NULL, bytes( PAGES ), MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );
    check( fresh.base && VirtualAlloc( fresh.base, bytes( ACCESS ), MEM_COMMIT, PAGE_READWRITE ));
    fresh.allocated = 1;
    memset( fresh.committed, 1, ACCESS );
    for (i = 1; i < MEMORIES; i++)
    {
        memories[i]->base = mmap( NULL, bytes( PAGES ), PROT_READ | PROT_WRITE, MAP_ANONYMOUS |
                                  (i == 1 ? MAP_PRIVATE : MAP_SHARED), -1, 0 );
        memset( memories[i]->committed, 1, PAGES );
        memset( memories[i]->base, 1, bytes( PAGES / 2 ));
        check( !writewatch_watch( memories[i]->base, bytes( PAGES )));
    }
    steps( 1, STEPS, "before" );
    /* written, and known from the bitmap alone */
    if (!fresh.committed[3]) commit( &fresh, 3, 1 );
    write_page( &fresh, 3 );
    commit( &fresh, 3, 0 );
}

/* waits for a child; whether it has passed */
static int passed( pid_t pid )
{
    int status;

    if (waitpid( pid, &status, 0 ) == pid && !status) return 1;
    fprintf( stderr, "%s: child ended by %s %d\n", backend,
             WIFSIGNALED( status ) ? "signal" : "status",
             WIFSIGNALED( status ) ? WTERMSIG( status ) : WEXITSTATUS( status ));
    return 0;
}

static pid_t start_child(void)
{
    pid_t pid;

    fflush( stdout );
    if (!(pid = fork())) alarm( UNIT_HANGS );
    return pid;
}

static void be_child( unsigned int depth, const char *who )
{
    struct memory *inherited = &fresh;
    struct memory own = { .allocated = 0 };
    size_t i;
    pid_t pid;

    check( !*writewatch_reason() || userfault_old_kernel );
    for (i = 0; i < MEMORIES; i++) take_over( memories[i], who );
    steps( depth + 2, STEPS, who );
    check( !strcmp( writewatch_backend_of( inherited->base ), backend )
           || strchr( backend, ':' ));

    /* memory of its own */
    own.base = mmap( NULL, bytes( PAGES ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0 );
    check( !writewatch_watch( own.base, bytes( PAGES )));
    write_page( &own, 7 );
    compare( &own, 0, PAGES, 1, who );
    write_page( &own, 9 );

    if (depth)
    {
        if (!(pid = start_child()))
        {
            be_child( depth - 1, "grandchild" );
            _exit( unit_result() );
        }
        steps( depth + 77, STEPS, who );
        check( passed( pid ));
        steps( depth + 78, STEPS, who );
    }
    compare( &own, 0, PAGES, 1, who );

    /* what a child gives up or drops is its own */
    check( !writewatch_unwatch( mapped.base, bytes( PAGES )));
    check( VirtualFree( fresh.base, 0, MEM_RELEASE ));
    check( !munmap( own.base, bytes( PAGES )));
}

/* a child, its child, and one that does nothing but fork */
static void test_child(void)
{
    unsigned int i;
    pid_t pid;

    for (i = 0; i < 3 && !unit_failures; i++)
    {
        if (!(pid = start_child()))
        {
            if (i == 1)
            {
                if ((pid = start_child())) _exit( !passed( pid ));
                be_child( 0, "grandchild of an idle child" );
            }
            else be_child( i, "child" );
            _exit( unit_result() );
        }
        /* at the same time; what is shared is written by the child, too, but not watched there */
        steps( 10 + i, STEPS, "parent" );
        check( passed( pid ));
        steps( 20 + i, STEPS, "parent" );
    }
}

/* A child that the C library does not know of: calls fail, memory works. */
static void test_unknown_child(void)
{
    unsigned char told[PAGES];
    pid_t pid;
    size_t i;

    fflush( stdout );
    pid = syscall( SYS_clone, SIGCHLD, 0, 0, 0, 0 );
    if (!pid)
    {
        for (i = 0; i < PAGES; i++)
        {
            if (fresh.committed[i]) write_page( &fresh, i );
            write_page( &mapped, i );
        }
        for (i = 0; i < MEMORIES; i++)
        {
            check( ask( memories[i], 0, PAGES, 1, told ) == -1 );
            check( ask( memories[i], 0, PAGES, 0, told ) == -1 );
            check( ResetWriteWatch( memories[i]->base, bytes( PAGES )));
        }
        check( writewatch_watch( mapped.base, bytes( PAGES )));
        check( writewatch_unwatch( mapped.base, bytes( PAGES )));
        check( writewatch_fill( mapped.base, told, bytes( 1 )));
        check( writewatch_check( mapped.base, bytes( PAGES )));
        check( writewatch_open( NULL ));
        check( !VirtualAlloc( NULL, bytes( 1 ), MEM_COMMIT | MEM_RESERVE | MEM_WRITE_WATCH,
                              PAGE_READWRITE ));
        munmap( mapped.base, bytes( PAGES ));
        _exit( unit_result() );
    }
    check( passed( pid ));
    steps( 30, STEPS, "parent of an unknown child" );
}

/* A child that cannot open anything: calls fail, and nothing hangs. */
static void test_no_descriptors(void)
{
    struct rlimit old, none;
    unsigned char told[PAGES];
    pid_t pid;
    size_t i;
    int failed = 0;

    check( !getrlimit( RLIMIT_NOFILE, &old ));
    none.rlim_cur = 0;
    none.rlim_max = old.rlim_max;
    check( !setrlimit( RLIMIT_NOFILE, &none ));
    pid = fork();
    if (!pid)
    {
        alarm( UNIT_HANGS );
        for (i = 0; i < PAGES; i++)
        {
            if (fresh.committed[i]) write_page( &fresh, i );
            write_page( &mapped, i );
            write_page( &shared, i );
        }
        for (i = 0; i < MEMORIES; i++)
            if (ask( memories[i], 0, PAGES, 0, told ) == -1) failed++;
            else compare( memories[i], 0, fresh.base == memories[i]->base ? 1 : PAGES, 0, "poor" );
        if (!strcmp( backend, "mprotect" )) check( !failed );
        else
        {
            check( failed == MEMORIES );
            check( strstr( writewatch_reason(), "in this child" ));
        }
        /* and with descriptors again, memory can be watched anew */
        check( !setrlimit( RLIMIT_NOFILE, &old ));
        memset( mapped.written, 0, PAGES );
        if (!writewatch_watch( mapped.base, bytes( PAGES )))
        {
            compare( &mapped, 0, PAGES, 1, "poor child, anew" );
            write_page( &mapped, 5 );
            compare( &mapped, 0, PAGES, 1, "poor child, anew" );
        }
        _exit( unit_result() );
    }
    check( !setrlimit( RLIMIT_NOFILE, &old ));
    check( passed( pid ));
    steps( 40, STEPS, "parent of a poor child" );
}

/* Memory that is not in the child at all. */
static void test_not_inherited(void)
{
    struct memory own = { .allocated = 0 };
    unsigned char told[PAGES];
    pid_t pid;
    size_t i;

    own.base = mmap( NULL, bytes( PAGES ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0 );
    check( !writewatch_watch( own.base, bytes( PAGES )));
    write_page( &own, 1 );
    check( !madvise( own.base, bytes( PAGES ), MADV_DONTFORK ));
    if (!(pid = start_child()))
    {
        /* mprotect asks the kernel for nothing that would tell; what it says is "written" */
        if (ask( &own, 0, PAGES, 1, told ) != -1) check( told[1] && told[PAGES - 1] );
        for (i = 0; i < MEMORIES; i++) take_over( memories[i], "child with a hole" );
        steps( 4, STEPS, "child with a hole" );
        _exit( unit_result() );
    }
    check( passed( pid ));
    compare( &own, 0, PAGES, 1, "parent of a child with a hole" );
    check( !writewatch_unwatch( own.base, bytes( PAGES )));
    munmap( own.base, bytes( PAGES ));
}

/* A restore ends in the child, which has the pages that are there and may begin another one. */
static void test_restore(void)
{
    struct writewatch_restore *restore, *own;
    int fd = unit_temp_file();
    unsigned char data[256];
    volatile unsigned char *base;
    pid_t pid;
    size_t i;

    for (i = 0; i < 64; i++)
    {
        memset( data, i + 1, sizeof(data) );
        check( pwrite( fd, data, sizeof(data), bytes( i )) == sizeof(data) );
    }
    base = VirtualAlloc( NULL, bytes( 64 ), MEM_COMMIT | MEM_RESERVE | MEM_WRITE_WATCH,
                         PAGE_READWRITE );
    check( !writewatch_restore_start( &restore, (void *)base, bytes( 64 ), fd, 0 ));
    check( base[bytes( 20 )] == 21 );
    if (!(pid = start_child()))
    {
        check( base[bytes( 20 )] == 21 && !base[bytes( 50 )] );
        writewatch_restore_stop( restore );
        check( !writewatch_restore_start( &own, (void *)base, bytes( 64 ), fd, 0 ));
        check( base[bytes( 20 )] == 21 && base[bytes( 1 )] == 2 );
        writewatch_restore_stop( own );
        _exit( unit_result() );
    }
    check( base[bytes( 63 )] == 64 );
    check( passed( pid ));
    check( base[bytes( 40 )] == 41 );
    writewatch_restore_stop( restore );
    check( VirtualFree( (void *)base, 0, MEM_RELEASE ));
    close( fd );
}

static int stop;
static struct memory busy;   /* written and asked about by threads all the time */

static void *poll_busy( void *arg )
{
    unsigned char told[PAGES];
    size_t i = 0;

    (void)arg;
    while (!__atomic_load_n( &stop, __ATOMIC_SEQ_CST ))
    {
        *(volatile char *)(busy.base + bytes( i++ % PAGES )) = 1;
        if (ask( &busy, 0, PAGES, 1, told ) < 0) check( 0 );
    }
    return NULL;
}

static void *change_watches( void *arg )
{
    (void)arg;
    while (!__atomic_load_n( &stop, __ATOMIC_SEQ_CST ))
    {
        char *allocated = VirtualAlloc( NULL, bytes( 32 ), MEM_COMMIT | MEM_RESERVE |
                                        MEM_WRITE_WATCH, PAGE_READWRITE );
        char *own = mmap( NULL, bytes( 32 ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                          -1, 0 );

        check( allocated && own != MAP_FAILED && !writewatch_watch( own, bytes( 32 )));
        *own = *allocated = 1;
        check( VirtualFree( allocated, bytes( 8 ), MEM_DECOMMIT ));
        check( !writewatch_unwatch( own + bytes( 8 ), bytes( 8 )));
        writewatch_unwatch( own, bytes( 32 ));
        check( VirtualFree( allocated, 0, MEM_RELEASE ));
        munmap( own, bytes( 32 ));
    }
    return NULL;
}

/* Whatever other threads are in the middle of, the child works. */
static void test_threads(void)
{
    void *(* const work[])( void * ) = { poll_busy, poll_busy, change_watches, change_watches };
    pthread_t threads[4];
    unsigned char told[PAGES];
    unsigned int round, rounds = unit_share( 200 ), failed = 0;
    size_t i;
    pid_t pid;

    busy.base = VirtualAlloc( NULL, bytes( PAGES ), MEM_COMMIT | MEM_RESERVE | MEM_WRITE_WATCH,
                              PAGE_READWRITE );
    memset( busy.committed, 1, PAGES );
    for (i = 0; i < 4; i++) check( !pthread_create( &threads[i], NULL, work[i], NULL ));
    for (round = 0; round < rounds && failed < 3; round++)
    {
        if (!(pid = start_child()))
        {
            struct memory own = { .allocated = 0 };

            /* others may have reset it just before, so only that it is allowed is known */
            check( ask( &busy, 0, PAGES, 1, told ) >= 0 );
            for (i = 0; i < PAGES; i += 3) write_page( &busy, i );
            compare( &busy, 0, PAGES, 1, "child among threads" );
            compare( &busy, 0, PAGES, 0, "child among threads" );
            own.base = VirtualAlloc( NULL, bytes( PAGES ), MEM_COMMIT | MEM_RESERVE |
                                     MEM_WRITE_WATCH, PAGE_READWRITE );
            write_page( &own, 2 );
            compare( &own, 0, PAGES, 1, "child among threads" );
            check( VirtualFree( own.base, 0, MEM_RELEASE ));
            check( VirtualFree( busy.base, 0, MEM_RELEASE ));
            _exit( unit_result() );
        }
        if (!passed( pid )) failed++;
    }
    __atomic_store_n( &stop, 1, __ATOMIC_SEQ_CST );
    for (i = 0; i < 4; i++) pthread_join( threads[i], NULL );
    check( !failed );
    check( ask( &busy, 0, PAGES, 1, told ) >= 0 );
    for (i = 0; i < PAGES; i += 5) write_page( &busy, i );
    compare( &busy, 0, PAGES, 1, "parent of many" );
    steps( 50, STEPS, "parent of many" );
    printf( "%s: %u children among threads\n", backend, round );
}

static int run( const char *name )
{
    backend = name;
    if (writewatch_open( backend ))
        return unit_skip( backend, writewatch_reason() );
    page_init();
    open_memories();
    test_child();
    test_unknown_child();
    test_no_descriptors();
    test_not_inherited();
    if (!strncmp( backend, "scan", 4 )) test_restore();
    test_threads();
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_SCAN_UNMARKED | UNIT_SCAN_MARKED | UNIT_FAULTS |
                              UNIT_SOFTDIRTY, run );
}
