/*
 * What stock Wine would have paid
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "preload.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"

#define PAGES 32

static void make_writable( int sig, siginfo_t *info, void *context )
{
    (void)sig;
    (void)context;
    raw_syscall3( SYS_mprotect, (long)round_down( (uintptr_t)info->si_addr ), page_size(),
                  PROT_READ | PROT_WRITE );
}

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime( CLOCK_MONOTONIC, &time );
    return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/***********************************************************************
 *           measure_fault_cost
 *
 * The time of one write to a page that is protected with mprotect(), in ns, in which the handler
 * makes the page writable: the least that Wine's own write watches cost for a page written. Every
 * other page is written, as scattered ones cost mappings as well. Called while the process has one
 * thread. Returns 0 if it cannot be measured.
 */
uint64_t measure_fault_cost(void)
{
    struct sigaction action = { .sa_sigaction = make_writable, .sa_flags = SA_SIGINFO }, old;
    const size_t size = 2 * PAGES * page_size();
    volatile char *base;
    uint64_t start, cost;
    sigset_t blocked;
    long ret;
    int i;

    if (sigprocmask( SIG_BLOCK, NULL, &blocked ) || sigismember( &blocked, SIGSEGV )) return 0;
    ret = raw_mmap_anon( size );
    if (raw_failed( ret )) return 0;
    base = (volatile char *)ret;
    for (i = 0; i < 2 * PAGES; i++) base[i * page_size()] = 1;
    if (raw_syscall3( SYS_mprotect, ret, size, PROT_READ ) ||
        sigaction( SIGSEGV, &action, &old ))
    {
        raw_munmap( (void *)ret, size );
        return 0;
    }
    start = now();
    for (i = 0; i < PAGES; i++) base[2 * i * page_size()] = 2;
    cost = (now() - start) / PAGES;
    sigaction( SIGSEGV, &old, NULL );
    raw_munmap( (void *)ret, size );
    return cost ? cost : 1;
}
