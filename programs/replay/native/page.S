/*
 * The page that --html fills in
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

        .section .rodata

        .globl html_page
html_page:
        .incbin "programs/replay/native/page.html"
1:
        .p2align 2
        .globl html_page_size
html_page_size:
        .long   1b - html_page

        .section .note.GNU-stack,"",%progbits
