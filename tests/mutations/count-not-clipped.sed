# A call that goes on does not count what it has stored.
# Tests: unit/undo race/scan
s/min\( query->max - query->count, step_pages/min( query->max, step_pages/
