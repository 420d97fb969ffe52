/*
 * What a region's backend says it can do: each word is tried, and works or fails as it says
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault/mprotect_pages.h"
#include "sys/page.h"
#include "sys/pagemap.h"
#include "unit.h"
#include "write_watch.h"
#include "writewatch.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define HUGE_SIZE ((size_t)2 << 20)
#define PAGES     128

enum kind
{
    FRESH, UNTOUCHED, POPULATED, SHARED, MEMFD_PRIVATE, DISK_FILE, DISK_PRIVATE, BESIDE, HUGE, KINDS
};

static const char * const kind_names[KINDS] =
{
    "MEM_WRITE_WATCH", "untouched", "populated", "shared", "memfd private", "file", "file private",
    "private beside shared", "huge pages"
};

/* the memory of a trial */
static enum kind kind;
static char *base;
static size_t granule, pages;

static const char *backend;
static unsigned int not_swapped;   /* kinds of which no page could be swapped out */

static char *page( size_t index )
{
    return base + index * granule;
}

static char *map( size_t size, int flags, int fd )
{
    char *ret = mmap( NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0 );

    if (fd != -1) close( fd );
    return ret == MAP_FAILED ? NULL : ret;
}

static int file_of( int fd, size_t size )
{
    check( fd != -1 && !ftruncate( fd, size ));
    return fd;
}

static char *map_kind( size_t size )
{
    const int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
    char *ret;

    switch (kind)
    {
    case POPULATED:
        if ((ret = map( size, anonymous, -1 ))) memset( ret, 1, size );
        return ret;
    case SHARED: return map( size, MAP_SHARED, file_of( memfd_create( "test", 0 ), size ));
    case MEMFD_PRIVATE: return map( size, MAP_PRIVATE, file_of( memfd_create( "test", 0 ), size ));
    case DISK_FILE: return map( size, MAP_SHARED, file_of( unit_temp_file(), size ));
    case DISK_PRIVATE: return map( size, MAP_PRIVATE, file_of( unit_temp_file(), size ));
    case BESIDE:
        if ((ret = map( size, anonymous, -1 )))
            check( mmap( ret + size / 2, size / 2, PROT_READ | PROT_WRITE,
                         MAP_FIXED | MAP_SHARED | MAP_ANONYMOUS, -1, 0 ) != MAP_FAILED );
        return ret;
    case HUGE: return map( size, anonymous | MAP_HUGETLB | 21 << 26, -1 );
    default: return map( size, anonymous, -1 );
    }
}

/* memory for a trial; 0 if the kernel has none of this kind, or no backend watches it */
static int begin( void )
{
    granule = kind == HUGE ? HUGE_SIZE : page_size();
    pages = kind == HUGE ? 4 : PAGES;
    if (kind == FRESH)
        base = VirtualAlloc( NULL, pages * granule, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                             PAGE_READWRITE );
    else
    {
        if (!(base = map_kind( pages * granule ))) return 0;
        if (writewatch_watch( base, pages * granule ))
        {
            munmap( base, pages * granule );
            return 0;
        }
    }
    check( base != NULL );
    return base != NULL;
}

static void end( void )
{
    if (kind == FRESH) check( VirtualFree( base, 0, MEM_RELEASE ));
    else
    {
        writewatch_unwatch( base, pages * granule );
        check( !munmap( base, pages * granule ));
    }
}

/* how many pages are reported, or -1; and in *is_there whether one of them is */
static long poll_pages( size_t index, int *is_there )
{
    void *addresses[PAGES];
    ULONG_PTR i, count = PAGES;
    ULONG granularity;

    *is_there = 0;
    if (get_write_watch( 0, base, pages * granule, addresses, &count, &granularity )) return -1;
    for (i = 0; i < count; i++) *is_there |= addresses[i] == page( index );
    return count;
}

static int is_reported( size_t index )
{
    int ret;

    return poll_pages( index, &ret ) >= 0 && ret;
}

