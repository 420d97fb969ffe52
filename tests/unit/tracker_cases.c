/*
 * Trackers where memory is huge, mapped over, written by several threads, moved, or seen twice
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The arguments are backends, otherwise all have their turn.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/watch.h"
#include "fault/fault.h"
#include "sys/page.h"
#include "track/move.h"
#include "track/tracker.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES 16
#define SIZE  ((size_t)PAGES << page_shift)

#define HUGE_SHIFT 21
#define HUGE_SIZE  ((size_t)1 << HUGE_SHIFT)

static char *map_memory( size_t size )
{
    char *ret = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

    check( ret != MAP_FAILED );
    return ret;
}

static struct writewatch_tracker *open_tracker( char *start, size_t size )
{
    struct writewatch_tracker *ret = NULL;

    check( !writewatch_tracker_open( &ret, start, size, 0 ));
    return ret;
}

/* which pages of PAGES from base on a tracker lists, one bit each */
static uint64_t take( struct writewatch_tracker *tracker, char *base )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1 };
    struct writewatch_range ranges[PAGES];
    const void *pos = base;
    uint64_t ret = 0;
    ssize_t i, count;

    count = writewatch_tracker_list( tracker, &pos, base + SIZE, &filter, ranges, PAGES );
    check( count >= 0 && pos == base + SIZE );
    for (i = 0; i < count; i++)
        for (; ranges[i].start < ranges[i].end; ranges[i].start += page_size())
            ret |= (uint64_t)1 << ((ranges[i].start - (uintptr_t)base) >> page_shift);
    return ret;
}

#define check_pages( found, expected ) \
    do \
    { \
        uint64_t pages = (found), right = (expected); \
        if (pages != right) printf( "pages %#llx, not %#llx\n", (unsigned long long)pages, \
                                    (unsigned long long)right ); \
        check( pages == right ); \
    } while (0)

/* A list from start to end of a tracker finds all of [first, last), which was written, and nothing
 * else; and then nothing. */
static void check_list( struct writewatch_tracker *tracker, char *start, char *end, char *first,
                        char *last )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1 };
    struct writewatch_range ranges[4];
    const void *pos = start;
    ssize_t count = writewatch_tracker_list( tracker, &pos, end, &filter, ranges, 4 );

    if (count > 0 && (ranges[0].start != (uintptr_t)first || ranges[0].end != (uintptr_t)last))
        printf( "from page %td to %td, not from %td to %td\n",
                ((char *)(uintptr_t)ranges[0].start - first) / (ptrdiff_t)page_size(),
                ((char *)(uintptr_t)ranges[0].end - first) / (ptrdiff_t)page_size(), (ptrdiff_t)0,
                (last - first) / (ptrdiff_t)page_size() );
    check( count == 1 && ranges[0].start == (uintptr_t)first && ranges[0].end == (uintptr_t)last );
    check( pos == end );
    pos = start;
    check( !writewatch_tracker_list( tracker, &pos, end, &filter, ranges, 4 ) && pos == end );
}

/* whether pages before and behind one of a copy are as they were */
static int is_alone( const char *copy )
{
    const char *first = copy - page_size(), *last = copy + page_size();
    size_t i;

    for (i = 0; i < page_size(); i++) if (first[i] != 0x55 || last[i] != 0x55) return 0;
    return 1;
}

/* Ranges that begin and end within huge pages. What the backend knows of is the whole huge page;
 * what is listed, saved and restored of it is the range that was asked for. */
