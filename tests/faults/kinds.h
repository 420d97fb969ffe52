/*
 * fault injection: the kinds of system calls that can be made to fail
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef KINDS_H
#define KINDS_H

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "sys/kernel_api.h"

/* All that the engine and the preload library ask of the kernel and that can fail, by whatever way
 * of the C library. Not here: close(), lseek(), sched_yield(), tgkill(), getpid(), rt_sigprocmask()
 * and their like, whose answer is not looked at or which fail only for wrong arguments; futex(),
 * which is libc's. */

enum part { WHOLE, COMMAND, ADVICE, PATH, MODULE };

static const struct kind
{
    const char   *name;
    int           nr;
    enum part     part;     /* what besides the number tells it from others */
    unsigned long value;    /* of argument 1 or 2 */
    const char   *path;     /* what a path ends in, NULL: any other; the file that argument 0 is
                             * mapped from */
}
kinds[] =
{
    { "userfaultfd",          SYS_userfaultfd, WHOLE, 0, NULL },
    { "UFFDIO_API",           SYS_ioctl, COMMAND, UFFDIO_API, NULL },
    { "UFFDIO_REGISTER",      SYS_ioctl, COMMAND, UFFDIO_REGISTER, NULL },
    { "UFFDIO_UNREGISTER",    SYS_ioctl, COMMAND, UFFDIO_UNREGISTER, NULL },
    { "UFFDIO_WRITEPROTECT",  SYS_ioctl, COMMAND, UFFDIO_WRITEPROTECT, NULL },
    { "UFFDIO_COPY",          SYS_ioctl, COMMAND, UFFDIO_COPY, NULL },
    { "UFFDIO_ZEROPAGE",      SYS_ioctl, COMMAND, UFFDIO_ZEROPAGE, NULL },
    { "UFFDIO_WAKE",          SYS_ioctl, COMMAND, UFFDIO_WAKE, NULL },
    { "UFFDIO_POISON",        SYS_ioctl, COMMAND, 0xc020aa08, NULL },
    { "PAGEMAP_SCAN",         SYS_ioctl, COMMAND, PAGEMAP_SCAN, NULL },
    { "MADV_DONTNEED",        SYS_madvise, ADVICE, MADV_DONTNEED, NULL },
    { "MADV_DONTNEED_LOCKED", SYS_madvise, ADVICE, MADV_DONTNEED_LOCKED, NULL },
    { "MADV_NOHUGEPAGE",      SYS_madvise, ADVICE, MADV_NOHUGEPAGE, NULL },
    { "MADV_POPULATE_READ",   SYS_madvise, ADVICE, MADV_POPULATE_READ, NULL },
    { "MADV_DONTDUMP",        SYS_madvise, ADVICE, MADV_DONTDUMP, NULL },
    { "MADV_DODUMP",          SYS_madvise, ADVICE, MADV_DODUMP, NULL },
    { "mprotect ntdll.so",    SYS_mprotect, MODULE, 0, "/ntdll.so" },
    { "mprotect code",        SYS_mprotect, ADVICE, PROT_READ | PROT_EXEC, NULL },
    { "mprotect",             SYS_mprotect, WHOLE, 0, NULL },
    { "mmap",                 SYS_mmap, WHOLE, 0, NULL },
    { "munmap",               SYS_munmap, WHOLE, 0, NULL },
    { "mremap",               SYS_mremap, WHOLE, 0, NULL },
    { "mlock",                SYS_mlock, WHOLE, 0, NULL },
    { "mlock2",               SYS_mlock2, WHOLE, 0, NULL },
    { "munlock",              SYS_munlock, WHOLE, 0, NULL },
    { "open pagemap",         SYS_openat, PATH, 0, "/pagemap" },
    { "open maps",            SYS_openat, PATH, 0, "/maps" },
    { "open smaps",           SYS_openat, PATH, 0, "/smaps" },
    { "open mem",             SYS_openat, PATH, 0, "/mem" },
    { "open clear_refs",      SYS_openat, PATH, 0, "/clear_refs" },
    { "open max_map_count",   SYS_openat, PATH, 0, "/max_map_count" },
    { "open cmdline",         SYS_openat, PATH, 0, "/cmdline" },
    { "open ntdll.dll",       SYS_openat, PATH, 0, "/ntdll.dll" },
    { "open other",           SYS_openat, PATH, 0, NULL },
    { "read",                 SYS_read, WHOLE, 0, NULL },
    { "write",                SYS_write, WHOLE, 0, NULL },
    { "pread",                SYS_pread64, WHOLE, 0, NULL },
    { "pwrite",               SYS_pwrite64, WHOLE, 0, NULL },
    { "pipe",                 SYS_pipe2, WHOLE, 0, NULL },
    { "eventfd",              SYS_eventfd2, WHOLE, 0, NULL },
#ifdef SYS_poll
    { "poll",                 SYS_poll, WHOLE, 0, NULL },
#else
    { "poll",                 SYS_ppoll, WHOLE, 0, NULL },
#endif
    { "fcntl",                SYS_fcntl, WHOLE, 0, NULL },
    { "sigaction",            SYS_rt_sigaction, WHOLE, 0, NULL },
    { "getrlimit",            SYS_prlimit64, WHOLE, 0, NULL },
    { "thread",               SYS_clone3, WHOLE, 0, NULL },
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

/* each call gets all of these, also those that no kernel is known to answer */
static const struct { const char *name; int value; } errnos[] =
{
    { "ENOMEM", ENOMEM }, { "EPERM", EPERM }, { "EINVAL", EINVAL }, { "ENOTTY", ENOTTY },
    { "EMFILE", EMFILE }, { "EBUSY", EBUSY }, { "EFAULT", EFAULT }, { "EAGAIN", EAGAIN },
    { "ENOSPC", ENOSPC }, { "ENOSYS", ENOSYS }, { "EACCES", EACCES }, { "ENOENT", ENOENT },
    { "EEXIST", EEXIST },
};

#define ERRNO_COUNT (sizeof(errnos) / sizeof(errnos[0]))

#endif /* KINDS_H */
