# In a child memory that the program mapped counts as not written.
# Tests: unit/fork unit/fork_threads
# Seconds: 40
/^static void adopt_region\(/,/^}/ s/if \(region->kind != REGION_FRESH\) mark/if (0) mark/
