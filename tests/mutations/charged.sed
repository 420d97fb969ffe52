# Watched memory is charged all at once, as other memory is.
# Tests: unit/wine_mappings wine/stress/charge
/^static int watched_flags\(/,/^}/ s/MAP_NORESERVE \| MAP_STACK/MAP_STACK/
