//! What can be wrong with a tokenizer, a template, or the images of a prompt.

use crate::builder::Role;

/// Why no prompt could be built.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// The bytes are no `tokenizer.json`.
    #[error("tokenizer.json cannot be read: {source}")]
    Tokenizer {
        /// What the tokenizer library says.
        #[source]
        source: tokenizers::Error,
    },
    /// A part of the tokenizer is of a kind that no checkpoint of the supported networks has.
    #[error("tokenizer.json, `{part}`: expected {expected}, found {found}")]
    TokenizerPart {
        /// Where it stands.
        part: &'static str,
        /// What is read.
        expected: &'static str,
        /// What stands there, cut to 80 characters.
        found: String,
    },
    /// A text could not be split into tokens.
    #[error("a text of {length_bytes} bytes cannot be encoded: {source}")]
    Encode {
        /// Length of the text.
        length_bytes: usize,
        /// What the tokenizer library says.
        #[source]
        source: tokenizers::Error,
    },
    /// The manifest names a special token that the tokenizer lacks.
    #[error(
        "special token `{name}` has id {id} in the manifest, but the tokenizer has no added token with that id"
    )]
    MissingSpecialToken {
        /// Name in the manifest.
        name: &'static str,
        /// Id in the manifest.
        id: u32,
    },
    /// The template has a slot that no task can fill.
    #[error(
        "the prompt template's `{part}` has the unknown slot `{{{slot}}}`; known are {known:?}"
    )]
    UnknownSlot {
        /// Field of the template.
        part: &'static str,
        /// Name found between braces.
        slot: String,
        /// Names that can stand there.
        known: &'static [&'static str],
    },
    /// A brace is neither doubled nor part of a slot.
    #[error(
        "the prompt template's `{part}` has an unmatched brace at byte {at}; a literal brace is doubled"
    )]
    UnmatchedBrace {
        /// Field of the template.
        part: &'static str,
        /// Where it stands.
        at: usize,
    },
    /// The template has no line for a role.
    #[error("the prompt template has no image line for the role `{role}`")]
    MissingImageLine {
        /// The role.
        role: Role,
    },
    /// The template itself holds image or video tokens; the images bring their own.
    #[error(
        "the prompt template holds {found} image or video tokens; it must hold none, the images bring their own"
    )]
    ImageTokenInTemplate {
        /// How many.
        found: usize,
    },
    /// The task has no such deliverable.
    #[error(
        "task `{task_id}` has {n_deliverables} deliverables, but number {deliverable} was asked for"
    )]
    UnknownDeliverable {
        /// The task.
        task_id: String,
        /// 1-based number asked for.
        deliverable: u32,
        /// How many there are.
        n_deliverables: usize,
    },
    /// The images are not one candidate, then at most one input, two composites of others and two of references.
    #[error(
        "the images must be one candidate, then at most one input, two others and two references, in this order; found {found:?}"
    )]
    ImageOrder {
        /// Roles as given.
        found: Vec<Role>,
    },
    /// A grid has a side that is no positive multiple of the merge block.
    #[error(
        "image {index} has a grid of {grid:?} patches; height and width must be positive multiples of {merge}, time positive"
    )]
    Grid {
        /// 0-based image.
        index: usize,
        /// Time, height and width in patches.
        grid: [u32; 3],
        /// Side of the merge block.
        merge: u32,
    },
    /// The number of grids is not the number of images in the token ids.
    #[error("the token ids hold {found} runs of image tokens, but {expected} grids were given")]
    ImageCount {
        /// Number of grids.
        expected: usize,
        /// Number of images found.
        found: usize,
    },
    /// An image has too few tokens for its grid.
    #[error("image {index} needs {expected} image tokens for its grid, found {found}")]
    ImageTokenCount {
        /// 0-based image.
        index: usize,
        /// Tokens that the grid asks for.
        expected: usize,
        /// Tokens found.
        found: usize,
    },
    /// A video token; this model judges still images.
    #[error("token {at} is a video token; only still images are judged")]
    VideoToken {
        /// Index in the token ids.
        at: usize,
    },
    /// The filled-in texts changed the number of special tokens: a task's text broke out of its slot.
    #[error(
        "the prompt holds {found} special tokens where its template has {expected}: a task's text acts as a special token"
    )]
    InjectedSpecialToken {
        /// Number in the template.
        expected: usize,
        /// Number found.
        found: usize,
    },
}
