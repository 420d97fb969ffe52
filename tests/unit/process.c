/*
 * Looking at another process's watched pages: exactly the pages it wrote, and nothing is disturbed
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../dlls/writewatch/process_object.h"
#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES 600   /* more than the kernel returns runs at once */

enum kind { FRESH, UNTOUCHED, POPULATED, MEMFD, DISK_FILE, UNWATCHED, KINDS };

static const char * const kind_names[KINDS] =
    { "MEM_WRITE_WATCH", "untouched", "populated", "memfd", "file", "not watched" };

/* what the other process says of itself; in memory that both share */
static struct shared
{
    char      reason[256];
    char     *base[KINDS];
    char      watched[KINDS];            /* some backends cannot watch files */
    char      visible[KINDS];            /* whether userfaultfd does */
    char      written[KINDS][PAGES];     /* what it has written since it was reset */
    long      faults;
    int       wrong;                     /* pages that its own query got wrong */
} *shared;

static int commands[2], answers[2];
static const char *backend;

static int is_scan(void)
{
    return !strncmp( backend, "scan", 4 );
}

/* The other process. */

static char *kind_map( enum kind kind )
{
    size_t size = PAGES * page_size();
    int fd = -1, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char *ret;

    if (kind == FRESH)
        return VirtualAlloc( NULL, size, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                             PAGE_READWRITE );
    if (kind == MEMFD || kind == DISK_FILE)
    {
        fd = kind == MEMFD ? memfd_create( "test", MFD_CLOEXEC ) : unit_temp_file();
        if (ftruncate( fd, size )) return NULL;
        flags = MAP_SHARED;
    }
    ret = mmap( NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0 );
    if (fd != -1) close( fd );
    if (ret == MAP_FAILED) return NULL;
    if (kind == POPULATED) memset( ret, 1, size );
    if (kind == UNWATCHED || !writewatch_watch( ret, size )) return ret;
    return kind == DISK_FILE && !is_scan() ? ret : NULL;
}

/* Some pages are written, some read, and of shared memory and files some entries are dropped, as
 * the kernel does when it takes pages back: a written page of these leaves an empty entry. */
static void use_pages( unsigned int seed )
{
    unsigned int kind, i;

    srand( seed );
    for (kind = 0; kind < KINDS; kind++)
        for (i = 0; i < PAGES; i++)
        {
            volatile char *page = shared->base[kind] + i * page_size();

            switch (rand() % 4)
            {
            case 0: page[rand() % 4096] = 0; shared->written[kind][i] = 1; break;
            case 1: (void)*page; break;
            case 2:
                if (kind != MEMFD && kind != DISK_FILE) break;
                if (rand() % 2) page[0] = shared->written[kind][i] = 1;
                madvise( shared->base[kind] + i * page_size(), page_size(), MADV_DONTNEED );
                break;
            }
        }
}

/* its own query, with reset */
static void take_pages(void)
{
    void *addresses[PAGES];
    ULONG_PTR count, pos;
    unsigned int kind, i;
    DWORD granularity;

    for (kind = 0; kind < UNWATCHED; kind++)
    {
        if (!shared->watched[kind]) continue;
        count = PAGES;
        pos = 0;
        if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, shared->base[kind], PAGES * page_size(),
                           addresses, &count, &granularity ))
            shared->wrong += PAGES;
        for (i = 0; i < PAGES; i++)
        {
            int is = pos < count && addresses[pos] == shared->base[kind] + i * page_size();

            pos += is;
            shared->wrong += is != shared->written[kind][i];
            shared->written[kind][i] = 0;
        }
    }
}

