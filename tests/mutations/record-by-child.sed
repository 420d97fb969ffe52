# A child made by fork() goes on with the record of its parent.
# Tests: unit/record
s/if \(raw_syscall3\( SYS_getpid, 0, 0, 0 \) != process\) return 1;//
