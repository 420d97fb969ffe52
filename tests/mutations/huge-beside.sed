# The kernel may bring a huge page into memory that is to be watched.
# Tests: unit/wine_mappings
/^static int watched_flags\(/,/^}/ s/MAP_NORESERVE \| MAP_STACK/MAP_NORESERVE/
