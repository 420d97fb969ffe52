# A child goes on to ask through the descriptors of its parent.
# Tests: unit/fork unit/fork_threads
# Seconds: 40
/^int scan_reopen\(/,/^}/ s/^    scan_close\(\);$/    return 0;/
