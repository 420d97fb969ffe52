# What trackers keep is watched by faults.
# Tests: unit/own_data
s/if \(other_data \&\& other_data\( start, end \)\) return OWN_DATA;//
