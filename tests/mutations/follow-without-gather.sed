# A tracker lists what was written before it was opened.
# Tests: unit/trackers
/^int tracker_follow\(/,/^}/ s/if \(!ret\) ret = tracked_gather\( .*//
