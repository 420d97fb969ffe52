/*
 * List of the write watch tests that run natively, and the main program around them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * NATIVE_TESTS is made of the list of that name in the makefile.
 */

#define STANDALONE
#include "wine/test.h"

#define TEST( name ) extern void func_##name(void);
NATIVE_TESTS
#undef TEST

const struct test winetest_testlist[] =
{
#define TEST( name ) { #name, func_##name },
    NATIVE_TESTS
    { NULL, NULL }
};
