# A step begins in whatever has taken the place of the region that was found.
# Tests: unit/region
/region_enter\( struct/,/^}/ s/region->base <= start && end <= region->end/(region->base <= start || end <= region->end)/
