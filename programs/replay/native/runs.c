/*
 * Runs the workers, one process for each replay
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../worker.h"
#include "front.h"

/* What a worker is started with. */
struct start
{
    char       *args[8];
    const char *backend;      /* WRITEWATCH_BACKEND, or NULL */
    const char *off;          /* WRITEWATCH, or NULL */
};

static struct run *new_run( struct front *front )
{
    struct run *run = &front->runs[front->count];

    if (front->count == sizeof(front->runs) / sizeof(front->runs[0]))
        fail( EXIT_USAGE, "too many replays at once" );
    front->count++;
    memset( run, 0, sizeof(*run) );
    run->state = RUN_FAILED;
    return run;
}

static void set_or_unset( const char *name, const char *value )
{
    if (value) setenv( name, value, 1 );
    else unsetenv( name );
}

/* in the child */
__attribute__((noreturn))
static void execute( const struct front *front, const struct start *start, int output )
{
    int input = open( front->file, O_RDONLY );

    if (input == -1 || dup2( input, 0 ) == -1 || dup2( output, 1 ) == -1) _exit( 127 );
    unsetenv( "WRITEWATCH_RECORD" );
    unsetenv( "WRITEWATCH_STATS" );
    set_or_unset( "WRITEWATCH_BACKEND", start->backend );
    set_or_unset( "WRITEWATCH", start->off );
    setenv( "WINEDEBUG", "-all", 0 );
    execvp( start->args[0], start->args );
    fprintf( stderr, "writewatch-replay: cannot run %s: %s\n", start->args[0], strerror( errno ) );
    _exit( 127 );
}

static uint64_t value( const char *line, const char *name )
{
    char word[32];
    const char *found;

    snprintf( word, sizeof(word), " %s=", name );
    return (found = strstr( line, word )) ? strtoull( found + strlen( word ), NULL, 10 ) : 0;
}

static void take_result( struct run *run, const char *line )
{
    const char *mechanism = strstr( line, " mechanism=" );

    run->events   = value( line, "events" );
    run->polls    = value( line, "polls" );
    run->skipped  = value( line, "skipped" );
    run->pages    = value( line, "pages" );
    run->written  = value( line, "written" );
    run->differ   = value( line, "differ" );
    run->failed   = value( line, "failed" );
    run->bits     = value( line, "bits" );
    run->write_ns = value( line, "write_ns" );
    run->poll_ns  = value( line, "poll_ns" );
    run->other_ns = value( line, "other_ns" );
    if (mechanism) snprintf( run->note, sizeof(run->note), "%s", mechanism + 11 );
    run->state = RUN_DONE;
}

/* reads what a worker prints */
static void read_result( struct run *run, int fd )
{
    static const char done[] = "result:", unavailable[] = "unavailable: ";
    char line[1024];
    FILE *file = fdopen( fd, "r" );

    while (file && fgets( line, sizeof(line), file ))
    {
        line[strcspn( line, "\r\n" )] = 0;
        if (!strncmp( line, done, sizeof(done) - 1 )) take_result( run, line );
        else if (!strncmp( line, unavailable, sizeof(unavailable) - 1 ))
        {
            run->state = RUN_SKIPPED;
            snprintf( run->note, sizeof(run->note), "%.150s", line + sizeof(unavailable) - 1 );
        }
    }
    if (file) fclose( file );
}

