# A move forgets what was dropped before.
# Tests: unit/remap
/^static int take_state\(/,/^}/ s/if \(state->tracked\[i\] \&\& trackers\[i\]->contents\)/if (0 \&\& trackers[i]->contents)/
