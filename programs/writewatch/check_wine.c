/*
 * Whether an ntdll.so can be served: the library itself says so
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner.h"
#include "check_report.h"

struct probe
{
    const char *program;
    const char *ntdll;
    const char *preload;
    const char *backend;
    const char *libraries;  /* where it finds what it needs, or NULL */
};

/***********************************************************************
 *           run_probe
 *
 * In a child: executes the probe, with none of the settings that would keep the library from
 * looking.
 */
static void run_probe( void *arg )
{
    const struct probe *probe = arg;
    const char *path = getenv( "LD_LIBRARY_PATH" );

    if (probe->libraries)
        set_variable( "LD_LIBRARY_PATH",
                      path && *path ? join( path, ":", probe->libraries ) : probe->libraries );
    set_variable( "LD_PRELOAD", probe->preload );
    set_variable( "WRITEWATCH_LOG", "-" );
    unsetenv( "WRITEWATCH" );
    unsetenv( "WRITEWATCH_STATS" );
    unsetenv( "WRITEWATCH_LOGGED" );
    unsetenv( "WRITEWATCH_RUN" );
    unsetenv( "WRITEWATCH_RECORD" );
    unsetenv( "WRITEWATCH_PROGRAMS" );
    set_variable( "WRITEWATCH_STATUS", "0" );
    unsetenv( "WINE_DISABLE_KERNEL_WRITEWATCH" );
    if (probe->backend) set_variable( "WRITEWATCH_BACKEND", probe->backend );
    else unsetenv( "WRITEWATCH_BACKEND" );
    execl( probe->program, probe->program, probe->ntdll, NULL );
}

/***********************************************************************
 *           own_libraries
 *
 * The folder with the libraries that a Wine has brought along; NULL if it is that of a whole
 * system, with a C library that may be another one than that of the probe.
 */
static char *own_libraries( const char *ntdll )
{
    char *dir = join( ntdll, "", "" );
    unsigned int i;

    /* from lib/wine/x86_64-unix/ntdll.so to lib */
    for (i = 0; i < 3 && strrchr( dir, '/' ); i++) *strrchr( dir, '/' ) = 0;
    return access( join( dir, "/libc.so.6", "" ), F_OK ) ? dir : NULL;
}

/***********************************************************************
 *           read_file
 *
 * Reads the word size and the version, a string of ntdll.so, from the file.
 */
static void read_file( struct wine *wine )
{
    static const char words[] = "\0wine-";
    const char *data, *version, *end;
    int fd = open( wine->ntdll, O_RDONLY | O_CLOEXEC );
    off_t size = fd == -1 ? 0 : lseek( fd, 0, SEEK_END );
    const Elf32_Ehdr *header;

    wine->version = "";
    data = size > (off_t)sizeof(*header) ? mmap( NULL, size, PROT_READ, MAP_PRIVATE, fd, 0 ) :
                                           MAP_FAILED;
    if (fd != -1) close( fd );
    if (data == MAP_FAILED) return;
    header = (const Elf32_Ehdr *)data;   /* what is read of it is the same for both sizes */
    if (!memcmp( header->e_ident, ELFMAG, SELFMAG ))
    {
        if (header->e_machine == EM_X86_64) wine->bits = 64;
        if (header->e_machine == EM_386) wine->bits = 32;
    }
    end = data + size;
    for (version = data; (version = memmem( version, end - version, words, sizeof(words) - 1 ));
         version++)
    {
        const char *start = version + sizeof(words) - 1;
        char copy[80];
        size_t len = 0;

        if (start == end || *start < '0' || *start > '9') continue;
        while (start + len < end && len < sizeof(copy) - 1 && start[len] >= ' ' &&
               start[len] <= '~') len++;
        memcpy( copy, start, len );
        copy[len] = 0;
        wine->version = join( copy, "", "" );
        break;
    }
    munmap( (void *)data, size );
}

static int begins_with( const char *string, const char *words )
{
    return !strncmp( string, words, strlen( words ));
}

/* sets aside what the line says of a Wine with kernel watches of its own */
static void take_own_watches( struct wine *wine, char *reason )
{
    static const char * const ends[] =
    {
        ", in place of Wine's own kernel watches",
        "; Wine's own kernel watches go on",
        "; Wine's own watches go on",
    };
    unsigned int i;
    char *end;

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
    {
        if (!(end = strstr( reason, ends[i] ))) continue;
        wine->own_watches = 1;
        *end = 0;
    }
}

/***********************************************************************
 *           read_line
 *
 * The verdict, by the line of the log in what the probe printed.
 */