static void reset( void )
{
    check( !reset_write_watch( base, pages * granule ));
}

static void write_page( size_t index )
{
    *(volatile char *)page( index ) = 1;
}

/* With softdirty, writes fail only while pages are reset: the trial is made until it fails. */
static int stop_polls;

static void *keep_polling( void *arg )
{
    while (!__atomic_load_n( &stop_polls, __ATOMIC_SEQ_CST )) reset();
    return arg;
}

static int needs_polls( void )
{
    return !strcmp( backend, "softdirty" );
}

static pthread_t begin_polls( void )
{
    pthread_t thread;

    stop_polls = 0;
    check( !pthread_create( &thread, NULL, keep_polling, NULL ));
    return thread;
}

static void end_polls( pthread_t thread )
{
    __atomic_store_n( &stop_polls, 1, __ATOMIC_SEQ_CST );
    pthread_join( thread, NULL );
}

/* The trials: 1 if it works, 0 if it does not, -1 if that cannot be found out. */

static int try_syscalls( void )
{
    pthread_t thread;
    int fds[2], ret;

    check( !pipe( fds ) && write( fds[1], "x", 1 ) == 1 );
    write_page( 1 );
    reset();
    ret = read( fds[0], page( 1 ), 1 );
    if (needs_polls())
    {
        check( ret == 1 && is_reported( 1 ));
        thread = begin_polls();
        while (write( fds[1], "x", 1 ) == 1 && (ret = read( fds[0], page( 1 ), 1 )) == 1)
            /* again */;
        check( ret == -1 && errno == EFAULT );
        end_polls( thread );
        reset();
        errno = EFAULT;
    }
    check( ret == 1 ? is_reported( 1 ) : errno == EFAULT && !is_reported( 1 ));
    /* and with what all of them can */
    if (ret != 1)
        check( !writewatch_prepare( page( 1 ), 1 ) && read( fds[0], page( 1 ), 1 ) == 1 );
    close( fds[0] );
    close( fds[1] );
    return ret == 1;
}

static int try_block_signals( void )
{
    sigset_t faults;
    int status;
    pid_t pid;

    if (!(pid = fork()))
    {
        write_page( 1 );
        reset();
        if (needs_polls()) begin_polls();
        sigemptyset( &faults );
        sigaddset( &faults, SIGSEGV );
        sigaddset( &faults, SIGBUS );
        sigprocmask( SIG_BLOCK, &faults, NULL );
        alarm( UNIT_HANGS );
        do write_page( 1 );
        while (needs_polls());
        _exit( is_reported( 1 ) ? 0 : 1 );
    }
    check( waitpid( pid, &status, 0 ) == pid );
    check( !status || (WIFSIGNALED( status ) && (WTERMSIG( status ) == SIGSEGV ||
                                                 WTERMSIG( status ) == SIGBUS)) );
    return !status;
}

static int try_drop( void )
{
    int before, after;

    /* no poll between these two: one might note the page */
    write_page( 1 );
    check( !madvise( page( 1 ), granule, MADV_DONTNEED ));
    before = is_reported( 1 );

    write_page( 0 );
    reset();
    check( !madvise( page( 0 ), granule, MADV_DONTNEED ));
    write_page( 0 );
    after = is_reported( 0 );
    return before && after;
}

/* both of the calls that need it */
static int try_fill( void )
{
    struct writewatch_restore *restore;
    int fd = file_of( memfd_create( "test", MFD_CLOEXEC ), pages * granule ), filled, restored;
    char *data = map( granule, MAP_PRIVATE | MAP_ANONYMOUS, -1 );

    memset( data, 5, granule );
    if (kind == POPULATED) madvise( page( 1 ), granule, MADV_DONTNEED );
    filled = writewatch_fill( page( 1 ), data, granule );
    check( !filled || filled == -EOPNOTSUPP );
    if (!filled) check( !is_reported( 1 ) && *page( 1 ) == 5 );

    check( pwrite( fd, "r", 1, 2 * granule ) == 1 );
    if (kind == POPULATED) madvise( page( 2 ), granule, MADV_DONTNEED );
    restored = writewatch_restore_start( &restore, base, pages * granule, fd, 0 );
    check( restored == filled );
    if (!restored)
    {
        check( *page( 2 ) == 'r' );
        check( !is_reported( 2 ));
        writewatch_restore_stop( restore );
    }
    munmap( data, granule );
    close( fd );
    return !filled;
}

