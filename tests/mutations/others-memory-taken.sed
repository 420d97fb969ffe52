# The end of a watch takes memory from another userfaultfd.
# Tests: unit/anew
s/if \(raw_syscall3\( SYS_ioctl, uffd, UFFDIO_REGISTER, \(uintptr_t\)&arg \) != -EBUSY\)/if (arg.mode)/
