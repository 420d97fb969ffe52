// Where the library is: WRITEWATCH_LIB_DIR, or what pkg-config says, or where the linker looks.
//
// Copyright 2026 the writewatch authors
// SPDX-License-Identifier: LGPL-2.1-or-later

use std::env;
use std::process::Command;

fn pkg_config_dir() -> Option<String> {
    let command = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".to_string());
    let output = Command::new(command).args(["--variable=libdir", "writewatch"]).output().ok()?;
    let dir = String::from_utf8(output.stdout).ok()?.trim().to_string();

    if output.status.success() && !dir.is_empty() {
        Some(dir)
    } else {
        None
    }
}

fn main() {
    let kind = if env::var_os("CARGO_FEATURE_STATIC").is_some() { "static" } else { "dylib" };

    println!("cargo:rerun-if-env-changed=WRITEWATCH_LIB_DIR");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    if let Some(dir) = env::var("WRITEWATCH_LIB_DIR").ok().or_else(pkg_config_dir) {
        println!("cargo:rustc-link-search=native={}", dir);
    }
    println!("cargo:rustc-link-lib={}=writewatch", kind);
}
