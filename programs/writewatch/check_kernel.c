/*
 * What the kernel does for write watches, and if it does not, why
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "writewatch.h"
#include "sys/kernel_api.h"

#include "runner.h"
#include "check_report.h"

#define SYSCTL "/proc/sys/vm/unprivileged_userfaultfd"

/* What is known besides the error of a system call. */
struct surroundings
{
    int proc;           /* /proc is there */
    int filtered;       /* a filter of system calls is at work */
    int has_userfault;  /* the kernel has userfaultfd: 1 yes, 0 no, -1 not known */
};

/* the first number in the line of a file that begins with these words; -1 if there is none */
static long read_number( const char *path, const char *words )
{
    FILE *file = fopen( path, "re" );
    char line[256];
    long ret = -1;

    if (!file) return -1;
    while (ret == -1 && fgets( line, sizeof(line), file ))
        if (!strncmp( line, words, strlen( words )))
            ret = strtol( line + strlen( words ), NULL, 10 );
    fclose( file );
    return ret;
}

/* whether this kernel is at least that version; only to say what to do about what is missing */
static int is_kernel( const struct report *report, unsigned int major, unsigned int minor )
{
    unsigned int has_major, has_minor;

    if (sscanf( report->system.release, "%u.%u", &has_major, &has_minor ) != 2) return 0;
    return has_major > major || (has_major == major && has_minor >= minor);
}

static void look_around( const struct report *report, struct surroundings *around )
{
    struct statfs fs;

    around->proc = !statfs( "/proc", &fs ) && fs.f_type == PROC_SUPER_MAGIC;
    /* without /proc prctl() says it: only a process without a filter gets an answer for sure */
    around->filtered = around->proc ? read_number( "/proc/self/status", "Seccomp:" ) == 2 :
                                      prctl( PR_GET_SECCOMP ) != 0;
    if (!access( SYSCTL, F_OK ) || !access( "/dev/userfaultfd", F_OK )) around->has_userfault = 1;
    else if (around->proc && !access( "/proc/sys/vm", X_OK ) && is_kernel( report, 5, 2 ))
        around->has_userfault = 0;  /* that setting came with 5.2 */
    else around->has_userfault = -1;
}

static void explain_filter( struct report *report, const char *what, const char *id )
{
    add_finding( report, PROBLEM, id,
                 join( "A filter of system calls (seccomp), as containers and sandboxes have it, "
                       "refuses ", what, "." ),
                 join( "Allow ", what, " in the profile of the container (Docker, Podman: "
                       "--security-opt seccomp=FILE), or run the program outside of it." ));
}

static void explain_descriptors( struct report *report, const char *what )
{
    add_finding( report, PROBLEM, "descriptors",
                 join( "There are not enough file descriptors for ", what, "." ),
                 "Allow more open files: ulimit -n 1024, or fs.file-max." );
}

/***********************************************************************
 *           explain_userfaultfd
 *
 * Why there is no userfaultfd, by the errors without and with UFFD_USER_MODE_ONLY. The kernel
 * itself refuses the latter to no user; one before 5.11 does not know it (EINVAL).
 */
