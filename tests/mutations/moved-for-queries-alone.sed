# Trackers forget what was written before memory moved.
# Tests: unit/remap
/^void move_give\(/,/^}/ s/if \(state->tracked\[i\] \&\& trackers\[i\] \&\&/if (0 \&\& trackers[i] \&\&/
