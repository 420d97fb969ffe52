# Threads are made with watched stacks on which no signal can be served.
# Tests: unit/own_memory
s/ret = original_backend\( region->backend \)->signal != 0;/ret = 0;/
