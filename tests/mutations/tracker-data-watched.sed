# What trackers keep is watched by faults.
# Tests: unit/own_data
s/if \(other_data && other_data\( start, end \)\)/if (0 \&\& other_data( start, end ))/
