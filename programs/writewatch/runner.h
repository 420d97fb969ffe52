/*
 * Declarations shared by the files of the runner
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_RUNNER_H
#define WRITEWATCH_RUNNER_H

#define LIBRARY "libwritewatch-preload.so"

/* the exit statuses that a shell uses when it cannot start a command */
enum { EXIT_USAGE = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

/* What the options ask for. */
struct runner
{
    const char *log;      /* where the library logs to, or NULL */
    const char *record;   /* where it records to, or NULL */
    int         stats;    /* whether it logs counts, too */
    int         json;     /* --check prints JSON */
    int         off;      /* nothing is preloaded */

    /* what is done in place of running a command; args are the words after the options. Returns
     * the exit status. */
    int       (*instead)( struct runner *runner, int count, char **args );
};

/* words.c */
extern void fail( int status, const char *format, ... )
    __attribute__((noreturn, format( printf, 2, 3 )));
extern char *join( const char *first, const char *second, const char *third );
extern int ends_with( const char *string, const char *end );
extern int finish_output( int status );
extern void set_variable( const char *name, const char *value );

/* library.c */
extern int own_directory( const char *path );
extern char *find_root(void);
extern char *preload_list( char *root, const char **reason );
extern void preload( char *root );
extern void drop_preload( char *root );

/* run.c */
extern void begin_run( const char *log, int count, char **args );

/* old_pages.c */
extern void remove_old_pages(void);

/* status.c */
extern int print_status( struct runner *runner, int count, char **args );

/* wine_processes.c */
extern int print_unwatched( const char *what );

/* log.c */
extern const char *log_problem( const char *file );
extern void set_log( const char *file );

/* keys.c */
extern int is_backend( const char *name );

/* explain.c */
extern int run_explain( struct runner *runner, int count, char **args );

/* record.c */
extern void set_record( const char *file );

/* options.c */
extern int parse_options( struct runner *runner, int argc, char **argv );

#endif /* WRITEWATCH_RUNNER_H */
