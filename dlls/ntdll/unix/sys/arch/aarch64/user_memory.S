/*
 * Access to memory of the program that may fault
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

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

/* int user_load_pointer( const void *ptr, uintptr_t *value ) */
FUNC( user_load_pointer )
        ldr     x2, [x0]
        str     x2, [x1]
        mov     w0, #0
        ret
END( user_load_pointer )

/* int user_store_pointer( void *ptr, uintptr_t value ) */
FUNC( user_store_pointer )
        str     x1, [x0]
        mov     w0, #0
        ret
END( user_store_pointer )

/* int user_swap_pointer( void *ptr, uintptr_t value, uintptr_t *old ) */
FUNC( user_swap_pointer )
        ldr     x3, [x0]
        str     x1, [x0]
        str     x3, [x2]
        mov     w0, #0
        ret
END( user_swap_pointer )

/* int user_store32( void *ptr, uint32_t value ) */
FUNC( user_store32 )
        str     w1, [x0]
        mov     w0, #0
        ret
END( user_store32 )

/* int user_store_runs( void *ptr, const struct page_run *runs, size_t n, size_t step ) */
FUNC( user_store_runs )
        mov     x4, x0
1:      ldp     x5, x6, [x1], #24       /* start and end of a run */
2:      str     x5, [x4], #8
        add     x5, x5, x3
        cmp     x5, x6
        b.lo    2b
        subs    x2, x2, #1
        b.ne    1b
        sub     x0, x4, x0
        lsr     x0, x0, #3
        ret
END( user_store_runs )

/* int user_probe_read( void *ptr, size_t n, size_t step ) */
FUNC( user_probe_read )
1:      ldrb    w3, [x0]
        add     x0, x0, x2
        subs    x1, x1, #1
        b.ne    1b
        mov     w0, #0
        ret
END( user_probe_read )

/* int user_probe_write( void *ptr, size_t n, size_t step ) */
FUNC( user_probe_write )
1:      ldxrb   w3, [x0]                /* no write of another thread gets lost in between */
        stxrb   w4, w3, [x0]
        cbnz    w4, 1b
        add     x0, x0, x2
        subs    x1, x1, #1
        b.ne    1b
        mov     w0, #0
        ret
END( user_probe_write )

        .globl user_access_stop
        .hidden user_access_stop
user_access_stop:

        .globl user_access_failed
        .hidden user_access_failed
user_access_failed:                     /* the handler has put the status into w0 */
        ret

        .section .note.GNU-stack,"",@progbits

/* The object is fit for branch target identification and signed return addresses, where the compiler
 * makes the others so: these functions are called directly, and keep the return address in its
 * register. */
#ifdef __ARM_FEATURE_BTI_DEFAULT
#define BTI 1
#else
#define BTI 0
#endif
#ifdef __ARM_FEATURE_PAC_DEFAULT
#define PAC 2
#else
#define PAC 0
#endif
#if BTI || PAC
        .section .note.gnu.property,"a"
        .p2align 3
        .long   4, 16, 5                /* sizes of the name and of what follows it; the type */
        .asciz  "GNU"
        .long   0xc0000000, 4, BTI | PAC, 0     /* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
#endif
