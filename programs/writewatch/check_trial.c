/*
 * Runs a Windows program under a Wine, through all that a user's program goes through
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner.h"
#include "check_report.h"

/* The program runs in a Wine prefix of its own, which is removed. The user's would be served as
 * well, but this Wine might not be the one that it was made by: Wine would bring it up to date,
 * for good, or meet a wineserver of another version there. */

#define TRIAL "writewatch-trial"

struct run
{
    const char *dir;      /* the temporary one */
    const char *command;
    const char *program;
    const char *preload;
};

/***********************************************************************
 *           prepare_wine
 *
 * No window opens, nothing is downloaded or put into the user's menus, and what the user has set
 * for prefixes of other kinds does not count.
 */
static void prepare_wine( const char *dir )
{
    static const char * const unwanted[] =
    {
        "WINEARCH", "DISPLAY", "WAYLAND_DISPLAY", "WRITEWATCH_STATS", "WRITEWATCH_LOGGED",
        "WRITEWATCH_RUN", "WRITEWATCH_RECORD"
    };
    unsigned int i;

    for (i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) unsetenv( unwanted[i] );
    set_variable( "WINEPREFIX", join( dir, "/prefix", "" ));
    unsetenv( "TMPDIR" );  /* Debian 13's Wine crashes where it is set */
    set_variable( "WINEDEBUG", "-all" );
    set_variable( "WINEDLLOVERRIDES", "mscoree,mshtml=;winemenubuilder.exe=" );
}

static void run_program( void *arg )
{
    const struct run *run = arg;

    prepare_wine( run->dir );
    set_variable( "WRITEWATCH_LOG", join( run->dir, "/log", "" ));
    set_variable( "LD_PRELOAD", run->preload );
    execl( run->command, run->command, run->program, NULL );
}

/* in a child: ends the wineserver of the prefix, and waits for it */
static void end_server( void *arg )
{
    static const char script[] = "\"$0\" -k; \"$0\" -w";
    const struct run *run = arg;
    const char *server = getenv( "WINESERVER" ), *slash = strrchr( run->command, '/' );
    char *dir = join( run->command, "", "" ), *beside;

    if (slash) dir[slash - run->command] = 0;
    beside = join( dir, "/wineserver", "" );
    if (!server || !*server)
        server = access( beside, X_OK ) ? find_command( "wineserver" ) : beside;
    if (!server) server = "/usr/lib/wine/wineserver";
    prepare_wine( run->dir );
    execl( "/bin/sh", "sh", "-c", script, server, NULL );
}

static int remove_one( const char *path, const struct stat *st, int type, struct FTW *where )
{
    (void)st; (void)type; (void)where;
    remove( path );
    return 0;
}

/***********************************************************************
 *           remove_server_directory
 *
 * Debian's wineserver makes a directory for each prefix in /tmp, which stays, and notes its name in
 * the prefix.
 */
static void remove_server_directory( const char *dir )
{
    FILE *file = fopen( join( dir, "/prefix", "/wineserver" ), "re" );
    char name[64] = "";

    if (!file) return;
    if (fgets( name, sizeof(name), file ) && !strncmp( name, "wine-", 5 ) && !strchr( name, '/' ))
    {
        name[strcspn( name, "\n" )] = 0;
        nftw( join( "/tmp/", name, "" ), remove_one, 16, FTW_DEPTH | FTW_PHYS );
    }
    fclose( file );
}

/***********************************************************************
 *           read_log
 *
 * Returns what the log says of the trial, without its start; NULL if it says nothing.
 */
static char *read_log( const char *dir, const char *program )
{
    const char *name = strrchr( program, '/' ) + 1;
    FILE *file = fopen( join( dir, "/log", "" ), "re" );
    char line[600], *said;

    if (!file) return NULL;
    while (fgets( line, sizeof(line), file ))
    {
        line[strcspn( line, "\n" )] = 0;
        if (!(said = strstr( line, join( " ", name, ": " )))) continue;
        fclose( file );
        return join( said + strlen( name ) + 3, "", "" );
    }
    fclose( file );
    return NULL;
}