static void explain_userfaultfd( struct report *report, int plain, int user_only )
{
    struct surroundings around;
    int err = user_only == EINVAL ? plain : user_only;

    look_around( report, &around );
    switch (err)
    {
    case EMFILE:
    case ENFILE:
        /* EMFILE is what a filter may answer as well: with room for another file it is one */
        if (around.filtered && dup( STDERR_FILENO ) != -1)
            explain_filter( report, "the system call userfaultfd", "userfaultfd-seccomp" );
        else
            explain_descriptors( report, "userfaultfd" );
        return;
    case ENOMEM:
        add_finding( report, PROBLEM, "memory", "There is no memory left for userfaultfd.",
                     "Free memory, or allow the container more." );
        return;
    case ENOSYS:
        if (around.has_userfault == 1 || (around.has_userfault == -1 && around.filtered))
            explain_filter( report, "the system call userfaultfd", "userfaultfd-seccomp" );
        else
            add_finding( report, PROBLEM, "userfaultfd-missing",
                         "This kernel is built without userfaultfd (CONFIG_USERFAULTFD).",
                         "Use a kernel with CONFIG_USERFAULTFD=y, as those of distributions have "
                         "it." );
        return;
    }
    if (plain == EPERM && user_only == EINVAL && !around.filtered)
        add_finding( report, PROBLEM, "userfaultfd-sysctl",
                     "vm.unprivileged_userfaultfd is 0, so that only root may use userfaultfd with "
                     "this kernel.",
                     "As root: sysctl vm.unprivileged_userfaultfd=1, or use Linux 6.7 or later, "
                     "which needs no such setting." );
    else if (around.filtered)
        explain_filter( report, "the system call userfaultfd", "userfaultfd-seccomp" );
    else
        add_finding( report, PROBLEM, "userfaultfd-policy",
                     join( "A security module (SELinux, AppArmor ...) refuses userfaultfd: ",
                           strerror( err ), "; no filter of system calls is at work." ),
                     "Look for the refusal in the log of the kernel (journalctl -k, ausearch) and "
                     "allow userfaultfd there." );
}

static void explain_pagemap( struct report *report, int err )
{
    struct surroundings around;

    look_around( report, &around );
    if (!around.proc)
        add_finding( report, PROBLEM, "proc-missing",
                     "/proc is not mounted here, and without it neither writewatch nor Wine works.",
                     "Mount it (mount -t proc proc /proc), or let the container do so." );
    else if (err == ENOENT)
        add_finding( report, PROBLEM, "pagemap-missing",
                     "This kernel is built without /proc/PID/pagemap (CONFIG_PROC_PAGE_MONITOR).",
                     "Use a kernel with CONFIG_PROC_PAGE_MONITOR=y, as those of distributions have "
                     "it." );
    else if (err == EMFILE || err == ENFILE)
        explain_descriptors( report, "/proc/self/pagemap" );
    else if (prctl( PR_GET_DUMPABLE ) != 1)
        add_finding( report, PROBLEM, "not-dumpable",
                     "The process may not be read by its user (it is not dumpable), so that "
                     "/proc/self/pagemap cannot be opened.",
                     "Start it without a program that calls prctl(PR_SET_DUMPABLE, 0), and from a "
                     "file that its user can read and that has no capabilities or setuid bit." );
    else if (around.filtered)
        explain_filter( report, "to open /proc/self/pagemap", "pagemap-seccomp" );
    else
        add_finding( report, PROBLEM, "pagemap-policy",
                     join( "A security module or a sandbox refuses to open /proc/self/pagemap: ",
                           strerror( err ), "." ),
                     "Allow the program to read /proc/self/pagemap." );
}

