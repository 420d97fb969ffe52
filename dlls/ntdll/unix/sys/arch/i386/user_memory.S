/*
 * Access to memory of the program that may fault
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef __i386__
#error user_memory.S has no code for this processor yet
#endif

/* marks the object as fit for indirect branch tracking and shadow stacks, where the compiler does */
#ifdef __CET__
#include <cet.h>
#endif

        .section uninterrupted,"ax",@progbits

/* Each function saves the same registers, so that user_access_failed can restore them wherever the
 * fault was. */
#define FUNC( name ) \
        .globl name; \
        .hidden name; \
        .type name,@function; \
        .p2align 4; \
name: \
        pushl   %ebx; \
        pushl   %esi; \
        pushl   %edi

#define ARG( n ) 4 * n + 12(%esp)   /* the first is 1 */

#define LEAVE \
        popl    %edi; \
        popl    %esi; \
        popl    %ebx; \
        ret

#define END( name ) .size name, . - name

        .globl user_access_start
        .hidden user_access_start
user_access_start:

/* int user_load_pointer( const void *ptr, uintptr_t *value ) */
FUNC( user_load_pointer )
        movl    ARG( 1 ), %ecx
        movl    ARG( 2 ), %edx
        movl    (%ecx), %eax
        movl    %eax, (%edx)
        xorl    %eax, %eax
        LEAVE
END( user_load_pointer )

/* int user_store_pointer( void *ptr, uintptr_t value ), and of uint32_t: the same here */
FUNC( user_store_pointer )
        movl    ARG( 1 ), %ecx
        movl    ARG( 2 ), %edx
        movl    %edx, (%ecx)
        xorl    %eax, %eax
        LEAVE
END( user_store_pointer )

        .globl user_store32
        .hidden user_store32
        .set user_store32, user_store_pointer

/* int user_swap_pointer( void *ptr, uintptr_t value, uintptr_t *old ) */
FUNC( user_swap_pointer )
        movl    ARG( 1 ), %ecx
        movl    ARG( 2 ), %edx
        movl    ARG( 3 ), %esi
        movl    (%ecx), %eax
        movl    %edx, (%ecx)
        movl    %eax, (%esi)
        xorl    %eax, %eax
        LEAVE
END( user_swap_pointer )

/* int user_store_runs( void *ptr, const struct page_run *runs, size_t n, size_t step ) */
FUNC( user_store_runs )
        movl    ARG( 1 ), %edi
        movl    ARG( 2 ), %esi
        movl    ARG( 3 ), %ebx
        movl    ARG( 4 ), %edx
1:      movl    (%esi), %eax            /* start */
        movl    8(%esi), %ecx           /* end; both are below 4 GiB */
        .p2align 5                      /* across two cache lines it takes twice as long */
2:      movl    %eax, (%edi)
        addl    $4, %edi
        addl    %edx, %eax
        cmpl    %ecx, %eax
        jb      2b
        addl    $24, %esi
        decl    %ebx
        jnz     1b
        movl    %edi, %eax
        subl    ARG( 1 ), %eax
        shrl    $2, %eax
        LEAVE
END( user_store_runs )

/* int user_probe_read( void *ptr, size_t n, size_t step ) */
FUNC( user_probe_read )
        movl    ARG( 1 ), %ecx
        movl    ARG( 2 ), %edx
1:      movb    (%ecx), %al
        addl    ARG( 3 ), %ecx
        decl    %edx
        jnz     1b
        xorl    %eax, %eax
        LEAVE
END( user_probe_read )

/* int user_probe_write( void *ptr, size_t n, size_t step ) */
FUNC( user_probe_write )
        movl    ARG( 1 ), %ecx
        movl    ARG( 2 ), %edx
1:      lock orb $0, (%ecx)             /* of one byte, so that it never crosses a cache line */
        addl    ARG( 3 ), %ecx
        decl    %edx
        jnz     1b
        xorl    %eax, %eax
        LEAVE
END( user_probe_write )

        .globl user_access_stop
        .hidden user_access_stop
user_access_stop:

        .globl user_access_failed
        .hidden user_access_failed
user_access_failed:                     /* the handler has put the status into eax */
        LEAVE

        .section .note.GNU-stack,"",@progbits
