/*
 * Finds the Wines of this machine
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner.h"
#include "check_report.h"

/* where ntdll.so lies below the directory of a Wine: as distributions install it, as make does, in
 * Proton, in the tree where it was built, and (Wine 5, 6) without a directory for the processor */
static const char * const places[] =
{
    "lib*/wine*/*-unix/ntdll.so",
    "lib/*-linux-gnu/wine*/*-unix/ntdll.so",
    "files/lib*/wine/*-unix/ntdll.so",
    "files/lib/*-linux-gnu/wine/*-unix/ntdll.so",
    "dist/lib*/wine/*-unix/ntdll.so",
    "wine*/*-unix/ntdll.so",
    "*-unix/ntdll.so",
    "ntdll.so",
    "dlls/ntdll/ntdll.so",
    "lib*/wine*/ntdll.so",
    "lib/*-linux-gnu/wine*/ntdll.so",
    "files/lib*/wine/ntdll.so",
    "dist/lib*/wine/ntdll.so",
};

/* Wine 5.0 and before have this in its place */
static const char * const old_places[] =
{
    "lib*/wine*/ntdll.dll.so",
    "lib/*-linux-gnu/wine*/ntdll.dll.so",
};

/* directories of Wines; ~ is the home directory */
static const char * const directories[] =
{
    "/usr",
    "/usr/local",
    "/opt/wine*",
    "~/.local/share/lutris/runners/wine/*",
    "~/.local/share/lutris/runners/proton/*",
    "~/.steam/root/steamapps/common/Proton*",
    "~/.steam/steam/steamapps/common/Proton*",
    "~/.local/share/Steam/steamapps/common/Proton*",
    "~/.steam/root/compatibilitytools.d/*",
    "~/.steam/steam/compatibilitytools.d/*",
    "~/.local/share/Steam/compatibilitytools.d/*",
    "/usr/share/steam/compatibilitytools.d/*",
    "~/.var/app/com.valvesoftware.Steam/.local/share/Steam/steamapps/common/Proton*",
    "~/.var/app/com.valvesoftware.Steam/.local/share/Steam/compatibilitytools.d/*",
    "~/.local/share/bottles/runners/*",
    "~/.var/app/com.usebottles.bottles/data/bottles/runners/*",
    "~/.config/heroic/tools/wine/*",
    "~/.config/heroic/tools/proton/*",
    "~/.var/app/com.heroicgameslauncher.hgl/config/heroic/tools/wine/*",
    "~/.var/app/com.heroicgameslauncher.hgl/config/heroic/tools/proton/*",
};

enum found { BY_ITSELF, CHOSEN, NAMED };

/***********************************************************************
 *           add_wine
 *
 * Adds an ntdll.so, once, whatever path leads to it.
 */
static void add_wine( struct report *report, const char *ntdll, const char *found_by,
                      enum found how )
{
    struct wine *wine = NULL;
    struct stat st, other;
    size_t i;

    if (stat( ntdll, &st ) || !S_ISREG( st.st_mode )) return;
    for (i = 0; i < report->wine_count && !wine; i++)
        if (!stat( report->wines[i].ntdll, &other ) && st.st_ino == other.st_ino &&
            st.st_dev == other.st_dev) wine = &report->wines[i];
    if (!wine)
    {
        report->wines = realloc( report->wines, (i + 1) * sizeof(*wine) );
        if (!report->wines) fail( EXIT_USAGE, "out of memory" );
        wine = &report->wines[report->wine_count++];
        memset( wine, 0, sizeof(*wine) );
        wine->ntdll = realpath( ntdll, NULL );
        if (!wine->ntdll) fail( EXIT_USAGE, "out of memory" );
        wine->found_by = found_by;
    }
    wine->named  |= how == NAMED;
    wine->chosen |= how == CHOSEN;
}

/* the directory with what could mean something to glob() made plain */
static char *escaped( const char *dir )
{
    char *ret = malloc( 2 * strlen( dir ) + 2 ), *p = ret;

    if (!ret) fail( EXIT_USAGE, "out of memory" );
    for (; *dir; *p++ = *dir++) if (strchr( "*?[]\\{}~", *dir )) *p++ = '\\';
    *p++ = '/';
    *p = 0;
    return ret;
}

/***********************************************************************
 *           look_below
 *
 * Adds what lies in a directory. Returns how many there are.
 */
