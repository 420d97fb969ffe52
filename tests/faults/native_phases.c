/*
 * fault injection in native programs: what a program does with the library, in phases
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "writewatch.h"

#include "kinds.h"
#include "native.h"
#include "round.h"

static void count_calls( unsigned int index )
{
    unsigned int i;
    for (i = 0; i < KIND_COUNT; i++) shared->counts[index][i] = ask( "count/%s", kinds[i].name );
}

static void begin_phase( const char *name )
{
    unsigned int index = shared->phases++;

    strcpy( shared->phase, name );
    if (!current)
    {
        if (index) count_calls( index - 1 );
        strcpy( shared->names[index], name );
        ask( "zero" );
    }
    else if (index == current->phase &&
             ask( "arm/%s/%s/%ld/%s", kinds[current->kind].name, errnos[current->err].name,
                  current->first, current->mode )) wrong( "the injector does not answer" );
}

static void end_faults(void)
{
    if (current) ask( "end" );
    else count_calls( shared->phases - 1 );
}

/***********************************************************************
 *           check_descriptors
 *
 * What the library holds open for its whole life: one of each kind for a backend that has it, of
 * which two may be open, and the files of /proc/self that are kept.
 */
static void check_descriptors( int refused )
{
    static const struct { const char *name; int max; } known[] =
    {
        { "[userfaultfd]", 2 }, { "/pagemap", 3 }, { "/mem", 1 },
        { "/clear_refs", 1 }, { "socket:", 2 }, { "/maps", 1 }, { "/smaps", 1 },
    };
    enum { known_count = sizeof(known) / sizeof(known[0]) };
    int count[known_count] = { 0 }, others = 0, fd, flags;
    char path[64], link[256];
    struct dirent *entry;
    DIR *dir = opendir( "/proc/self/fd" );
    unsigned int i;
    ssize_t len;

    while ((entry = readdir( dir )))
    {
        fd = atoi( entry->d_name );
        if (fd < 3 || fd == dirfd( dir )) continue;
        snprintf( path, sizeof(path), "/proc/self/fd/%d", fd );
        if ((len = readlink( path, link, sizeof(link) - 1 )) < 0) continue;
        link[len] = 0;
        if ((flags = fcntl( fd, F_GETFD )) != -1 && !(flags & FD_CLOEXEC))
            wrong( "%s is inherited", link );
        for (i = 0; i < known_count; i++) if (strstr( link, known[i].name )) break;
        if (i == known_count) others++;
        else count[i]++;
    }
    closedir( dir );
    if (others) wrong( "%d descriptors leaked", others );
    for (i = 0; i < known_count; i++)
    {
        /* the fault backends share the pagemap, which stays open */
        int max = !refused ? known[i].max : i == 1;

        if (count[i] > max) wrong( "%d of %s open", count[i], known[i].name );
    }
}

/* a region that the backend could not take is with another one */
static void note_backend( const struct memory *mem )
{
    const char *name = mem->base ? writewatch_backend_of( mem->base ) : NULL;

    if (name && strcmp( name, writewatch_backend() )) note( "memory with %s", name );
}

/* lists written pages as a program does instead of a poll */
static void list_pages( struct memory *mem )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN,
                                        .returned = WRITEWATCH_WRITTEN };
    struct writewatch_range ranges[PAGES];
    unsigned int i, page;
    int reset;
    ssize_t count;

    phase( "list" );
    write_page( mem, 4 );
    write_page( mem, 45 );
    for (reset = 0; mem->base && reset < 3; reset++)
    {
        unsigned char reported[PAGES] = { 0 };

        /* the categories are reported in any combination; the first way is the one for others */
        filter.returned = WRITEWATCH_WRITTEN | (reset ? 0 : WRITEWATCH_PRESENT);
        filter.reset = reset == 1;
        count = writewatch_list( mem->base, PAGES * PAGE_SIZE, &filter, ranges, PAGES, NULL );
        if (count < 0)
        {
            note( "list fails (%s)", strerrorname_np( -count ));
            continue;
        }
        for (i = 0; (ssize_t)i < count; i++)
            for (page = (ranges[i].start - (uintptr_t)mem->base) / PAGE_SIZE;
                 page < (ranges[i].end - (uintptr_t)mem->base) / PAGE_SIZE && page < PAGES; page++)
                reported[page] = 1;
        for (i = 0; i < PAGES; i++)
        {
            if (mem->written[i] && !reported[i]) wrong( "page %u is missing in a list", i );
            if (reported[i] && !mem->written[i] && !mem->perhaps[i])
                note( "more pages than were written" );
            if (reported[i] && filter.reset) mem->written[i] = mem->perhaps[i] = 0;
        }
    }
}

