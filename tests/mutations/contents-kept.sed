# A dropped page counts as dropped for ever.
# Tests: unit/drops
/^int drops_find\(/,/^}/ s/marks_clear\( tracker->contents, .*;/(void)0;/