static void run_worker( struct front *front, struct run *run, const struct start *start )
{
    int pipes[2], status = -1;
    pid_t pid;

    fprintf( stderr, "replaying: %s ...\n", run->label );
    fflush( stdout );
    if (pipe2( pipes, O_CLOEXEC )) fail( EXIT_USAGE, "cannot make a pipe: %s", strerror( errno ) );
    if ((pid = fork()) == -1) fail( EXIT_USAGE, "cannot fork: %s", strerror( errno ) );
    if (!pid) execute( front, start, pipes[1] );
    close( pipes[1] );
    read_result( run, pipes[0] );
    while (waitpid( pid, &status, 0 ) == -1 && errno == EINTR) ;
    if (run->state == RUN_SKIPPED && WIFEXITED( status ) &&
        WEXITSTATUS( status ) == WORKER_UNAVAILABLE) return;
    if (run->state == RUN_DONE && WIFEXITED( status ) && !WEXITSTATUS( status )) return;
    run->state = RUN_FAILED;
    if (WIFSIGNALED( status ))
        snprintf( run->note, sizeof(run->note), "ended by signal %d", WTERMSIG( status ) );
    else snprintf( run->note, sizeof(run->note), "exit status %d", WEXITSTATUS( status ) );
}

static char *index_word( const struct front *front )
{
    static char word[16];

    snprintf( word, sizeof(word), "%u", front->index );
    return word;
}

/* NULL: the one that the library chooses */
void run_native( struct front *front, const char *backend )
{
    const struct start start =
    {
        .args = { "/proc/self/exe", "--worker", index_word( front ) }, .backend = backend,
    };
    struct run *run = new_run( front );

    snprintf( run->label, sizeof(run->label), "native%s%.40s", backend ? ", " : "",
              backend ? backend : "" );
    run_worker( front, run, &start );
}

void run_all_backends( struct front *front )
{
    static const char * const names[] = { "scan", "sigbus", "mprotect", "thread", "softdirty" };
    unsigned int i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) run_native( front, names[i] );
}

/* the word size of the process in the record, if there is a program of it */
static char *choose_program( const struct front *front, unsigned int *bits )
{
    char *path;

    *bits = front->bits ? front->bits : front->process->bits;
    if ((path = find_windows_program( *bits )) || front->bits) return path;
    *bits = *bits == 32 ? 64 : 32;
    return find_windows_program( *bits );
}

/***********************************************************************
 *           check_log
 *
 * Takes from the log of writewatch whether it was active, and how.
 */
static void check_log( struct run *run, const char *log )
{
    static const char program[] = " writewatch-replay.exe: ";
    FILE *file = fopen( log, "re" );
    char line[512], *found;
    int active = 0;

    snprintf( run->note, sizeof(run->note), "writewatch said nothing about the replay" );
    while (file && fgets( line, sizeof(line), file ))
    {
        line[strcspn( line, "\n" )] = 0;
        if (!(found = strstr( line, program ))) continue;
        found += sizeof(program) - 1;
        active |= !strncmp( found, "active, ", 8 );
        snprintf( run->note, sizeof(run->note), "%.190s", active ? found + 8 : found );
    }
    if (file) fclose( file );
    if (!active) run->state = RUN_FAILED;
}

void run_wine( struct front *front, int writewatch )
{
    struct run *run = new_run( front );
    char log[] = "/tmp/writewatch-replay.XXXXXX", *program, *runner = find_runner();
    struct start start = { .off = writewatch ? NULL : "off" };
    unsigned int bits, count = 0;
    int fd = -1;

    program = choose_program( front, &bits );
    snprintf( run->label, sizeof(run->label), "%s, %u bits",
              writewatch ? "writewatch" : "stock Wine", bits );
    snprintf( run->note, sizeof(run->note), "the %u-bit Windows program is not there", bits );
    if (!program) return;
    if (writewatch)
    {
        snprintf( run->note, sizeof(run->note), "the command writewatch is not there" );
        if (!runner || (fd = mkstemp( log )) == -1) return;
        start.args[count++] = runner;
        start.args[count++] = "--log";
        start.args[count++] = log;
    }
    start.args[count++] = (char *)front->wine;
    start.args[count++] = program;
    start.args[count++] = index_word( front );
    run_worker( front, run, &start );
    if (fd == -1)
    {
        if (run->state == RUN_DONE) snprintf( run->note, sizeof(run->note), "Wine's own" );
        return;
    }
    if (run->state == RUN_DONE) check_log( run, log );
    close( fd );
    unlink( log );
}
