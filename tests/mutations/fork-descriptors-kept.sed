# A child goes on to ask through the descriptors of its parent.
# Tests: unit/fork
/^int scan_reopen\(/,/^}/ s/^    scan_close\(\);$/    return 0;/
