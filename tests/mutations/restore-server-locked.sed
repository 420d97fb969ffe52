# The thread that serves pages waits for the lock of restores, which a fork() holds.
# Tests: unit/restore_fork
# Seconds: 40
/^static void \*serve_pages\(/,/^}/ s/size = read\(.*;/pthread_mutex_lock( \&restore_mutex ); & pthread_mutex_unlock( \&restore_mutex );/
