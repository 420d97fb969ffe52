# Of several steps beside the first one only one is counted.
# Tests: unit/region
s/__atomic_fetch_add\( &region->steps, 1, /__atomic_store_n( \&region->steps, 1, /
