# What is known of blocks is also kept where the program may drop contents unseen.
# Tests: unit/fork_dropped unit/dropped
/^static int begin_watch\(/,/^}/ s/if \(region->kind == REGION_FRESH\) blocks_open/blocks_open/
