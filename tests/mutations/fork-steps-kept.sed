# A step of a thread that the child does not have goes on for ever.
# Tests: unit/fork unit/fork_threads
# Seconds: 40
/^void region_without_steps\(/,/^}/ s/region->readers = region->first_step = region->steps/region->readers/
