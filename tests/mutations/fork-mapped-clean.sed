# In a child memory that the program mapped counts as not written.
# Tests: unit/fork unit/fork_threads
# Seconds: 40
/^static void forget_parent\(/,/^}/ s/if \(region->kind != REGION_FRESH\)/if (0)/
