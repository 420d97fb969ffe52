# Holes in shared memory are no drops.
# Tests: unit/drops
/^int drops_remove\(/,/^}/ s/tracker_note\( tracker, first, last \);/;/
