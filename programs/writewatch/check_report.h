/*
 * Declarations shared by the files of --check
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_CHECK_REPORT_H
#define WRITEWATCH_CHECK_REPORT_H

#include <stddef.h>
#include <sys/utsname.h>

/* how much it matters: NOTE for information, WARNING where something is served in spite of it */
enum severity { NOTE, WARNING, PROBLEM };

/* One thing that is missing or in the way. */
struct finding
{
    enum severity severity;
    const char   *id;         /* a word for programs, which stays as it is */
    const char   *sentence;
    const char   *remedy;
};

/* what the library says of an ntdll.so */
enum verdict
{
    SERVED,
    KERNEL_REFUSED,    /* this Wine is recognised, but the kernel does not do its part */
    NOT_RECOGNISED,
    NOT_CHANGEABLE,    /* recognised, but its code cannot be changed in memory */
    NOT_LOADED,        /* the dynamic linker refuses this ntdll.so */
    NOT_PROBED,        /* the library or the probe for its word size is missing */
};

/* One ntdll.so. A Wine has one for each word size. */
struct wine
{
    const char  *found_by;      /* "wine in PATH", a word of the command line ... */
    const char  *ntdll;
    int          bits;          /* 64, 32, or 0 if it is for no processor that is served */
    int          named;         /* on the command line */
    int          chosen;        /* it is what the command wine is */
    int          own_watches;   /* it has kernel watches itself */
    const char  *version;       /* "" if it does not say */
    enum verdict verdict;
    const char  *reason;        /* "" if it is served */
};

/* One run of a Windows program under a Wine. */
struct trial
{
    const char *command;
    int         bits;
    int         active;         /* the log says so of the program */
    int         exact;          /* what was reported is what was written */
    const char *pages;          /* the line of the program, or "" */
    const char *log;            /* the line of the log, or what went wrong */
};

struct report
{
    struct utsname  system;
    char           *root;            /* the directory of the library, or NULL */
    char           *preload;         /* what LD_PRELOAD must be, or NULL */
    const char     *backend;         /* what the user requires, or NULL */
    int             kernel_serves;
    const char     *mechanism;       /* "" if the kernel does not serve */
    const char     *reason;          /* why it does not; "" if it does */
    struct finding *findings;
    size_t          finding_count;
    struct wine    *wines;
    size_t          wine_count;
    struct trial   *trials;
    size_t          trial_count;
    int             switched_off;    /* by a setting */
    int             named;           /* whether the command line names Wines */
    int             served;          /* the answer to all of it */
};

/* check.c */
extern int run_check( struct runner *runner, int count, char **args );
extern void add_finding( struct report *report, enum severity severity, const char *id,
                         const char *sentence, const char *remedy );

/* check_kernel.c */
extern void check_kernel( struct report *report );

/* check_settings.c */
extern void check_settings( struct report *report );

/* find_wines.c */
extern void find_wines( struct report *report );
extern int name_wine( struct report *report, const char *word );
extern const char *find_command( const char *name );

/* check_wine.c */
extern void check_wine( struct report *report, struct wine *wine );

/* check_trial.c */
extern void run_trials( struct report *report, const char *command );

/* check_print.c, check_json.c */
extern void print_report( const struct report *report );
extern void print_json( const struct report *report );

/* child.c: runs a function in a child, and takes what it prints */
struct child
{
    void      (*run)( void *arg );   /* exits, or executes another program */
    void       *arg;
    unsigned int seconds;            /* it is killed after these */
    char        output[4096];        /* of standard output and standard error, ended by 0 */
};

extern int run_child( struct child *child );

#endif /* WRITEWATCH_CHECK_REPORT_H */
