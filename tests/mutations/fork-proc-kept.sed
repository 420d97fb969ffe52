# A child that has no /proc reads the mappings and the pages of its parent.
# Tests: unit/no_proc
# Seconds: 40
/^static void adopt\(/,/^}/ s/^    proc_keep_in_child\(\);$/    (void)proc_keep_in_child;/
