# A query does not ask whether memory of the program is still mapped.
# Tests: unit/vanished
s/SYS_msync, query->start, query->end - query->start/SYS_msync, query->start, 0/
