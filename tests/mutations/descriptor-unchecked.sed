# A descriptor that the program has closed or reused passes for ours.
# Tests: unit/descriptors
/^int descriptor_check\(/,/^}/ s/return now.device == id->device .*/return now.inode || id->inode ? 0 : -EBADF;/