static int try_list_zero( void )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_ZERO };
    struct writewatch_range range;
    ssize_t ret;

    (void)*(volatile char *)page( 1 );
    ret = writewatch_list( base, pages * granule, &filter, &range, 1, NULL );
    check( ret >= 0 || ret == -EOPNOTSUPP );
    if (ret >= 0 && kind <= UNTOUCHED && unit_has_zero_page())
        check( ret == 1 && range.start == (uintptr_t)page( 1 ) &&
               range.end == (uintptr_t)page( 2 ));
    return ret >= 0;
}

/* Shared pages that are swapped out have no entry, or a marker. */
static int is_swapped( size_t index )
{
    int fd, shared = kind == SHARED || kind == BESIDE;
    uint64_t entry = 0;

    if (!pagemap_open( &fd, NULL ))
    {
        check( pagemap_read( fd, (uintptr_t)page( index ), 1, &entry ) == 1 );
        close( fd );
    }
    return !(entry & PM_PRESENT) && (shared || entry & PM_SWAP);
}

/* a page that was written, reset, and swapped out; a shared one if there are any */
static int try_list_swapped( void )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_SWAPPED };
    size_t last = pages - 1;
    unsigned int tries;
    struct writewatch_range range;
    ssize_t ret;

    /* these go to the file, or nowhere */
    if (kind == HUGE || kind == DISK_FILE) return -1;
    write_page( last );
    reset();
    /* a page that is on its way to a list of the kernel is passed over */
    for (tries = 0; tries < 100 && !is_swapped( last ); tries++)
        madvise( page( last ), granule, MADV_PAGEOUT );
    if (!is_swapped( last ))
    {
        not_swapped |= 1u << kind;
        return -1;
    }
    ret = writewatch_list( page( last ), granule, &filter, &range, 1, NULL );
    check( ret >= 0 );
    return ret == 1;
}

static int try_exact( void )
{
    size_t i, count = 0;
    int is_there;
    long found;

    pages_limit_splits( 1 );   /* as if there were hardly a mapping left */
    reset();
    for (i = 1; i < pages; i += 2, count++) write_page( i );
    found = poll_pages( 1, &is_there );
    pages_limit_splits( 30000 );
    check( is_there && found >= (long)count );
    return found == (long)count;
}

static int try_see_replaced( void )
{
    int flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, is_there;
    long ret;

    write_page( 1 );
    reset();
    check( mmap( page( 1 ), granule, PROT_READ | PROT_WRITE, flags, -1, 0 ) == page( 1 ));
    write_page( 1 );
    ret = poll_pages( 1, &is_there );
    /* softdirty takes all of a new mapping for written, once */
    check( ret < 0 || is_there == needs_polls() );
    return ret < 0;
}

static const struct
{
    const char *name;
    uint64_t    flag;
    int       (*try)( void );
} trials[] =
{
    { "SYSCALLS",      WRITEWATCH_CAN_SYSCALLS,      try_syscalls },
    { "BLOCK_SIGNALS", WRITEWATCH_CAN_BLOCK_SIGNALS, try_block_signals },
    { "DROP",          WRITEWATCH_CAN_DROP,          try_drop },
    { "FILL",          WRITEWATCH_CAN_FILL,          try_fill },
    { "LIST_ZERO",     WRITEWATCH_CAN_LIST_ZERO,     try_list_zero },
    { "LIST_SWAPPED",  WRITEWATCH_CAN_LIST_SWAPPED,  try_list_swapped },
    { "BE_EXACT",      WRITEWATCH_CAN_BE_EXACT,      try_exact },
    { "SEE_REPLACED",  WRITEWATCH_CAN_SEE_REPLACED,  try_see_replaced },
};

