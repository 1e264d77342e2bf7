//! One evaluation as the model reads it: the filled template, then the images.
//!
//! The whole prompt is encoded at once, so the ids are those of the same text in any other implementation.

use crate::error::PromptError;
use crate::positions::{image_spans, mrope_positions, n_tokens};
use crate::slots::{IMAGE_LINE_SLOTS, Slotted, TEXT_SLOTS};
use crate::tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};
use servimage_bench::task::{Deliverable, Task};
use servimage_pack::manifest::{Manifest, PromptTemplate, SpecialTokens};
use std::collections::BTreeMap;
use std::ops::Range;

/// Most images in one prompt.
pub const MAX_IMAGES: usize = 6;

/// What an image is in the evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The image under evaluation.
    Candidate,
    /// The task's input image.
    Input,
    /// A composite of the task's other deliverables.
    Others,
    /// A composite of the task's reference images.
    References,
}

impl Role {
    /// Every role, in the order of the prompt.
    pub const ALL: [Self; 4] = [Self::Candidate, Self::Input, Self::Others, Self::References];

    /// Key in the template's `image_lines`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Input => "input",
            Self::Others => "others",
            Self::References => "references",
        }
    }

    /// Most images of this role.
    fn most(self) -> usize {
        match self {
            Self::Candidate | Self::Input => 1,
            Self::Others | Self::References => 2,
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.key())
    }
}

/// One image of the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSlot {
    /// What it is.
    pub role: Role,
    /// Time, height and width in patches.
    pub grid: [u32; 3],
}

/// A prompt ready for the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// `[seq_len]` token ids.
    pub ids: Vec<u32>,
    /// `[seq_len]` time, height and width position of every token.
    pub positions: Vec<[u32; 3]>,
    /// Where the tokens of each image lie.
    pub image_spans: Vec<Range<usize>>,
    /// Number of tokens before the first image's first: equal for all images of a deliverable that come with the same other images.
    pub prefix_len: usize,
    /// Whether the brief was longer than the template allows and was cut.
    pub brief_cut: bool,
}

/// Builds the prompts of one checkpoint.
#[derive(Clone, Debug)]
pub struct PromptBuilder {
    tokenizer: Tokenizer,
    template: PromptTemplate,
    text: Slotted,
    image_lines: BTreeMap<Role, Slotted>,
    special: SpecialTokens,
    merge: u32,
    image_token: String,
    /// Special tokens in the template, images left out.
    n_special: usize,
}

impl PromptBuilder {
    /// Checks the manifest's template and special tokens against the tokenizer.
    ///
    /// # Errors
    /// [`PromptError`] for an unknown slot, a role without a line, or a special token that the tokenizer lacks.
    pub fn new(tokenizer: Tokenizer, manifest: &Manifest) -> Result<Self, PromptError> {
        let merge = u32::try_from(manifest.vision.spatial_merge_size).unwrap_or(u32::MAX);
        Self::from_parts(
            tokenizer,
            &manifest.template,
            &manifest.special_tokens,
            merge,
        )
    }

