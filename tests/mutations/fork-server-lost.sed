# The thread that serves faults is not started anew in a child.
# Tests: unit/fork unit/fork_threads
# Seconds: 40
/^static int thread_reopen\(/,/^}/ s/started = 0;//
