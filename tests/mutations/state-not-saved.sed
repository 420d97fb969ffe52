# A decommit forgets what was written (row 15).
# Tests: model/scan
/^static int save_fresh\(/,/^}/ s/region_mark_written\( region, runs\[i\]\.start, runs\[i\]\.end \);/(void)region;/
