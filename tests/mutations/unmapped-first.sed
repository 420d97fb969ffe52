# Memory is unmapped before its watch has ended.
# Tests: unit/wine_libc
/^EXPORT int munmap/,/^}/ {
/watch_remove/d
s/^(    ret = NEXT\( munmap \).*)/\1 if (is_watched( addr, size )) watch_remove( addr, round_up( size ));/
}
