# An empty 32-bit library, for the place where 32-bit programs look for the preloaded one
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# With a 64-bit library there, the loader of every 32-bit program would print that it ignores it.

	.section .note.GNU-stack,"",@progbits
