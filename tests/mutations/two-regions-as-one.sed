# A range may run on into the next region (row 6).
# Tests: unit/region
/^UNINTERRUPTED .*region_find\(/,/^}/ s/end <= entry\.end/end/