static void test_huge( const char *name )
{
    char *area = map_memory( 5 * HUGE_SIZE ), *copy = map_memory( 3 * page_size() ) + page_size();
    char *base = (char *)(((uintptr_t)area + HUGE_SIZE - 1) & -HUGE_SIZE);
    struct writewatch_tracker *tracker, *all;
    size_t page = page_size();
    int ret;

    /* Backends of faults open as much as the engine says, whatever the kernel's pages are. Before
     * Linux 6.4 those of userfaultfd refuse huge pages. */
    ret = watch_add_as( base, 4 * HUGE_SIZE, REGION_MIXED, HUGE_SHIFT );
    if (ret == -EOPNOTSUPP && strcmp( name, "mprotect" ))
    {
        printf( "not tested: %s: huge pages (it does not watch them here)\n", name );
        munmap( area, 5 * HUGE_SIZE );
        munmap( copy - page, 3 * page );
        return;
    }
    check( !ret );
    tracker = open_tracker( base + page, 2 * HUGE_SIZE );
    all = open_tracker( base, 4 * HUGE_SIZE );

    base[2 * page] = 1;
    check_list( tracker, base + page, base + page + 2 * HUGE_SIZE, base + page, base + HUGE_SIZE );
    base[2 * HUGE_SIZE + 5 * page] = 1;
    check_list( tracker, base + page, base + page + 2 * HUGE_SIZE, base + 2 * HUGE_SIZE,
                base + 2 * HUGE_SIZE + page );

    /* within the range, and within one huge page */
    base[3 * page] = 2;
    check_list( tracker, base + 5 * page, base + 7 * page, base + 5 * page, base + 7 * page );
    check_list( tracker, base + page, base + 5 * page, base + page, base + 5 * page );
    check_list( tracker, base + 5 * page, base + page + HUGE_SIZE, base + 7 * page,
                base + HUGE_SIZE );

    memset( copy - page, 0x55, 3 * page );
    memset( base, 3, 8 * page );
    check( writewatch_tracker_save( all, base + 2 * page, page, copy ) == (ssize_t)page );
    check( is_alone( copy ) && copy[0] == 3 && copy[page - 1] == 3 );

    memset( copy, 4, page );
    memset( base, 5, 8 * page );
    check( writewatch_tracker_restore( all, base + 2 * page, page, copy ) == (ssize_t)page );
    check( base[2 * page] == 4 && base[3 * page - 1] == 4 );
    check( base[page] == 5 && base[2 * page - 1] == 5 && base[3 * page] == 5 );

    writewatch_tracker_close( tracker );
    writewatch_tracker_close( all );
    watch_remove( base, 4 * HUGE_SIZE );
    munmap( area, 5 * HUGE_SIZE );
    munmap( copy - page, 3 * page );
}

/* the calls that may find that other memory was mapped over what is watched */
static ssize_t call_over( unsigned int call, struct writewatch_tracker *tracker, char *memory,
                          char *copy )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1 };
    struct writewatch_range ranges[PAGES];
    const void *pos = memory;

    if (call % 2) filter.flags = WRITEWATCH_ACROSS;
    switch (call)
    {
    case 0: case 1:
        return writewatch_tracker_list( tracker, &pos, memory + SIZE, &filter, ranges, PAGES );
    case 2: case 3:
        return writewatch_list( memory, SIZE, &filter, ranges, PAGES, &pos );
    case 4: return writewatch_tracker_save( tracker, memory, SIZE, copy );
    case 5: return writewatch_tracker_restore( tracker, memory, SIZE, copy );
    default:
        filter.reset = 0;
        return writewatch_tracker_list( tracker, &pos, memory + SIZE, &filter, ranges, PAGES );
    }
}

/* Written memory is no longer there: that is an error of each call, where the backend sees it, and
 * no reason to look again for ever. Those of userfaultfd see it at the latest when a page is reset;
 * mprotect does as with any memory. */
