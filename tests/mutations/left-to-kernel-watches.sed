# Memory that we cannot watch is left to Wine's own kernel watches.
# Tests: unit/hooks
# Lines: 2
s/    if \(!wine_has_kernel_watches\) return 1;/    return 1;/
s/^    if \(wine_has_kernel_watches\)$/    if (0)/
