/*
 * fault injection in native programs: each call of each backend fails in each way
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "writewatch.h"

#include "kinds.h"
#include "round.h"

/* Run by tests/tools/inject. For each case a child goes through all phases, once; this process
 * never touches the library. A case names a phase, a kind, a number among the calls of that kind
 * from the beginning of the phase on, an errno, and whether the calls after it fail too. First a
 * child without a case counts the calls. Prints a line a case: backend, phase, kind, errno, which
 * call, outcome, and how many calls failed. */

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#define MAX_PHASES 24
#define TIME_LIMIT 20   /* seconds, only for what would hang */

static struct shared
{
    char         outcome[sizeof(outcome)];
    char         phase[16];
    int          wrong;
    int          done;
    int          refused;
    unsigned int phases;
    char         names[MAX_PHASES][16];
    long         counts[MAX_PHASES][KIND_COUNT];
} *shared;

struct fault_case
{
    const char  *backend;
    unsigned int phase;
    unsigned int kind;
    unsigned int err;
    long         first;
    const char  *mode;
};

static const struct fault_case *current;   /* NULL while counting */
static char file_name[64];

/* asks the injector; it sees this call and answers it */
static long ask( const char *format, ... )
{
    static unsigned int seq;
    char path[800], text[760];
    struct stat unused;
    va_list args;

    va_start( args, format );
    vsnprintf( text, sizeof(text), format, args );
    va_end( args );
    snprintf( path, sizeof(path), "/writewatch-inject/%u.%d/%s", ++seq, getpid(), text );
    return syscall( SYS_newfstatat, AT_FDCWD, path, &unused, 0 );
}

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
 * What the library holds open for its whole life: one of each kind for a backend that has it, and
 * two backends may be open.
 */
static void check_descriptors( int refused )
{
    static const struct { const char *name; int max; } known[] =
    {
        { "[userfaultfd]", 2 }, { "/pagemap", 2 }, { "/maps", 1 }, { "/mem", 1 },
        { "/clear_refs", 1 },
        { "[eventfd]", 2 },
    };
    int count[6] = { 0 }, others = 0, fd, flags;
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
        for (i = 0; i < 6; i++) if (strstr( link, known[i].name )) break;
        if (i == 6) others++;
        else count[i]++;
    }
    closedir( dir );
    if (others) wrong( "%d descriptors leaked", others );
    for (i = 0; i < 6; i++)
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
        unsigned char told[PAGES] = { 0 };

        /* the categories are told for any combination; the first way is the one for others */
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
                told[page] = 1;
        for (i = 0; i < PAGES; i++)
        {
            if (mem->written[i] && !told[i]) wrong( "page %u is missing in a list", i );
            if (told[i] && !mem->written[i] && !mem->perhaps[i])
                note( "more pages than were written" );
            if (told[i] && filter.reset) mem->written[i] = mem->perhaps[i] = 0;
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
        if (!ret && got != 2 * PAGE_SIZE) wrong( "read(2) fails after prepare" );
        if (got > 0) mem->written[25] = mem->written[26] = 1;
        mem->stored[25] = mem->stored[26] = UNKNOWN;
        poll_all( mem, WRITE_WATCH_FLAG_RESET );
    }
    close( fd );
}

/* A thread that can never again read who waits for a page cannot serve; no kernel does that. */
static int never_read(void)
{
    return current && !strcmp( kinds[current->kind].name, "read" ) &&
           !strcmp( current->mode, "ever" );
}

/***********************************************************************
 *           child
 *
 * Everything a program does with the library.
 */
static void __attribute__((noreturn)) child( const char *backend )
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
        if (!*writewatch_reason()) wrong( "no reason is told" );
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

    memcpy( shared->outcome, outcome, sizeof(outcome) );
    shared->wrong = outcome_wrong;
    shared->done = 1;
    _exit( 0 );
}

/***********************************************************************
 *           reaches_program
 *
 * Where a fault is the documented end: a page of a file that cannot be brought (restore), and a
 * page that the kernel will not let be written although it is asked again and again (mprotect).
 */
