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

    /* what is done in place of running a command; args are the words after the options. Returns
     * the exit status. */
    int       (*instead)( struct runner *runner, int count, char **args );
};

/* words.c */
extern void fail( int status, const char *format, ... )
    __attribute__((noreturn, format( printf, 2, 3 )));
extern char *join( const char *first, const char *second, const char *third );
extern void set_variable( const char *name, const char *value );

/* library.c */
extern char *find_root(void);
extern void preload( char *root );

/* log.c */
extern void set_log( const char *file );

/* record.c */
extern void set_record( const char *file );

/* options.c */
extern int parse_options( struct runner *runner, int argc, char **argv );

#endif /* WRITEWATCH_RUNNER_H */
