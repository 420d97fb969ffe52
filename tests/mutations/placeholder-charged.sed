# A placeholder that becomes watched memory is charged all at once.
# Tests: unit/wine_mappings
/^EXPORT int mprotect\(/,/^}/ s/MAP_FIXED \| MAP_NORESERVE \| MAP_STACK/MAP_FIXED/
