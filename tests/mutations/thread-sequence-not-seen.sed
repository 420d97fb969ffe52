# The restartable sequence of another thread, on another page than its list, is watched by faults.
# Tests: unit/own_memory
s/if \(sequence_offset\) include/if (!sequence_offset) include/