static void test_mapped_over( const char *name, unsigned int call )
{
    struct writewatch_capabilities caps = { .size = sizeof(caps) };
    char *memory = map_memory( SIZE ), *copy = map_memory( SIZE );
    struct writewatch_tracker *tracker;
    ssize_t ret;
    int sees;

    check( !writewatch_watch( memory, SIZE ));
    check( !writewatch_capabilities( memory, &caps ));
    tracker = open_tracker( memory, SIZE );
    memset( memory, 1, SIZE );
    check( mmap( memory, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                 0 ) == memory );
    ret = call_over( call, tracker, memory, copy );
    sees = caps.flags & WRITEWATCH_CAN_SEE_REPLACED || (strcmp( name, "mprotect" ) && call != 6);
    if (sees ? ret >= 0 : ret < 0) printf( "call %u returns %zd\n", call, ret );
    check( sees ? ret == -EPERM || ret == -ENOMEM : ret >= 0 );
    writewatch_tracker_close( tracker );
    writewatch_unwatch( memory, SIZE );
    munmap( memory, SIZE );
    munmap( copy, SIZE );
}

static volatile unsigned int *shared_word;
static int stop_writers, passed_on;

static void count_signal( int sig )
{
    (void)sig;
    __atomic_fetch_add( &passed_on, 1, __ATOMIC_SEQ_CST );
}

static void *write_word( void *arg )
{
    while (!__atomic_load_n( &stop_writers, __ATOMIC_SEQ_CST ))
        __atomic_fetch_add( shared_word, 1, __ATOMIC_SEQ_CST );
    return arg;
}

/* Two threads write one page that is armed all the time: their faults repeat, and one of them finds
 * that the other has opened the page. None of that is for the program's own handler. */
static void test_one_word(void)
{
    char *memory = map_memory( SIZE );
    struct writewatch_tracker *tracker;
    const struct timespec pause = { 0, 20000 };
    unsigned int i, rounds = unit_share( 4000 );
    pthread_t threads[2];

    check( !writewatch_watch( memory, SIZE ));
    tracker = open_tracker( memory, SIZE );
    shared_word = (unsigned int *)memory;
    for (i = 0; i < 2; i++) check( !pthread_create( &threads[i], NULL, write_word, NULL ));
    for (i = 0; i < rounds && !unit_failures; i++)
    {
        check( !(take( tracker, memory ) & ~(uint64_t)1) );
        nanosleep( &pause, NULL );
    }
    __atomic_store_n( &stop_writers, 1, __ATOMIC_SEQ_CST );
    for (i = 0; i < 2; i++) pthread_join( threads[i], NULL );
    if (passed_on) printf( "%d signals to the program\n", passed_on );
    check( !passed_on );
    writewatch_tracker_close( tracker );
    check( !writewatch_unwatch( memory, SIZE ));
    munmap( memory, SIZE );
}

/* A fault of this thread, as its handler sees it. The kernel has kept whether the last one was a
 * write. */
static void queue_fault( const char *name, char *addr )
{
    int is_sigbus = !strcmp( name, "sigbus" );
    siginfo_t info = { .si_signo = is_sigbus ? SIGBUS : SIGSEGV,
                       .si_code = is_sigbus ? BUS_ADRERR : SEGV_ACCERR };

    info.si_addr = addr;
    check( !syscall( SYS_rt_tgsigqueueinfo, getpid(), (int)syscall( SYS_gettid ), info.si_signo,
                     &info ));
}

/* The same without luck: the fault of a thread repeats, and each time another one has been faster.
 * None of these faults is the program's, not even one after a thousand. */
static void test_faster_thread( const char *name )
{
    int has_signals = strcmp( name, "thread" );
    char *memory = map_memory( SIZE );
    struct writewatch_tracker *tracker;
    unsigned int i;

    /* a fault of the program arrives; one at most is tried again, as memory was unwatched before */
    for (i = 0; has_signals && i < 2 && !passed_on; i++) queue_fault( name, memory );
    check( passed_on == !!has_signals );
    passed_on = 0;
    check( !writewatch_watch( memory, SIZE ));
    tracker = open_tracker( memory, SIZE );
    *(volatile char *)memory = 1;
    for (i = 0; i < 1500 && !passed_on; i++)
        if (has_signals) queue_fault( name, memory );
        else passed_on = !fault_serve( (uintptr_t)memory, 1 );
    if (passed_on) printf( "fault %u is passed on\n", i );
    check( !passed_on );
    writewatch_tracker_close( tracker );
    check( !writewatch_unwatch( memory, SIZE ));
    munmap( memory, SIZE );
}

