/*
 * List of the write watch tests, and the main program around them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdarg.h>
#include <windows.h>

#define STANDALONE
#include "wine/test.h"

extern void func_allocation(void);
extern void func_arguments(void);
extern void func_calls(void);
extern void func_concurrency(void);
extern void func_decommit(void);
extern void func_face(void);
extern void func_hostile(void);
extern void func_io(void);
extern void func_model(void);
extern void func_overlap(void);
extern void func_own_process(void);
extern void func_placeholder(void);
extern void func_protection(void);
extern void func_remote(void);
extern void func_results(void);
extern void func_socket(void);

const struct test winetest_testlist[] =
{
    { "allocation", func_allocation },
    { "arguments", func_arguments },
    { "calls", func_calls },
    { "concurrency", func_concurrency },
    { "decommit", func_decommit },
    { "face", func_face },
    { "hostile", func_hostile },
    { "io", func_io },
    { "model", func_model },
    { "overlap", func_overlap },
    { "own_process", func_own_process },
    { "placeholder", func_placeholder },
    { "protection", func_protection },
    { "remote", func_remote },
    { "results", func_results },
    { "socket", func_socket },
    { NULL, NULL }
};
