/*
 * Code that a thread must leave before it may be suspended or ended
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_UNINTERRUPTED_H
#define WRITEWATCH_UNINTERRUPTED_H

#include <stdint.h>
#include <ucontext.h>

#include "sys/cpu.h"

/* A query resets pages in the kernel and then reports them to the caller. If the thread is ended in
 * between, its pages are lost; if it is suspended there, it holds its region. Blocking signals
 * meanwhile costs more than a small query, so the functions on that path are in a section of their
 * own: code that delivers such signals calls in_uninterrupted_code() and waits until the thread has
 * left the section. These functions call nothing outside of it, not even the C library; nor do they
 * call what the compiler adds to detect a smashed stack. */
#if defined(__has_attribute)
#if __has_attribute(no_stack_protector)
#define NO_STACK_PROTECTOR no_stack_protector
#endif
#endif
#ifndef NO_STACK_PROTECTOR  /* gcc 10 and before */
#define NO_STACK_PROTECTOR optimize( "no-stack-protector" )
#endif

/* A static function of the section, which the compiler may build into its callers */
#define UNINTERRUPTED_PART __attribute__((section("uninterrupted"), NO_STACK_PROTECTOR))

/* A function that other sources call: built into a caller outside of the section, as by link-time
 * optimization, it would be outside as well */
#define UNINTERRUPTED UNINTERRUPTED_PART __attribute__((noinline))

extern const char __start_uninterrupted[] __attribute__((visibility("hidden")));
extern const char __stop_uninterrupted[] __attribute__((visibility("hidden")));

static inline int in_uninterrupted_code( const ucontext_t *context )
{
    return context_is_in( context, (uintptr_t)__start_uninterrupted,
                          (uintptr_t)__stop_uninterrupted );
}

#endif /* WRITEWATCH_UNINTERRUPTED_H */
