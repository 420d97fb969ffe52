/*
 * writewatch-top: which pages a process writes, seen from outside
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "picture.h"
#include "top.h"

static const char usage[] =
    "Usage: writewatch-top [OPTION...] [PID|NAME]\n"
    "Shows which watched pages a Wine process under writewatch writes, without changing anything\n"
    "there. Without PID or NAME it is the only such process, or one of a list.\n"
    "\n"
    "  -i, --interval SECONDS   time between samples (1)\n"
    "  -1, --once               print one sample as text and end\n"
    "  -j, --json               with --once: print it as JSON\n"
    "  -w, --record FILE        write samples to FILE, without a screen\n"
    "  -r, --replay FILE        show a recording in place of a process\n"
    "      --svg FILE           draw time against address\n"
    "      --png FILE           the same, by rsvg-convert\n"
    "  -s, --seconds N          end --record, --svg and --png after N seconds; else the end of\n"
    "                           the process or Ctrl-C ends them\n"
    "  -h, --help               show this text\n"
    "  -V, --version            show the version\n"
    "\n"
    "Keys: q quit, h help, arrows choose a region, + - zoom, space pause.\n"
    "The exit status is 0, or 1 if there is no such process or it cannot be seen.\n";

static int misuse( const char *what )
{
    complain( "%s. Try 'writewatch-top --help'.", what );
    return 1;
}

/* a number of seconds, or 0 */
static double parse_seconds( const char *text )
{
    char *end;
    double value = strtod( text, &end );

    return end == text || *end || !(value >= 0.05 && value <= 1e6) ? 0 : value;
}

static void note_signal( int sig )
{
    end_signal = sig;
}

/* Without SA_RESTART: waiting ends. */
static void catch_signals(void)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    struct sigaction action = { .sa_handler = note_signal };
    unsigned int i;

    for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction( signals[i], &action, NULL );
}

static int parse_options( int argc, char *argv[], struct options *options )
{
    enum { OPTION_SVG = 256, OPTION_PNG };
    static const struct option table[] =
    {
        { "help",     no_argument,       NULL, 'h' },
        { "version",  no_argument,       NULL, 'V' },
        { "interval", required_argument, NULL, 'i' },
        { "once",     no_argument,       NULL, '1' },
        { "json",     no_argument,       NULL, 'j' },
        { "record",   required_argument, NULL, 'w' },
        { "replay",   required_argument, NULL, 'r' },
        { "seconds",  required_argument, NULL, 's' },
        { "svg",      required_argument, NULL, OPTION_SVG },
        { "png",      required_argument, NULL, OPTION_PNG },
        { NULL, 0, NULL, 0 }
    };
    int option;

    while ((option = getopt_long( argc, argv, "hVi:1jw:r:s:", table, NULL )) != -1)
    {
        switch (option)
        {
        case 'h': fputs( usage, stdout ); exit( 0 );
        case 'V': puts( "writewatch-top " VERSION ); exit( 0 );
        case 'i':
            if (!(options->interval = parse_seconds( optarg )))
                return misuse( "--interval needs a number of seconds, 0.05 or more" );
            break;
        case 's':
            if (!(options->seconds = parse_seconds( optarg )))
                return misuse( "--seconds needs a number of seconds, 0.05 or more" );
            break;
        case '1': options->once = 1; break;
        case 'j': options->json = 1; break;
        case 'w': options->record = optarg; break;
        case 'r': options->replay = optarg; break;
        case OPTION_SVG: options->svg = optarg; break;
        case OPTION_PNG: options->png = optarg; break;
        default:  /* getopt_long() has printed the error */
            fputs( "Try 'writewatch-top --help'.\n", stderr );
            return 1;
        }
    }
    if (argc - optind > 1) return misuse( "one process at a time" );
    options->what = argv[optind];
    if (options->replay && options->what) return misuse( "a recording is of a process: name none" );
    if (options->replay && options->record) return misuse( "--replay needs no --record" );
    if (options->json && !options->once) return misuse( "--json needs --once" );
    return 0;
}

static int is_batch( const struct options *options )
{
    return options->once || options->record || options->svg || options->png;
}

static struct source *open_process( const struct options *options, uint32_t pid )
{
    char problem[256];
    struct source *source = live_open( pid, options->interval, problem );

    if (!source) complain( "%s", problem );
    return source;
}

static int run_recording( const struct options *options )
{
    char problem[256];
    struct source *source = replay_open( options->replay, problem );
    int ret;

    if (!source)
    {
        complain( "%s", problem );
        return 1;
    }
    if (!is_batch( options ))
    {
        source->close( source );
        return run_screen( options, NULL, 0 );
    }
    ret = run_batch( options, source, "" );
    if (options->json) puts( "" );
    source->close( source );
    return ret;
}

static int run_processes( const struct options *options )
{
    static struct candidate candidates[MAX_PROCESSES];
    unsigned int i, count = find_processes( options->what, candidates );
    struct source *source;
    int ret = 0, printed = 0;

    if (!count) return 1;
    if (!is_batch( options )) return run_screen( options, candidates, count );
    if (count > 1 && (!options->once || options->record || options->svg || options->png))
    {
        complain( "which process?" );
        for (i = 0; i < count; i++)
            fprintf( stderr, "  %u %s\n", candidates[i].pid, candidates[i].program );
        return 1;
    }
    if (options->json && count > 1) puts( "[" );
    for (i = 0; i < count && !end_signal; i++)
    {
        if (!(source = open_process( options, candidates[i].pid )) ||
            run_batch( options, source, !printed ? "" : options->json ? ",\n" : "\n" )) ret = 1;
        else printed = 1;
        if (source) source->close( source );
    }
    if (options->json) puts( count > 1 ? "]" : "" );
    return ret;
}

int main( int argc, char *argv[] )
{
    struct options options = { .interval = 1 };
    int ret;

    if (parse_options( argc, argv, &options )) return 1;
    if (options.png && png_check()) return 1;
    catch_signals();
    ret = options.replay ? run_recording( &options ) : run_processes( &options );
    if (fflush( stdout ) || ferror( stdout ))
    {
        complain( "cannot write the output" );
        return 1;
    }
    return ret;
}
