# What the C library keeps about another thread is watched by faults.
# Tests: unit/own_memory
s/if \(tid <= 0 \|\| syscall\( SYS_get_robust_list/if (tid >= 0 || syscall( SYS_get_robust_list/