static size_t look_below( struct report *report, const char *dir, const char *found_by,
                          enum found how )
{
    char *start = escaped( dir );
    size_t i, count = 0;
    glob_t found;

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
    {
        if (glob( join( start, places[i], "" ), 0, NULL, &found )) continue;
        count += found.gl_pathc;
        for (size_t j = 0; j < found.gl_pathc; j++)
            add_wine( report, found.gl_pathv[j], found_by, how );
        globfree( &found );
    }
    for (i = 0; !count && i < sizeof(old_places) / sizeof(old_places[0]); i++)
    {
        if (glob( join( start, old_places[i], "" ), 0, NULL, &found )) continue;
        add_finding( report, how == BY_ITSELF ? WARNING : PROBLEM, "wine-old",
                     join( found.gl_pathv[0], " belongs to Wine 5.0 or an older one, whose ntdll "
                           "cannot be served.", "" ),
                     "Use Wine 8.0 or later." );
        count += found.gl_pathc;
        globfree( &found );
    }
    free( start );
    return count;
}

/***********************************************************************
 *           look_above
 *
 * Adds the Wine that a command belongs to, which lies beside the directory of the command or some
 * levels above it.
 */
static size_t look_above( struct report *report, const char *command, const char *found_by,
                          enum found how )
{
    char *dir = realpath( command, NULL ), *slash;
    size_t count = 0;
    unsigned int i;

    if (!dir) return 0;
    for (i = 0; i < 5 && !count && (slash = strrchr( dir, '/' )) && slash != dir; i++)
    {
        *slash = 0;
        count = look_below( report, dir, found_by, how );
    }
    free( dir );
    return count;
}

/***********************************************************************
 *           find_command
 *
 * The path of a command as the shell finds it, or NULL.
 */
const char *find_command( const char *name )
{
    const char *path = getenv( "PATH" );
    char *copy, *dir, *next, *file;
    struct stat st;

    if (strchr( name, '/' )) return access( name, X_OK ) ? NULL : name;
    copy = join( path ? path : "/usr/bin:/bin", "", "" );
    for (dir = strtok_r( copy, ":", &next ); dir; dir = strtok_r( NULL, ":", &next ))
    {
        file = join( dir, "/", name );
        if (!access( file, X_OK ) && !stat( file, &st ) && S_ISREG( st.st_mode )) return file;
    }
    return NULL;
}

/***********************************************************************
 *           name_wine
 *
 * Adds what a word of the command line names: a command, a directory, or an ntdll.so. Returns
 * whether it is a command.
 */
int name_wine( struct report *report, const char *word )
{
    const char *command = find_command( word );
    const char *slash = strrchr( word, '/' );
    struct stat st;

    if (command && !stat( command, &st ) && S_ISREG( st.st_mode ) &&
        strcmp( slash ? slash + 1 : word, "ntdll.so" ))
    {
        if (!look_above( report, command, word, NAMED ))
            add_finding( report, WARNING, "wine-not-found",
                         join( "Where the ntdll.so of ", command, " lies is not known." ),
                         "Name the directory of this Wine as well." );
        return 1;
    }
    if (!strcmp( slash ? slash + 1 : word, "ntdll.so" ) && !stat( word, &st ) &&
        S_ISREG( st.st_mode ))
        add_wine( report, word, word, NAMED );
    else if (stat( word, &st ))
        add_finding( report, PROBLEM, "wine-not-found",
                     join( "There is no command, directory or ntdll.so ", word, "." ),
                     "Name the command of a Wine or the directory in which it is installed." );
    else if (!look_below( report, word, word, NAMED ))
        add_finding( report, PROBLEM, "wine-not-found", join( "There is no Wine in ", word, "." ),
                     "Name the directory that has bin and lib of that Wine in it." );
    return 0;
}

/***********************************************************************
 *           find_wines
 *
 * Adds the Wines that users commonly have. The first of the commands that is there is the one that
 * Windows programs are run by.
 */
void find_wines( struct report *report )
{
    static const char * const commands[] =
    {
        "wine", "wine64", "wine-stable", "wine-staging", "wine-development", "wine-devel"
    };
    const char *loader = getenv( "WINELOADER" ), *home = getenv( "HOME" ), *command;
    enum found how = CHOSEN;
    glob_t found;
    size_t i, j;

    if (loader && *loader && look_above( report, loader, "WINELOADER", how )) how = BY_ITSELF;
    for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if ((command = find_command( commands[i] )) &&
            look_above( report, command, join( commands[i], " in PATH", "" ), how ))
            how = BY_ITSELF;
    for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
    {
        const char *dir = directories[i];
        char *pattern;

        if (*dir == '~' && (!home || *home != '/')) continue;
        pattern = *dir == '~' ? join( home, dir + 1, "" ) : join( dir, "", "" );
        if (glob( pattern, 0, NULL, &found )) continue;
        for (j = 0; j < found.gl_pathc; j++)
            look_below( report, found.gl_pathv[j], dir, BY_ITSELF );
        globfree( &found );
    }
    if (!report->wine_count)
        add_finding( report, PROBLEM, "wine-missing", "No Wine was found.",
                     "Install Wine (Debian: apt-get install wine), or name its directory: "
                     "writewatch --check DIRECTORY." );
}
