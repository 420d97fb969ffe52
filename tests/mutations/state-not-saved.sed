# A decommit forgets what was written (row 15).
# Tests: model/scan
# Lines: 1-2
/^(static|int) .*(save_written|scan_save)\(/,/^}/ {
    s/saved_set\( (region->)?saved, runs\[i\]\.start, runs\[i\]\.end \);/(void)runs[i];/
}
