/*
 * test tool: runs a command of which chosen system calls can be made to fail
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "caller.h"
#include "kinds.h"

/* A filter sends the system calls of all kinds to this program, which lets them through or
 * answers in the place of the kernel. That works for system calls of any code, in any thread and
 * child, also where Wine has ptrace for itself. Only calls that one library makes, itself or by the
 * C library, are meddled with.
 *
 * The command says what is to fail by looking for files that do not exist:
 *
 *   /writewatch-inject/SEQ/arm/KIND/ERRNO/N/MODE
 *              from now on call number N of a kind fails (once), or N and all after it (ever), or
 *              is made and then reported as failed (late), or half of it is made (half;
 *              PAGEMAP_SCAN)
 *   .../end          nothing fails any more; answers how many calls did
 *   .../zero         begins to count the calls of all kinds
 *   .../count/KIND   answers how many there were
 *   .../tell/A/B/C   prints A | B | C and how many calls failed since the last time
 *
 * SEQ differs from one request to the next: a C library or Wine may look more than once. Answers
 * are what newfstatat(2) returns, if it is called directly. */

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW( 4, uint64_t )
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1UL
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

enum mode { ONCE, EVER, LATE, HALF };

static FILE *out;

static struct
{
    int          armed;
    unsigned int kind;
    int          err;
    enum mode    mode;
    long         first;
    long         seen;
    long         failed;
} fault;

static int counting;
static long counts[KIND_COUNT];

static void __attribute__((noreturn, format(printf, 1, 2))) die( const char *format, ... )
{
    va_list args;

    va_start( args, format );
    fprintf( stderr, "inject: " );
    vfprintf( stderr, format, args );
    va_end( args );
    fprintf( stderr, "\n" );
    exit( 125 );
}

/***********************************************************************
 *           install_filter
 *
 * In the process that becomes the command. With a list of names only the calls of these kinds come
 * to us. Returns the descriptor by which they do.
 */
static int install_filter( const char *list )
{
    struct sock_filter filter[2 * KIND_COUNT + 16];
    struct sock_fprog prog = { 0, filter };
    unsigned int i, n = 0;
    int ret;

#define ADD( ... ) filter[n++] = (struct sock_filter)__VA_ARGS__
    ADD( BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, arch )));
    ADD( BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0 ));
    ADD( BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_ALLOW ));
    ADD( BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, nr )));
    ADD( BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, SYS_newfstatat, 0, 1 ));
    ADD( BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF ));
    for (i = 0; i < KIND_COUNT; i++)
    {
        if (kinds[i].nr == SYS_ioctl || (i && kinds[i].nr == kinds[i - 1].nr && !list)) continue;
        if (list && !strstr( list, kinds[i].name )) continue;
        ADD( BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, kinds[i].nr, 0, 1 ));
        ADD( BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF ));
    }
    /* ioctls of userfaultfd, and of files in /proc */
    ADD( BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 1, 0 ));
    ADD( BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_ALLOW ));
    ADD( BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, args[1] )));
    ADD( BPF_STMT( BPF_ALU | BPF_AND | BPF_K, 0xff00 ));
    ADD( BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, UFFDIO << 8, 1, 0 ));
    ADD( BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, 'f' << 8, 0, 1 ));
    ADD( BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF ));
    ADD( BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_ALLOW ));
#undef ADD

    prog.len = n;
    if (prctl( PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0 )) return -1;
    ret = syscall( SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER |
                   SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &prog );
    if (ret == -1 && errno == EINVAL)
        ret = syscall( SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                       &prog );
    return ret;
}

/***********************************************************************
 *           get_kind
 */
static int get_kind( const struct seccomp_notif *req )
{
    char path[4096];
    size_t len;
    int i, known = 0;

    for (i = 0; i < (int)KIND_COUNT; i++)
    {
        const struct kind *kind = &kinds[i];

        if (kind->nr != req->data.nr) continue;
        if (kind->part == WHOLE) return i;
        if (kind->part == COMMAND && (uint32_t)req->data.args[1] == (uint32_t)kind->value) return i;
        if (kind->part == ADVICE && (uint32_t)req->data.args[2] == kind->value) return i;
        /* to look there takes long: only when it is asked for */
        if (kind->part == MODULE && fault.armed && fault.kind == (unsigned int)i &&
            is_mapped_from( req->pid, req->data.args[0], kind->path )) return i;
        if (kind->part != PATH) continue;
        if (!known) known = read_string( req->pid, req->data.args[1], path, sizeof(path) );
        if (!kind->path) return i;
        len = strlen( path );
        if (len >= strlen( kind->path ) && !strcmp( path + len - strlen( kind->path ), kind->path ))
            return i;
    }
    return -1;
}

/***********************************************************************
 *           make_call
 *
 * Makes an ioctl of another process with the same effect on its memory; the answer is thrown away.
 * With half, only the first half of a scan. Returns 0 or -errno.
 */
