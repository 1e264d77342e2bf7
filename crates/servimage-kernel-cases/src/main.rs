//! Runs the cases on a GPU against the CPU twins: in a browser one by one as JavaScript asks, natively as a table.

#[cfg(target_family = "wasm")]
mod browser;

#[cfg(target_family = "wasm")]
fn main() {
    console_error_panic_hook::set_once();
    // Without a logger a shader that the browser refuses leaves no trace at all.
    console_log::init_with_level(log::Level::Warn).expect("the first logger of this module");
    browser::start();
}

#[cfg(not(target_family = "wasm"))]
fn main() -> Result<std::process::ExitCode, Box<dyn std::error::Error>> {
    use burn::tensor::{DType, Device};
    use servimage_kernel_cases::{cases_for, compare};
    let gpu = Device::wgpu_options()
        .init()
        .map_err(|error| error.to_string())?;
    let mut n_failed = 0;
    for case in cases_for(gpu.supports_dtype(DType::F16)) {
        let expected = pollster::block_on(case.run(&Device::flex()))?;
        let found = pollster::block_on(case.run(&gpu))?;
        match compare(&found, &expected, case.tolerance()) {
            Ok(error) => println!("{error:.1e}  {}", case.name()),
            Err(difference) => {
                n_failed += 1;
                println!("FAILED   {}: {difference}", case.name());
            }
        }
    }
    Ok(std::process::ExitCode::from(u8::from(n_failed > 0)))
}
