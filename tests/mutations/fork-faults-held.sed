# A thread that the child does not have goes on to hold a region.
# Tests: unit/fork unit/fork_threads
# Seconds: 40
/^void region_without_steps\(/,/^}/ s/region->faults = free_lock;/(void)free_lock;/
