/*
 * The size of a page where a processor has several
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <unistd.h>

#include "sys/page.h"

#if !defined(__x86_64__) && !defined(__i386__)
unsigned int page_shift = 12;

void page_init(void)
{
    page_shift = __builtin_ctzl( sysconf( _SC_PAGESIZE ));
}
#endif
