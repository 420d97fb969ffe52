# What is read back from the array is believed, whatever it is.
# Tests: unit/undo
/^UNINTERRUPTED .*watch_undo\(/,/^}/ {
    s/ \|\| addr < next \|\| addr >= query->reached \|\|/ ||/
    s/\(addr & \(granule - 1\)\)/addr < query->start || addr >= query->end/
}
# Lines: 2
