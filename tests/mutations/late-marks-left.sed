# Marks that a step sets while its region is split are left behind.
# Tests: unit/region
s/^(    if \(!)region_marks\( to \)\)/\1to->marks)/
