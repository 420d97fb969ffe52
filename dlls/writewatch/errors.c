/*
 * What the library's own calls say of their failures
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "writewatch.h"

#include "engine/fork.h"
#include "native/failure.h"
#include "native/process.h"

/* Each error that the manual page of a call has; tests/package/errors.sh compares them. */
static const struct
{
    const char *call;
    int         error;
    const char *text;
} texts[] =
{
    { "writewatch_open", EINVAL, "no backend has that name" },
    { "writewatch_open", ENOTSUP, "the backend does not work here" },
    { "writewatch_open", EBUSY,
      "memory is being watched already, so the backend cannot be changed" },

    { "writewatch_backend", ENOENT, "no backend has been opened yet" },
    { "writewatch_mechanism", ENOENT, "no backend has been opened yet" },
    { "writewatch_backend_of", ENOENT, "the address is not watched" },
    { "writewatch_granularity", ENOENT, "the address is not watched" },

    { "writewatch_watch", EINVAL,
      "the range is not made of whole pages, a part of it is not mapped, or it has huge pages "
      "beside others or a part of one" },
    { "writewatch_watch", EBUSY, "another userfaultfd owns a part of the memory" },
    { "writewatch_watch", EOPNOTSUPP,
      "the memory is of a device, or of a kind that no backend can watch" },
    { "writewatch_watch", ENOENT, "the mappings of the process cannot be read: there is no /proc" },
    { "writewatch_watch", EDEADLK, "the memory has a stack in use, or data without which a fault "
      "cannot be served, and the backend works by faults" },
    { "writewatch_watch", ENOMEM, "there is no memory for the watch" },

    { "writewatch_unwatch", EINVAL,
      "the range is not made of whole pages, or has a part of a huge page" },
    { "writewatch_unwatch", ENOENT, "no part of the range is watched" },
    { "writewatch_unwatch", ENOMEM,
      "there is no memory to split a watched region; queries of all of it fail from now on" },

    { "writewatch_check", EINVAL, "the size is 0, or the range wraps around" },
    { "writewatch_check", ENOENT, "the range is not in one watched region" },
    { "writewatch_check", ENOMEM, "a part of the memory is not mapped any more, or there is no "
      "memory for the check" },
    { "writewatch_check", EPERM, "a part of the memory has been replaced since it was watched" },

    { "writewatch_fill", EINVAL,
      "the range is not made of whole pages of the memory's granularity" },
    { "writewatch_fill", ENOENT, "the range is not in one watched region" },
    { "writewatch_fill", EEXIST, "a page of the range exists already; those before it are filled" },
    { "writewatch_fill", EFAULT, "the data cannot be read" },
    { "writewatch_fill", EOPNOTSUPP, "the backend cannot fill pages (only scan can), or the memory "
      "maps a file, which has no missing pages" },
    { "writewatch_fill", ENOMEM, "there is no memory for the pages" },

    { "writewatch_prepare", EFAULT, "a page of the buffer cannot be written" },
    { "writewatch_prepare", EINVAL, "the range wraps around" },

    { "writewatch_restore_start", EINVAL,
      "the range is not made of whole pages of the memory's granularity, or the offset is "
      "negative" },
    { "writewatch_restore_start", ENOENT, "the range is not in one watched region" },
    { "writewatch_restore_start", EBUSY, "a part of the range is being restored already" },
    { "writewatch_restore_start", EOPNOTSUPP,
      "the backend cannot restore pages (only scan can), or the memory maps a file, which has "
      "no missing pages" },
    { "writewatch_restore_start", EBADF, "the descriptor is not of a file that can be read" },
    { "writewatch_restore_start", ESPIPE, "the descriptor is of a pipe or socket, which has no "
      "offsets" },
    { "writewatch_restore_start", EIO, "the file cannot be read at that offset" },
    { "writewatch_restore_start", ENOMEM, "there is no memory for the restore" },
    { "writewatch_restore_start", EAGAIN, "no thread can be made to serve the pages" },

    { "writewatch_list", EINVAL,
      "the range has no page, there is no room for a range, a category or a flag does not "
      "exist, or a reserved word is not 0" },
    { "writewatch_list", ENOENT, "a part of the range is not watched" },
    { "writewatch_list", EOPNOTSUPP, "the backend cannot tell ZERO and HUGE (only scan can)" },
    { "writewatch_list", ENOMEM,
      "there is no memory for the list, or written state was lost for lack of memory" },
    { "writewatch_list", EFAULT, "a part of the range is not mapped" },
    { "writewatch_list", EPERM, "the memory is no longer the watched one: it was mapped over" },
    { "writewatch_list", EIO, "the memory is no longer the watched one, or its watch was lost" },

    { "writewatch_poll", EINVAL,
      "the range has no page, there is no room for a range, or a flag does not exist" },
    { "writewatch_poll", ENOENT, "a part of the range is not watched" },
    { "writewatch_poll", ENOMEM,
      "there is no memory for the list, or written state was lost for lack of memory" },
    { "writewatch_poll", EFAULT, "a part of the range is not mapped" },
    { "writewatch_poll", EPERM, "the memory is no longer the watched one: it was mapped over" },
    { "writewatch_poll", EIO, "the memory is no longer the watched one, or its watch was lost" },

    { "writewatch_tracker_open", EINVAL, "the range has no page, or a flag does not exist" },
    { "writewatch_tracker_open", ENOSPC, "there are 64 trackers already" },
    { "writewatch_tracker_open", EAGAIN, "a query of memory in the range does not end: a signal "
      "handler has stopped its thread" },
    { "writewatch_tracker_open", ENOMEM, "there is no memory for the tracker" },
    { "writewatch_tracker_open", EPERM, "memory in the range is no longer the watched one" },
    { "writewatch_tracker_open", EIO,
      "memory in the range is no longer the watched one, or its watch was lost" },

    { "writewatch_tracker_add_view", EINVAL, "the ranges are not made of whole pages, or the pages "
      "are not all in the tracker's range" },
    { "writewatch_tracker_add_view", ENOSPC, "the tracker has eight views already" },
    { "writewatch_tracker_add_view", EAGAIN, "a query of the view does not end: a signal handler "
      "has stopped its thread" },
    { "writewatch_tracker_add_view", ENOMEM, "there is no memory to follow the view" },
    { "writewatch_tracker_add_view", EPERM, "memory of the view is no longer the watched one" },
    { "writewatch_tracker_add_view", EIO, "memory of the view is no longer the watched one, or its "
      "watch was lost" },

    { "writewatch_tracker_list", EINVAL,
      "the range has no page or is not in the tracker's, there is no room for a range, a "
      "category or a flag does not exist, or a reserved word is not 0" },
    { "writewatch_tracker_list", ENOENT, "a part of the range, or of a view, is not watched" },
    { "writewatch_tracker_list", EOPNOTSUPP,
      "the backend cannot tell ZERO and HUGE (only scan can)" },
    { "writewatch_tracker_list", ENOMEM,
      "there is no memory for the list, or written state was lost for lack of memory" },
    { "writewatch_tracker_list", EFAULT, "a part of the range is not mapped" },
    { "writewatch_tracker_list", EPERM,
      "the memory is no longer the watched one: it was mapped over" },
    { "writewatch_tracker_list", EIO,
      "the memory is no longer the watched one, its watch was lost, or it could not be followed "
      "when it was watched" },

    { "writewatch_tracker_save", EINVAL, "the range is not made of whole pages of the tracker's" },
    { "writewatch_tracker_save", ENOMEM, "written state was lost for lack of memory" },
    { "writewatch_tracker_save", EFAULT, "a part of the watched memory is not mapped" },
    { "writewatch_tracker_save", EPERM,
      "the memory is no longer the watched one: it was mapped over" },
    { "writewatch_tracker_save", EIO,
      "the memory is no longer the watched one, its watch was lost, or it could not be followed "
      "when it was watched" },

    { "writewatch_tracker_save_to", EINVAL,
      "the range is not made of whole pages of the tracker's, or the offset is negative" },
    { "writewatch_tracker_save_to", ENOMEM, "written state was lost for lack of memory" },
    { "writewatch_tracker_save_to", EFAULT, "a part of the watched memory is not mapped, or a page "
      "that has changed cannot be read" },
    { "writewatch_tracker_save_to", EPERM, "the memory is no longer the watched one: it was mapped "
      "over" },
    { "writewatch_tracker_save_to", EIO, "the file cannot be written, the memory is no longer the "
      "watched one, or its watch was lost" },
    { "writewatch_tracker_save_to", EBADF, "the descriptor is not of a file that can be written" },
    { "writewatch_tracker_save_to", ESPIPE, "the descriptor is of a pipe or socket, which has no "
      "offsets" },
    { "writewatch_tracker_save_to", ENOSPC, "there is no room for the file" },
    { "writewatch_tracker_save_to", EFBIG, "the file would be too large" },

    { "writewatch_tracker_restore", EINVAL,
      "the range is not made of whole pages of the tracker's" },
    { "writewatch_tracker_restore", ENOMEM, "written state was lost for lack of memory" },
    { "writewatch_tracker_restore", EFAULT, "a part of the watched memory is not mapped" },
    { "writewatch_tracker_restore", EPERM, "the memory is no longer the watched one: it was mapped "
      "over" },
    { "writewatch_tracker_restore", EIO,
      "the memory is no longer the watched one, its watch was lost, or it could not be followed "
      "when it was watched" },

    { "writewatch_drop", EINVAL,
      "the range is not made of whole pages, the advice is neither MADV_DONTNEED nor "
      "MADV_REMOVE, MADV_REMOVE is for memory that is not shared, or the memory is locked" },
    { "writewatch_drop", ENOMEM,
      "a part of the range is not mapped, or there is no memory for written state" },
    { "writewatch_drop", EACCES, "MADV_REMOVE is for a mapping that may not be written" },
    { "writewatch_drop", EOPNOTSUPP, "the file cannot have holes" },

    { "writewatch_remap", EINVAL,
      "the sizes are not made of whole pages of the memory's granularity, or a flag is not "
      "MREMAP_MAYMOVE" },
    { "writewatch_remap", ENOENT, "the range is not in one watched region" },
    { "writewatch_remap", EOPNOTSUPP, "the memory is from VirtualAlloc" },
    { "writewatch_remap", ENOMEM,
      "the memory cannot grow where it is and may not move, or there is no memory for it" },
    { "writewatch_remap", EFAULT,
      "the memory to be moved is not one mapping, or a part of it is not mapped" },
    { "writewatch_remap", EAGAIN, "the memory is locked, and more may not be" },

    { "writewatch_process_open", EBADF, "the descriptor is not one of a process (pidfd)" },
    { "writewatch_process_open", ESRCH,
      "the process has no memory: it is ending, or a thread of the kernel" },
    { "writewatch_process_open", EACCES,
      "the kernel does not let the process be looked at (another user's process, or one that "
      "protects itself)" },
    { "writewatch_process_open", ENOENT, "/proc is not mounted" },
    { "writewatch_process_open", EMFILE, "the process has too many open files" },
    { "writewatch_process_open", ENFILE, "the system has too many open files" },
    { "writewatch_process_open", ENOMEM, "there is no memory to look at a process" },

    { "writewatch_process_regions", EINVAL, "there is no room for a range" },
    { "writewatch_process_regions", ESRCH, "the process has ended" },
    { "writewatch_process_regions", ESTALE, "the process has executed another program" },
    { "writewatch_process_regions", EBADF, "a descriptor of the library was closed" },

    { "writewatch_process_list", EINVAL, "the range has no page, there is no room for a range, a "
      "category or a flag does not exist, a reserved word is not 0, or pages are to be reset" },
    { "writewatch_process_list", EOPNOTSUPP,
      "the kernel cannot tell ZERO, HUGE and ASYNC (Linux 6.7 or later can)" },
    { "writewatch_process_list", EFAULT, "the first page is not mapped, or of a device" },
    { "writewatch_process_list", ESRCH, "the process has ended" },
    { "writewatch_process_list", ESTALE, "the process has executed another program" },
    { "writewatch_process_list", EBADF, "a descriptor of the library was closed" },

    { "writewatch_capabilities", EINVAL, "the structure is smaller than it ever was" },
    { "writewatch_capabilities", ENOENT, "the address is not watched" },
    { "writewatch_capabilities", EIO,
      "the process is a child that was made without the C library" },

    /* of any call; without a text for the error, the number is all that can be said */
    { NULL, EACCES, "the process may not do that" },
    { NULL, EAGAIN, "the system has too little of a resource" },
    { NULL, EBADF, "a descriptor of the library was closed, or its number is of another file" },
    { NULL, EBUSY, "what it needs is in use" },
    { NULL, EFAULT, "a pointer is to memory that cannot be accessed" },
    { NULL, EINVAL, "an argument is not valid" },
    { NULL, EIO, "the watches are of a parent process, or were lost" },
    { NULL, EMFILE, "the process has too many open files" },
    { NULL, ENFILE, "the system has too many open files" },
    { NULL, ENOENT, "the memory is not watched, or /proc is not there" },
    { NULL, ENOMEM, "there is no memory" },
    { NULL, ENOSYS, "the kernel or a sandbox has no such system call" },
    { NULL, EOPNOTSUPP, "the backend or the kernel cannot do it" },
    { NULL, EPERM, "the process may not do that, or a sandbox forbids it" },
    { NULL, EPROTO, "the kernel's list of mappings is not understood" },
    { NULL, ESRCH, "the process or its memory is gone" },
};

/* "error 95", for an error without a text; neither allocates nor takes a lock */
static const char *number_text( int error )
{
    static __thread char text[24];
    char *pos = text + sizeof(text) - 1;

    do *--pos = '0' + error % 10;
    while (error /= 10);
    pos -= sizeof("error ") - 1;
    return memcpy( pos, "error ", sizeof("error ") - 1 );
}

static const char *failure_text( const char *call, int error )
{
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].error == error && (!texts[i].call || !strcmp( texts[i].call, call )))
            return texts[i].text;
    return number_text( error );
}

/***********************************************************************
 *           writewatch_reason
 *
 * Of the calling thread's last failure, or of the state of the process where that call succeeded.
 * By any thread, no lock.
 */
const char *writewatch_reason( void )
{
    const struct failure *failure = &last_failure;

    if (!failure->error) return process_reason();
    if (failure->detail && *failure->detail) return failure->detail;
    /* where the backend could not be opened again in a child, that is why */
    if ((failure->error == EIO || failure->error == EPERM || failure->error == EBADF) &&
        *fork_notice()) return fork_notice();
    return failure_text( failure->call, failure->error );
}
