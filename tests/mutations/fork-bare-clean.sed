# In a child memory that the program mapped, and that had no page when its watch began, counts as
# not written.
# Tests: unit/fork unit/fork_threads
# Seconds: 40
/^static void forget_parent\(/,/^}/ s/region->kind != REGION_FRESH/scan_data( region )->all_protected/
