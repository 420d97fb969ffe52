# What precedes a part that is released loses its saved state.
# Tests: unit/region model/scan
/^int region_remove\(/,/^}/ s/if \(left\) move_marks/if (0) move_marks/
