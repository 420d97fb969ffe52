# A 32-bit library with nothing in it, for the place where 32-bit programs look for the
# preloaded one
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The loader of a 32-bit program would say that it ignores a 64-bit library.

	.section .note.GNU-stack,"",@progbits
