//! Decodes every file named on the command line and prints what was found, with times.

use servimage_image::{Limits, ProcessorConfig, decode, patchify};
use std::time::Instant;

fn main() {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).expect("the file can be read");
        let start = Instant::now();
        match decode(&bytes, &Limits::default()) {
            Ok(decoded) => {
                let decoded_at = start.elapsed();
                let patches = patchify(&decoded.image, &ProcessorConfig::default());
                let patchified = start.elapsed() - decoded_at;
                println!(
                    "{path}: {:?} grid {:?}, decode {decoded_at:?}, patchify {patchified:?}",
                    decoded.facts, patches.grid
                );
            }
            Err(error) => println!("{path}: {}: {error}", error.code()),
        }
    }
}
