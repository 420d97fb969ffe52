/*
 * The status of a fault that Wine's handler returns to the program
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_WINE_FAULT_H
#define WRITEWATCH_WINE_FAULT_H

/* wine_fault_prepare() comes before a call of Wine's handler. If that has changed where the thread
 * goes on, wine_fault_status() returns what it wants to give to the program, which is a warning or
 * error unless this Wine does it in another way. */
#ifdef __x86_64__
#include "arch/x86_64/wine_fault.h"
#elif defined(__i386__)
#include "arch/i386/wine_fault.h"
#else
#error wine_fault.h does not know this processor yet
#endif

#endif /* WRITEWATCH_WINE_FAULT_H */
