# A call that goes on does not count what it has stored.
# Tests: unit/undo race/scan
s/min\( max - \*pos, MAX_SCAN_PAGES \)/min( max, MAX_SCAN_PAGES )/
