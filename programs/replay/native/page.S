/*
 * The page that --html fills in
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

        .section .rodata

        .globl html_page
        .globl html_page_end
html_page:
        .incbin "programs/replay/native/page.html"
html_page_end:

        .section .note.GNU-stack,"",%progbits
