# The kernel may use huge pages in a small region, whatever lies beside it.
# Tests: unit/huge_pages
/^static int is_unadvised\(/,/^}/ s/return region && region->unadvised;/return 0 \&\& region;/