static int make_call( const struct seccomp_notif *req, int half )
{
    size_t size = _IOC_SIZE( (uint32_t)req->data.args[1] );
    uint64_t arg[32] = { 0 };
    int pidfd, fd, ret = 0;

    if (req->data.nr != SYS_ioctl || size > sizeof(arg)) return -EOPNOTSUPP;
    if (read_memory( req->pid, req->data.args[2], arg, size ) != (long)size) return -EFAULT;
    if ((pidfd = syscall( SYS_pidfd_open, req->pid, 0 )) == -1)
    {
        /* it may be a thread */
        char text[4096], *p = NULL;

        if (read_proc( req->pid, "status", text, sizeof(text) ) > 0) p = strstr( text, "\nTgid:" );
        if (!p) return -ESRCH;
        if ((pidfd = syscall( SYS_pidfd_open, atoi( p + 6 ), 0 )) == -1) return -errno;
    }
    fd = syscall( SYS_pidfd_getfd, pidfd, (int)req->data.args[0], 0 );
    close( pidfd );
    if (fd == -1) return -errno;

    if ((uint32_t)req->data.args[1] == PAGEMAP_SCAN)
    {
        struct pm_scan_arg *scan = (struct pm_scan_arg *)arg;
        struct page_region *runs = calloc( scan->vec_len + 1, sizeof(*runs) );

        if (half) scan->end = scan->start + (((scan->end - scan->start) / 2 + 4095) & ~4095ull);
        scan->vec = (uintptr_t)runs;
        if (ioctl( fd, PAGEMAP_SCAN, scan ) < 0) ret = -errno;
        free( runs );
    }
    else if ((uint32_t)req->data.args[1] == UFFDIO_COPY)
    {
        struct uffdio_copy *copy = (struct uffdio_copy *)arg;
        void *data = malloc( copy->len );

        if (read_memory( req->pid, copy->src, data, copy->len ) != (long)copy->len) ret = -EFAULT;
        copy->src = (uintptr_t)data;
        if (!ret && ioctl( fd, UFFDIO_COPY, copy )) ret = -errno;
        free( data );
    }
    else if (ioctl( fd, (unsigned int)req->data.args[1], arg )) ret = -errno;
    close( fd );
    return ret;
}

static int find_kind( const char *name )
{
    unsigned int i;
    for (i = 0; i < KIND_COUNT; i++) if (!strcmp( kinds[i].name, name )) return i;
    return -1;
}

static int find_errno( const char *name )
{
    unsigned int i;
    for (i = 0; i < ERRNO_COUNT; i++) if (!strcmp( errnos[i].name, name )) return errnos[i].value;
    return 0;
}

/***********************************************************************
 *           obey
 *
 * Does what a request says; returns its answer or -errno.
 */
static long obey( char *request )
{
    static const char * const modes[] = { "once", "ever", "late", "half" };
    static char last[16];
    static long answer;
    char *part[8] = { NULL }, *p = request;
    unsigned int n = 0, i;

    while (p && n < 8) part[n++] = strsep( &p, "/" );
    if (!part[1]) return -ENOENT;
    if (!strcmp( part[0], last )) return answer;
    snprintf( last, sizeof(last), "%s", part[0] );
    answer = -EINVAL;

    if (!strcmp( part[1], "arm" ) && part[5])
    {
        int kind = find_kind( part[2] );

        fault.armed = 0;
        fault.err = find_errno( part[3] );
        if (kind < 0 || !fault.err) return answer;
        fault.kind = kind;
        fault.first = atol( part[4] );
        for (fault.mode = ONCE; fault.mode < HALF; fault.mode++)
            if (!strcmp( modes[fault.mode], part[5] )) break;
        fault.seen = fault.failed = 0;
        counting = 0;   /* to find out whose a call is takes longer than the call */
        fault.armed = 1;
        answer = 0;
    }
    else if (!strcmp( part[1], "end" ))
    {
        fault.armed = 0;
        answer = fault.failed;
    }
    else if (!strcmp( part[1], "zero" ))
    {
        memset( counts, 0, sizeof(counts) );
        counting = 1;
        answer = 0;
    }
    else if (!strcmp( part[1], "count" ) && part[2] && find_kind( part[2] ) >= 0)
        answer = counts[find_kind( part[2] )];
    else if (!strcmp( part[1], "tell" ))
    {
        for (i = 2; i < n; i++) fprintf( out, "%s | ", part[i] );
        fprintf( out, "%ld\n", fault.failed );
        fflush( out );
        fault.failed = 0;
        answer = 0;
    }
    return answer;
}

/***********************************************************************
 *           answer
 *
 * Decides about one system call.
 */