static void judge( struct report *report, struct trial *trial, struct run *run )
{
    struct child child = { .run = run_program, .arg = run, .seconds = 600 };
    unsigned int written, reported, wrong, missing;
    int status = run_child( &child );
    char *pages = strstr( child.output, "pages: " ), *log = read_log( run->dir, run->program );

    if (pages) pages[strcspn( pages, "\r\n" )] = 0;
    trial->pages = pages ? join( pages + strlen( "pages: " ), "", "" ) : "";
    trial->active = log && !strncmp( log, "active, ", strlen( "active, " ));
    trial->exact = !status && pages &&
                   sscanf( trial->pages, "%u written, %u reported, %u wrong, %u missing", &written,
                           &reported, &wrong, &missing ) == 4 &&
                   written == reported && !wrong && !missing;
    trial->log = log ? log : "the log says nothing of it";
    if (trial->active && trial->exact) return;
    if (!pages)
    {
        child.output[strcspn( child.output, "\r\n" )] = 0;
        add_finding( report, trial->bits == 64 ? PROBLEM : WARNING, "trial-failed",
                     join( trial->bits == 64 ? "A 64-bit Windows program did not run under " :
                                               "A 32-bit Windows program did not run under ",
                           trial->command, join( *child.output ? ": " : "", child.output, "." )),
                     trial->bits == 64 ? "Try this Wine without writewatch." :
                     "This Wine may have no part for 32-bit programs (Debian: wine32)." );
    }
    else if (!trial->exact)
        add_finding( report, PROBLEM, "trial-not-exact",
                     join( "The pages that were reported are not those that were written: ",
                           trial->pages, "." ),
                     "Please report it with the versions of the kernel and of Wine; --off runs the "
                     "program without writewatch." );
    else
        add_finding( report, PROBLEM, "trial-not-active",
                     join( "A program that ran under ", trial->command,
                           log ? join( " was not served: ", log, "." ) :
                                 " says nothing in the log: the library was not loaded there." ),
                     log ? "See the other lines about this reason." :
                           "See docs/containers.md if this command starts Wine in a container." );
}

/***********************************************************************
 *           run_trials
 *
 * One for each word size that there is a program for.
 */
void run_trials( struct report *report, const char *word )
{
    const char *temp = getenv( "TMPDIR" );
    char *dir = join( temp && *temp == '/' ? temp : "/tmp", "/writewatch-check.XXXXXX", "" );
    struct run run = { .command = find_command( word ), .preload = report->preload };
    struct child child = { .run = end_server, .arg = &run, .seconds = 60 };
    int bits;

    if (!run.preload || !run.command) return;
    if (!mkdtemp( dir ))
    {
        add_finding( report, WARNING, "trial-impossible",
                     join( "There is no place for a trial: ", dir, " cannot be made." ),
                     "Set TMPDIR to a folder that you can write to." );
        return;
    }
    run.dir = dir;
    for (bits = 64; bits >= 32; bits -= 32)
    {
        run.program = join( report->root, "/" TRIAL, bits == 64 ? "64.exe" : "32.exe" );
        if (access( run.program, R_OK ))
        {
            add_finding( report, WARNING, "trial-missing",
                         join( run.program, " is not there: it was not tried whether a program "
                               "is served.", "" ),
                         "Build writewatch with mingw-w64 (tools/install-deps) and install it "
                         "anew." );
            continue;
        }
        report->trials = realloc( report->trials,
                                  (report->trial_count + 1) * sizeof(*report->trials) );
        if (!report->trials) fail( EXIT_USAGE, "out of memory" );
        report->trials[report->trial_count] = (struct trial){ .command = word, .bits = bits };
        judge( report, &report->trials[report->trial_count++], &run );
    }
    run_child( &child );
    remove_server_directory( dir );
    nftw( dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT );
}
