/*
 * test tool: runs a command for which userfaultfd(2) or PAGEMAP_SCAN fails, as in sandboxes
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

#define PAGEMAP_SCAN_NUMBER 0xc0606610u    /* headers before 6.7 do not have it */

/***********************************************************************
 *           deny
 *
 * Makes the system call fail with that error in this process and its children, whatever their
 * word size; or only without a flag.  Returns 0 or -errno.
 */
static int deny( int err, unsigned int flag )
{
    struct sock_filter filter[] =
    {
        BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, arch )),
        BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 0, 2 ),
        BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, nr )),
        BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, 374, 2, 5 ),  /* userfaultfd of i386 */
        BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, nr )),
        BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 0, 3 ),
        BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, args ) ),
        BPF_JUMP( BPF_JMP | BPF_JSET | BPF_K, flag, 1, 0 ),
        BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (err & SECCOMP_RET_DATA) ),
        BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_ALLOW ),
    };
    struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

    if (prctl( PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0 )) return -errno;
    if (prctl( PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0 )) return -errno;
    return 0;
}

/***********************************************************************
 *           deny_scan
 *
 * Makes the request PAGEMAP_SCAN of ioctl fail with that error, whatever the word size: its number
 * is the same.  Returns 0 or -errno.
 */
static int deny_scan( int err )
{
    struct sock_filter filter[] =
    {
        BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, arch )),
        BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 0, 2 ),
        BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, nr )),
        BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, 54, 2, 5 ),  /* ioctl of i386 */
        BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, nr )),
        BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3 ),
        BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, args[1] ) ),
        BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, PAGEMAP_SCAN_NUMBER, 0, 1 ),
        BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (err & SECCOMP_RET_DATA) ),
        BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_ALLOW ),
    };
    struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

    if (prctl( PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0 )) return -errno;
    if (prctl( PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0 )) return -errno;
    if (ioctl( STDERR_FILENO, PAGEMAP_SCAN_NUMBER, 0 ) != -1 || errno != err) return -EPROTO;
    return 0;
}

/***********************************************************************
 *           main
 *
 * usage: deny_userfaultfd [--errno NUMBER] [--kernel-mode | --scan] COMMAND [ARGUMENT...]
 *
 * With --scan userfaultfd works, and PAGEMAP_SCAN does not.
 *
 * With --kernel-mode it may be had with UFFD_USER_MODE_ONLY, as an ordinary user has it where
 * vm.unprivileged_userfaultfd is 0.
 */
int main( int argc, char **argv )
{
    unsigned int flag = 0;
    int err = EPERM, scan = 0, ret;

    argv++;
    if (argc > 3 && !strcmp( argv[0], "--errno" ))
    {
        err = atoi( argv[1] );
        argv += 2;
    }
    if (argv[0] && !strcmp( argv[0], "--kernel-mode" ))
    {
        flag = UFFD_USER_MODE_ONLY;
        argv++;
    }
    if (argv[0] && !strcmp( argv[0], "--scan" ))
    {
        scan = 1;
        argv++;
    }
    if (!argv[0] || argv[0][0] == '-' || err <= 0)
    {
        fprintf( stderr, "usage: deny_userfaultfd [--errno NUMBER] [--kernel-mode | --scan] "
                 "COMMAND [ARGUMENT...]\n" );
        return 125;
    }
    if ((ret = scan ? deny_scan( err ) : deny( err, flag )))
    {
        fprintf( stderr, "deny_userfaultfd: no system call filter: %s\n", strerror( -ret ));
        return 125;
    }
    if (!scan && (syscall( SYS_userfaultfd, 0 ) != -1 || errno != err))
    {
        fprintf( stderr, "deny_userfaultfd: the filter has no effect\n" );
        return 125;
    }
    execvp( argv[0], argv );
    fprintf( stderr, "deny_userfaultfd: %s: %s\n", argv[0], strerror( errno ));
    return 127;
}
