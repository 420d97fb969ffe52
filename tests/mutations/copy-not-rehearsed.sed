# The code of Wine is replaced at once, without a rehearsal.
# Tests: unit/patch
s/    if \(copy\) copy = rehearse\( copy, code.size \);/    (void)rehearse;/
