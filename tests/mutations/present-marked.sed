# Markers are set on pages that are present, too, when memory is committed again.
# Tests: unit-marked/commit model/scan:marked
# Lines: 2
/case SCAN_EMPTY:/,/break;/ {
    s/PAGE_IS_PRESENT \| PAGE_IS_SWAPPED/PAGE_IS_SWAPPED/
}
