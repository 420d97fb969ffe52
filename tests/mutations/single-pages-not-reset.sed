# RESET is ignored where room is left for one page.
# Tests: model/scan
s/\(reset \? PM_SCAN_WP_MATCHING : 0\)/(reset \&\& scan->max_pages > 1 ? PM_SCAN_WP_MATCHING : 0)/
