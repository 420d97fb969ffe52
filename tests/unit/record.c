/*
 * What the preloaded library records, and what it does when it cannot
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../../preload/preload.h"
#include "../../preload/record.h"
#include "engine/watch.h"
#include "fault/fault.h"
#include "sys/page.h"
#include "unit.h"

#define PAGES 64

static char said[300];            /* the last line of the log */
static unsigned int said_count;

void log_line( const char *format, ... )
{
    va_list args;

    va_start( args, format );
    vsnprintf( said, sizeof(said), format, args );
    va_end( args );
    said_count++;
}

const char *program_name(void)
{
    return "a program.exe";
}

void deliver_deferred_signals(void)
{
}

static char dir[] = "/tmp/writewatch-record.XXXXXX";
static char path[64];
static char text[1 << 20];        /* what is in the file */
static char *base;
static void *results[PAGES];

static const char *read_text(void)
{
    int fd = open( path, O_RDONLY );
    ssize_t len = fd == -1 ? -1 : read( fd, text, sizeof(text) - 1 );

    if (fd != -1) close( fd );
    text[len > 0 ? len : 0] = 0;
    return text;
}

/* what stands in the last line behind the time */
static const char *last_event(void)
{
    char *start, *end;

    read_text();
    if (!(end = strrchr( text, '\n' ))) return "";
    *end = 0;
    start = (start = strrchr( text, '\n' )) ? start + 1 : text;
    if (!(start = strchr( start, ' ' )) || !(start = strchr( start + 1, ' ' ))) return "";
    return start + 1;
}

static unsigned int count_lines(void)
{
    unsigned int ret = 0;
    const char *p;

    for (p = read_text(); (p = strchr( p, '\n' )); p++) ret++;
    return ret;
}

static NTSTATUS poll_into( void **array, ULONG_PTR *count )
{
    static ULONG granularity;
    const struct record_poll poll = { WRITE_WATCH_FLAG_RESET, base, PAGES * 4096, array, count,
                                      &granularity };

    return record_get( &poll );
}

