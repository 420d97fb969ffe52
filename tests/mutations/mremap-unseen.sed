# Memory that is moved away stays watched.
# Tests: unit/wine_libc
# Lines: 0
/if \(is_watched\( addr, old_size \)\)/d
