# A region that a child cannot watch passes for one that is not written.
# Tests: unit/fork unit/fork_threads
/^static void adopt_region\(/,/^}/ s/^    region->lost = LOST_MEMORY;//
