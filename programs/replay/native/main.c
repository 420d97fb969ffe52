/*
 * writewatch-replay: runs recorded write watches again
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../worker.h"
#include "front.h"

static const char usage[] =
    "Usage: writewatch-replay [OPTION...] FILE\n"
    "Runs the write watches that writewatch --record has recorded in FILE again, and compares.\n"
    "\n"
    "  -l, --list             list the processes in FILE\n"
    "  -p, --process PROCESS  the number or program of the process to replay; without it the\n"
    "                         one with most polls\n"
    "  -b, --backend NAME     natively, by this backend, or all\n"
    "      --wine[=WINE]      as a Windows program under stock Wine\n"
    "      --writewatch       with --wine: under writewatch as well\n"
    "      --bits 32|64       the word size of the Windows program; without it the recorded one\n"
    "      --html OUT         write a page about the record, and about replays if one is asked\n"
    "                         for, to OUT\n"
    "  -h, --help             show this text\n"
    "  -V, --version          show the version\n"
    "\n"
    "The exit status is 0 if each replay reported the same pages as recorded, 1 if not, and 2\n"
    "for a mistake in the options or in FILE.\n";

struct options
{
    int         list;
    const char *process;
    const char *backend;
    int         wine;
    int         writewatch;
    const char *html;
};

enum { OPTION_WINE = 256, OPTION_WRITEWATCH, OPTION_BITS, OPTION_HTML, OPTION_WORKER };

static void set_bits( struct front *front, const char *word )
{
    if (strcmp( word, "32" ) && strcmp( word, "64" ))
        fail( EXIT_USAGE, "--bits needs 32 or 64." );
    front->bits = atoi( word );
}

static void parse_options( struct front *front, struct options *options, int argc, char **argv )
{
    static const struct option known[] =
    {
        { "list", no_argument, NULL, 'l' },
        { "process", required_argument, NULL, 'p' },
        { "backend", required_argument, NULL, 'b' },
        { "wine", optional_argument, NULL, OPTION_WINE },
        { "writewatch", no_argument, NULL, OPTION_WRITEWATCH },
        { "bits", required_argument, NULL, OPTION_BITS },
        { "html", required_argument, NULL, OPTION_HTML },
        { "worker", required_argument, NULL, OPTION_WORKER },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 }
    };
    const char *word;   /* the argument of an option; "" without one */
    int option;

    while ((option = getopt_long( argc, argv, "lp:b:hV", known, NULL )) != -1)
    {
        word = optarg ? optarg : "";
        switch (option)
        {
        case 'l': options->list = 1; break;
        case 'p': options->process = word; break;
        case 'b': options->backend = word; break;
        case OPTION_WINE:
            options->wine = 1;
            if (*word) front->wine = word;
            break;
        case OPTION_WRITEWATCH: options->writewatch = 1; break;
        case OPTION_BITS: set_bits( front, word ); break;
        case OPTION_HTML: options->html = word; break;
        case OPTION_WORKER: exit( worker_main( strtoul( word, NULL, 10 )));
        case 'h': fputs( usage, stdout ); exit( 0 );
        case 'V': puts( "writewatch-replay " VERSION ); exit( 0 );
        default:
            fputs( "Try 'writewatch-replay --help'.\n", stderr );
            exit( EXIT_USAGE );
        }
    }
    if (optind != argc - 1)
        fail( EXIT_USAGE, "which record? Usage: writewatch-replay [OPTION...] FILE" );
    if (options->writewatch && !options->wine)
        fail( EXIT_USAGE, "--writewatch goes with --wine." );
    front->file = argv[optind];
}

/* free() frees what it returns */
static char *read_file( const struct front *front, size_t *len )
{
    int fd = open( front->file, O_RDONLY | O_CLOEXEC );
    struct stat st;
    ssize_t got;
    char *text;

    if (fd == -1 || fstat( fd, &st ))
        fail( EXIT_USAGE, "cannot read %s: %s", front->file, strerror( errno ) );
    if (!S_ISREG( st.st_mode ) || (uintmax_t)st.st_size >= SIZE_MAX / 2)
        fail( EXIT_USAGE, "%s is not a file that can be read.", front->file );
    if (!(text = malloc( st.st_size + 1 ))) fail( EXIT_USAGE, "out of memory" );
    *len = 0;
    while (*len < (size_t)st.st_size)
    {
        got = read( fd, text + *len, st.st_size - *len );
        if (got == -1 && errno == EINTR) continue;
        if (got == -1) fail( EXIT_USAGE, "cannot read %s: %s", front->file, strerror( errno ) );
        if (!got) break;
        *len += got;
    }
    close( fd );
    return text;
}

static void read_front( struct front *front )
{
    struct record_error error;
    size_t len;
    char *text = read_file( front, &len );
    int ret = read_record( &front->record, text, len, &error );

    free( text );
    if (!ret) return;
    if (!error.line) fail( EXIT_USAGE, "%s: %s", front->file, error.text );
    if (error.line > 1)
        fail( EXIT_USAGE, "%s, line %u: %s. What is before it can be had by: head -n %u",
              front->file, error.line, error.text, error.line - 1 );
    fail( EXIT_USAGE, "%s, line 1: %s.", front->file, error.text );
}

static int is_process( const struct process *process, const char *word )
{
    char pid[16];

    snprintf( pid, sizeof(pid), "%u", process->pid );
    return !strcmp( word, pid ) || !strcmp( word, process->name );
}

/* the one that is asked for; of several, that with most polls */
static void choose_process( struct front *front, const char *word )
{
    const struct process *processes = front->record.processes;
    size_t i;

    for (i = 0; i < front->record.count; i++)
    {
        if (word && !is_process( &processes[i], word )) continue;
        if (front->process && processes[i].polls <= front->process->polls) continue;
        front->process = &front->record.processes[i];
        front->index = i;
    }
    if (!front->process)
        fail( EXIT_USAGE, "%s has no process %s; --list shows them.", front->file, word );
    if (make_plan( &front->plan, front->process ))
        fail( EXIT_USAGE, "there is not enough memory for this record" );
}

static int get_status( const struct front *front )
{
    int done = 0, asked = front->count > 0;
    unsigned int i;

    for (i = 0; i < front->count; i++)
    {
        if (front->runs[i].state == RUN_SKIPPED) continue;
        if (front->runs[i].state == RUN_FAILED || front->runs[i].differ || front->runs[i].failed)
            return EXIT_DIFFERS;
        done++;
    }
    return asked && !done ? EXIT_DIFFERS : EXIT_SAME;
}

int main( int argc, char *argv[] )
{
    struct front front = { .wine = "wine" };
    struct options options = { 0 };

    parse_options( &front, &options, argc, argv );
    read_front( &front );
    if (options.list)
    {
        print_list( &front );
        return 0;
    }
    choose_process( &front, options.process );
    print_plan( &front );
    if (options.backend && !strcmp( options.backend, "all" )) run_all_backends( &front );
    else if (options.backend || (!options.wine && !options.html))
        run_native( &front, options.backend );
    if (options.wine) run_wine( &front, 0 );
    if (options.writewatch) run_wine( &front, 1 );
    print_runs( &front );
    if (options.html) write_html( &front, options.html );
    return get_status( &front );
}