static void serve(void)
{
    const struct sigaction action = { .sa_handler = SIG_DFL };
    struct rusage usage;
    unsigned int seed = 1, kind;
    char command;

    sigaction( SIGPIPE, &action, NULL );
    alarm( UNIT_HANGS );
    if (writewatch_open( backend ))
    {
        snprintf( shared->reason, sizeof(shared->reason), "%s", writewatch_reason() );
        _exit( SKIP );
    }
    for (kind = 0; kind < KINDS; kind++)
    {
        const char *by;

        if (!(shared->base[kind] = kind_map( kind )))
        {
            snprintf( shared->reason, sizeof(shared->reason), "%s", kind_names[kind] );
            _exit( FAIL );
        }
        by = writewatch_backend_of( shared->base[kind] );
        shared->watched[kind] = by != NULL;
        shared->visible[kind] = by && strcmp( by, "mprotect" );
    }
    while (write( answers[1], "", 1 ) == 1 && read( commands[0], &command, 1 ) == 1)
    {
        switch (command)
        {
        case 'u': use_pages( seed++ ); break;
        case 't': take_pages(); break;
        case 'd':
            VirtualFree( shared->base[FRESH] + 5 * page_size(), page_size(), MEM_DECOMMIT );
            break;
        case 'c':
            VirtualAlloc( shared->base[FRESH] + 5 * page_size(), page_size(), MEM_COMMIT,
                          PAGE_READWRITE );
            break;
        case 'f':
            getrusage( RUSAGE_SELF, &usage );
            shared->faults = usage.ru_minflt + usage.ru_majflt;
            break;
        }
    }
    _exit( PASS );
}

/* The process that looks. */

static int tell( char command )
{
    char byte;

    return write( commands[1], &command, 1 ) == 1 && read( answers[0], &byte, 1 ) == 1;
}

static void clear( unsigned char *found )
{
    memset( found, 0, PAGES );
}

/* lists all pages of a filter, a few at a time */
static void list( struct writewatch_process *process, enum kind kind,
                  struct writewatch_filter *filter, size_t room, unsigned char *found )
{
    uint64_t base = (uintptr_t)shared->base[kind], end = base + PAGES * page_size(), pos = base;
    struct writewatch_range ranges[64];
    ssize_t i, count;

    clear( found );
    while (pos < end)
    {
        uint64_t from = pos;

        if ((count = writewatch_process_list( process, pos, end - pos, filter, ranges, room,
                                              &pos )) < 0)
        {
            fprintf( stderr, "%s: %s\n", kind_names[kind], strerror( -count ));
            unit_failures++;
            return;
        }
        check( pos <= end && (pos > from || count) );
        for (i = 0; i < count; i++)
        {
            check( ranges[i].start >= from && ranges[i].start < ranges[i].end &&
                   ranges[i].end <= pos && !(ranges[i].categories & ~filter->returned) );
            for (from = ranges[i].start; from < ranges[i].end; from += page_size())
            {
                check( !found[(from - base) / page_size()] );
                found[(from - base) / page_size()] = 1;
            }
        }
    }
}

/* whether exactly the pages that were written are listed, in various ways of asking */
static void check_written( struct writewatch_process *process, enum kind kind )
{
    static const size_t rooms[] = { 64, 1, 7 };
    /* entries do not show the page of zeros, which scan protects only once it is reset */
    int more = process_old_kernel && !strcmp( backend, "scan" ) && kind <= UNTOUCHED;
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN };
    unsigned char found[PAGES];
    unsigned int i, room;

    for (room = 0; room < 3; room++)
    {
        filter.max_pages = room == 2 ? 5 : 0;
        filter.returned = room == 1 ? WRITEWATCH_WRITTEN | WRITEWATCH_PRESENT : 0;
        list( process, kind, &filter, rooms[room], found );
        for (i = 0; i < PAGES; i++)
        {
            if (found[i] == shared->written[kind][i] || (more && found[i])) continue;
            fprintf( stderr, "%s, %s: page %u: %d, written %d\n", backend, kind_names[kind], i,
                     found[i], shared->written[kind][i] );
            unit_failures++;
            return;
        }
    }
    /* and the others by what they are not */
    filter = (struct writewatch_filter){ .excluded = WRITEWATCH_WRITTEN };
    list( process, kind, &filter, 64, found );
    for (i = 0; i < PAGES && !unit_failures; i++)
        check( found[i] != shared->written[kind][i] || (more && !found[i]) );
}

