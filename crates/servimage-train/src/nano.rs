//! The nano checkpoint: its numbers, its wording and its tokenizer.

use crate::brief::corpus;
use crate::error::TrainError;
use rand::{SeedableRng, rngs::SmallRng};
use servimage_image::ProcessorConfig;
use servimage_model::heads::ConceptWidths;
use servimage_pack::manifest::{PromptTemplate, SpecialTokens, TextDims, VisionDims};
use servimage_prompt::{PromptBuilder, Tokenizer};
use tokenizers::models::bpe::{BPE, BpeTrainerBuilder};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, TokenizerBuilder};

/// Special tokens in the order of their ids, named as in Qwen's tokenizers.
pub const SPECIALS: [&str; 7] = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
];

/// Ids of [`SPECIALS`] that the network knows.
pub const SPECIAL_IDS: SpecialTokens = SpecialTokens {
    image: 5,
    video: 6,
    vision_start: 3,
    vision_end: 4,
};

/// Largest vocabulary.
const VOCAB_SIZE: usize = 1024;

/// Layers of the vision tower at the beginning of training; runs that go on may have more ([`crate::schedule::Schedule::vision_layers`]).
pub const STARTING_VISION_LAYERS: usize = 5;

/// Layer of a vision tower of `n_layers` whose output the text tower gets too (DeepStack): the last of its first half.
pub(crate) fn tapped_layer(n_layers: usize) -> usize {
    (n_layers / 2).saturating_sub(1)
}

/// Everything that fixes the shapes of a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct NanoConfig {
    /// Text tower.
    pub text: TextDims,
    /// Vision tower.
    pub vision: VisionDims,
    /// Concept head.
    pub concept_widths: ConceptWidths,
    /// Payment head, from `d_model` to 2.
    pub payment_widths: [usize; 6],
}

impl NanoConfig {
    /// The size that nano's training begins with.
    #[must_use]
    pub fn starting(vocab_size: usize) -> Self {
        Self::sized(vocab_size, 192, 128, 4, STARTING_VISION_LAYERS)
    }

    /// The same with another number of layers in the vision tower, of which it has at least 2.
    #[must_use]
    pub fn with_vision_layers(mut self, n_layers: usize) -> Self {
        self.vision.n_layers = n_layers;
        self.vision.deepstack_layers = vec![tapped_layer(n_layers)];
        self
    }

    /// A few thousand parameters, for tests.
    #[must_use]
    pub fn tiny(vocab_size: usize) -> Self {
        Self::sized(vocab_size, 32, 16, 1, 2)
    }

    fn sized(
        vocab_size: usize,
        d_text: usize,
        d_vision: usize,
        text_layers: usize,
        vision_layers: usize,
    ) -> Self {
        let n_heads = if d_vision >= 96 { 4 } else { 2 };
        let head_dim = d_text / n_heads;
        let section = head_dim / 6;
        Self {
            text: TextDims {
                vocab_size,
                d_model: d_text,
                n_layers: text_layers,
                n_heads,
                n_kv_heads: n_heads / 2,
                head_dim,
                d_hidden: d_text * 2,
                rms_norm_eps: 1e-6,
                rope_theta: 10_000.0,
                mrope_section: [head_dim / 2 - 2 * section, section, section],
                tie_word_embeddings: true,
            },
            vision: VisionDims {
                d_model: d_vision,
                n_layers: vision_layers,
                n_heads,
                d_hidden: d_vision * 3,
                in_channels: 3,
                patch_size: 16,
                temporal_patch_size: 2,
                spatial_merge_size: 2,
                d_out: d_text,
                n_position_embeddings: 64,
                deepstack_layers: vec![tapped_layer(vision_layers)],
                rope_theta: 10_000.0,
            },
            concept_widths: ConceptWidths {
                d_model: d_text,
                d_shared1: d_text,
                d_shared2: d_text / 2,
                d_group: d_text / 4,
            },
            payment_widths: [d_text, d_text / 2, d_text / 4, 16, 16, 2],
        }
    }
}

/// How nano sees a picture: the processor of ServImageModel.
#[must_use]
pub fn processor() -> ProcessorConfig {
    ProcessorConfig::default()
}

/// The wording that nano is trained with: short, because its text tower is.
#[must_use]
pub fn template() -> PromptTemplate {
    let roles = ["candidate", "input", "others", "references"];
    PromptTemplate {
        text: "<|im_start|>user\n{requirement}\nUSD {price_usd}\n".to_owned(),
        image_prefix: "<|vision_start|>".to_owned(),
        image_suffix: "<|vision_end|>".to_owned(),
        tail: "<|im_end|>\n".to_owned(),
        image_lines: roles.map(|role| (role.to_owned(), String::new())).into(),
        missing: [
            ("requirement".to_owned(), "?".to_owned()),
            ("price_usd".to_owned(), "?".to_owned()),
        ]
        .into(),
        max_brief_tokens: 48,
        concept_tails: Default::default(),
    }
}

/// Trains the byte-level BPE on the grammar's own sentences and writes it as `tokenizer.json`.
///
/// # Errors
/// [`TrainError::Tokenizer`] where training or writing fails.
pub fn tokenizer_json() -> Result<String, TrainError> {
    let wrap = |source: tokenizers::Error| TrainError::Tokenizer {
        reason: source.to_string(),
    };
    let byte_level = ByteLevel::default().add_prefix_space(false);
    let mut tokenizer = TokenizerBuilder::<
        BPE,
        tokenizers::NormalizerWrapper,
        ByteLevel,
        tokenizers::PostProcessorWrapper,
        ByteLevel,
    >::new()
    .with_model(BPE::default())
    .with_pre_tokenizer(Some(byte_level))
    .with_decoder(Some(byte_level))
    .build()
    .map_err(wrap)?;
    let mut trainer = BpeTrainerBuilder::new()
        .vocab_size(VOCAB_SIZE)
        .show_progress(false)
        .special_tokens(SPECIALS.map(|token| AddedToken::from(token, true)).to_vec())
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    let lines = corpus(&mut SmallRng::seed_from_u64(17));
    tokenizer.train(&mut trainer, lines.iter()).map_err(wrap)?;
    tokenizer.to_string(false).map_err(wrap)
}

/// A prompt builder with nano's wording over a tokenizer.
///
/// # Errors
/// [`TrainError::Prompt`] where the tokenizer lacks a special token.
pub fn prompt_builder(tokenizer_json: &str) -> Result<PromptBuilder, TrainError> {
    let tokenizer = Tokenizer::from_json(tokenizer_json.as_bytes())?;
    Ok(PromptBuilder::from_parts(
        tokenizer,
        &template(),
        &SPECIAL_IDS,
        2,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokenizer_knows_the_special_tokens_and_every_byte() -> Result<(), TrainError> {
        let tokenizer = Tokenizer::from_json(tokenizer_json()?.as_bytes())?;
        let specials = SPECIALS.concat();
        assert_eq!(tokenizer.encode(&specials)?, (0..7).collect::<Vec<u32>>());
        let odd = tokenizer.encode("Żółw 龍 \u{1F600}\n")?;
        assert!(odd.len() > 4 && odd.iter().all(|id| (*id as usize) < VOCAB_SIZE));
        for brief in [
            "Please make red background, a bottle, for a web shop.",
            "请制作红色背景，展示瓶子，用于网店。",
        ] {
            assert!(tokenizer.encode(brief)?.len() <= 16, "{brief}");
        }
        Ok(())
    }
}
