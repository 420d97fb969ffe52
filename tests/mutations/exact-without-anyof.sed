# The exact query asks for no page that is there, so that empty entries count.
# Tests: unit/query
# Lines: 2
/^UNINTERRUPTED int ask_kernel\(/,/^}/ {
    /REGION_FRESH\)|case SCAN_EXACT/,/return_mask/ s/(category_anyof_mask) = .*;/\1 = 0;/
}
