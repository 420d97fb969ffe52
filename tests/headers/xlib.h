/*
 * The headers of Xlib; Xmd.h has a BOOL of its own
 * pkg-config: x11
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/Xmd.h>

extern BOOL use_xlib( Display *display, CARD32 value );