static void read_line( struct wine *wine, char *output )
{
    char *active = strstr( output, ": active, " ), *refused = strstr( output, ": not active: " );
    char *reason;

    if (!active && !refused)
    {
        output[strcspn( output, "\n" )] = 0;
        wine->verdict = NOT_PROBED;
        wine->reason = join( "the library said nothing of it", *output ? ": " : "", output );
        return;
    }
    reason = refused ? refused + strlen( ": not active: " ) : active + strlen( ": active, " );
    reason[strcspn( reason, "\n" )] = 0;
    take_own_watches( wine, reason );
    wine->reason = refused ? join( reason, "", "" ) : "";
    if (!refused) wine->verdict = SERVED;
    else if (begins_with( reason, "this Wine is not recognised" ) ||
             begins_with( reason, "ntdll.dll " )) wine->verdict = NOT_RECOGNISED;
    else if (begins_with( reason, "no executable memory" ) ||
             begins_with( reason, "ntdll.so cannot be changed" )) wine->verdict = NOT_CHANGEABLE;
    else wine->verdict = KERNEL_REFUSED;
}

/* how a finding names it */
static const char *name_of( const struct wine *wine )
{
    char bits[32];

    snprintf( bits, sizeof(bits), " (%d bits%s", wine->bits, *wine->version ? ", wine-" : "" );
    return join( wine->ntdll, bits, join( wine->version, ")", "" ));
}

static void explain_verdict( struct report *report, const struct wine *wine )
{
    /* a program of the other word size, or under another Wine, may be served all the same */
    const enum severity severity = wine->named || wine->chosen ? PROBLEM : WARNING;
    const char *name = name_of( wine ), *reason = join( ": ", wine->reason, "." );

    switch (wine->verdict)
    {
    case SERVED:
    case KERNEL_REFUSED:  /* explained once for all */
        return;
    case NOT_RECOGNISED:
        add_finding( report, severity, "wine-not-recognised", join( name, reason, "" ),
                     "This Wine works as it does without writewatch; please report it with its "
                     "version, or use one of those in docs/compatibility.md." );
        return;
    case NOT_CHANGEABLE:
        add_finding( report, severity, "wine-not-changeable", join( name, reason, "" ),
                     "A security module forbids to change code in memory: allow it for Wine "
                     "(SELinux: execmem and execmod)." );
        return;
    case NOT_LOADED:
        add_finding( report, severity, "wine-not-loaded", join( name, " cannot be loaded", reason ),
                     "Install what it needs; a Proton is loaded inside of Steam's container, where "
                     "this check may say more." );
        return;
    case NOT_PROBED:
        add_finding( report, severity, "wine-not-probed", join( name, reason, "" ),
                     wine->bits == 32 ? "Build writewatch where a compiler for 32-bit programs and "
                     "the 32-bit C library are there (tools/install-deps), and install it anew." :
                     "Build and install writewatch anew." );
        return;
    }
}

/* as Wine is loaded otherwise, and if that fails as a launcher of this Wine may have it loaded */
static int try_probe( struct child *child, struct probe *probe )
{
    int status = run_child( child );

    if (status != 1 || !(probe->libraries = own_libraries( probe->ntdll ))) return status;
    return run_child( child );
}

/***********************************************************************
 *           check_wine
 */
void check_wine( struct report *report, struct wine *wine )
{
    struct probe probe = { .ntdll = wine->ntdll, .preload = report->preload,
                           .backend = report->backend };
    struct child child = { .run = run_probe, .arg = &probe, .seconds = 60 };
    int status;

    read_file( wine );
    wine->verdict = NOT_PROBED;
    wine->reason = "it is for another processor";
    if (wine->bits)
    {
        probe.program = join( report->root ? report->root : "/nowhere",
                              wine->bits == 64 ? "/" LOADER_LIB : "/" LOADER_LIB32,
                              "/writewatch-probe" );
        if (!report->preload) wine->reason = "the library is missing";
        else if (access( probe.program, X_OK ))
            wine->reason = wine->bits == 32 ? "this writewatch was built without its 32-bit part" :
                                              "writewatch-probe is missing";
        else if ((status = try_probe( &child, &probe )) == EXIT_USAGE)
            wine->reason = wine->bits == 32 ? "32-bit programs cannot be run here" :
                                              "writewatch-probe cannot be run";
        else if (status == 1)
        {
            char *line = child.output;

            /* the linker may have complained of the preload before */
            if (strrchr( line, '\n' )) *strrchr( line, '\n' ) = 0;
            if (strrchr( line, '\n' )) line = strrchr( line, '\n' ) + 1;
            wine->verdict = NOT_LOADED;
            wine->reason = join( line, "", "" );
        }
        else read_line( wine, child.output );
    }
    explain_verdict( report, wine );
}
