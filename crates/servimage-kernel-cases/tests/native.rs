//! Every kernel on a native GPU and on the CPU against burn's own operations.

use burn::tensor::{DType, Device};
use servimage_kernel_cases::{cases, compare, open_with_default_limits};
use servimage_kernels::PackedWeight;
use servimage_pack::{Layout, TensorBytes};
use std::collections::BTreeSet;

/// Runs all cases on `device` against their references; the failures, one a line.
fn failures(device: &Device) -> Vec<String> {
    let differs = |case: &servimage_kernel_cases::Case| {
        let expected = pollster::block_on(case.reference()).expect("the CPU computes");
        let found = match pollster::block_on(case.run(device)) {
            Ok(found) => found,
            Err(error) => return Some(format!("{}: {error}", case.name())),
        };
        let difference = compare(&found, &expected, case.tolerance()).err()?;
        Some(format!("{}: {difference}", case.name()))
    };
    cases().iter().filter_map(differs).collect()
}

#[test]
fn every_kernel_on_the_cpu_gives_what_burn_gives() {
    let failures = failures(&Device::flex());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
#[ignore = "needs a Vulkan driver; Mesa's lavapipe will do"]
fn every_kernel_on_the_gpu_gives_what_burn_gives() {
    let gpu = Device::wgpu_options().init().expect("a Vulkan device");
    assert!(
        gpu.supports_dtype(DType::F16),
        "the cases with f16 activations need shader-f16, which lavapipe has"
    );
    let failures = failures(&gpu);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
#[ignore = "needs a Vulkan driver; Mesa's lavapipe will do"]
fn every_kernel_keeps_to_the_limits_that_every_webgpu_device_has() {
    let device =
        pollster::block_on(open_with_default_limits()).expect("the least that WebGPU promises");
    let failures = failures(&device);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // One value more than 128 MiB of f32, in two parts as joined layers are.
    let part = |name: &str, n_rows: usize| TensorBytes {
        name: name.to_owned(),
        shape: vec![n_rows, 4],
        layout: Layout::F32,
        bytes: vec![0; 16 * n_rows],
    };
    let half = 4 << 20;
    let fits = PackedWeight::upload(&[part("gate", half), part("up", half)], &device);
    assert!(fits.is_ok(), "{fits:?}");
    let refused = PackedWeight::upload(&[part("gate", half), part("up", half + 1)], &device);
    let words = refused.expect_err("one row too many").to_string();
    assert!(
        words.contains("`gate` takes 134217744 bytes, this GPU binds at most 134217728"),
        "{words}"
    );
}

#[test]
fn every_kernel_has_cases_and_no_two_share_a_name() {
    let names: Vec<String> = cases().iter().map(|case| case.name().to_owned()).collect();
    let kernels = [
        "linear f32",
        "linear f16",
        "linear q8",
        "linear q4",
        "linear then",
        "rms norm",
        "layer norm",
        "rotation",
        "attention causal",
        "attention whole",
        "gather",
        "add rows",
        "columns",
        "swiglu",
        "pooling",
        "f16: linear",
        "f16: rms norm",
        "f16: attention",
    ];
    for kernel in kernels {
        assert!(
            names.iter().any(|name| name.starts_with(kernel)),
            "{kernel} has no case"
        );
    }
    let unique: BTreeSet<&String> = names.iter().collect();
    assert_eq!(unique.len(), names.len(), "{names:?}");
}
