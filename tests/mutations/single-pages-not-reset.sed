# RESET is ignored where room is left for one page.
# Tests: model/scan
/\(flags & COLLECT_RESET \? PM_SCAN_WP_MATCHING : 0\)/ {
    s//(flags \& COLLECT_RESET \&\& max_pages > 1 ? PM_SCAN_WP_MATCHING : 0)/
}
