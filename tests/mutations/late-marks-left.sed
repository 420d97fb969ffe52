# Marks that a step sets while its region is split are left behind.
# Tests: unit/region
s/^(    if \(!)region_saved_pages\( to \)\)/\1to->saved)/