static int reaches_program( int sig )
{
    const char *kind;

    if (!current) return 0;
    kind = kinds[current->kind].name;
    if (sig == SIGBUS && !strcmp( shared->phase, "restore" ))
        return !strcmp( kind, "UFFDIO_COPY" ) || !strcmp( kind, "pread" );
    return sig == SIGSEGV && !strcmp( current->backend, "mprotect" ) &&
           !strcmp( kind, "mprotect" ) &&
           !strcmp( current->mode, "ever" );
}

/***********************************************************************
 *           run_child
 *
 * Returns whether its outcome is right.
 */
static int run_child( const char *backend )
{
    struct timespec limit = { TIME_LIMIT, 0 };
    struct pollfd end = { .events = POLLIN };
    int status = 0, ready;
    pid_t pid;

    shared->done = shared->wrong = shared->refused = 0;
    shared->phases = 0;
    shared->outcome[0] = 0;
    if (!(pid = fork())) child( backend );
    end.fd = syscall( SYS_pidfd_open, pid, 0 );
    while ((ready = ppoll( &end, 1, &limit, NULL )) < 0 && errno == EINTR) /* nothing */;
    close( end.fd );
    if (ready != 1)
    {
        ask( "end" );
        kill( pid, SIGKILL );
        waitpid( pid, &status, 0 );
        snprintf( shared->outcome, sizeof(shared->outcome), "WRONG: hangs in %s", shared->phase );
        shared->wrong = 1;
        return 0;
    }
    waitpid( pid, &status, 0 );
    ask( "end" );
    if (!shared->done && WIFSIGNALED( status ) && reaches_program( WTERMSIG( status )))
        snprintf( shared->outcome, sizeof(shared->outcome), "SIG%s where a page is touched",
                  sigabbrev_np( WTERMSIG( status )));
    else if (!shared->done)
    {
        char reason[32] = "";

        snprintf( reason, sizeof(reason), WIFSIGNALED( status ) ? "SIG%s" : "exit",
                  WIFSIGNALED( status ) ? sigabbrev_np( WTERMSIG( status )) : "" );
        snprintf( shared->outcome, sizeof(shared->outcome), "WRONG: ends in %s by %s",
                  shared->phase, reason );
        shared->wrong = 1;
    }
    return !shared->wrong;
}

static unsigned long cases, wrongs, never;

/***********************************************************************
 *           run_case
 */
static void run_case( const struct fault_case *fault )
{
    char which[32], *p;
    long failed;

    current = fault;
    if (!run_child( fault->backend )) wrongs++;
    failed = ask( "end" );
    /* how often threads read is up to them */
    if (!failed && strcmp( kinds[fault->kind].name, "read" ) &&
        strcmp( kinds[fault->kind].name, "poll" )) never++;
    cases++;
    if (!strcmp( fault->mode, "ever" ) && fault->first == 1) strcpy( which, "all" );
    else if (!strcmp( fault->mode, "ever" ))
        snprintf( which, sizeof(which), "from %ld", fault->first );
    else snprintf( which, sizeof(which), "%s%ld", !strcmp( fault->mode, "once" ) ? "" :
                   !strcmp( fault->mode, "late" ) ? "made, then " : "half made, then ",
                   fault->first );
    for (p = shared->outcome; (p = strchr( p, '/' )); p++) *p = ' ';
    ask( "tell/%s/%s/%s/%s/%s/%s", fault->backend, shared->names[fault->phase],
         kinds[fault->kind].name, errnos[fault->err].name, which,
         *shared->outcome ? shared->outcome : "nothing to be seen" );
}

/***********************************************************************
 *           run_backend
 *
 * With all: every call of a phase, up to a limit, fails in every way. Otherwise the first one of
 * each phase fails in some, and those of the first phase in which a kind is called in every way.
 */
