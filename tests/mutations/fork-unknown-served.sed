# A child that the C library does not know of asks through the descriptors of its parent.
# Tests: unit/fork unit/fork_threads
# Seconds: 40
s/return \*fork_state != FORK_OURS;/return 0;/
