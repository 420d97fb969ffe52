# A tracker lists what was written before it was opened.
# Tests: unit/trackers
/^int follow_closed\(/,/^}/ s/if \(!ret\) ret = tracked_gather\( .*//
