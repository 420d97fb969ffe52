/*
 * Preloaded by tests: makes the process one that may not be dumped or traced
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each program that is executed begins as a dumpable one again, so a command cannot do it for
 * another.
 */

#include <sys/prctl.h>

__attribute__((constructor)) static void make_not_dumpable(void)
{
    prctl( PR_SET_DUMPABLE, 0, 0, 0, 0 );
}
