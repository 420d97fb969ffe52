# A thread that the child does not have goes on to hold a region.
# Tests: unit/fork unit/fork_threads
# Seconds: 40
/^void fault_free_locks\(/,/^}/ s/fault_data\( region \)->lock = free_lock;/(void)region, (void)free_lock;/
