# That a placeholder could not be made accessible goes unseen.
# Tests: unit/wine_mappings
/^EXPORT int mprotect\(/,/^}/ s/ret \? ALLOCATION_REFUSED : ALLOCATION_IN_PLACEHOLDER/ALLOCATION_IN_PLACEHOLDER/
