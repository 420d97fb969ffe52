/*
 * The version of Wine
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <dlfcn.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "module.h"
#include "next.h"
#include "preload.h"

static char version[64];

const char *wine_version(void)
{
    return version;
}

static int is_digit( unsigned char c )
{
    return c >= '0' && c <= '9';
}

/***********************************************************************
 *           find_wine_version
 *
 * Wine has its version as a text of its own in ntdll.so, "wine-8.0 (Debian 8.0~repack-4)", and no
 * function that returns it to Unix code.
 */
void find_wine_version( void *ntdll )
{
    static const char start[] = "\0wine-";
    const unsigned char *p, *end;
    struct module module;
    void *inside = old_dlsym( ntdll, "__wine_dbg_header" );
    unsigned int i;

    if (!inside || !find_module( inside, &module )) return;
    for (i = 0; i < module.count; i++)
    {
        if ((module.segments[i].flags & (PF_R | PF_W)) != PF_R) continue;
        end = module.segments[i].end;
        for (p = module.segments[i].start; p < end; p++)
        {
            p = memmem( p, end - p, start, sizeof(start) - 1 );
            if (!p || end - p < (long)sizeof(version)) break;
            if (!is_digit( p[sizeof(start) - 1] )) continue;
            snprintf( version, sizeof(version), "%.63s", (const char *)p + 1 );
            return;
        }
    }
}
