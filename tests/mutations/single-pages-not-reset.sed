# RESET is ignored where room is left for one page.
# Tests: model/scan
/\(flags & SCAN_RESET \? PM_SCAN_WP_MATCHING : 0\)/ {
    s//(flags \& SCAN_RESET \&\& max_pages > 1 ? PM_SCAN_WP_MATCHING : 0)/
}
