/*
 * The name of the Windows program
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "preload.h"

static char program[64];

/***********************************************************************
 *           program_name
 *
 * The name of the Windows program: the first argument of the loader, without its path. First called
 * when the process begins: Wine later changes /proc/self/cmdline.
 */
const char *program_name(void)
{
    char buffer[4096], *name, *p;
    ssize_t size = -1;
    int fd;

    if (program[0]) return program;
    strcpy( program, "?" );
    if ((fd = open( "/proc/self/cmdline", O_RDONLY | O_CLOEXEC )) != -1)
    {
        size = read( fd, buffer, sizeof(buffer) - 1 );
        close( fd );
    }
    if (size <= 0) return program;
    buffer[size] = 0;
    name = buffer + strlen( buffer ) + 1;
    if (name >= buffer + size) name = buffer;
    for (p = name; *p; p++)
    {
        if (*p == '/' || *p == '\\') name = p + 1;
        else if ((unsigned char)*p < ' ') *p = '?';
    }
    /* the precision shows the compiler that truncation is intended */
    snprintf( program, sizeof(program), "%.63s", name );
    return program;
}
