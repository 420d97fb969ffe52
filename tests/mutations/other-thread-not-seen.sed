# What the C library keeps about another thread is watched by faults.
# Tests: unit/own_memory
s/if \(\(tid = atoi\( entry->d_name \)\) <= 0/if ((tid = atoi( entry->d_name )) >= 0/
