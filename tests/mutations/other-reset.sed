# A look at another process takes what its own queries should report.
# Tests: unit/process
/^int other_pages_scan\(/,/^}/ s/\.size = sizeof\(arg\)/.size = sizeof(arg), .flags = PM_SCAN_WP_MATCHING/
