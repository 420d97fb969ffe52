/*
 * The segments of a loaded library
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_MODULE_H
#define WRITEWATCH_MODULE_H

#include <stddef.h>

#define MAX_SEGMENTS 8

struct segment
{
    unsigned char *start;
    unsigned char *end;
    int            flags;    /* PF_R, PF_W, PF_X */
};

struct module
{
    const unsigned char *inside;   /* any address in the module, to find it by */
    struct segment       segments[MAX_SEGMENTS];
    unsigned int         count;
    struct segment       relro;    /* read-only after relocation */
};

/* Finds the module that contains an address. Returns whether there is one, and fills module. */
extern int find_module( const void *inside, struct module *module );

#endif /* WRITEWATCH_MODULE_H */
