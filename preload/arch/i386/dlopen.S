/*
 * Interposes dlopen()
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* programs get here by an indirect branch */
#ifdef __CET__
#include <cet.h>
#else
#define _CET_ENDBR
#endif

/* libc's dlopen() finds the caller's RUNPATH by the return address, so every call but the one for
 * ntdll.so must keep it: choose_dlopen() returns the target, and we jump there. */

        .text
        .globl dlopen
        .type dlopen,@function
        .p2align 4
dlopen:
        .cfi_startproc
        _CET_ENDBR
        subl    $8, %esp
        .cfi_adjust_cfa_offset 8
        pushl   12(%esp)                /* the file name */
        .cfi_adjust_cfa_offset 4
        call    choose_dlopen
        addl    $12, %esp
        .cfi_adjust_cfa_offset -12
        jmp     *%eax
        .cfi_endproc
        .size dlopen, . - dlopen

        .section .note.GNU-stack,"",@progbits
