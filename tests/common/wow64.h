/*
 * 32-bit programs whose calls Wine converts into those of 64 bits (new WoW64)
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Wine's wow64.dll makes a query with an array and a count of its own and copies the answer when
 * that is done. So a pointer of the program that cannot be written loses what was reset, whatever
 * keeps the write watches, and so does a thread that is ended there. The granularity is the
 * program's own.
 */

#ifndef WRITEWATCH_TESTS_WOW64_H
#define WRITEWATCH_TESTS_WOW64_H

#include "nt.h"

/* A process that Wine's 32-bit side serves has a transition as well, but another dispatcher. */
static inline BOOL is_wine_wow64(void)
{
    HMODULE ntdll = GetModuleHandleA( "ntdll.dll" );
    void **transition = (void *)GetProcAddress( ntdll, "Wow64Transition" );
    void **dispatcher = (void *)GetProcAddress( ntdll, "__wine_syscall_dispatcher" );

    if (!GetProcAddress( ntdll, "wine_get_version" ) || !transition || !*transition) return FALSE;
    return !dispatcher || !*dispatcher || *dispatcher == *transition;
}

/* Its new WoW64 is not complete: threads end or lose segment registers, under stock Wine too. */
static inline BOOL is_wine_8(void)
{
    HMODULE ntdll = GetModuleHandleA( "ntdll.dll" );
    const char * (CDECL *version)(void) = (void *)GetProcAddress( ntdll, "wine_get_version" );

    return version && version()[0] == '8';
}

#endif /* WRITEWATCH_TESTS_WOW64_H */
