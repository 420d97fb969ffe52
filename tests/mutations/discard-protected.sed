# After a discard of accessible memory all pages are protected, those that were written meanwhile too.
# Tests: unit-marked/discard
/^static int discard_accessible\(/,/^}/ s/scan_mark_empty\( pos, last \)/protect_range( pos, last )/
