# What is taken is passed on to one tracker alone.
# Tests: unit/trackers
/^static void note_written\(/,/^}/ s/bits = region->trackers;/bits = region->trackers \& -region->trackers;/
