# A lock of a thread that the child does not have stays taken.
# Tests: unit/trackers_fork
# Seconds: 60
/^static void free_locks\( struct watch_region \*region/,/^}/ s/\*lock_of\( region \) = free_lock;/(void)free_lock;/
