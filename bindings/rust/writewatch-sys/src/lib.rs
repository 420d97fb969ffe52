//! The calls of libwritewatch, as `writewatch.h` declares them: which pages of memory were written,
//! by the Linux kernel's write watches. The manual pages, from writewatch(3) on, say what each does;
//! the names are theirs. The calls that bear Windows' names are not here.
//!
//! A call that fails returns a negative error number, and `writewatch_reason()` a text.
//!
//! Copyright 2026 the writewatch authors
//! SPDX-License-Identifier: LGPL-2.1-or-later

#![allow(non_camel_case_types)]

// The size of a structure and the offsets of its fields, for the test that compares them with C's.
macro_rules! layout_of {
    ($numbers:ident, $name:ident, $($field:ident),*) => {
        let memory = std::mem::MaybeUninit::<$name>::uninit();
        let base = memory.as_ptr();
        $numbers.push((concat!("struct ", stringify!($name), " sizeof"), std::mem::size_of::<$name>()));
        $(
            // the address is taken, nothing is read
            let field = unsafe { std::ptr::addr_of!((*base).$field) };
            $numbers.push((
                concat!("struct ", stringify!($name), " ", stringify!($field)),
                field as usize - base as usize,
            ));
        )*
    };
}

mod declarations;

pub use declarations::*;

/// The version of the declarations, as `writewatch_version()` returns the library's.
pub const WRITEWATCH_VERSION: u32 = WRITEWATCH_VERSION_MAJOR * 1_000_000
    + WRITEWATCH_VERSION_MINOR * 1_000
    + WRITEWATCH_VERSION_MICRO;
