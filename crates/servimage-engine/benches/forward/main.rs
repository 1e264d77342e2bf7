//! One evaluation after the other, asked for line by line: the native half of `cargo xtask bench`.
//!
//!     forward adapter                                    # the GPU that `serve PACK gpu` would run on, as JSON
//!     forward input PACK OUT self-test                   # the pack's self-test as an input file
//!     forward input PACK OUT page IMAGE TASK.json        # what the page makes of a picture under a task
//!     forward input PACK OUT made-up N_TEXT N_IMAGES SEED
//!     forward made-up PACK OUT WIDTH LAYOUT              # a pack of PACK's depths and another width, random weights
//!     forward serve PACK cpu|gpu|gpu-f16                         # requests on standard input, one JSON object a line
//!
//! The caller times peers of ours in turn with us, so it holds the clock's rounds and we only answer. See [`serve`] for the
//! requests, [`input`] for the files.

mod input;
mod made_up;
mod serve;
mod work;

use servimage_pack::Pack;
use servimage_pack::dir::DirSource;
use std::error::Error;
use std::path::Path;

const USAGE: &str = "usage: forward adapter | input PACK OUT (self-test | page IMAGE TASK.json | made-up N_TEXT N_IMAGES SEED) \
                     | made-up PACK OUT WIDTH LAYOUT | serve PACK cpu|gpu|gpu-f16";

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds `--bench`.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["adapter"] => serve::print_adapter(),
        ["input", pack, out, "self-test"] => input::self_test(&open(pack)?)?.write(Path::new(out)),
        ["input", pack, out, "page", image, task] => {
            input::page(&open(pack)?, Path::new(image), Path::new(task))?.write(Path::new(out))
        }
        ["input", pack, out, "made-up", n_text, n_images, seed] => {
            let manifest = open(pack)?.manifest().clone();
            let (n_text, n_images) = (n_text.parse()?, n_images.parse()?);
            input::made_up(&manifest, n_text, n_images, seed.parse()?)?.write(Path::new(out))
        }
        ["made-up", pack, out, width, layout] => {
            let manifest = open(pack)?.manifest().clone();
            made_up::write(&manifest, width.parse()?, layout, Path::new(out))
        }
        ["serve", pack, device] => serve::serve(&open(pack)?, device),
        _ => Err(USAGE.into()),
    }
}

fn open(folder: &str) -> Result<Pack<DirSource>, Box<dyn Error>> {
    Ok(pollster::block_on(Pack::open(DirSource::new(folder)))?)
}
