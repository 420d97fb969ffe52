# What follows a part that is released is watched no more.
# Tests: unit/region
/^int region_remove\(/,/^}/ s/if \(region->end > end && !\(right/if (0 \&\& !(right/
