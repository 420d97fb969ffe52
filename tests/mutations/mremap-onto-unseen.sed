# Memory that is moved onto watched memory does not end the watch.
# Tests: unit/wine_libc
# Lines: 0
/if \(new_addr && is_watched/d
