# A fork does not wait for threads that allocate memory.
# Tests: unit/fork unit/fork_threads
# Seconds: 40
# Lines: 2
/^void virtual_lock_for_fork\(/,/^}/ s/pthread_mutex_lock\( &virtual_mutex \)/(void)0/
/^void virtual_unlock_after_fork\(/,/^}/ s/pthread_mutex_unlock\( &virtual_mutex \)/(void)0/