static void fill_pages( struct memory *mem )
{
    static unsigned int data[2 * PAGE_SIZE / sizeof(int)];
    int ret;

    phase( "fill" );
    if (!mem->base || mem->stored[16] == NO_ACCESS) return;
    data[2] = data[1026] = 4711;
    ret = writewatch_fill( mem->base + 16 * PAGE_SIZE, data, sizeof(data) );
    if (ret && ret != -EOPNOTSUPP) note( "fill fails (%s)", strerrorname_np( -ret ));
    if (!ret) mem->stored[16] = mem->stored[17] = 4711;
    /* some may be filled */
    else if (ret != -EOPNOTSUPP) mem->stored[16] = mem->stored[17] = UNKNOWN;
    check_contents( mem );
    write_page( mem, 17 );
    poll_all( mem, WRITE_WATCH_FLAG_RESET );
}

static void watch_own( struct memory *mem )
{
    unsigned int i;
    int ret;

    phase( "watch" );
    memset( mem, 0, sizeof(*mem) );
    for (i = 0; i < 10; i++) write_page( mem, i );   /* of no memory: nothing */
    mem->base = mmap( NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                      -1, 0 );
    if (mem->base == MAP_FAILED) abort();
    for (i = 0; i < 10; i++) write_page( mem, i );
    memset( mem->written, 0, sizeof(mem->written) );
    if ((ret = writewatch_watch( mem->base, PAGES * PAGE_SIZE )))
    {
        note( "watch fails (%s)", strerrorname_np( -ret ));
        for (i = 5; i < 15; i++) write_page( mem, i );
        check_contents( mem );
        munmap( mem->base, PAGES * PAGE_SIZE );
        mem->base = NULL;
        return;
    }
    for (i = 5; i < 15; i++) write_page( mem, i );
    poll_all( mem, WRITE_WATCH_FLAG_RESET );
    write_page( mem, 8 );
    poll_all( mem, 0 );

    if (!(ret = writewatch_watch( mem->base, PAGES * PAGE_SIZE )))
        memset( mem->written, 0, sizeof(mem->written) );
    else
    {
        note( "watch fails (%s)", strerrorname_np( -ret ));
        poll_all( mem, 0 );
    }
    write_page( mem, 9 );
    poll_all( mem, 0 );
}

static void unwatch_own( struct memory *mem )
{
    void *addresses[PAGES];
    ULONG_PTR count = PAGES;
    DWORD granularity;
    unsigned int i;
    int ret;

    phase( "unwatch" );
    if (!mem->base) return;
    if ((ret = writewatch_unwatch( mem->base + 32 * PAGE_SIZE, 8 * PAGE_SIZE )))
        note( "unwatch fails (%s)", strerrorname_np( -ret ));
    for (i = 30; i < 42; i += 3) write_page( mem, i );
    check_contents( mem );
    ret = writewatch_unwatch( mem->base, PAGES * PAGE_SIZE );
    if (ret && ret != -ENOENT) note( "unwatch fails (%s)", strerrorname_np( -ret ));
    else if (!GetWriteWatch( 0, mem->base, PAGE_SIZE, addresses, &count, &granularity ))
        wrong( "a poll of memory that is not watched succeeds" );
    for (i = 1; i < PAGES; i += 3) write_page( mem, i );
    check_contents( mem );
}

static void restore_pages( struct memory *mem )
{
    struct writewatch_restore *restore;
    int fd = open( file_name, O_RDONLY | O_CLOEXEC ), ret;
    unsigned int i;

    phase( "restore" );
    commit_pages( mem, 32, 32 );
    if (mem->base)
    {
        ret = writewatch_restore_start( &restore, mem->base + 32 * PAGE_SIZE, 32 * PAGE_SIZE, fd,
                                        0 );
        if (ret && ret != -EOPNOTSUPP) note( "restore fails (%s)", strerrorname_np( -ret ));
        if (!ret)
        {
            for (i = 32; i < 64; i++)
                if (mem->stored[i] != NO_ACCESS) mem->stored[i] = i % 9 ? UNKNOWN : 4000 + i - 32;
            check_contents( mem );
            write_page( mem, 36 );
            writewatch_restore_stop( restore );
        }
        poll_all( mem, WRITE_WATCH_FLAG_RESET );
    }
    close( fd );
}

