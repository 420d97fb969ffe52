/*
 * Instructions of Wine's system call dispatchers
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_UNIT_DISPATCHERS_H
#define WRITEWATCH_UNIT_DISPATCHERS_H

#define TO_RCX       "\x4c\x89\xd1"
#define TO_RDI       "\x4c\x89\xd7"
#define CALL_INDEXED "\x41\xff\x14\xc2"
#define CALL_R12     "\x41\xff\xd4"
#define POPS         "\x5f\x5e\x5a\x59\x41\x58\x41\x59"
/* what is between in 8.0 (sub $32,%rsp; mov (%rbx),%r10), and as much as there may be */
#define BETWEEN      "\x48\x83\xec\x20\x4c\x8b\x13"
#define FAR          BETWEEN BETWEEN BETWEEN BETWEEN "\x90"
#define TOO_FAR      FAR "\x90"
#define NEW_DISPATCHER TO_RDI BETWEEN BETWEEN CALL_R12 "\x90\x90" POPS CALL_R12

#endif /* WRITEWATCH_UNIT_DISPATCHERS_H */