static void run_backend( const char *backend, int all )
{
    static const char * const late[] = { "late", "half" };
    struct fault_case fault = { .backend = backend };
    unsigned int err_count = all ? ERRNO_COUNT : 9;
    unsigned int seen[KIND_COUNT] = { 0 }, i, turn = 0;
    unsigned long before = cases;
    /* each fault waits for a thread; and which backend is best is found out by opening it */
    int slow = !strcmp( backend, "thread" );
    unsigned int phases;
    long n, count;

    current = NULL;
    shared->refused = 0;
    if (!run_child( backend ) || shared->refused || *shared->outcome)
    {
        printf( "%s: %s\n", backend, *shared->outcome ? shared->outcome : "no outcome" );
        if (shared->wrong || !shared->refused) wrongs++;
        return;
    }
    phases = all || strcmp( backend, "best" ) ? shared->phases : 2;
    for (fault.phase = 0; fault.phase < phases; fault.phase++)
        for (fault.kind = 0; fault.kind < KIND_COUNT; fault.kind++)
        {
            if (!(count = shared->counts[fault.phase][fault.kind])) continue;
            for (fault.err = 0; fault.err < err_count; fault.err++)
            {
                if (!all && seen[fault.kind] && fault.err != turn % err_count)
                    continue;
                for (n = 1; n <= count && n <= (all ? 40 : 1); n++)
                {
                    fault.first = n;
                    fault.mode = "once";
                    run_case( &fault );
                    fault.mode = "ever";
                    if (n < 4 && (all || !slow || !seen[fault.kind])) run_case( &fault );
                }
            }
            /* what has happened is told as if it had not */
            if (kinds[fault.kind].part == COMMAND && fault.kind != (unsigned int)0)
                for (i = 0; i < 2; i++)
                {
                    if (i && strcmp( kinds[fault.kind].name, "PAGEMAP_SCAN" )) continue;
                    fault.mode = late[i];
                    for (n = 1; n <= count && n <= (all ? 40 : seen[fault.kind] ? 1 : 3); n++)
                    {
                        fault.first = n;
                        fault.err = i ? 1 : 6;   /* EPERM, EFAULT */
                        run_case( &fault );
                    }
                }
            seen[fault.kind] = 1;
            turn++;
        }
    printf( "%s: %lu cases\n", backend, cases - before );
    fflush( stdout );
}

/***********************************************************************
 *           run_one
 *
 * BACKEND PHASE KIND ERRNO NUMBER once|ever|late|half
 */
static int run_one( char **argv )
{
    struct fault_case fault = { .backend = argv[0], .first = atol( argv[4] ), .mode = argv[5] };

    current = NULL;
    run_child( fault.backend );
    for (fault.phase = 0; fault.phase < shared->phases; fault.phase++)
        if (!strcmp( shared->names[fault.phase], argv[1] )) break;
    for (fault.kind = 0; fault.kind < KIND_COUNT; fault.kind++)
        if (!strcmp( kinds[fault.kind].name, argv[2] )) break;
    for (fault.err = 0; fault.err < ERRNO_COUNT; fault.err++)
        if (!strcmp( errnos[fault.err].name, argv[3] )) break;
    if (fault.phase == shared->phases || fault.kind == KIND_COUNT || fault.err == ERRNO_COUNT)
        return 125;
    printf( "%ld calls\n", shared->counts[fault.phase][fault.kind] );
    run_case( &fault );
    return wrongs != 0;
}

/***********************************************************************
 *           main
 *
 * usage: native [--all] BACKEND... | --case BACKEND PHASE KIND ERRNO NUMBER MODE
 */
int main( int argc, char **argv )
{
    unsigned int data[64 * PAGE_SIZE / sizeof(int)] = { 0 }, i;
    int fd, all = 0;

    if (argc > 1 && !strcmp( argv[1], "--all" ))
    {
        all = 1;
        argv++;
    }
    close_range( 3, ~0u, 0 );   /* what is not ours */
    if (ask( "end" ) < 0)
    {
        fprintf( stderr, "to be run by tests/tools/inject\n" );
        return 125;
    }
    shared = mmap( NULL, (sizeof(*shared) + 4095) & ~4095ul, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0 );
    strcpy( file_name, "/tmp/writewatch-faults.XXXXXX" );
    if (shared == MAP_FAILED || (fd = mkostemp( file_name, O_CLOEXEC )) == -1) return 125;
    for (i = 0; i < 64; i++) data[i * 1024 + 2] = 4000 + i;
    if (write( fd, data, sizeof(data) ) != sizeof(data)) return 125;
    close( fd );

    if (argc == 8 && !strcmp( argv[1], "--case" ))
    {
        all = run_one( argv + 2 );
        unlink( file_name );
        return all;
    }
    for (argv++; *argv; argv++) run_backend( *argv, all );
    unlink( file_name );
    printf( "%lu cases, %lu wrong, %lu in which nothing failed\n", cases, wrongs, never );
    return wrongs || never || !cases;
}
