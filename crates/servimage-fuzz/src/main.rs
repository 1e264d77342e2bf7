//! libFuzzer over the target that `SERVIMAGE_FUZZ_TARGET` names; started by `cargo xtask fuzz`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use servimage_fuzz::Target;
use std::sync::LazyLock;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("SERVIMAGE_FUZZ_TARGET").unwrap_or_default();
    Target::find(&name).expect("SERVIMAGE_FUZZ_TARGET names a target; `cargo xtask fuzz` sets it")
});

fuzz_target!(|bytes: &[u8]| TARGET.run(bytes));
