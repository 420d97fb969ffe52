# The check of watched memory does not ask whether it is mapped.
# Tests: unit/vanished
/^int watch_verify\(/,/^}/ s/SYS_msync, region->base, region->end - region->base/SYS_msync, region->base, 0/
