# A fault of a thread in fork() waits for the memory manager's lock, which that thread holds.
# Tests: unit/fork_faults
# Seconds: 40
/^int guard_fault\(/,/^}/ s/if \(is_forking\) return 0;//