/* whether all of some memory, or nothing of it, is among the regions, in one way */
static void check_regions( struct writewatch_process *process )
{
    struct writewatch_range ranges[3];
    unsigned char found[KINDS][PAGES];
    uint64_t next = 0, page;
    unsigned int kind, i, wrong = 0;
    ssize_t j, count;

    memset( found, 0, sizeof(found) );
    do
    {
        count = writewatch_process_regions( process, ranges, 3, &next );
        check( count >= 0 );
        for (j = 0; j < count; j++)
            for (kind = 0; kind < KINDS; kind++)
                for (i = 0; i < PAGES; i++)
                {
                    page = (uintptr_t)shared->base[kind] + i * page_size();
                    if (page < ranges[j].start || page >= ranges[j].end) continue;
                    found[kind][i] = 1;
                    wrong += ranges[j].categories !=
                             ((kind == MEMFD || kind == DISK_FILE ? WRITEWATCH_FILE : 0) |
                              (is_scan() && !process_old_kernel ? WRITEWATCH_ASYNC : 0));
                }
    }
    while (count == 3);
    for (kind = 0; kind < KINDS; kind++)
        for (i = 0; i < PAGES; i++) wrong += found[kind][i] != shared->visible[kind];
    check( !wrong );
}

/* the other categories, and where one is not known */
static void check_categories( struct writewatch_process *process )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_PRESENT,
                                        .excluded = WRITEWATCH_ZERO };
    struct writewatch_filter zero = { .required = WRITEWATCH_ZERO };
    struct writewatch_filter async = { .required = WRITEWATCH_ASYNC };
    unsigned char there[PAGES], read[PAGES], found[PAGES];
    unsigned int i, wrong = 0;

    list( process, FRESH, &filter, 64, there );
    list( process, FRESH, &zero, 64, read );
    list( process, FRESH, &async, 64, found );
    for (i = 0; i < PAGES; i++)
    {
        wrong += shared->written[FRESH][i] && (!there[i] || read[i]);
        wrong += found[i] != is_scan();
    }
    list( process, MEMFD, &filter, 64, there );
    filter.required |= WRITEWATCH_FILE;
    list( process, MEMFD, &filter, 64, found );
    for (i = 0; i < PAGES; i++) wrong += found[i] != there[i];
    list( process, FRESH, &filter, 64, found );
    for (i = 0; i < PAGES; i++) wrong += found[i];
    check( !wrong );
}

static void check_arguments( struct writewatch_process *process )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN }, bad = { .reset = 1 };
    uint64_t base = (uintptr_t)shared->base[MEMFD], size = PAGES * page_size(), next = 0;
    struct writewatch_range ranges[64];
    int can_scan;

    check( writewatch_process_list( process, base, size, &bad, ranges, 64, &next ) == -EINVAL );
    bad = (struct writewatch_filter){ .any = 0x80 };
    check( writewatch_process_list( process, base, size, &bad, ranges, 64, &next ) == -EINVAL );
    check( writewatch_process_list( process, base, 0, &filter, ranges, 64, &next ) == -EINVAL );
    check( writewatch_process_list( process, base, -base - 1, &filter, ranges, 64,
                                    &next ) == -EINVAL );
    check( writewatch_process_list( process, base, -base, &filter, ranges, 64,
                                    &next ) == -EINVAL );
    check( writewatch_process_list( process, base, size, &filter, ranges, 0, &next ) == -EINVAL );
    check( writewatch_process_regions( process, ranges, 0, &next ) == -EINVAL );
    check( !next );
    /* nothing is mapped there */
    check( writewatch_process_list( process, page_size(), 1, &filter, ranges, 64,
                                    NULL ) == -EFAULT );
    can_scan = process->can_scan;
    process->can_scan = 0;
    check( writewatch_process_list( process, base, size, &(struct writewatch_filter){
           .excluded = WRITEWATCH_ZERO }, ranges, 64, NULL ) == -EOPNOTSUPP );
    process->can_scan = can_scan;
    next = ~(uint64_t)0 << 48;
    check( !writewatch_process_regions( process, ranges, 64, &next ) );
}

