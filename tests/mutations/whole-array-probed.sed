# The array is tried for all of *count, used or not.
# Tests: unit/results_array
/^UNINTERRUPTED NTSTATUS get_write_watch\(/,/^}/ {
    s/^    ret = watch_collect\(/    if (user_probe_write( addresses, max, 8 )) return STATUS_ACCESS_VIOLATION;\n&/
}
