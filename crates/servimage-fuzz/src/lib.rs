//! Fuzz targets: every reader of bytes that a stranger may have made, each with what must hold for any input.
//!
//! Development only. [`Target::run`] panics where a property does not hold; a refusal is no failure. `cargo xtask fuzz` runs the
//! targets under libFuzzer, `tests/corpus.rs` over the committed corpus and some thousand mutations of it.

mod mutate;
mod readers;
mod shard_table;

pub use mutate::Mutator;

/// Something that reads bytes from strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `manifest.json` of a pack, the prompt's template in it included.
    Manifest,
    /// Tables of shards and tensors over any shard bytes: `TABLES \0 BYTES`.
    ShardTable,
    /// The header of a safetensors file.
    Safetensors,
    /// `tokenizer.json`.
    Tokenizer,
    /// Upstream's result rows.
    Results,
    /// Task files.
    Tasks,
    /// Image files, header and all.
    Image,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Manifest,
        Self::ShardTable,
        Self::Safetensors,
        Self::Tokenizer,
        Self::Results,
        Self::Tasks,
        Self::Image,
    ];

    /// Its name on the command line, and its folder in `corpus/`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::ShardTable => "shard_table",
            Self::Safetensors => "safetensors",
            Self::Tokenizer => "tokenizer",
            Self::Results => "results",
            Self::Tasks => "tasks",
            Self::Image => "image",
        }
    }

    /// The target of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.name() == name)
    }

    /// Reads `bytes` and uses what comes of them.
    ///
    /// # Panics
    /// Where a property of the reader does not hold: that is what a fuzzer looks for.
    pub fn run(self, bytes: &[u8]) {
        match self {
            Self::Manifest => readers::manifest(bytes),
            Self::ShardTable => shard_table::run(bytes),
            Self::Safetensors => readers::safetensors(bytes),
            Self::Tokenizer => readers::tokenizer(bytes),
            Self::Results => readers::results(bytes),
            Self::Tasks => readers::tasks(bytes),
            Self::Image => readers::image(bytes),
        }
    }

    /// Reads `bytes` and nothing else: what the bound on memory is about.
    pub fn parse(self, bytes: &[u8]) {
        match self {
            Self::Manifest => drop(readers::open_manifest(bytes)),
            Self::ShardTable => shard_table::run(bytes),
            Self::Safetensors => readers::safetensors(bytes),
            Self::Tokenizer => drop(servimage_prompt::Tokenizer::from_json(bytes)),
            Self::Results => drop(servimage_bench::results::read_rows(&readers::text(bytes))),
            Self::Tasks => drop(servimage_bench::task::load_tasks(&readers::text(bytes))),
            Self::Image => drop(servimage_image::decode(bytes, &readers::LIMITS)),
        }
    }

    /// Most memory that [`Target::parse`] may take beyond the input of `n_bytes`, in bytes.
    ///
    /// The multiples are those of the densest inputs that the formats allow, such as `[[],[],...` where JSON of any shape is
    /// read; a reader that believes a number in its input goes beyond any of them.
    pub fn memory_bound(self, n_bytes: usize) -> usize {
        const MB: usize = 1 << 20;
        match self {
            Self::Manifest | Self::Safetensors | Self::Results => MB + 24 * n_bytes,
            Self::ShardTable => MB + 64 * n_bytes,
            Self::Tokenizer => 4 * MB + 64 * n_bytes,
            // As many empty tasks as are read, each with its warnings.
            Self::Tasks => 40 * MB + 64 * n_bytes,
            // Decoder, pixels and their copies on the way to upright sRGB; the pixels are bounded by the limits.
            Self::Image => {
                let pixels = readers::LIMITS.max_pixels as usize;
                readers::LIMITS.max_decoder_bytes as usize + 24 * pixels + 8 * n_bytes + 2 * MB
            }
        }
    }
}