static void prepare_pages( struct memory *mem )
{
    int ret, fd = open( file_name, O_RDONLY | O_CLOEXEC );
    ssize_t got;

    phase( "prepare" );
    if (mem->base && !mem->read_only && mem->stored[26] != NO_ACCESS)
    {
        if ((ret = writewatch_prepare( mem->base + 25 * PAGE_SIZE, 2 * PAGE_SIZE )))
            note( "prepare fails (%s)", strerrorname_np( -ret ));
        else mem->written[25] = mem->written[26] = 1;
        got = read( fd, mem->base + 25 * PAGE_SIZE, 2 * PAGE_SIZE );
        if (fd != -1 && !ret && got != 2 * PAGE_SIZE) wrong( "read(2) fails after prepare" );
        if (got > 0) mem->written[25] = mem->written[26] = 1;
        mem->stored[25] = mem->stored[26] = UNKNOWN;
        poll_all( mem, WRITE_WATCH_FLAG_RESET );
    }
    close( fd );
}

/* A thread that can never again read which threads wait for a page cannot serve them; no kernel
 * does that. */
static int never_read(void)
{
    return current && !strcmp( kinds[current->kind].name, "read" ) &&
           !strcmp( current->mode, "ever" );
}

/***********************************************************************
 *           go_through_phases
 *
 * Everything a program does with the library.
 */
void __attribute__((noreturn)) go_through_phases( const char *backend )
{
    const int by_itself = !strcmp( backend, "best" );
    struct memory mem, other, own, parts;
    SIZE_T size = 8 * PAGE_SIZE;
    void *middle;
    int ret;

    memset( &own, 0, sizeof(own) );
    phase( "open" );
    if ((ret = writewatch_open( by_itself ? NULL : backend )))
    {
        note( "open fails (%s)", strerrorname_np( -ret ));
        if (!*writewatch_reason()) wrong( "there is no reason" );
        shared->refused = 1;
        if (!current)
        {
            snprintf( shared->outcome, sizeof(shared->outcome), "%s", writewatch_reason() );
            shared->done = 1;
            _exit( 0 );
        }
    }
    else if (by_itself && strcmp( writewatch_backend(), "scan" ))
        note( "uses %s", writewatch_backend() );

    use_memory( &mem, &other );
    note_backend( &mem );
    list_pages( &mem );
    fill_pages( &other );
    prepare_pages( &mem );
    watch_own( &own );
    note_backend( &own );
    unwatch_own( &own );

    phase( "part" );   /* releases the middle of a region */
    allocate( &parts, MEM_RESERVE | MEM_COMMIT );
    if (parts.base)
    {
        write_page( &parts, 3 );
        write_page( &parts, 60 );
        middle = parts.base + 48 * PAGE_SIZE;
        if (NtFreeVirtualMemory( GetCurrentProcess(), &middle, &size, MEM_RELEASE ))
            note( "release fails" );
        poll_pages( &parts, 0, 48, 0, PAGES, (void *[PAGES]){ 0 } );
        poll_pages( &parts, 56, 8, 0, PAGES, (void *[PAGES]){ 0 } );
        write_page( &parts, 61 );
        poll_pages( &parts, 56, 8, WRITE_WATCH_FLAG_RESET, PAGES, (void *[PAGES]){ 0 } );
    }
    if (!never_read()) restore_pages( &other );

    phase( "release" );
    if (other.base) check_contents( &other );
    release( &other );

    end_faults();
    phase_name = "the end";
    strcpy( shared->phase, phase_name );
    settle( &mem );
    release( &mem );
    allocate( &mem, MEM_RESERVE | MEM_COMMIT );
    settle( &mem );
    release( &mem );
    check_descriptors( ret != 0 );

    snprintf( shared->outcome, sizeof(shared->outcome), "%s", outcome );
    shared->wrong = outcome_wrong;
    shared->done = 1;
    _exit( 0 );
}
