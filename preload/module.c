/*
 * Finds the segments of a loaded library
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <link.h>
#include <string.h>

#include "module.h"

/* callback for dl_iterate_phdr(): collects the segments of the module that contains an address */
static int collect_segments( struct dl_phdr_info *info, size_t size, void *arg )
{
    struct module *module = arg;
    int i, found = 0;

    (void)size;
    module->count = 0;
    memset( &module->relro, 0, sizeof(module->relro) );
    for (i = 0; i < info->dlpi_phnum; i++)
    {
        const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
        struct segment *segment = &module->segments[module->count];
        unsigned char *start = (unsigned char *)(info->dlpi_addr + phdr->p_vaddr);

        if (phdr->p_type == PT_GNU_RELRO)
        {
            module->relro.start = start;
            module->relro.end   = start + phdr->p_memsz;
        }
        if (phdr->p_type != PT_LOAD) continue;
        if (module->count == MAX_SEGMENTS) return 0;
        segment->start = start;
        segment->end   = start + phdr->p_memsz;
        segment->flags = phdr->p_flags;
        module->count++;
        if (module->inside >= segment->start && module->inside < segment->end) found = 1;
    }
    return found;
}

int find_module( const void *inside, struct module *module )
{
    module->inside = inside;
    return dl_iterate_phdr( collect_segments, module );
}
