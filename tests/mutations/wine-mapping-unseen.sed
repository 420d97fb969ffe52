# Under Wine memory that is mapped over stays watched.
# Tests: wine/conformance/allocation
/^static int before_mmap\(/,/^}/ s/^    watch_remove\( addr, round_up\( size \)\);/    (void)err;/
