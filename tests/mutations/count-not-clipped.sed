# A call that goes on does not count what it has stored.
# Tests: unit/undo race/scan
s/min\( max - \*pos, step_pages/min( max, step_pages/
