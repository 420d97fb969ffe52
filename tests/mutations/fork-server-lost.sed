# The thread that serves faults is not started anew in a child.
# Tests: unit/fork
# Seconds: 40
/^static int thread_reopen\(/,/^}/ s/started = 0;//
