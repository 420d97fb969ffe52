/*
 * Declarations shared by the files of the preload library
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_PRELOAD_H
#define WRITEWATCH_PRELOAD_H

#include <stddef.h>
#include <stdint.h>

#include "defer.h"

/* The functions of Wine that we hook. ntdll.so also calls those before HOOKS_CALLED directly, for
 * other processes and for Wine itself. */
enum hook
{
    HOOK_ALLOCATE,
    HOOK_ALLOCATE_EX,
    HOOK_FREE,
    HOOKS_CALLED,
    HOOK_GET = HOOKS_CALLED,
    HOOK_RESET,
    HOOK_COUNT
};

/* That of Windows, and that of Unix: on i386 these are stdcall and cdecl. */
enum convention
{
    CONVENTION_MS,
    CONVENTION_SYSV,
};

/* One calling convention: hook_ms.c and hook_sysv.c. */
struct hook_table
{
    enum convention convention;
    void          (*set_originals)( void * const *originals );
    void           *hooks[HOOK_COUNT];
};

extern const struct hook_table hooks_ms;
extern const struct hook_table hooks_sysv;

/* inspect.c: what inspect_ntdll() found in a loaded ntdll.so */
#define MAX_CALLS 64

struct ntdll_info
{
    const char              *names[HOOK_COUNT];
    void                    *functions[HOOK_COUNT];
    void                   **slots[HOOK_COUNT];              /* in the system call table */
    int                      slot_prot[HOOK_COUNT];          /* protection of the slots */
    unsigned char           *calls[HOOKS_CALLED][MAX_CALLS]; /* calls and jumps: the last byte of
                                                              * the opcode, before the operand */
    unsigned int             call_count[HOOKS_CALLED];
    const struct hook_table *convention;
};

extern int inspect_ntdll( void *handle, const char *path, struct ntdll_info *info, char *reason,
                          size_t len );

/* pe_stub.c */
extern int read_syscall_ids( const char *unix_path, const char * const *names, unsigned int *ids,
                             size_t count, char *reason, size_t len );

/* kernel_watches.c */
extern int has_kernel_watches( void *ntdll );

/* patch.c */
extern int patch_ntdll( const struct ntdll_info *info, char *reason, size_t len );

/* signals.c */
extern int guard_signals(void);

/* wine_version.c: empty if it was not found */
extern void find_wine_version( void *ntdll );
extern const char *wine_version(void);

/* fault_cost.c */
extern uint64_t measure_fault_cost(void);

/* program.c */
extern const char *program_name(void);

/* log.c */
extern int log_is_for_all(void);
extern void log_active( const char *line, int watches );
extern void log_not_active( const char *line );
extern void log_line( const char *format, ... ) __attribute__((format( printf, 1, 2 )));

/* watching.c: the line for the log of this process, with the cost of a fault (0: not measured); and
 * what is done when memory is first watched, under the change lock */
extern void set_active( const char *line, uint64_t fault_cost );
extern void begin_watching(void);

/* preload.c: set in a Wine process whose write watches we have taken over */
extern int preload_active;

/* preload.c: Wine's calling convention; set before Wine can call a hook */
extern const struct hook_table *active_hooks;

/* interpose.c: set while this thread runs Wine's MEM_DECOMMIT of watched memory */
extern __thread int decommitting;

/* interpose.c: the allocation of watched memory for which this thread runs Wine's code */
enum allocation
{
    ALLOCATION_NONE,
    ALLOCATION_NEW,
    ALLOCATION_IN_PLACEHOLDER,
    ALLOCATION_REFUSED,         /* the placeholder could not be made accessible */
};

extern __thread enum allocation allocating;

#endif /* WRITEWATCH_PRELOAD_H */