/* asks for pages of memory that nothing watches, which a kernel that knows the question answers */
static int try_scan( int pagemap )
{
    struct page_region region;
    struct pm_scan_arg arg = { .size = sizeof(arg) };
    char *page = mmap( NULL, 0x10000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    int ret = 0;

    if (page == MAP_FAILED) return errno;
    arg.start       = (uintptr_t)page;
    arg.end         = (uintptr_t)page + 0x10000;
    arg.vec         = (uintptr_t)&region;
    arg.vec_len     = 1;
    arg.return_mask = PAGE_IS_PRESENT;
    if (ioctl( pagemap, PAGEMAP_SCAN, &arg ) == -1) ret = errno;
    munmap( page, 0x10000 );
    return ret;
}

static void explain_scan( struct report *report, int err )
{
    struct surroundings around;

    look_around( report, &around );
    if (around.filtered && (err != ENOTTY || is_kernel( report, 6, 7 )))
        explain_filter( report, "the request PAGEMAP_SCAN of ioctl", "pagemap-scan-seccomp" );
    else if (err == ENOTTY || err == EINVAL)
        add_finding( report, PROBLEM, "pagemap-scan-missing",
                     join( "This kernel, ", report->system.release, ", has no PAGEMAP_SCAN." ),
                     "Use Linux 6.7 or later." );
    else
        add_finding( report, PROBLEM, "pagemap-scan-policy",
                     join( "The kernel refuses PAGEMAP_SCAN: ", strerror( err ), "." ),
                     "Look for the refusal in the log of the kernel (journalctl -k)." );
}

static void explain_features( struct report *report )
{
    if (!is_kernel( report, 6, 7 ))
        add_finding( report, PROBLEM, "kernel-old",
                     join( "This kernel, ", report->system.release, ", is older than 6.7: its "
                           "userfaultfd has no WP_ASYNC." ),
                     "Use Linux 6.7 or later (Debian 12: the kernel of bookworm-backports)." );
    else
        add_finding( report, PROBLEM, "wp-async-missing",
                     "The userfaultfd of this kernel has no WP_ASYNC: it is built without "
                     "CONFIG_PTE_MARKER_UFFD_WP, or for 32 bits.",
                     "Use a 64-bit kernel with CONFIG_PTE_MARKER_UFFD_WP=y." );
}

/***********************************************************************
 *           explain_refusal
 *
 * The self-test failed: finds the step that does not work, by doing each.
 */
static void explain_refusal( struct report *report )
{
    struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_ASYNC };
    int uffd, pagemap, plain = 0, user_only = 0, err;

    if ((uffd = syscall( SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK )) == -1)
    {
        plain = errno;
        uffd = syscall( SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY );
        user_only = errno;
    }
    if (uffd == -1)
    {
        explain_userfaultfd( report, plain, user_only );
        return;
    }
    err = ioctl( uffd, UFFDIO_API, &api ) || !(api.features & UFFD_FEATURE_WP_ASYNC);
    close( uffd );
    if (err)
    {
        explain_features( report );
        return;
    }
    if ((pagemap = open( "/proc/self/pagemap", O_RDONLY | O_CLOEXEC )) == -1)
    {
        explain_pagemap( report, errno );
        return;
    }
    err = try_scan( pagemap );
    close( pagemap );
    if (err) explain_scan( report, err );
    else if (report->backend && strcmp( report->backend, "scan" ))
        add_finding( report, PROBLEM, "backend-refused",
                     join( "WRITEWATCH_BACKEND requires ", report->backend,
                           join( ", which does not work here: ", report->reason, "." )),
                     "Leave WRITEWATCH_BACKEND out: a self-test then chooses a form that works." );
    else if (strstr( report->reason, strerror( EMFILE )) ||
             strstr( report->reason, strerror( ENFILE )))
        explain_descriptors( report, "the self-test" );  /* it has several open at once */
    else
        add_finding( report, PROBLEM, "self-test",
                     join( "All parts are there, but the answers of the kernel are not exact: ",
                           report->reason, "." ),
                     "Please report it with the version of the kernel, and use another kernel." );
}

/* in a child: what it opens and changes is gone with it */
static void try_backend( void *arg )
{
    const char *backend = arg;
    int ret = writewatch_open( backend );

    printf( "%s\n%s\n", ret ? "" : writewatch_mechanism(), writewatch_reason() );
    fflush( stdout );
    _exit( ret ? 1 : 0 );
}

/***********************************************************************
 *           check_kernel
 */
void check_kernel( struct report *report )
{
    const char *backend = report->backend ? report->backend : "scan";
    struct child child = { .run = try_backend, .arg = (void *)backend, .seconds = 60 };
    int status = run_child( &child );
    char *line = child.output, *next = strchrnul( line, '\n' );

    if (*next) *next++ = 0;
    next[strcspn( next, "\n" )] = 0;
    report->kernel_serves = !status;
    report->mechanism = join( line, "", "" );
    report->reason    = join( next, "", "" );
    if (status == 1) explain_refusal( report );
    else if (status)
    {
        report->reason = "the self-test did not end";
        add_finding( report, PROBLEM, "self-test", "The self-test of the kernel ended by a signal, "
                     "or not at all.", "Please report it with the version of the kernel." );
    }
}