static void get( const void *addr, struct writewatch_capabilities *caps )
{
    memset( caps, 0x55, sizeof(*caps) );
    caps->size = sizeof(*caps);
    check( !writewatch_capabilities( addr, caps ));
    check( caps->size == sizeof(*caps) && !caps->unused && !caps->reserved[0] &&
           !caps->reserved[3] );
    check( !(caps->flags & ~(uint64_t)0xff) );
}

static void test_kind( void )
{
    struct writewatch_capabilities caps;
    unsigned int i;
    int works;

    for (i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
    {
        if (!begin())
        {
            if (!i) printf( "not tested: %s, %s\n", backend, kind_names[kind] );
            return;
        }
        get( page( 1 ) + 7, &caps );
        check( caps.granularity == granule );
        check( !strcmp( caps.backend, writewatch_backend_of( base )));
        works = trials[i].try();
        end();
        if (works < 0 || works == !!(caps.flags & trials[i].flag)) continue;
        fprintf( stderr, "%s (%s), %s: %s is %d, but what it says is tried with %d\n", caps.backend,
                 caps.form, kind_names[kind], trials[i].name, !!(caps.flags & trials[i].flag),
                 works );
        unit_failures++;
    }
}

/* what is said of new memory is what is said of it when it is there */
static void test_new_memory( void )
{
    struct writewatch_capabilities new, caps;

    kind = FRESH;
    get( NULL, &new );
    check( begin() );
    get( base, &caps );
    check( new.flags == caps.flags && new.granularity == caps.granularity );
    check( new.backend == caps.backend && new.form == caps.form );
    end();
}

static void test_arguments( void )
{
    struct
    {
        struct writewatch_capabilities caps;
        unsigned char                  more[40];
    } large;
    struct writewatch_capabilities caps = { .size = 0 };

    check( writewatch_capabilities( NULL, &caps ) == -EINVAL );
    caps.size = offsetof( struct writewatch_capabilities, reserved ) - 1;
    check( writewatch_capabilities( NULL, &caps ) == -EINVAL );
    /* an older program, and a newer one */
    caps.size = offsetof( struct writewatch_capabilities, reserved );
    caps.reserved[0] = 7;
    check( !writewatch_capabilities( NULL, &caps ) && caps.reserved[0] == 7 && caps.granularity );
    memset( &large, 0x55, sizeof(large) );
    large.caps.size = offsetof( typeof(large), more ) + 32;
    check( !writewatch_capabilities( NULL, &large.caps ));
    check( !large.more[0] && !large.more[31] && large.more[32] == 0x55 );
    check( large.caps.flags == caps.flags );

    caps.size = sizeof(caps);
    check( writewatch_capabilities( &caps, &caps ) == -ENOENT );
}

static int run( const char *name )
{
    struct writewatch_capabilities caps = { .size = sizeof(caps) };
    int old;

    backend = name;
    not_swapped = 0;
    check( writewatch_capabilities( NULL, &caps ) == -ENOENT );
    if (writewatch_open( name )) return unit_skip( name, writewatch_reason() );
    old = unit_huge_pages( -1 );
    if (old >= 0 && old < 16) unit_huge_pages( 16 );
    test_arguments();
    test_new_memory();
    for (kind = 0; kind < KINDS; kind++)
        if (kind == FRESH || strcmp( name, "softdirty" )) test_kind();
    if (old >= 0 && old < 16) unit_huge_pages( old );
    for (kind = 0; kind < KINDS; kind++)
        if (not_swapped & 1u << kind)
            printf( "not tested: %s, %s: pages that are swapped out (no page can be)\n", name,
                    kind_names[kind] );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv,
                              UNIT_SCAN_UNMARKED | UNIT_SCAN_MARKED | UNIT_FAULTS | UNIT_SOFTDIRTY,
                              run );
}
