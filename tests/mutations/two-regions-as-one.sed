# A range may run on into the next region (row 6).
# Tests: unit/region model/scan
/^UNINTERRUPTED .*region_get\(/,/^}/ s/end <= entry\.end/end/