/* what was written through a view before it is one has no place in the tracker's range */
static void test_view_begins(void)
{
    int fd = memfd_create( "view", MFD_CLOEXEC );
    struct writewatch_tracker *tracker;
    char *first, *second;

    check( fd != -1 && !ftruncate( fd, SIZE ));
    first  = mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    second = mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    close( fd );
    check( first != MAP_FAILED && second != MAP_FAILED );
    check( !writewatch_watch( first, SIZE ) && !writewatch_watch( second, SIZE ));
    tracker = open_tracker( first, SIZE );
    second[1 << page_shift] = 1;
    first[4 << page_shift] = 1;
    check( !writewatch_tracker_add_view( tracker, first, SIZE, second ));
    check_pages( take( tracker, first ), 0x10 );
    second[1 << page_shift] = second[2 << page_shift] = 2;
    check_pages( take( tracker, first ), 0x6 );

    /* memory that it follows already, and that is a view now */
    first[6 << page_shift] = 1;
    check( !writewatch_tracker_add_view( tracker, first + (9 << page_shift), page_size(),
                                         first + (6 << page_shift) ));
    check_pages( take( tracker, first ), 0x40 );
    first[6 << page_shift] = 2;
    check_pages( take( tracker, first ), 0x240 );

    writewatch_tracker_close( tracker );
    check( !writewatch_unwatch( first, SIZE ) && !writewatch_unwatch( second, SIZE ));
    munmap( first, SIZE );
    munmap( second, SIZE );
}

static unsigned int slot_of( struct writewatch_tracker *tracker )
{
    return ((struct tracker *)tracker)->slot;
}

/* Memory moves while a tracker is closed and another one opened: the new one has the slot of the
 * old one, but not what was written before it was there. */
static void test_moved(void)
{
    struct writewatch_tracker *stays, *goes, *comes;
    char *memory = map_memory( SIZE );
    struct moved_state state;
    unsigned int slot;

    check( !writewatch_watch( memory, SIZE ));
    stays = open_tracker( memory, SIZE );
    goes  = open_tracker( memory, SIZE );
    slot  = slot_of( goes );
    memory[3 << page_shift] = 1;
    check( !move_look( &state, (uintptr_t)memory, SIZE ));
    check( !move_take( &state ));
    writewatch_tracker_close( goes );
    comes = open_tracker( memory, SIZE );
    check( slot_of( comes ) == slot );
    check( !writewatch_watch( memory, SIZE ));
    move_give( &state, (uintptr_t)memory );
    check_pages( take( comes, memory ), 0 );
    check_pages( take( stays, memory ), 0x8 );
    memory[5 << page_shift] = 1;
    check_pages( take( comes, memory ), 0x20 );
    check_pages( take( stays, memory ), 0x20 );
    writewatch_tracker_close( comes );
    writewatch_tracker_close( stays );
    check( !writewatch_unwatch( memory, SIZE ));
    munmap( memory, SIZE );
}

static int run( const char *name )
{
    struct sigaction action = { .sa_handler = count_signal };
    unsigned int call;

    /* before the library's, which pass on what is not for them */
    check( !sigaction( SIGSEGV, &action, NULL ) && !sigaction( SIGBUS, &action, NULL ));
    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    if (strcmp( name, "scan" )) test_huge( name );
    for (call = 0; call < 7; call++) test_mapped_over( name, call );
    test_view_begins();
    test_moved();
    test_one_word();
    if (strcmp( name, "scan" )) test_faster_thread( name );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