static struct writewatch_process *open_process( int pidfd )
{
    struct writewatch_process *process = NULL;
    int ret = writewatch_process_open( &process, pidfd );

    if (ret)
    {
        fprintf( stderr, "%s: %s\n", strerror( -ret ), writewatch_reason() );
        unit_failures++;
        return NULL;
    }
    check( !*writewatch_reason() );
    return process;
}

/* Several rounds of writes that are looked at, and then asked for by the process itself. */
static void look( int pidfd )
{
    struct writewatch_process *process;
    unsigned int round, kind;
    long faults;

    for (round = 0; round < 4; round++)
    {
        process_old_kernel = round == 3;
        if (!(process = open_process( pidfd ))) return;
        if (!round) check_arguments( process );
        check( tell( 'u' ) && tell( 'f' ) && tell( 'f' ));
        faults = shared->faults;
        check_regions( process );
        for (kind = 0; kind < UNWATCHED; kind++)
            if (shared->visible[kind]) check_written( process, kind );
        if (!round && process->can_scan) check_categories( process );
        check( tell( 'f' ));
        check( shared->faults == faults );
        check( tell( 't' ));
        check( !shared->wrong );
        for (kind = 0; kind < UNWATCHED; kind++)
            if (shared->visible[kind]) check_written( process, kind );
        writewatch_process_close( process );
    }
    process_old_kernel = 0;
}

/* What is not seen: written state that the library itself keeps, and what signals watch by
 * mprotect(). */
static void check_limits( int pidfd )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN };
    struct writewatch_process *process;
    unsigned char found[PAGES];
    unsigned int i;

    if (!(process = open_process( pidfd ))) return;
    do check( tell( 't' ) && tell( 'u' ));
    while (!shared->written[FRESH][5]);
    check( tell( 'd' ));
    list( process, FRESH, &filter, 64, found );
    if (shared->visible[FRESH])
        for (i = 0; i < PAGES && !unit_failures; i++)
            check( found[i] == (shared->written[FRESH][i] && i != 5) );
    check( tell( 'c' ) && tell( 't' ));
    check( !shared->wrong );
    /* what nothing protects counts as written */
    list( process, UNWATCHED, &filter, 64, found );
    for (i = 0; i < PAGES; i++) check( !shared->written[UNWATCHED][i] || found[i] );
    writewatch_process_close( process );
}

static int run( const char *name )
{
    int status, pidfd;
    char byte;
    pid_t pid;

    backend = name;
    shared = mmap( NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                   0 );
    if (shared == MAP_FAILED || pipe( commands ) || pipe( answers )) return FAIL;
    if (!(pid = fork()))
    {
        close( commands[1] );
        serve();
    }
    close( answers[1] );
    close( commands[0] );
    pidfd = syscall( SYS_pidfd_open, pid, 0 );
    check( pidfd != -1 );
    if (read( answers[0], &byte, 1 ) == 1)
    {
        look( pidfd );
        check_limits( pidfd );
    }
    close( commands[1] );
    check( waitpid( pid, &status, 0 ) == pid );
    close( pidfd );
    if (status == SKIP << 8) return unit_skip( name, shared->reason );
    if (status) fprintf( stderr, "the other process ended with %x: %s\n", status, shared->reason );
    return status ? FAIL : unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_MAPPED | UNIT_SCAN_MARKED | UNIT_FAULTS, run );
}