    /// The same from the parts of a manifest that matter here; `merge` is the vision tower's spatial merge size.
    ///
    /// # Errors
    /// As [`PromptBuilder::new`].
    pub fn from_parts(
        tokenizer: Tokenizer,
        template: &PromptTemplate,
        special: &SpecialTokens,
        merge: u32,
    ) -> Result<Self, PromptError> {
        check_special_tokens(&tokenizer, special)?;
        let image_token = tokenizer
            .added_token(special.image)
            .unwrap_or_default()
            .to_owned();
        let mut builder = Self {
            text: Slotted::parse("text", &template.text, TEXT_SLOTS)?,
            image_lines: image_lines(template)?,
            template: template.clone(),
            special: special.clone(),
            tokenizer,
            merge,
            image_token,
            n_special: 0,
        };
        let bare = builder
            .tokenizer
            .encode(&builder.text.fill(|_| " ".to_owned()))?;
        let n_images = bare
            .iter()
            .filter(|id| [special.image, special.video].contains(*id))
            .count();
        if n_images > 0 {
            return Err(PromptError::ImageTokenInTemplate { found: n_images });
        }
        builder.n_special = builder.count_special(&bare);
        Ok(builder)
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Prompt for one deliverable of a task; the first image is the candidate.
    ///
    /// # Errors
    /// [`PromptError`] where the task has no such deliverable, or the images are not in the roles' order and numbers.
    pub fn build(
        &self,
        task: &Task,
        deliverable: u32,
        images: &[ImageSlot],
    ) -> Result<Prompt, PromptError> {
        self.build_with_tail(task, deliverable, images, &self.template.tail)
    }

    /// The same prompt, but asking for one concept's digit; absent where the template has no words for it.
    ///
    /// # Errors
    /// As [`PromptBuilder::build`].
    pub fn build_asking(
        &self,
        task: &Task,
        deliverable: u32,
        images: &[ImageSlot],
        concept: &str,
    ) -> Result<Option<Prompt>, PromptError> {
        let tail = self.template.concept_tails.get(concept);
        tail.map(|tail| self.build_with_tail(task, deliverable, images, tail))
            .transpose()
    }

    fn build_with_tail(
        &self,
        task: &Task,
        deliverable: u32,
        images: &[ImageSlot],
        tail: &str,
    ) -> Result<Prompt, PromptError> {
        check_images(images)?;
        let judged =
            task.deliverable(deliverable)
                .ok_or_else(|| PromptError::UnknownDeliverable {
                    task_id: task.task_id.clone(),
                    deliverable,
                    n_deliverables: task.deliverables.len(),
                })?;
        let requirement = self.tokenizer.as_plain_text(task.requirement.trim());
        let (brief, brief_cut) = self
            .tokenizer
            .cut(&requirement, self.template.max_brief_tokens)?;
        let mut text = self
            .text
            .fill(|slot| self.slot(slot, task, judged, brief, images));
        let found = self.count_special(&self.tokenizer.encode(&text)?);
        if found != self.n_special {
            return Err(PromptError::InjectedSpecialToken {
                expected: self.n_special,
                found,
            });
        }
        self.push_images(&mut text, images)?;
        text.push_str(tail);
        let ids = self.tokenizer.encode(&text)?;
        let grids: Vec<_> = images.iter().map(|image| image.grid).collect();
        let image_spans = image_spans(&ids, &grids, &self.special, self.merge)?;
        let positions = mrope_positions(&ids, &grids, &self.special, self.merge)?;
        let prefix_len = image_spans.first().map_or(ids.len(), |span| span.start);
        Ok(Prompt {
            ids,
            positions,
            image_spans,
            prefix_len,
            brief_cut,
        })
    }

    /// Appends the images' placeholders.
    fn push_images(&self, text: &mut String, images: &[ImageSlot]) -> Result<(), PromptError> {
        for (index, image) in images.iter().enumerate() {
            let n_tokens = n_tokens(index, image.grid, self.merge)?;
            text.push_str(&self.template.image_prefix);
            text.push_str(&self.image_token.repeat(n_tokens));
            text.push_str(&self.template.image_suffix);
        }
        Ok(())
    }

    /// What stands in a slot of the template's text. All of a task's words pass `as_plain_text`.
    fn slot(
        &self,
        slot: &str,
        task: &Task,
        judged: &Deliverable,
        brief: &str,
        images: &[ImageSlot],
    ) -> String {
        let plain = |text: &str| self.tokenizer.as_plain_text(text.trim());
        let value = match slot {
            "requirement" => brief.to_owned(),
            "subtasks" => numbered(task.deliverables.iter().map(|one| plain(&one.subtask))),
            "output_quantity" => some_number(task.output_quantity),
            "price_usd" => task
                .price_usd
                .map_or_else(String::new, |price| format!("{price:.2}")),
            "deliverable" => judged.index.to_string(),
            "n_deliverables" => task.deliverables.len().to_string(),
            "subtask" => plain(&judged.subtask),
            "points" => numbered(task.points.iter().map(|point| plain(&point.text))),
            "image_lines" => self.lines(images),
            unknown => unreachable!("slot {unknown} was refused when the template was read"),
        };
        if value.is_empty() {
            self.template.missing.get(slot).cloned().unwrap_or_default()
        } else {
            value
        }
    }

    /// One line an image.
    fn lines(&self, images: &[ImageSlot]) -> String {
        let line = |(index, image): (usize, &ImageSlot)| {
            let line = self.image_lines.get(&image.role)?;
            Some(line.fill(|_| (index + 1).to_string()))
        };
        images
            .iter()
            .enumerate()
            .filter_map(line)
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn count_special(&self, ids: &[u32]) -> usize {
        ids.iter()
            .filter(|id| self.tokenizer.is_added(**id))
            .count()
    }
}

fn check_special_tokens(tokenizer: &Tokenizer, special: &SpecialTokens) -> Result<(), PromptError> {
    let named = [
        ("image", special.image),
        ("video", special.video),
        ("vision_start", special.vision_start),
        ("vision_end", special.vision_end),
    ];
    match named.into_iter().find(|(_, id)| !tokenizer.is_added(*id)) {
        Some((name, id)) => Err(PromptError::MissingSpecialToken { name, id }),
        None => Ok(()),
    }
}

fn image_lines(template: &PromptTemplate) -> Result<BTreeMap<Role, Slotted>, PromptError> {
    let line = |role: Role| {
        let line = template
            .image_lines
            .get(role.key())
            .ok_or(PromptError::MissingImageLine { role })?;
        Ok((role, Slotted::parse("image_lines", line, IMAGE_LINE_SLOTS)?))
    };
    Role::ALL.into_iter().map(line).collect()
}

fn check_images(images: &[ImageSlot]) -> Result<(), PromptError> {
    let count = |role: Role| images.iter().filter(|image| image.role == role).count();
    let in_number =
        count(Role::Candidate) == 1 && Role::ALL.into_iter().all(|role| count(role) <= role.most());
    if in_number && images.is_sorted_by_key(|image| image.role) {
        return Ok(());
    }
    Err(PromptError::ImageOrder {
        found: images.iter().map(|image| image.role).collect(),
    })
}

/// `1. first`, `2. second`, a line each.
fn numbered(texts: impl Iterator<Item = String>) -> String {
    texts
        .enumerate()
        .map(|(i, text)| format!("{}. {text}", i + 1))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A quantity of 0 is not named.
fn some_number(quantity: u32) -> String {
    if quantity == 0 {
        String::new()
    } else {
        quantity.to_string()
    }
}
