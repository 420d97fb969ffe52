/*
 * Parts of a test that run in processes of their own, and once with each backend
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_CHILDREN_H
#define WRITEWATCH_CHILDREN_H

/* the exit status of a test */
#define PASS 0
#define FAIL 1
#define SKIP 77

/* For alarm(): seconds after which a test hangs. No machine is that slow. */
#define UNIT_HANGS 3600

/* The backends, as bits. An old one works as before Linux 6.4, where missing pages cannot be
 * protected and fstat() cannot tell one userfaultfd from another. */
enum unit_backends
{
    UNIT_SCAN          = 0x001,   /* the form that the library chooses, or WRITEWATCH_TEST_SCAN */
    UNIT_SCAN_UNMARKED = 0x002,
    UNIT_SCAN_MARKED   = 0x004,
    UNIT_SIGBUS        = 0x008,
    UNIT_SIGBUS_OLD    = 0x010,
    UNIT_MPROTECT      = 0x020,
    UNIT_THREAD        = 0x040,
    UNIT_THREAD_OLD    = 0x080,
    UNIT_SOFTDIRTY     = 0x100,

    /* each backend once, as programs get it */
    UNIT_ALL = UNIT_SCAN | UNIT_SIGBUS | UNIT_MPROTECT | UNIT_THREAD | UNIT_SOFTDIRTY,
    /* and those that can watch memory that the program mapped itself */
    UNIT_MAPPED = UNIT_ALL & ~UNIT_SOFTDIRTY,
    /* those that learn of writes by faults, also on older kernels */
    UNIT_FAULTS = UNIT_SIGBUS | UNIT_SIGBUS_OLD | UNIT_MPROTECT | UNIT_THREAD | UNIT_THREAD_OLD,
};

/* The list of them, in the order of the bits; the last one has no name. */
extern const struct unit_backend
{
    const char *name;         /* what command lines and messages call it */
    const char *backend;      /* what the library calls it */
    int         old_kernel;
} unit_backends[];

/* Runs a function in a child. Returns PASS, FAIL or SKIP, and says so in a line with the name, but
 * for SKIP: of that the function itself says the reason. A child that is ended by a signal has
 * failed. The function's result, or that of its checks, is the status of the child. */
extern int unit_in_child( const char *name, int (*run)( const char *name ));

/* The result of two parts of a test: a skipped one counts for nothing. */
extern int unit_both( int first, int second );

/* Runs a function in a child of its own for each of some backends, or only for those of them that
 * the command line names. The function gets what the library calls it. Returns PASS if it passed
 * with some and failed with none, SKIP if none works here. After a child that a signal ended the
 * others are left out: they might hang for the same reason. */
extern int unit_each_backend( int argc, char *argv[], unsigned int backends,
                              int (*run)( const char *backend ));

/* the bit of a backend that is called so by the library */
extern unsigned int unit_backend_bit( const char *backend );

#endif /* WRITEWATCH_CHILDREN_H */
