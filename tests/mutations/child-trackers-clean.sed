# Trackers of a child do not learn what may have been written.
# Tests: unit/trackers_fork
/^UNINTERRUPTED void region_mark_written\(/,/^}/ s/if \(region->backend->note_written\)/if (0)/
