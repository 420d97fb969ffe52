/*
 * Code that a thread must leave before it may be suspended or ended
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_UNINTERRUPTED_H
#define WRITEWATCH_UNINTERRUPTED_H

#include <stdint.h>

/* A query takes pages out of the kernel's books and hands them to the caller. A thread that is
 * ended in between takes its pages along, and one that is suspended there holds its region.
 * Blocking signals for the time costs more than a small query, so the functions on that way stand
 * in a section of their own: who delivers such signals asks in_uninterrupted_code() and waits until
 * the thread has come out. These functions call nothing outside the section,
 * the C library included. */
#define UNINTERRUPTED __attribute__((section("uninterrupted")))

extern const char __start_uninterrupted[] __attribute__((visibility("hidden")));
extern const char __stop_uninterrupted[] __attribute__((visibility("hidden")));

static inline int in_uninterrupted_code( uintptr_t pc )
{
    return pc >= (uintptr_t)__start_uninterrupted && pc < (uintptr_t)__stop_uninterrupted;
}

#endif /* WRITEWATCH_UNINTERRUPTED_H */