static void answer( int listener, struct seccomp_notif *req )
{
    struct seccomp_notif_resp resp = { .id = req->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
    char path[4096], *found;
    int kind;

    if (req->data.nr == SYS_newfstatat)
    {
        static const char marker[] = "/writewatch-inject/";

        if (read_string( req->pid, req->data.args[1], path, sizeof(path) ) &&
            (found = strstr( path, marker )))
        {
            long ret = obey( found + strlen( marker ));

            resp.flags = 0;
            /* for other calls there is no such file */
            if (found == path && ret >= 0) resp.val = ret;
            else resp.error = ret < 0 ? ret : -ENOENT;
        }
    }
    else if ((fault.armed || counting) && (kind = get_kind( req )) >= 0 &&
             (counting || kind == (int)fault.kind) && is_meant( req->pid ) &&
             is_ours( req->pid, req->data.nr, req->data.instruction_pointer ))
    {
        counts[kind]++;
        if (fault.armed && kind == (int)fault.kind && ++fault.seen >= fault.first &&
            (fault.seen == fault.first || fault.mode == EVER))
        {
            int ret = 0;

            if (fault.mode == LATE || fault.mode == HALF)
                ret = make_call( req, fault.mode == HALF );
            /* a page that is there already is an answer, too, that could have been another one */
            if (ret && ret != -EEXIST)
                fprintf( stderr, "inject: %s cannot be made: %s\n", kinds[kind].name,
                         strerror( -ret ));
            else fault.failed++;
            resp.flags = 0;
            resp.error = -fault.err;
        }
    }
    /* ENOENT: the thread was ended meanwhile */
    if (ioctl( listener, SECCOMP_IOCTL_NOTIF_SEND, &resp ) && errno != ENOENT)
        die( "the answer was not taken: %s", strerror( errno ));
}

/***********************************************************************
 *           serve
 *
 * Until the command has ended, or with pid -1 until nothing is left that it started. Returns the
 * status of waitpid().
 */
static int serve( int listener, pid_t pid )
{
    struct pollfd fd = { .fd = listener, .events = POLLIN };
    struct seccomp_notif req;
    int status = 0;

    for (;;)
    {
        if (poll( &fd, 1, 20 ) > 0)
        {
            if (fd.revents & POLLIN)
            {
                memset( &req, 0, sizeof(req) );
                if (!ioctl( listener, SECCOMP_IOCTL_NOTIF_RECV, &req )) answer( listener, &req );
                continue;
            }
            if (pid == -1) return 0;
        }
        if (pid != -1 && waitpid( pid, &status, WNOHANG ) == pid) return status;
    }
}

/***********************************************************************
 *           main
 *
 * usage: inject [--library NAME] [--forwards yes] [--program NAME] [--kinds NAME,NAME...]
 *               [--out FILE] COMMAND [ARG...]
 */
int main( int argc, char **argv )
{
    const char *list = NULL;
    int *shared, listener, pidfd, status;
    pid_t pid;

    out = stdout;
    for (argv++; argc > 2 && argv[0] && !strncmp( argv[0], "--", 2 ) && argv[1]; argv += 2)
    {
        if (!strcmp( argv[0], "--library" )) library = argv[1];
        else if (!strcmp( argv[0], "--forwards" )) forwards = !strcmp( argv[1], "yes" );
        else if (!strcmp( argv[0], "--program" )) program = argv[1];
        else if (!strcmp( argv[0], "--kinds" )) list = argv[1];
        else if (!strcmp( argv[0], "--out" ))
        {
            if (!(out = fopen( argv[1], "ae" ))) die( "%s: %s", argv[1], strerror( errno ));
        }
        else die( "unknown option %s", argv[0] );
    }
    if (!argv[0])
        die( "usage: inject [--library NAME] [--forwards yes] [--program NAME] [--kinds NAMES] "
             "[--out FILE] COMMAND..." );

    shared = mmap( NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0 );
    if (shared == MAP_FAILED) die( "no memory" );
    *shared = -1;
    if (!(pid = fork()))
    {
        int fd = install_filter( list );

        /* from here on the calls of the filter wait for our parent */
        __atomic_store_n( shared, fd == -1 ? -2 - errno : fd, __ATOMIC_SEQ_CST );
        if (fd == -1) _exit( 125 );
        /* it is closed by exec */
        while (__atomic_load_n( shared, __ATOMIC_SEQ_CST ) != -1) usleep( 100 );
        execvp( argv[0], argv );
        _exit( 127 );
    }
    if (pid == -1) die( "no process: %s", strerror( errno ));
    while ((listener = __atomic_load_n( shared, __ATOMIC_SEQ_CST )) == -1) usleep( 100 );
    if (listener < -1) die( "no system call filter: %s", strerror( -2 - listener ));
    if ((pidfd = syscall( SYS_pidfd_open, pid, 0 )) == -1 ||
        (listener = syscall( SYS_pidfd_getfd, pidfd, listener, 0 )) == -1)
    {
        int err = errno;

        kill( pid, SIGKILL );
        die( "the filter cannot be served: %s", strerror( err ));
    }
    close( pidfd );
    /* faster, from 6.6 on */
    ioctl( listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP );
    __atomic_store_n( shared, -1, __ATOMIC_SEQ_CST );

    status = serve( listener, pid );
    /* what it has left behind goes on under the filter */
    if (!fork())
    {
        fault.armed = counting = 0;
        if ((status = open( "/dev/null", O_RDWR )) != -1)
        {
            dup2( status, 0 );
            dup2( status, 1 );
            dup2( status, 2 );
        }
        setsid();
        serve( listener, -1 );
        _exit( 0 );
    }
    return WIFEXITED( status ) ? WEXITSTATUS( status ) : 128 + WTERMSIG( status );
}
