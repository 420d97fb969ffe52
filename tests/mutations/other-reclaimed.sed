# A page of shared memory that is missing counts as not written in another process.
# Tests: unit/process
/^static uint64_t correct\(/,/^}/ s/mapping->shared \|\| mapping->file/mapping->shared \&\& !mapping->file/
