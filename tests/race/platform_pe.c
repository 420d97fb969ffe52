/*
 * What the race test needs of Windows
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "platform.h"

static HANDLE pipe_read, pipe_write;

const char *platform_open( const char **name )
{
    *name = "Windows";
    return CreatePipe( &pipe_read, &pipe_write, NULL, 0 ) ? NULL : "no pipe";
}

int claim_sparse(void)
{
    return 0;
}

int write_by_read( void *addr, uint32_t value )
{
    DWORD count;

    return WriteFile( pipe_write, &value, sizeof(value), &count, NULL ) &&
           ReadFile( pipe_read, addr, sizeof(value), &count, NULL ) && count == sizeof(value);
}

int write_to_process( void *addr, uint32_t value )
{
    SIZE_T count;

    return WriteProcessMemory( GetCurrentProcess(), addr, &value, sizeof(value), &count ) &&
           count == sizeof(value);
}