/* in a child, as what is recorded to is set once */
static void begin( const char *file )
{
    char reason[200];

    setenv( "WRITEWATCH_RECORD", file, 1 );
    said_count = 0;
    if (watch_open( unit_scan(), reason, sizeof(reason) )) exit( unit_skip( "scan", reason ));
    base = mmap( NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( base != MAP_FAILED && !watch_add( base, PAGES * 4096 ));
    check( !watch_commit( base, PAGES * 4096 ));
    record_open();
}

static void test_lines(void)
{
    ULONG_PTR count = PAGES;
    char expected[200];
    struct stat st;

    begin( path );
    check( is_recording() );
    check( stat( path, &st ) == -1 && errno == ENOENT );    /* nothing before the first event */
    record_change( RECORD_ALLOC, base, PAGES * 4096, MEM_RESERVE | MEM_WRITE_WATCH );
    snprintf( expected, sizeof(expected), "alloc 0x%lx 0x40000 0x202000", (unsigned long)base );
    check( !strcmp( last_event(), expected ));
    snprintf( expected, sizeof(expected), "%d ", (int)getpid() );
    check( !strncmp( read_text(), expected, strlen( expected )));
    snprintf( expected, sizeof(expected), " writewatch 1 %zu 4096 " VERSION " a program.exe\n",
              sizeof(void *) * 8 );
    check( strstr( text, expected ) && count_lines() == 2 );
    check( !stat( path, &st ) && (st.st_mode & 0777) == 0600 );

    base[3 * 4096] = base[4 * 4096] = base[5 * 4096] = base[9 * 4096] = base[63 * 4096] = 1;
    check( !poll_into( results, &count ) && count == 5 );
    snprintf( expected, sizeof(expected), "poll 0x%lx 0x40000 0x1 64 5: 3-5 9 63",
              (unsigned long)base );
    check( !strcmp( last_event(), expected ));
    count = PAGES;
    check( !poll_into( results, &count ) && !count );
    snprintf( expected, sizeof(expected), "poll 0x%lx 0x40000 0x1 64 0:", (unsigned long)base );
    check( !strcmp( last_event(), expected ));
    memset( base, 1, PAGES * 4096 );
    count = 2;
    check( !poll_into( results, &count ) && count == 2 );
    snprintf( expected, sizeof(expected), "poll 0x%lx 0x40000 0x1 2 2: 0-1", (unsigned long)base );
    check( !strcmp( last_event(), expected ));
    check( !record_reset( base, 4096 ));
    snprintf( expected, sizeof(expected), "reset 0x%lx 0x1000", (unsigned long)base );
    check( !strcmp( last_event(), expected ));
    record_change( RECORD_DECOMMIT, base, 4096, 0 );
    snprintf( expected, sizeof(expected), "decommit 0x%lx 0x1000", (unsigned long)base );
    check( !strcmp( last_event(), expected ));
    /* every other page: longer than what has room on the stack */
    count = PAGES;
    check( !poll_into( results, &count ));
    for (count = 0; count < PAGES; count += 2) base[count * 4096] = 2;
    count = PAGES;
    check( !poll_into( results, &count ) && count == PAGES / 2 );
    check( strstr( last_event(), " 64 32: 0 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 32 " ));
    check( !said_count );
}

/* the array holds something else when it is read back: not the pages of the poll */
static void test_spoilt(void)
{
    void *array[PAGES];

    begin( path );
    record_change( RECORD_ALLOC, base, PAGES * 4096, MEM_RESERVE );
    base[0] = base[4096] = 1;
    array[0] = (void *)PAGES;
    check( !poll_into( array, (ULONG_PTR *)array ) && array[0] == (void *)2 );
    check( strstr( last_event(), " 64 2: ?" ));
}

static int stopping;

/* takes an array away and gives it back */
static void *change_array( void *array )
{
    while (!__atomic_load_n( &stopping, __ATOMIC_RELAXED ))
    {
        mprotect( array, 4096, PROT_NONE );
        mprotect( array, 4096, PROT_READ | PROT_WRITE );
    }
    return NULL;
}

/* A poll fails as it would without a record, or it is recorded, with its pages if these can be
 * read. */
static void test_taken_away(void)
{
    void **array = mmap( NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    unsigned int i, polls = 0, lines;
    ULONG_PTR count;
    pthread_t thread;
    NTSTATUS status;

    begin( path );
    check( !fault_handler_install() );
    record_change( RECORD_ALLOC, base, PAGES * 4096, MEM_RESERVE );
    lines = count_lines();
    check( !pthread_create( &thread, NULL, change_array, array ));
    for (i = 0; i < 3000; i++)
    {
        base[i % PAGES * 4096] = 1;
        count = PAGES;
        if (!(status = poll_into( array, &count ))) polls++;
        else check( status == STATUS_ACCESS_VIOLATION );
    }
    __atomic_store_n( &stopping, 1, __ATOMIC_RELAXED );
    pthread_join( thread, NULL );
    check( count_lines() == lines + polls );
    check( !said_count );
    printf( "%u of %u polls found an array\n", polls, i );
}

/* what fails is as without a record, and is not in it */
static void test_failures(void)
{
    ULONG_PTR count = PAGES;
    unsigned int lines;
    void **bad = mmap( NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

    begin( path );
    record_change( RECORD_ALLOC, base, PAGES * 4096, MEM_RESERVE );
    lines = count_lines();
    check( !fault_handler_install() );
    base[0] = 1;
    check( poll_into( bad, &count ) == STATUS_ACCESS_VIOLATION );
    check( poll_into( results, (ULONG_PTR *)bad ) == STATUS_ACCESS_VIOLATION );
    check( poll_into( results, NULL ) == STATUS_ACCESS_VIOLATION );
    count = 0;
    check( poll_into( results, &count ) == STATUS_INVALID_PARAMETER );
    check( record_reset( base, 0 ) == STATUS_INVALID_PARAMETER );
    check( count_lines() == lines );
    count = PAGES;
    check( !poll_into( results, &count ) && count == 1 && results[0] == base );
    check( count_lines() == lines + 1 );
}

/* writes that the kernel refuses, here and later */
static void test_full(void)
{
    ULONG_PTR count = PAGES;

    begin( "/dev/full" );
    check( is_recording() );
    record_change( RECORD_ALLOC, base, PAGES * 4096, MEM_RESERVE );
    check( !is_recording() && said_count == 1 && strstr( said, "No space left" ));
    base[4096] = 1;
    check( !poll_into( results, &count ) && count == 1 );
    record_change( RECORD_FREE, base, PAGES * 4096, 0 );
    check( said_count == 1 );
}

static void test_vanished(void)
{
    begin( path );
    record_change( RECORD_ALLOC, base, PAGES * 4096, MEM_RESERVE );
    check( is_recording() && !unlink( path ));
    record_change( RECORD_COMMIT, base, 4096, 0 );
    check( !is_recording() && said_count == 1 && strstr( said, "No such file" ));
    check( access( path, F_OK ));
}

static void test_no_file(void)
{
    begin( "/nonexistent/record" );
    record_change( RECORD_ALLOC, base, PAGES * 4096, MEM_RESERVE );
    check( !is_recording() && said_count == 1 );
    begin( dir );
    check( !is_recording() && said_count == 1 );
    begin( "relative" );
    check( !is_recording() && said_count == 1 );
    check( !mkfifo( path, 0600 ));
    begin( path );
    check( !is_recording() && said_count == 1 );
}

static volatile int signals;

static void count_signal( int sig )
{
    (void)sig;
    signals++;
}

/* The limit for the sizes of files: its signal, which ends programs, is not seen by the program. */
static void test_limit(void)
{
    const struct rlimit limit = { 100, RLIM_INFINITY };
    sigset_t before, after;
    unsigned int i;
    int sig;

    signal( SIGXFSZ, count_signal );
    check( !setrlimit( RLIMIT_FSIZE, &limit ));
    begin( path );
    sigprocmask( SIG_BLOCK, NULL, &before );
    for (i = 0; i < 10; i++) record_change( RECORD_COMMIT, base, 4096, 0 );
    sigprocmask( SIG_BLOCK, NULL, &after );
    check( !is_recording() && said_count == 1 );
    check( !signals && !sigismember( &after, SIGXFSZ ));
    for (sig = 1; sig < SIGRTMAX; sig++)
        check( sigismember( &before, sig ) == sigismember( &after, sig ));
}

/* a child by fork() is another process, of which the record would know nothing */
static void test_fork(void)
{
    unsigned int lines;
    pid_t child;
    int status = -1;

    begin( path );
    record_change( RECORD_ALLOC, base, PAGES * 4096, MEM_RESERVE );
    lines = count_lines();
    if (!(child = fork()))
    {
        record_change( RECORD_COMMIT, base, 4096, 0 );
        _exit( 0 );
    }
    check( waitpid( child, &status, 0 ) == child && !status );
    check( count_lines() == lines );
}

enum { THREADS = 4, EVENTS = 500 };

static void *record_events( void *arg )
{
    unsigned int i;

    for (i = 0; i < EVENTS; i++) record_change( RECORD_COMMIT, base, (uintptr_t)arg, 0 );
    return NULL;
}

/* lines of several threads are whole, and the beginning is before all of them */
static void test_threads(void)
{
    pthread_t threads[THREADS];
    unsigned int i, counts[THREADS + 1] = { 0 }, size;
    char *line, *next, *event;

    begin( path );
    for (i = 0; i < THREADS; i++)
        check( !pthread_create( &threads[i], NULL, record_events, (void *)(uintptr_t)(i + 1) ));
    for (i = 0; i < THREADS; i++) pthread_join( threads[i], NULL );
    check( count_lines() == THREADS * EVENTS + 1 );
    for (line = text; (next = strchr( line, '\n' )); line = next + 1)
    {
        *next = 0;
        event = strstr( line, " commit " );
        if (line == text) check( strstr( line, " writewatch 1 " ));
        else if (event && sscanf( event, " commit 0x%*x 0x%x", &size ) == 1 && size <= THREADS)
            counts[size]++;
    }
    for (i = 1; i <= THREADS; i++) check( counts[i] == EVENTS );
}

/* in a child each: the backend and the record are opened once */
static int run( void (*test)(void) )
{
    int status = -1;
    pid_t pid = fork();

    if (!pid)
    {
        test();
        exit( unit_result() );
    }
    waitpid( pid, &status, 0 );
    unlink( path );
    return WIFEXITED( status ) ? WEXITSTATUS( status ) : FAIL;
}

int main(void)
{
    static void (* const tests[])(void) =
    {
        test_lines, test_spoilt, test_taken_away, test_failures, test_full, test_vanished,
        test_no_file, test_limit, test_fork, test_threads,
    };
    unsigned int i;
    int ret = PASS, one;

    check( mkdtemp( dir ) != NULL );
    snprintf( path, sizeof(path), "%s/record", dir );
    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
    {
        one = run( tests[i] );
        if (one == SKIP && ret == PASS) ret = SKIP;
        if (one != PASS && one != SKIP) ret = FAIL;
    }
    rmdir( dir );
    return unit_result() == PASS ? ret : FAIL;
}
