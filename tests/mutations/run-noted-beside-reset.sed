# A run of a small region is remembered although a reset was in progress.
# Tests: unit/small race/scan
/^static .*collect_small\(/,/^}/ s/alone = region_has_one_step\( region \);/alone = 1;/
