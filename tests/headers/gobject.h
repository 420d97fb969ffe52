/*
 * The headers of GLib and GObject
 * pkg-config: gobject-2.0
 * It has no Windows names but TRUE and FALSE, which mean the same.
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib.h>
#include <glib-object.h>

extern gboolean use_glib( GObject *object );
