/*
 * writewatch: starts a command with libwritewatch-preload.so preloaded
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBRARY "libwritewatch-preload.so"

/* the exit statuses that a shell uses when it cannot start a command */
enum { EXIT_USAGE = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

/* the characters that separate the entries of LD_PRELOAD; the loader has no way to quote them */
static const char separators[] = " :";

/* the characters that no path in it can contain: the loader expands some words after $ */
static const char unfit[] = " :$";

static const char usage[] =
    "Usage: writewatch [OPTION...] COMMAND [ARGUMENT...]\n"
    "Runs COMMAND, usually wine, with write watches provided by the Linux kernel.\n"
    "\n"
    "  -l, --log FILE   log to FILE (- for stderr) whether it is active in each Wine process\n"
    "  -s, --stats      with --log: also log counts when a process exits\n"
    "      --off        run COMMAND with Wine's own write watches\n"
    "  -h, --help       show this text\n"
    "  -V, --version    show the version\n"
    "\n"
    "Examples: writewatch wine game.exe\n"
    "          writewatch %command%         as a launch option of Steam\n"
    "\n"
    "Environment:\n"
    "  WRITEWATCH=off                     as --off\n"
    "  WINE_DISABLE_KERNEL_WRITEWATCH=1   as --off\n"
    "  WRITEWATCH_LOG=FILE                as --log FILE\n"
    "  WRITEWATCH_STATS=1                 as --stats\n"
    "\n"
    "The exit status is that of COMMAND. 125 means a mistake in the options, 126 that COMMAND\n"
    "cannot be run, 127 that COMMAND or " LIBRARY " does not exist.\n";

/***********************************************************************
 *           fail
 *
 * Prints one sentence and ends the program with the given status.
 */
__attribute__((noreturn, format( printf, 2, 3 )))
static void fail( int status, const char *format, ... )
{
    va_list args;

    fputs( "writewatch: ", stderr );
    va_start( args, format );
    vfprintf( stderr, format, args );
    va_end( args );
    fputc( '\n', stderr );
    exit( status );
}

/***********************************************************************
 *           join
 *
 * Returns a new string, the concatenation of three others.
 */
static char *join( const char *first, const char *second, const char *third )
{
    char *ret;

    if (asprintf( &ret, "%s%s%s", first, second, third ) < 0) fail( EXIT_USAGE, "out of memory" );
    return ret;
}

static void set_variable( const char *name, const char *value )
{
    if (setenv( name, value, 1 )) fail( EXIT_USAGE, "cannot set %s: %s", name, strerror( errno ) );
}

/***********************************************************************
 *           find_root
 *
 * Returns the absolute path of the directory that contains the library, derived from the path of
 * this program: never from the current directory or an environment variable.
 */
static char *find_root( void )
{
    char self[PATH_MAX], *candidates[4], *slash, *ret;
    size_t dir_len, bin_len = strlen( BINDIR );
    unsigned int i, count = 0;
    ssize_t len;

    if ((len = readlink( "/proc/self/exe", self, sizeof(self) - 1 )) > 0)
    {
        self[len] = 0;
        if ((slash = strrchr( self, '/' ))) *slash = 0;
        dir_len = strlen( self );
        /* the build tree */
        candidates[count++] = join( self, "/../preload", "" );
        /* installed with a prefix other than configure's */
        candidates[count++] = join( self, "/../lib/writewatch", "" );
        /* an installed tree moved as a whole, as with DESTDIR */
        if (dir_len > bin_len && !strcmp( self + dir_len - bin_len, BINDIR ))
        {
            self[dir_len - bin_len] = 0;
            candidates[count++] = join( self, PKGLIBDIR, "" );
        }
    }
    candidates[count++] = join( PKGLIBDIR, "", "" );

    for (i = 0; i < count; i++)
        if (!access( join( candidates[i], "/" LOADER_LIB "/", LIBRARY ), R_OK ) &&
            (ret = realpath( candidates[i], NULL ))) return ret;

    fail( EXIT_NOT_FOUND, "%s is neither in the build tree (run make) nor in %s (make install).",
          LIBRARY, PKGLIBDIR );
}

/***********************************************************************
 *           own_directory
 *
 * Creates the directory if it is missing. Returns whether we own it and only its owner has access.
 */
static int own_directory( const char *path )
{
    struct stat st;

    if (mkdir( path, 0700 ) && errno != EEXIST) return 0;
    /* not stat(): a link that another user placed must not be followed */
    if (lstat( path, &st )) return 0;
    return S_ISDIR( st.st_mode ) && st.st_uid == geteuid() && !(st.st_mode & 077);
}

/***********************************************************************
 *           link_in
 *
 * Creates a link to the library's directory in base/writewatch and returns its path, or NULL if
 * that cannot be done safely. The name of the link is a hash of its target, so that several builds
 * of the library do not compete for one name.
 */
static char *link_in( const char *base, const char *root )
{
    unsigned long long hash = 0xcbf29ce484222325ull;
    char *dir, *path, *temp, name[64], target[PATH_MAX];
    const char *p;
    ssize_t len;

    if (!base || base[0] != '/' || strpbrk( base, unfit )) return NULL;
    dir = join( base, "/", "writewatch" );
    if (!own_directory( dir )) return NULL;

    for (p = root; *p; p++) hash = (hash ^ (unsigned char)*p) * 0x100000001b3ull;
    snprintf( name, sizeof(name), "/%016llx", hash );
    path = join( dir, name, "" );

    if ((len = readlink( path, target, sizeof(target) - 1 )) > 0)
    {
        target[len] = 0;
        if (!strcmp( target, root )) return path;
    }
    /* another writewatch may do the same at this moment: rename() makes it one step */
    snprintf( name, sizeof(name), ".%ld", (long)getpid() );
    temp = join( path, name, "" );
    unlink( temp );
    if (symlink( root, temp )) return NULL;
    if (!rename( temp, path )) return path;
    unlink( temp );
    return NULL;
}

/***********************************************************************
 *           preloadable_root
 *
 * Returns a path of the library's directory that LD_PRELOAD can contain. The loader silently
 * ignores one with a space or a colon.
 */
static char *preloadable_root( char *root )
{
    const char *home = getenv( "HOME" ), *runtime = getenv( "XDG_RUNTIME_DIR" );
    char *ret, *cache = NULL;

    if (!strpbrk( root, unfit )) return root;
    if ((ret = link_in( runtime, root ))) return ret;
    if (home && *home)
    {
        cache = join( home, "/.cache", "" );
        mkdir( cache, 0700 );
        if ((ret = link_in( cache, root ))) return ret;
    }
    fail( EXIT_USAGE, "%s cannot be preloaded from %s because that path has a space, a colon or a "
          "dollar sign, and neither $XDG_RUNTIME_DIR nor $HOME/.cache can hold a link to it: "
          "move it.", LIBRARY, root );
}

/***********************************************************************
 *           library_in
 *
 * Returns the path to preload. If both libraries exist and the loader expands $LIB as on the
 * machine where configure ran, the path gives programs of each word size their own library. A
 * loader that finds a library of the wrong size prints a warning at each start of a program.
 */
static char *library_in( const char *root )
{
    char *both = join( root, "/$LIB/", LIBRARY );

    if (*LOADER_LIB32 && !access( join( root, "/" LOADER_LIB32 "/", LIBRARY ), R_OK ) &&
        dlopen( both, RTLD_LAZY | RTLD_LOCAL )) return both;
    return join( root, "/" LOADER_LIB "/", LIBRARY );
}

/***********************************************************************
 *           is_same_library
 *
 * Returns whether an entry of LD_PRELOAD names the library, possibly by another path or by its bare
 * name.
 */
static int is_same_library( const char *entry, const struct stat *library )
{
    const char *slash = strrchr( entry, '/' );
    struct stat st;

    if (!strcmp( slash ? slash + 1 : entry, LIBRARY )) return 1;
    if (!slash) return 0;  /* the loader searches its own directories for it */
    return !stat( entry, &st ) && st.st_dev == library->st_dev && st.st_ino == library->st_ino;
}

/***********************************************************************
 *           preload
 *
 * Puts the library first in LD_PRELOAD, once, and keeps the other entries in order.
 */
static void preload( char *root )
{
    char *library = join( root, "/" LOADER_LIB "/", LIBRARY );
    const char *old = getenv( "LD_PRELOAD" );
    char *list, *entry, *copy, *next;
    struct stat st;

    if (stat( library, &st ))
        fail( EXIT_NOT_FOUND, "cannot read %s: %s", library, strerror( errno ) );
    list = library_in( preloadable_root( root ));
    if (old)
    {
        copy = join( old, "", "" );
        for (entry = strtok_r( copy, separators, &next ); entry;
             entry = strtok_r( NULL, separators, &next ))
            if (!is_same_library( entry, &st )) list = join( list, ":", entry );
    }
    set_variable( "LD_PRELOAD", list );
}

/***********************************************************************
 *           check_log
 *
 * The library is silent when it cannot write its log, so check here.
 */
static void check_log( const char *file )
{
    char *dir = join( file, "", "" ), *slash = strrchr( dir, '/' );

    if (!access( file, W_OK )) return;
    if (errno == ENOENT)
    {
        if (slash) slash[slash == dir] = 0;
        if (!access( dir, W_OK | X_OK )) return;
    }
    fail( EXIT_USAGE, "the log %s cannot be written: %s", file, strerror( errno ) );
}

/***********************************************************************
 *           set_log
 *
 * Sets WRITEWATCH_LOG to an absolute path, because programs change their current directory.
 */
static void set_log( const char *file )
{
    char *cwd;

    if (file[0] == '/' || !file[0] || !strcmp( file, "-" ))
    {
        if (file[0] == '/') check_log( file );
        set_variable( "WRITEWATCH_LOG", file );
        return;
    }
    if (!(cwd = getcwd( NULL, 0 )))
        fail( EXIT_USAGE, "cannot find the current directory, which contains the log file: %s",
              strerror( errno ) );
    check_log( file = join( cwd, "/", file ) );
    set_variable( "WRITEWATCH_LOG", file );
}

static int is_windows_program( const char *path )
{
    char magic[2] = { 0 };
    FILE *file = fopen( path, "re" );

    if (!file) return 0;
    if (fread( magic, 1, sizeof(magic), file ) != sizeof(magic)) magic[0] = 0;
    fclose( file );
    return magic[0] == 'M' && magic[1] == 'Z';
}

int main( int argc, char *argv[] )
{
    enum { OPTION_OFF = 256 };
    static const struct option options[] =
    {
        { "help",    no_argument,       NULL, 'h' },
        { "version", no_argument,       NULL, 'V' },
        { "log",     required_argument, NULL, 'l' },
        { "stats",   no_argument,       NULL, 's' },
        { "off",     no_argument,       NULL, OPTION_OFF },
        { NULL, 0, NULL, 0 }
    };
    const char *log = getenv( "WRITEWATCH_LOG" );
    int option, error;

    while ((option = getopt_long( argc, argv, "+hVl:s", options, NULL )) != -1)
    {
        switch (option)
        {
        case 'h':
            fputs( usage, stdout );
            return 0;
        case 'V':
            puts( "writewatch " VERSION );
            return 0;
        case 'l':
            if (!*optarg) fail( EXIT_USAGE, "--log needs the name of a file, or - for stderr." );
            log = optarg;
            break;
        case 's':
            set_variable( "WRITEWATCH_STATS", "1" );
            break;
        case OPTION_OFF:
            set_variable( "WRITEWATCH", "off" );
            break;
        default:  /* getopt_long() has printed the error */
            fputs( "Try 'writewatch --help'.\n", stderr );
            return EXIT_USAGE;
        }
    }
    if (optind == argc)
        fail( EXIT_USAGE, "which command? Usage: writewatch [OPTION...] COMMAND [ARGUMENT...]" );

    if (log) set_log( log );
    preload( find_root() );

    /* execvp() passes a file that the kernel cannot run to the shell; not a Windows program */
    if (strchr( argv[optind], '/' ))
    {
        execv( argv[optind], argv + optind );
        if (errno == ENOEXEC && is_windows_program( argv[optind] ))
            fail( EXIT_NOT_EXECUTABLE, "%s is a Windows program: put wine before it.",
                  argv[optind] );
    }
    execvp( argv[optind], argv + optind );
    error = errno;
    fail( error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE,
          "cannot run %s: %s", argv[optind], strerror( error ) );
}
