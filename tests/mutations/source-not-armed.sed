# Pages that a tracker resets are left open.
# Tests: unit/trackers
/^static uint64_t take_of_source\(/,/^}/ s/while \(left \&\& /while (0 \&\& left \&\& /
