/*
 * Access to memory of the program that may fault
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef __x86_64__
#error user_memory.S has no code for this processor yet
#endif

/* marks the object as fit for indirect branch tracking and shadow stacks, where the compiler does */
#ifdef __CET__
#include <cet.h>
#endif

        .section uninterrupted,"ax",@progbits

#define FUNC( name ) \
        .globl name; \
        .hidden name; \
        .type name,@function; \
        .p2align 4; \
name:

#define END( name ) .size name, . - name

        .globl user_access_start
        .hidden user_access_start
user_access_start:

/* int user_load_pointer( const void *ptr, uint64_t *value ) */
FUNC( user_load_pointer )
        movq    (%rdi), %rax
        movq    %rax, (%rsi)
        xorl    %eax, %eax
        ret
END( user_load_pointer )

/* int user_store_pointer( void *ptr, uint64_t value ) */
FUNC( user_store_pointer )
        movq    %rsi, (%rdi)
        xorl    %eax, %eax
        ret
END( user_store_pointer )

/* int user_swap_pointer( void *ptr, uint64_t value, uint64_t *old ) */
FUNC( user_swap_pointer )
        movq    (%rdi), %rax
        movq    %rsi, (%rdi)
        movq    %rax, (%rdx)
        xorl    %eax, %eax
        ret
END( user_swap_pointer )

/* int user_store32( void *ptr, uint32_t value ) */
FUNC( user_store32 )
        movl    %esi, (%rdi)
        xorl    %eax, %eax
        ret
END( user_store32 )

/* int user_store_runs( void *ptr, const struct page_run *runs, size_t n, size_t step ) */
FUNC( user_store_runs )
        movq    %rdi, %r8
1:      movq    (%rsi), %rax            /* start */
        movq    8(%rsi), %r9            /* end */
        .p2align 5                      /* across two cache lines it takes twice as long */
2:      movq    %rax, (%rdi)
        addq    $8, %rdi
        addq    %rcx, %rax
        cmpq    %r9, %rax
        jb      2b
        addq    $24, %rsi
        decq    %rdx
        jnz     1b
        movq    %rdi, %rax
        subq    %r8, %rax
        shrq    $3, %rax
        ret
END( user_store_runs )

/* int user_probe_read( void *ptr, size_t n, size_t step ) */
FUNC( user_probe_read )
1:      movb    (%rdi), %al
        addq    %rdx, %rdi
        decq    %rsi
        jnz     1b
        xorl    %eax, %eax
        ret
END( user_probe_read )

/* int user_probe_write( void *ptr, size_t n, size_t step ) */
FUNC( user_probe_write )
1:      lock orb $0, (%rdi)             /* of one byte, so that it never crosses a cache line */
        addq    %rdx, %rdi
        decq    %rsi
        jnz     1b
        xorl    %eax, %eax
        ret
END( user_probe_write )

        .globl user_access_stop
        .hidden user_access_stop
user_access_stop:

        .globl user_access_failed
        .hidden user_access_failed
user_access_failed:                     /* the handler has put the status into eax */
        ret

        .section .note.GNU-stack,"",@progbits
